// `stat`: an image of a layout, described as umoci describes it.
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/bundle_config.hpp"
#include "cli/layout_image.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "oci/json_writer.hpp"
#include "oci/new_image.hpp"
#include "registry/transports/json_extents.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iterator>
#include <map>

namespace lade::cli {

namespace {

std::string in_double_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return str(printable(out), '"');
}

/// A value, in quotes where without them it could be misread.
std::string shown(std::string_view text) {
  const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isspace(c) == 0 && std::iscntrl(c) == 0 && c != '"' && c != '\\' && c != ',';
  });
  return is_plain ? std::string(text) : in_double_quotes(text);
}

/// Bytes in powers of 1000 with four digits, as Go's libraries print them: `63.32MB`.
std::string go_size(std::uint64_t bytes) {
  static constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000.0 && unit + 1 < std::size(units); ++unit) size /= 1000.0;
  char text[32];
  std::snprintf(text, sizeof text, "%.4g%s", size, units[unit]);
  return text;
}

/// Lines, indented by tabs.
class Lines {
 public:
  explicit Lines(std::string prefix = "") : prefix_(std::move(prefix)) {}

  void add(std::string_view name, std::string_view value) {
    text_ += str(prefix_, name, ": ", shown(value), '\n');
  }
  void maybe(std::string_view name, std::string_view value) {
    if (!value.empty()) add(name, value);
  }
  void raw(std::string_view name, std::string_view value) {
    text_ += str(prefix_, name, ':', value.empty() ? "" : " ", value, '\n');
  }
  void list(std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return raw(name, "(empty)");
    raw(name, "");
    for (const std::string& value : values) text_ += str(prefix_, '\t', shown(value), '\n');
  }
  void set(std::string_view name, const std::vector<std::string>& values) {
    std::vector<std::string> words;
    for (const std::string& value : values) words.push_back(shown(value));
    raw(name, join(words, ", "));
  }
  void map(std::string_view name, const std::map<std::string, std::string>& values) {
    raw(name, "");
    for (const auto& [key, value] : values) {
      text_ += str(prefix_, '\t', shown(key), ": ", shown(value), '\n');
    }
  }
  Lines deeper() const { return Lines(prefix_ + '\t'); }
  void add(const Lines& lines) { text_ += lines.text_; }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string prefix_;
  std::string text_;
};

void describe(Lines& lines, const Descriptor& descriptor) {
  lines.raw("Descriptor", "");
  Lines inner = lines.deeper();
  inner.add("Media Type", descriptor.media_type);
  inner.maybe("Artifact Type", descriptor.artifact_type);
  inner.add("Digest", descriptor.digest.text());
  inner.add("Size", go_size(descriptor.size));
  if (descriptor.annotations && !descriptor.annotations->empty()) {
    inner.map("Annotations", *descriptor.annotations);
  }
  lines.add(inner);
}

std::string manifest_part(const OpenedImage& image) {
  Lines lines;
  lines.add("Schema Version", "2");
  lines.add("Media Type", image.raw.media_type);
  lines.maybe("Artifact Type", image.manifest.artifact_type);
  lines.raw("Config", "");
  Lines inner = lines.deeper();
  describe(inner, image.manifest.config);
  lines.add(inner);
  if (!image.manifest.layers.empty()) lines.raw("Layers", "");
  Lines layers = lines.deeper();
  for (const Descriptor& layer : image.manifest.layers) describe(layers, layer);
  lines.add(layers);
  if (image.manifest.annotations && !image.manifest.annotations->empty()) {
    lines.map("Annotations", *image.manifest.annotations);
  }
  describe(lines, image.path.back());
  return lines.text();
}

