#include "oci/image_config.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"

namespace lade {

namespace {

std::vector<std::string> find_texts(const JsonNode& node, std::string_view name) {
  const auto found = node.find(name);
  return found ? found->texts() : std::vector<std::string>();
}

/// The keys of an object whose values mean nothing: how Go writes a set.
std::vector<std::string> find_names(const JsonNode& node, std::string_view name) {
  const auto found = node.find(name);
  return found ? found->names() : std::vector<std::string>();
}

ProcessConfig read_process(const JsonNode& node) {
  ProcessConfig process{.user = node.find_text("User"),
                        .entrypoint = find_texts(node, "Entrypoint"),
                        .cmd = find_texts(node, "Cmd"),
                        .working_dir = node.find_text("WorkingDir"),
                        .stop_signal = node.find_text("StopSignal"),
                        .exposed_ports = find_names(node, "ExposedPorts"),
                        .volumes = find_names(node, "Volumes")};
  if (const auto env = node.find("Env")) process.env = env->texts();
  if (const auto labels = node.find("Labels")) process.labels = labels->text_map();
  return process;
}

std::vector<DiffId> read_diff_ids(const JsonNode& rootfs) {
  const JsonNode type = rootfs.get("type");
  if (type.text() != "layers") type.fail("is not `layers`");
  std::vector<DiffId> diff_ids;
  if (const auto array = rootfs.find("diff_ids")) {
    for (const JsonNode& item : array->items()) {
      auto digest = Digest::try_parse(item.text());
      if (!digest) item.fail(str("is not a digest: ", quoted(item.text().substr(0, 160))));
      diff_ids.push_back({*std::move(digest)});
    }
  }
  return diff_ids;
}

std::vector<HistoryEntry> read_history(const JsonNode& array) {
  std::vector<HistoryEntry> history;
  for (const JsonNode& item : array.items()) {
    const auto empty_layer = item.find("empty_layer");
    history.push_back({.created = item.find_text("created"),
                       .created_by = item.find_text("created_by"),
                       .author = item.find_text("author"),
                       .comment = item.find_text("comment"),
                       .empty_layer = empty_layer && empty_layer->flag()});
  }
  return history;
}

}  // namespace

ImageConfig parse_image_config(std::string_view bytes) {
  const JsonValue document = parse_json(bytes, "image config");
  const JsonNode root(document, "image config");
  ImageConfig config{.author = root.find_text("author"),
                     .docker_version = root.find_text("docker_version"),
                     .platform = {.os = root.find_text("os"),
                                  .architecture = root.find_text("architecture"),
                                  .variant = root.find_text("variant"),
                                  .os_version = root.find_text("os.version")},
                     .diff_ids = read_diff_ids(root.get("rootfs"))};
  if (const auto created = root.find("created")) config.created = created->text();
  if (const auto process = root.find("config")) config.process = read_process(*process);
  if (const auto history = root.find("history")) config.history = read_history(*history);
  return config;
}

}  // namespace lade
