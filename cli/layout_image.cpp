#include "cli/layout_image.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/progress.hpp"
#include "cli/pull_image.hpp"
#include "cli/store_access.hpp"
#include "oci/verified_source.hpp"
#include "registry/transports/layout_index.hpp"
#include "registry/transports/layout_source.hpp"
#include "store/image_source.hpp"

#include <sys/stat.h>

#include <utility>

namespace lade::cli {

namespace {

std::string in_double_quotes(std::string_view text) {
  return str('"', printable(text), '"');
}

bool is_layout(const std::string& path) {
  struct stat st {};
  return ::stat(str(path, "/oci-layout").c_str(), &st) == 0;
}

std::string read_config(ImageSource& source, const Descriptor& descriptor) {
  if (descriptor.size > k_manifest_cap) throw InvalidData("the config is too large");
  const auto bytes = source.blob(descriptor);
  VerifiedSource verified(*bytes, descriptor);
  return read_all(verified, k_manifest_cap, "the config");
}

/// Goes down from what a name stands for to an image for this host.
std::vector<Descriptor> walk_to_image(ImageSource& source, Descriptor descriptor) {
  std::vector<Descriptor> path{std::move(descriptor)};
  while (manifest_kind(path.back().media_type) == ManifestKind::index) {
    if (path.size() > 4) throw InvalidData("the index is nested too deeply");
    const Index index = parse_index(source.manifest(path.back().digest).bytes);
    const Descriptor* fitting = find_platform(index.manifests, host_platform());
    if (fitting == nullptr) {
      throw NotFound(str("index ", quoted(path.back().digest.text()), " has no image for ",
                         to_string(host_platform())));
    }
    path.push_back(*fitting);
  }
  return path;
}

}  // namespace

TagNotFound::TagNotFound(const std::string& path, std::string tag)
    : NotFound(str("layout ", quoted(path), " has no image ", quoted(tag))), tag_(std::move(tag)) {}

registry::OciLayout open_layout(const std::string& path) {
  try {
    return registry::OciLayout::open(path);
  } catch (const NotFound& error) {
    throw NoLayout(error.message());
  } catch (const InvalidData& error) {
    throw NoLayout(error.message());
  }
}

std::unique_ptr<Observer> make_observer(const App& app) {
  if (app.global.name == ProgramName::umoci) return make_quiet_progress(app.global.name);
  return make_progress(app.global.progress);
}

LayoutName parse_layout_name(std::string_view text) {
  const auto colon = text.find(':');
  LayoutName name{std::string(text.substr(0, colon)), "latest"};
  if (colon != std::string_view::npos) name.tag = text.substr(colon + 1);
  if (name.path.empty()) throw UsageError("invalid --image: path is empty");
  check_layout_tag(name.tag, "--image");
  return name;
}

void check_layout_tag(std::string_view tag, std::string_view option) {
  if (registry::is_valid_layout_name(tag)) return;
  throw UsageError(
      str("invalid ", option, ": tag contains invalid characters: ", in_double_quotes(tag)));
}

bool names_layout(const std::string& text) {
  return is_layout(text.substr(0, text.find(':')));
}

OpenedImage open_manifest(std::unique_ptr<ImageSource> source, std::vector<Descriptor> path) {
  RawManifest raw = source->manifest(path.back().digest);
  if (raw.kind() != ManifestKind::image) {
    throw InvalidData(str("manifest ", quoted(raw.digest.text()), " is of type ",
                          quoted(raw.media_type), ", which is no image's"));
  }
  Manifest manifest = parse_manifest(raw.bytes);
  std::string config_bytes = read_config(*source, manifest.config);
  ImageConfig config = parse_image_config(config_bytes);
  if (config.diff_ids.size() != manifest.layers.size()) {
    throw InvalidData(str("image ", quoted(raw.digest.text()), " has ", manifest.layers.size(),
                          " layers, but its config has the DiffIDs of ", config.diff_ids.size()));
  }
  return {{},
          std::move(source),
          std::move(path),
          std::move(raw),
          std::move(manifest),
          std::move(config_bytes),
          std::move(config)};
}

OpenedImage open_layout_image(const registry::OciLayout& layout, const std::string& tag) {
  const registry::LayoutIndex index = layout.read_index();
  if (index.find(tag) == nullptr) throw TagNotFound(layout.directory().path(), tag);
  const registry::LayoutEntry& entry = index.get(tag);
  auto source = std::make_unique<registry::OciLayoutSource>(
      registry::OciLayout::open(layout.directory().path()));
  auto path = walk_to_image(*source, entry.descriptor);
  return open_manifest(std::move(source), std::move(path));
}

OpenedImage open_image(const App& app, const std::string& text) {
  constexpr std::string_view transport = "oci:";
  const bool is_transport = !names_layout(text) && text.starts_with(transport);
  if (is_transport || names_layout(text) || app.global.name == ProgramName::umoci) {
    const bool is_lades = is_transport && app.global.name == ProgramName::lade;
    const LayoutName name = parse_layout_name(is_lades ? text.substr(transport.size()) : text);
    return open_layout_image(open_layout(name.path), name.tag);
  }
  const auto store = std::make_shared<const store::Store>(open_store(app));
  const auto image = find_image(app, *store, text);
  if (!image) {
    throw NotFound(str("there is no OCI layout at ", quoted(text),
                       ", nor an image of that name in the store"));
  }
  auto source = std::make_unique<store::StoredImageSource>(*store, *image);
  OpenedImage opened = open_manifest(std::move(source), {image->manifest});
  opened.keeper = store;
  return opened;
}

}  // namespace lade::cli
