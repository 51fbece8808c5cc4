#include "store/found_images.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "store/layer_description.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>

namespace lade::store {

namespace {

/// A file of blobs/.
struct BlobFile {
  std::uint64_t size = 0;
  timespec written{};
};

/// A manifest or an index that is what its name says.
struct FoundManifest {
  RawManifest raw;
  timespec written{};
};

bool is_later(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

class Finder {
 public:
  Finder(const Directory& blobs, const Directory& layers, const std::stop_token& stop)
      : blobs_(blobs), stop_(stop) {
    for (const std::string& name : blobs.list()) {
      const auto digest = Digest::try_parse("sha256:" + name);
      const auto st = blobs.find_stat(name);
      if (!digest || !st || !S_ISREG(st->st_mode)) continue;
      files_.emplace(*digest, BlobFile{static_cast<std::uint64_t>(st->st_size), st->st_mtim});
    }
    for (const std::string& key : layers.list()) {
      if (const auto layer = find_layer_description(layers, key)) layers_.emplace(key, *layer);
    }
  }

  FoundImages run() {
    for (const auto& [digest, file] : files_) {
      if (stop_.stop_requested()) throw Cancelled();
      look_at(digest, file);
    }
    std::stable_sort(manifests_.begin(), manifests_.end(),
                     [](const auto& a, const auto& b) { return is_later(a.written, b.written); });
    FoundImages found;
    for (const FoundManifest& manifest : manifests_) {
      if (stop_.stop_requested()) throw Cancelled();
      try {
        found.images.push_back(image_of(manifest.raw));
      } catch (const Error& error) {
        found.incomplete.push_back({manifest.raw.digest, error.what()});
      }
    }
    for (const RawManifest& index : indexes_) add_index(index, found.images);
    return found;
  }

 private:
  /// The bytes of a small blob, if they have its digest.
  std::optional<std::string> read(const Digest& digest) const {
    const Fd fd = blobs_.open_file(digest.hex(), O_RDONLY | O_NONBLOCK);
    std::string bytes = read_whole(fd, k_manifest_cap, digest.text());
    if (Digest::of(bytes) != digest) return std::nullopt;
    return bytes;
  }

  bool may_be_json(const Digest& digest) const {
    const Fd fd = blobs_.open_file(digest.hex(), O_RDONLY | O_NONBLOCK);
    char first = 0;
    off_t at = 0;
    while (::pread(fd.get(), &first, 1, at) == 1) {
      if (first != ' ' && first != '\n' && first != '\r' && first != '\t') return first == '{';
      ++at;
    }
    return false;
  }

  void look_at(const Digest& digest, const BlobFile& file) {
    if (file.size > k_manifest_cap || !may_be_json(digest)) return;
    auto bytes = read(digest);
    if (!bytes) return;
    RawManifest raw{*std::move(bytes), {}, digest};
    try {
      raw.media_type = detect_manifest_type(raw.bytes, "");
      // A config has a member `config` too: what does not read as a manifest is none.
      if (raw.kind() == ManifestKind::image) parse_manifest(raw.bytes);
      if (raw.kind() == ManifestKind::index) parse_index(raw.bytes);
    } catch (const InvalidData&) {
      return;
    }
    if (raw.kind() == ManifestKind::index)
      indexes_.push_back(std::move(raw));
    else if (raw.kind() == ManifestKind::image)
      manifests_.push_back({std::move(raw), file.written});
  }

  void require_blob(const Descriptor& blob, const char* what) const {
    const auto file = files_.find(blob.digest);
    if (file == files_.end()) {
      throw NotFound(str(what, " ", quoted(blob.digest.text()), " is missing"));
    }
    if (file->second.size != blob.size) {
      throw InvalidData(str(what, " ", quoted(blob.digest.text()), " has ", file->second.size,
                            " bytes, not ", blob.size));
    }
  }

  /// The layer on top of a chain: the one that was finished against it, else one for any chain.
  StoredLayer layer_of(const DiffId& diff_id, const ChainId& chain) const {
    const auto on_chain = layers_.find(chain.digest.hex());
    if (on_chain != layers_.end() && on_chain->second.diff_id == diff_id) return on_chain->second;
    const auto alone = layers_.find(diff_id.digest.hex());
    if (alone != layers_.end() && alone->second.self_contained) return alone->second;
    throw NotFound(str("layer ", quoted(diff_id.digest.text()), " is not unpacked"));
  }

  NewImage image_of(const RawManifest& raw) const {
    const Manifest manifest = parse_manifest(raw.bytes);
    require_blob(manifest.config, "config");
    const auto bytes =
        manifest.config.size <= k_manifest_cap ? read(manifest.config.digest) : std::nullopt;
    if (!bytes) {
      throw Refused(str("config ", quoted(manifest.config.digest.text()), " has another digest"));
    }
    const ImageConfig config = parse_image_config(*bytes);
    if (config.diff_ids.size() != manifest.layers.size()) {
      throw InvalidData("the manifest has not as many layers as the config");
    }
    NewImage image{.id = manifest.config.digest, .manifest = raw.descriptor()};
    if (config.created) image.created = parse_rfc3339(*config.created);
    image.platform = config.platform;
    image.size = raw.bytes.size() + manifest.config.size;
    image.blobs = manifest.layers;
    image.blobs.push_back(manifest.config);
    image.blobs.push_back(image.manifest);
    std::optional<ChainId> chain;
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
      require_blob(manifest.layers[i], "blob");
      chain = chain ? chain_id(*chain, config.diff_ids[i]) : chain_id(config.diff_ids[i]);
      image.layers.push_back(layer_of(config.diff_ids[i], *chain));
      image.size += image.layers.back().tar_size;
    }
    return image;
  }

  /// An index belongs to the images whose manifests it lists.
  static void add_index(const RawManifest& raw, std::vector<NewImage>& images) {
    const Index index = parse_index(raw.bytes);
    for (NewImage& image : images) {
      const bool listed =
          std::any_of(index.manifests.begin(), index.manifests.end(),
                      [&](const Descriptor& each) { return each.digest == image.manifest.digest; });
      if (listed) image.blobs.push_back(raw.descriptor());
    }
  }

  const Directory& blobs_;
  const std::stop_token& stop_;
  std::map<Digest, BlobFile> files_;
  std::map<std::string, StoredLayer> layers_;
  std::vector<FoundManifest> manifests_;
  std::vector<RawManifest> indexes_;
};

}  // namespace

FoundImages find_images(const Directory& blobs, const Directory& layers,
                        const std::stop_token& stop) {
  return Finder(blobs, layers, stop).run();
}

}  // namespace lade::store
