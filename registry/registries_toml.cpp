#include "registry/registries_toml.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/short_names.hpp"

#include <exception>

namespace lade::registry {
namespace {
/// The text broke an assertion of toml++.
class BrokenAssertion final : public std::exception {};

[[noreturn]] void break_assertion() {
  throw BrokenAssertion();
}
}  // namespace
}  // namespace lade::registry

// clang-format off: the macros are for the include below them.
// toml++ 3.3 asserts what it has not checked (that a key follows `[`), and in a release build lets
// the compiler rely on it. So its assertions are kept in every build, and throw.
#undef NDEBUG
#define TOML_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : lade::registry::break_assertion())
// Keys lie within `[[registry]]` and `[[registry.mirror]]`; what nests deeper is not for us.
#define TOML_MAX_NESTED_VALUES 8
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>
// clang-format on

#include <algorithm>
#include <array>

namespace lade::registry {

namespace {

InvalidData at_line(const std::string& path, std::size_t line, std::string_view what) {
  return InvalidData(str("parse ", quoted(path), ": line ", line, ": ", what));
}

/// Reads one table of the file; the keys that nobody asks for are ignored.
class TableReader {
 public:
  TableReader(const toml::table& table, const std::string& path) : table_(table), path_(path) {}

  [[noreturn]] void fail(const toml::node& node, std::string_view what) const {
    throw at_line(path_, node.source().begin.line, what);
  }
  [[noreturn]] void fail(std::string_view what) const { fail(table_, what); }

  /// The value of `key`: as spelt here, else in any other case, as the other tools have it.
  const toml::node* find(std::string_view key) const {
    if (const toml::node* node = table_.get(key)) return node;
    for (const auto& [name, node] : table_) {
      if (ascii_iequals(name.str(), key)) return &node;
    }
    return nullptr;
  }

  /// A text; empty if it is not there.
  std::string text(std::string_view key) const {
    const toml::node* node = find(key);
    return node == nullptr ? std::string() : text_of(*node, key);
  }

  std::string text_of(const toml::node& node, std::string_view key) const {
    const auto* value = node.as_string();
    if (value == nullptr) fail(node, str(quoted(key), " must be a text in quotes"));
    return value->get();
  }

  /// Whether `key` is there and true.
  bool is_set(std::string_view key) const {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    const auto* value = node->as_boolean();
    if (value == nullptr) fail(*node, str(quoted(key), " must be true or false"));
    return value->get();
  }

  /// The tables of `[[key]]`.
  std::vector<TableReader> tables(std::string_view key) const {
    std::vector<TableReader> readers;
    const toml::node* node = find(key);
    if (node == nullptr) return readers;
    const toml::array* array = node->as_array();
    if (array == nullptr) fail(*node, str(quoted(key), " must be an array of tables"));
    for (const toml::node& element : *array) {
      const toml::table* table = element.as_table();
      if (table == nullptr) fail(element, str(quoted(key), " must be an array of tables"));
      readers.emplace_back(*table, path_);
    }
    return readers;
  }

  /// The texts of an array.
  std::optional<std::vector<std::string>> texts(std::string_view key) const {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    const toml::array* array = node->as_array();
    if (array == nullptr) fail(*node, str(quoted(key), " must be an array of texts"));
    std::vector<std::string> texts;
    for (const toml::node& element : *array) texts.push_back(text_of(element, key));
    return texts;
  }

  /// The table `[key]`.
  const toml::table* table(std::string_view key) const {
    const toml::node* node = find(key);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) fail(*node, str(quoted(key), " must be a table"));
    return node->as_table();
  }