std::string config_part(const OpenedImage& image) {
  const ImageConfig& config = image.config;
  const ProcessConfig& process = config.process;
  Lines lines;
  if (config.created) lines.add("Created", *config.created);
  lines.add("Author", config.author);
  lines.raw("Platform", "");
  Lines platform = lines.deeper();
  platform.add("OS", config.platform.os);
  const std::string& variant = config.platform.variant;
  platform.raw("Architecture", str(shown(config.platform.architecture),
                                   variant.empty() ? "" : str(" (", variant, ')')));
  lines.add(platform);
  lines.raw("Image Config", "");
  Lines inner = lines.deeper();
  inner.add("User", process.user);
  if (!process.entrypoint.empty()) inner.list("Entrypoint", process.entrypoint);
  inner.list("Command", process.cmd);
  inner.maybe("Working Directory", process.working_dir);
  if (process.env && !process.env->empty()) inner.list("Environment", *process.env);
  inner.maybe("Stop Signal", process.stop_signal);
  if (!process.exposed_ports.empty()) inner.set("Exposed Ports", process.exposed_ports);
  if (!process.volumes.empty()) inner.set("Volumes", process.volumes);
  if (process.labels && !process.labels->empty()) inner.map("Labels", *process.labels);
  lines.add(inner);
  describe(lines, image.manifest.config);
  return lines.text();
}

/// The layer that an entry of the history made; null for an empty one, and for one too many.
class LayersOfHistory {
 public:
  explicit LayersOfHistory(const OpenedImage& image) : image_(image) {}
  struct Layer {
    const Descriptor* blob = nullptr;
    const DiffId* diff_id = nullptr;
  };
  Layer next(const HistoryEntry& entry) {
    if (entry.empty_layer || index_ >= image_.manifest.layers.size()) return {};
    const std::size_t at = index_++;
    return {&image_.manifest.layers[at], &image_.config.diff_ids[at]};
  }

 private:
  const OpenedImage& image_;
  std::size_t index_ = 0;
};

std::string history_part(const OpenedImage& image) {
  std::vector<std::vector<std::string>> rows{{"LAYER", "CREATED", "CREATED BY", "SIZE", "COMMENT"}};
  LayersOfHistory layers(image);
  for (const HistoryEntry& entry : image.config.history) {
    const auto layer = layers.next(entry);
    rows.push_back({layer.blob != nullptr ? layer.blob->digest.text() : "<none>", entry.created,
                    printable(entry.created_by),
                    layer.blob != nullptr ? go_size(layer.blob->size) : "<none>",
                    printable(entry.comment)});
  }
  std::vector<std::size_t> widths(5, 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      text += row[i] + std::string(widths[i] + 1 - row[i].size(), ' ');
    }
    text += row.back() + '\n';
  }
  return text;
}

void write_descriptor(JsonWriter& json, const Descriptor& descriptor) {
  json.begin_object();
  json.member("mediaType", descriptor.media_type);
  json.member("digest", descriptor.digest.text());
  json.member("size", descriptor.size);
  json.maybe_member("urls", descriptor.urls);
  if (descriptor.annotations) json.maybe_member("annotations", *descriptor.annotations);
  json.maybe_member("artifactType", descriptor.artifact_type);
  json.end_object();
}

void write_blob(JsonWriter& json, const char* name, const Descriptor& descriptor,
                std::string_view bytes) {
  json.name(name).begin_object();
  json.name("descriptor");
  write_descriptor(json, descriptor);
  json.name("blob").raw(registry::compact_json(bytes));
  json.end_object();
}

std::string as_json(const OpenedImage& image) {
  JsonWriter json;
  json.begin_object();
  write_blob(json, "manifest", image.path.back(), image.raw.bytes);
  write_blob(json, "config", image.manifest.config, image.config_bytes);
  json.name("history").begin_array();
  LayersOfHistory layers(image);
  for (const HistoryEntry& entry : image.config.history) {
    const auto layer = layers.next(entry);
    json.begin_object().name("layer");
    if (layer.blob != nullptr) {
      write_descriptor(json, *layer.blob);
    } else {
      json.raw("null");
    }
    json.member("diff_id", layer.diff_id != nullptr ? layer.diff_id->digest.text() : "");
    write_members(json, entry);
    json.end_object();
  }
  json.end_array().end_object();
  return json.take() + '\n';
}

}  // namespace

void declare_options(OptionSet& options, StatArguments& stat) {
  options.value("--image", stat.image);
  options.flag("--json", stat.json);
  options.check([&] { require_image(stat.image); });
}

int run_verb(const App& app, const StatArguments& arguments) {
  const OpenedImage image = open_image(app, arguments.image);
  if (arguments.json) {
    write_result(as_json(image));
  } else {
    write_result(str("== MANIFEST ==\n", manifest_part(image), "\n== CONFIG ==\n",
                     config_part(image), "\n== HISTORY ==\n", history_part(image)));
  }
  return 0;
}

}  // namespace lade::cli
