// What `--image` of the verbs that umoci has too means: an image in an OCI layout, `PATH[:TAG]`,
// or, where no layout has that path, one in the store.
#pragma once

#include "base/error.hpp"
#include "base/observer.hpp"
#include "cli/verbs.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "oci/transport.hpp"
#include "registry/transports/oci_layout.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::cli {

/// There is no OCI layout where there should be one.
class NoLayout final : public NotFound {
 public:
  using NotFound::NotFound;
};

/// A layout has no image of that tag.
class TagNotFound final : public NotFound {
 public:
  TagNotFound(const std::string& path, std::string tag);
  const std::string& tag() const noexcept { return tag_; }

 private:
  std::string tag_;
};

/// Opens a layout. Throws NoLayout.
registry::OciLayout open_layout(const std::string& path);

/// What hears of the work of these verbs: called as umoci, warnings only.
std::unique_ptr<Observer> make_observer(const App& app);

/// `PATH[:TAG]`; the tag is `latest` if there is none.
struct LayoutName {
  std::string path;
  std::string tag;
};

/// Throws UsageError in umoci's words.
LayoutName parse_layout_name(std::string_view text);

/// Throws UsageError in umoci's words for what is no tag of a layout; `option` it was given by.
void check_layout_tag(std::string_view tag, std::string_view option);

/// An image that is to be unpacked or changed, read and checked: as many layers as DiffIDs.
struct OpenedImage {
  std::shared_ptr<const void> keeper;  ///< what `source` stands on
  std::unique_ptr<ImageSource> source;
  std::vector<Descriptor> path;  ///< from the entry of an index.json to the manifest
  RawManifest raw;
  Manifest manifest;
  std::string config_bytes;
  ImageConfig config;
};

/// Throws NotFound, InvalidData, Refused. Of an index it is the image for this host.
OpenedImage open_layout_image(const registry::OciLayout& layout, const std::string& tag);
/// The same for an image that is in a layout or in the store.
OpenedImage open_image(const App& app, const std::string& text);
/// The image of a known manifest, of a bundle for example.
OpenedImage open_manifest(std::unique_ptr<ImageSource> source, std::vector<Descriptor> path);

/// Whether there is a layout at the path that `text` names as `PATH[:TAG]`.
bool names_layout(const std::string& text);

}  // namespace lade::cli
