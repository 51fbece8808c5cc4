#include "registry/sync/sync_file.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"

#include <map>

namespace lade::registry {

namespace {

/// Runs `body`; what it finds wrong with a text is told with the text's line.
template <class Body>
auto at(const YamlNode& node, Body&& body) {
  try {
    return body();
  } catch (const UsageError& error) {
    node.fail(str("is not usable: ", error.what()));
  }
}

std::vector<Regex> parse_expressions(const YamlNode& list) {
  std::vector<Regex> expressions;
  for (const YamlNode& item : list.items()) {
    expressions.push_back(at(item, [&] { return Regex::compile(item.text()); }));
  }
  return expressions;
}

std::size_t parse_count(const YamlNode& node) {
  const auto count = parse_number<std::size_t>(node.text());
  if (!count || *count == 0) node.fail("is not a number from 1 up");
  return *count;
}

/// Reads one of the keys that a registry and a repository have in common; whether it is one.
bool parse_rule(const std::string& key, const YamlNode& value, SyncRules& rules) {
  if (key == "include") {
    rules.include = parse_expressions(value);
  } else if (key == "exclude") {
    rules.exclude = parse_expressions(value);
  } else if (key == "newest") {
    rules.newest = parse_count(value);
  } else if (key == "referrers") {
    rules.referrers = value.flag();
  } else if (key == "platforms") {
    rules.platforms.clear();
    for (const YamlNode& item : value.items()) {
      rules.platforms.push_back(at(item, [&] { return parse_platform(item.text()); }));
    }
  } else {
    return false;
  }
  return true;
}

Reference parse_repository(const std::string& name, const YamlNode& node) {
  return at(node, [&] {
    const Reference parsed = Reference::parse(name);
    if (!parsed.tag() && !parsed.digest()) return parsed;
    throw UsageError(str(quoted(name), " is not the name of a repository"));
  });
}

Credentials parse_login(const YamlNode& node, std::string_view document) {
  const auto text = [&](std::string_view key) {
    const auto found = node.find(key);
    return found ? found->text() : std::string();
  };
  return {text("username"), text("password"), std::string(document)};
}

/// Reads what a file says of one registry.
class RegistryParser {
 public:
  RegistryParser(std::string name, std::string_view document, std::vector<std::string>& warnings)
      : document_(document), warnings_(warnings) {
    registry_.name = std::move(name);
  }

  SyncRegistry parse(const YamlNode& node) {
    if (node.is_null()) return std::move(registry_);
    read_settings(node);
    if (const auto images = node.find("images")) read_images(*images);
    if (const auto images = node.find("images-by-tag-regex")) {
      read_each(*images, [&](const YamlNode& value, SyncSource& source) {
        source.tag_regex = at(value, [&] { return Regex::compile(value.text()); });
      });
    }
    if (const auto images = node.find("images-by-semver")) {
      read_each(*images, [&](const YamlNode& value, SyncSource& source) {
        source.versions = at(value, [&] { return VersionConstraint::parse(value.text()); });
      });
    }
    return std::move(registry_);
  }

 private:
  void read_settings(const YamlNode& node) {
    for (const auto& [key, value] : node.members()) {
      if (key.starts_with("images") || value.is_null()) continue;
      if (key == "credentials") {
        registry_.credentials = parse_login(value, document_);
      } else if (key == "tls-verify") {
        registry_.tls_verify = value.flag() ? TlsVerify::yes : TlsVerify::no;
      } else if (key == "cert-dir") {
        registry_.cert_dir = value.text();
      } else if (key != "repositories" && !parse_rule(key, value, rules_)) {
        warn(key, value);
      }
    }
    const auto repositories = node.find("repositories");
    if (!repositories) return;
    for (const auto& [name, rules] : repositories->members()) read_repository(name, rules);
  }

  /// A repository's own rules, on top of its registry's.
  void read_repository(const std::string& name, const YamlNode& node) {
    SyncRules rules = rules_;
    for (const auto& [key, value] : node.members()) {
      if (key == "rename") {
        rules.rename = value.text();
        parse_repository(value.text(), value);
      } else if (!parse_rule(key, value, rules)) {
        warn(key, value);
      }
    }
    own_rules_.insert_or_assign(reference(name, node).repository(), std::move(rules));
  }

  /// `a/b` is an image of docker.io, which shall not get the credentials of a registry `a`.
  Reference reference(const std::string& repository, const YamlNode& node) const {
    const std::string host = registry_.name.substr(0, registry_.name.find('/'));
    if (parse_repository(host + "/x/y", node).path() != "x/y") {
      node.fail(str("is of no registry: ", quoted(host), " is not the name of one"));
    }
    return parse_repository(str(registry_.name, '/', repository), node);
  }

  SyncSource make_source(const std::string& repository, const YamlNode& node) const {
    SyncSource source{.repository = reference(repository, node), .rules = rules_};
    const auto own = own_rules_.find(source.repository.repository());
    if (own != own_rules_.end()) source.rules = own->second;
    return source;
  }

  void read_images(const YamlNode& images) {
    for (const auto& [repository, keys] : images.members()) {
      SyncSource source = make_source(repository, keys);
      if (!keys.is_null()) {
        for (const YamlNode& key : keys.items()) source.keys.push_back(parse_key(key));
      }
      registry_.sources.push_back(std::move(source));
    }
  }

  static ManifestKey parse_key(const YamlNode& node) {
    if (const auto digest = Digest::try_parse(node.text())) return *digest;
    if (!is_valid_tag(node.text())) node.fail("is neither a tag nor a digest");
    return node.text();
  }

  template <class Read>
  void read_each(const YamlNode& images, Read&& read) {
    for (const auto& [repository, value] : images.members()) {
      SyncSource source = make_source(repository, value);
      read(value, source);
      registry_.sources.push_back(std::move(source));
    }
  }

  void warn(const std::string& key, const YamlNode& value) {
    warnings_.push_back(
        str(document_, ": line ", value.line(), ": the key ", quoted(key), " is not known"));
  }

  std::string_view document_;
  std::vector<std::string>& warnings_;
  SyncRegistry registry_;
  SyncRules rules_;
  std::map<std::string, SyncRules> own_rules_;
};

}  // namespace

SyncFile parse_sync_file(std::string_view bytes, std::string_view document) {
  SyncFile file;
  const YamlNode root = parse_yaml(bytes, document);
  if (root.is_null()) return file;
  for (const auto& [name, node] : root.members()) {
    file.registries.push_back(RegistryParser(name, document, file.warnings).parse(node));
  }
  return file;
}

}  // namespace lade::registry
