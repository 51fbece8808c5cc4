#include "oci/runtime_spec_json.hpp"

#include "base/error.hpp"
#include "oci/runtime_json.hpp"

#include <algorithm>
#include <array>

namespace lade {

namespace {

constexpr std::string_view k_document = "config.json";

bool is_cpu_list(std::string_view text) {
  for (const std::string& part : split(text, ',')) {
    const auto dash = part.find('-');
    const auto first = parse_number<std::uint32_t>(trim(part.substr(0, dash)));
    if (!first) return false;
    if (dash == std::string::npos) continue;
    const auto last = parse_number<std::uint32_t>(trim(part.substr(dash + 1)));
    if (!last || *last < *first) return false;
  }
  return true;
}

/// `1.0.2`, `1.2.0-rc.1+dev`: digits and two dots, then what SemVer permits there.
bool is_version(std::string_view text) {
  const std::string_view core = text.substr(0, text.find_first_of("-+"));
  const std::vector<std::string> numbers = split(core, '.');
  return numbers.size() == 3 &&
         std::all_of(numbers.begin(), numbers.end(), [](const std::string& number) {
           return parse_number<std::uint32_t>(number).has_value();
         });
}

void read_root(const JsonNode& node, Spec& spec) {
  spec.root_path = get_text(node, "path");
  spec.readonly_rootfs = find_flag(node, "readonly").value_or(false);
}

SpecMount read_mount(const JsonNode& node) {
  SpecMount mount;
  mount.destination = get_text(node, "destination");
  mount.type = node.find_text("type");
  mount.source = node.find_text("source");
  mount.options = find_texts(node, "options");
  mount.uid_mappings = read_runtime_mappings(node, "uidMappings");
  mount.gid_mappings = read_runtime_mappings(node, "gidMappings");
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty()) {
    node.fail("has one of `uidMappings` and `gidMappings` without the other");
  }
  return mount;
}

void read_annotations(const JsonNode& node, Spec& spec) {
  for (auto& [name, value] : node.text_map()) {
    if (name.empty()) node.fail("has a member without a name");
    spec.annotations.emplace_back(name, value);
  }
}

/// A name of the UTS namespace.
std::string read_host_name(const JsonNode& root, std::string_view name) {
  const auto node = root.find(name);
  if (!node) return {};
  constexpr std::size_t k_longest = 64;
  if (node->text().size() > k_longest) node->fail(str("is longer than ", k_longest, " bytes"));
  return node->text();
}

}  // namespace

std::optional<bool> find_flag(const JsonNode& object, std::string_view name) {
  const auto node = object.find(name);
  if (!node) return std::nullopt;
  return node->flag();
}

std::vector<std::string> find_texts(const JsonNode& object, std::string_view name) {
  const auto node = object.find(name);
  return node ? node->texts() : std::vector<std::string>();
}

std::vector<JsonNode> find_items(const JsonNode& object, std::string_view name) {
  const auto node = object.find(name);
  return node ? node->items() : std::vector<JsonNode>();
}

std::string get_text(const JsonNode& object, std::string_view name) {
  const JsonNode node = object.get(name);
  if (node.text().empty()) node.fail("is empty");
  return node.text();
}

void expect_one_of(const JsonNode& node, const std::vector<std::string_view>& words) {
  if (std::find(words.begin(), words.end(), node.text()) != words.end()) return;
  node.fail(str("is ", quoted(node.text()), ", which is unknown"));
}

std::string find_list(const JsonNode& object, std::string_view name) {
  const auto node = object.find(name);
  if (!node || node->text().empty()) return {};
  if (!is_cpu_list(node->text())) node->fail("is not a list such as `0-3,7`");
  return node->text();
}

Spec parse_runtime_spec(std::string_view json) {
  const JsonValue document = parse_json(json, k_document);
  const JsonNode root(document, k_document);
  Spec spec;
  spec.version = get_text(root, "ociVersion");
  if (!is_version(spec.version)) root.get("ociVersion").fail("is not a version such as `1.0.2`");
  read_root(root.get("root"), spec);
  if (const auto process = root.find("process")) spec.process = read_runtime_process(*process);
  for (const JsonNode& mount : find_items(root, "mounts")) spec.mounts.push_back(read_mount(mount));
  if (const auto hooks = root.find("hooks")) spec.hooks = read_runtime_hooks(*hooks);
  if (const auto annotations = root.find("annotations")) read_annotations(*annotations, spec);
  if (const auto part = root.find("linux")) read_runtime_linux(*part, spec);
  spec.hostname = read_host_name(root, "hostname");
  spec.domainname = read_host_name(root, "domainname");
  const bool uts = std::any_of(spec.namespaces.begin(), spec.namespaces.end(),
                               [](const auto& ns) { return ns.kind == NamespaceKind::uts; });
  for (const auto* name : {"hostname", "domainname"}) {
    if (uts || root.find_text(name).empty()) continue;
    root.get(name).fail("needs a `uts` namespace");
  }
  return spec;
}

SpecProcess parse_runtime_process(std::string_view json) {
  const JsonValue document = parse_json(json, "process");
  return read_runtime_process(JsonNode(document, "process"));
}

SpecResources parse_runtime_resources(std::string_view json) {
  const JsonValue document = parse_json(json, "resources");
  return read_runtime_resources(JsonNode(document, "resources"));
}

}  // namespace lade
