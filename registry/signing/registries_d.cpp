#include "registry/signing/registries_d.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace lade::registry {

namespace {

constexpr std::size_t k_file_cap = 1024 * 1024;

/// The value of a key, or of the name it had before.
std::string find_text(const YamlNode& section, std::string_view key, std::string_view old_key) {
  for (const std::string_view name : {key, old_key}) {
    if (const auto node = section.find(name)) {
      if (!node->text().empty()) return node->text();
    }
  }
  return {};
}

SignatureSection read_section(const YamlNode& node, const std::string& path) {
  if (node.is_null()) return {.file = path};
  SignatureSection section{
      .lookaside = find_text(node, "lookaside", "sigstore"),
      .lookaside_staging = find_text(node, "lookaside-staging", "sigstore-staging"),
      .file = path};
  if (const auto flag = node.find("use-sigstore-attachments")) section.attachments = flag->flag();
  return section;
}

/// The first section that has something to say, from the image outwards.
template <class Value>
std::optional<Value> nearest(const RegistriesD& conf, const ImageScope& image,
                             std::optional<Value> (*ask)(const SignatureSection&)) {
  for (const std::string& scope : image.scopes) {
    const auto found = conf.sections.find(scope);
    if (found == conf.sections.end()) continue;
    if (auto value = ask(found->second)) return value;
  }
  return conf.fallback ? ask(*conf.fallback) : std::nullopt;
}

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

bool is_directory(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

}  // namespace

void add_registries_yaml(RegistriesD& all, std::string_view text, const std::string& path) {
  const YamlNode root = parse_yaml(text, quoted(path));
  if (root.is_null()) return;
  if (const auto fallback = root.find("default-docker")) {
    if (all.fallback) {
      fallback->fail(str("is defined in ", quoted(all.fallback->file), " already"));
    }
    all.fallback = read_section(*fallback, path);
  }
  const auto docker = root.find("docker");
  if (!docker) return;
  for (const auto& [scope, node] : docker->members()) {
    const auto [known, is_new] = all.sections.try_emplace(scope, read_section(node, path));
    if (!is_new) node.fail(str("is defined in ", quoted(known->second.file), " already"));
  }
}

RegistriesD load_registries_d(const RegistriesDDirectories& directories) {
  std::string path = directories.system_directory;
  if (is_directory(directories.user_directory)) path = directories.user_directory;
  if (directories.explicit_directory) path = *directories.explicit_directory;
  RegistriesD all;
  if (path.empty() || !is_directory(path)) return all;
  for (const std::string& name : Directory::open(path).list()) {
    if (!name.ends_with(".yaml")) continue;
    const std::string file = str(path, '/', name);
    add_registries_yaml(all, read_file(file, k_file_cap), file);
  }
  return all;
}

SignaturePlaces find_places(const RegistriesD& conf, const ImageScope& image,
                            const std::string& default_lookaside) {
  const auto reading = nearest<std::string>(
      conf, image, [](const SignatureSection& section) { return unless_empty(section.lookaside); });
  const auto writing = nearest<std::string>(conf, image, [](const SignatureSection& section) {
    auto staging = unless_empty(section.lookaside_staging);
    return staging ? staging : unless_empty(section.lookaside);
  });
  const auto attachments = nearest<bool>(
      conf, image, [](const SignatureSection& section) { return section.attachments; });
  const std::string fallback =
      default_lookaside.empty() ? std::string() : "file://" + default_lookaside;
  return {.read_url = reading.value_or(fallback),
          .write_url = writing.value_or(fallback),
          .attachments = attachments.value_or(false)};
}

}  // namespace lade::registry