 private:
  const toml::table& table_;
  const std::string& path_;
};

/// `host[:port][/…]` as written under `key`, without the slashes at its end.
std::string read_name(const TableReader& table, std::string_view key) {
  std::string name = table.text(key);
  while (!name.empty() && name.back() == '/') name.pop_back();
  if (name.starts_with("http://") || name.starts_with("https://")) {
    table.fail(*table.find(key),
               str(quoted(key), " ", quoted(name), " must not begin with a scheme"));
  }
  return name;
}

std::optional<std::string> read_proxy(const TableReader& table) {
  const std::string url = table.text("proxy");
  if (url.empty()) return std::nullopt;
  constexpr std::array<std::string_view, 4> k_schemes{"http://", "https://", "socks5://",
                                                      "socks5h://"};
  if (std::none_of(k_schemes.begin(), k_schemes.end(),
                   [&](std::string_view scheme) { return url.starts_with(scheme); })) {
    // The URL may hold a password, so it is not shown.
    table.fail(*table.find("proxy"),
               "`proxy` must be a URL that begins with http, https, socks5 or socks5h");
  }
  return url;
}

Location read_location(const TableReader& table) {
  return {.name = read_name(table, "location"),
          .tls_verify = table.is_set("insecure") ? TlsVerify::no : TlsVerify::yes,
          .proxy = read_proxy(table)};
}

/// What `pull-from-mirror` says, if it is there and not empty.
std::optional<MirrorUse> read_mirror_use(const TableReader& table) {
  const std::string text = table.text("pull-from-mirror");
  if (text.empty()) return std::nullopt;
  if (text == "all") return MirrorUse::all;
  if (text == "digest-only") return MirrorUse::digest_only;
  if (text == "tag-only") return MirrorUse::tag_only;
  table.fail(*table.find("pull-from-mirror"),
             str("`pull-from-mirror` must be all, digest-only or tag-only, not ", quoted(text)));
}

std::vector<Mirror> read_mirrors(const TableReader& registry) {
  const bool by_digest_only = registry.is_set("mirror-by-digest-only");
  std::vector<Mirror> mirrors;
  for (const TableReader& table : registry.tables("mirror")) {
    Mirror mirror{.location = read_location(table)};
    if (mirror.location.name.empty()) table.fail("a mirror needs a `location`");
    const auto use = read_mirror_use(table);
    if (by_digest_only && use) {
      table.fail("`pull-from-mirror` contradicts `mirror-by-digest-only` of its registry");
    }
    mirror.use = by_digest_only ? MirrorUse::digest_only : use.value_or(MirrorUse::all);
    mirrors.push_back(std::move(mirror));
  }
  return mirrors;
}

RegistryRule read_rule(const TableReader& table, const std::string& path) {
  RegistryRule rule{.prefix = read_name(table, "prefix"),
                    .location = read_location(table),
                    .mirrors = read_mirrors(table),
                    .access = table.is_set("blocked") ? Access::blocked : Access::allowed,
                    .file = path};
  const bool wildcard = rule.prefix.starts_with("*.");
  if (rule.prefix.empty()) rule.prefix = rule.location.name;
  if (rule.prefix.empty()) table.fail("a registry needs a `prefix` or a `location`");
  if (rule.location.name.empty() && !wildcard) {
    table.fail(str("the registry ", quoted(rule.prefix), " needs a `location`"));
  }
  if (rule.prefix.starts_with("*.") && rule.prefix.find_first_of("/@:") != std::string::npos) {
    table.fail(str("the prefix ", quoted(rule.prefix),
                   " must be a host alone after `*.`, without port and path"));
  }
  if (read_mirror_use(table)) {
    table.fail("`pull-from-mirror` belongs to a mirror, not to a registry");
  }
  return rule;
}

/// Two rules of a file that lead to the same place must agree on how to treat it.
void check_agreement(const TableReader& table, const RegistryRule& rule,
                     const std::vector<RegistryRule>& others) {
  const auto place = [](const RegistryRule& r) {
    return r.location.name.empty() ? r.prefix : r.location.name;
  };
  for (const RegistryRule& other : others) {
    if (place(other) != place(rule)) continue;
    std::string_view key;
    if (other.location.tls_verify != rule.location.tls_verify) key = "insecure";
    if (other.location.proxy != rule.location.proxy) key = "proxy";
    if (other.access != rule.access) key = "blocked";
    if (key.empty()) continue;
    table.fail(
        str("the registry ", quoted(place(rule)), " is defined before with another ", quoted(key)));
  }
}

std::vector<RegistryRule> read_rules(const TableReader& root, const std::string& path) {
  std::vector<RegistryRule> all;
  std::vector<RegistryRule> first;
  for (const TableReader& table : root.tables("registry")) {
    RegistryRule rule = read_rule(table, path);
    check_agreement(table, rule, all);
    const bool known = std::any_of(first.begin(), first.end(), [&](const RegistryRule& other) {
      return other.prefix == rule.prefix;
    });
    if (!known) first.push_back(rule);
    all.push_back(std::move(rule));
  }
  return first;
}

std::optional<ShortNameMode> read_mode(const TableReader& root) {
  const std::string text = root.text("short-name-mode");
  if (text.empty()) return std::nullopt;
  if (text == "enforcing") return ShortNameMode::enforcing;
  if (text == "permissive") return ShortNameMode::permissive;
  if (text == "disabled") return ShortNameMode::disabled;
  root.fail(*root.find("short-name-mode"),
            str("`short-name-mode` must be enforcing, permissive or disabled, not ", quoted(text)));
}

/// Whether `host/name` is a repository at that host: a bare word would be one at docker.io.
bool is_registry_host(const std::string& host) {
  const std::string repository = str(host, "/name");
  if (host.find('/') != std::string::npos || is_short_name(repository)) return false;
  try {
    Reference::parse(repository);
    return true;
  } catch (const UsageError&) {
    return false;
  }
}

std::optional<std::vector<std::string>> read_search_registries(const TableReader& root) {
  constexpr std::string_view k_key = "unqualified-search-registries";
  auto hosts = root.texts(k_key);
  if (!hosts) return std::nullopt;
  for (std::string& host : *hosts) {
    while (!host.empty() && host.back() == '/') host.pop_back();
    if (is_registry_host(host)) continue;
    root.fail(*root.find(k_key), str(quoted(k_key), ": ", quoted(host),
                                     " is not a registry host with an optional port"));
  }
  return hosts;
}

/// Throws UsageError for a name or a target that cannot be one.
std::optional<Alias> read_alias(std::string_view name, const std::string& target,
                                const std::string& path) {
  const Reference short_name = Reference::parse(name);
  if (!is_short_name(name)) throw UsageError("the short name has a registry");
  if (short_name.tag() || short_name.digest()) {
    throw UsageError("the short name has a tag or a digest");
  }
  if (target.empty()) return std::nullopt;
  const Reference reference = Reference::parse(target);
  if (is_short_name(target)) throw UsageError("what it stands for has no registry");
  if (reference.tag() || reference.digest()) {
    throw UsageError("what it stands for has a tag or a digest");
  }
  return Alias{.target = reference, .file = path};
}

void read_aliases(const TableReader& root, const std::string& path, RegistriesFragment& fragment) {
  const toml::table* table = root.table("aliases");
  if (table == nullptr) return;
  for (const auto& [key, node] : *table) {
    const std::string name(key.str());
    const std::string target = root.text_of(node, name);
    try {
      fragment.aliases.emplace_back(name, read_alias(name, target, path));
    } catch (const UsageError& error) {
      root.fail(node, str("alias ", quoted(name), ": ", error.message()));
    }
  }
}

/// Version 1 had `[registries.search]`, `[registries.insecure]` and `[registries.block]`.
void refuse_version_1(const TableReader& root, const std::string& path) {
  const toml::node* node = root.find("registries");
  const toml::table* registries = node == nullptr ? nullptr : node->as_table();
  if (registries == nullptr) return;
  const TableReader reader(*registries, path);
  for (const std::string_view name : {"search", "insecure", "block"}) {
    const toml::node* section = reader.find(name);
    if (section == nullptr) continue;
    InvalidData error = at_line(path, section->source().begin.line,
                                str(quoted(str("[registries.", name, "]")),
                                    " is the syntax of version 1, which is not supported"));
    error.set_hint("write `unqualified-search-registries` and `[[registry]]` tables instead");
    throw error;
  }
}

/// The most dots of a line. Each may be a level of a dotted key, and toml++ recurses
/// into them.
constexpr int k_dots_of_line = 512;

void check_depth(std::string_view text, const std::string& path) {
  std::size_t line = 1;
  int dots = 0;
  for (const char c : text) {
    if (c == '\n') {
      ++line;
      dots = 0;
    } else if (c == '.' && ++dots > k_dots_of_line) {
      throw at_line(path, line, "too many dots");
    }
  }
}

bool breaks_assertion(std::string_view text) {
  try {
    static_cast<void>(toml::parse(text));
  } catch (const toml::parse_error&) {
  } catch (const BrokenAssertion&) {
    return true;
  }
  return false;
}

/// The number of the line that breaks an assertion: an assertion does not tell, but it is broken by
/// every beginning of the text that has that line.
std::size_t find_breaking_line(std::string_view text) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') ends.push_back(i + 1);
  }
  const auto breaking = std::partition_point(ends.begin(), ends.end(), [&](std::size_t end) {
    return !breaks_assertion(text.substr(0, end));
  });
  return static_cast<std::size_t>(breaking - ends.begin()) + 1;
}

/// The text without a byte order mark and with `?` for every byte beyond ASCII. Nothing that counts
/// in these files has one, their comments do, and toml++ 3.3 takes a wrong way on many (it declares
/// most letters unreachable when it looks for blanks).
std::string ascii_only(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  std::string ascii(text);
  std::replace_if(
      ascii.begin(), ascii.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  return ascii;
}

toml::table parse_text(std::string_view text, const std::string& path) {
  check_depth(text, path);
  try {
    return toml::parse(text, std::string_view(path));
  } catch (const toml::parse_error& error) {
    throw at_line(path, error.source().begin.line, printable(error.description()));
  } catch (const BrokenAssertion&) {
    throw at_line(path, find_breaking_line(text), "the name of a table is missing");
  }
}

}  // namespace

RegistriesFragment parse_registries_toml(std::string_view text, const std::string& path) {
  const toml::table table = parse_text(ascii_only(text), path);
  const TableReader root(table, path);
  refuse_version_1(root, path);
  RegistriesFragment fragment;
  fragment.rules = read_rules(root, path);
  fragment.search_registries = read_search_registries(root);
  fragment.short_name_mode = read_mode(root);
  read_aliases(root, path, fragment);
  return fragment;
}

}  // namespace lade::registry
