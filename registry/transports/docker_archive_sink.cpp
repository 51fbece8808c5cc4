#include "registry/transports/docker_archive_sink.hpp"

#include "base/compress.hpp"
#include "base/error.hpp"
#include "base/tar_writer.hpp"
#include "base/text.hpp"
#include "oci/image_config.hpp"

#include <algorithm>
#include <set>

namespace lade::registry {

namespace {

/// Members are what Docker never changes: read-only, of no time and of nobody.
constexpr std::uint32_t k_mode = 0444;
constexpr std::string_view k_legacy_version = "1.0";

void add_text(TarWriter& writer, const std::string& name, std::string_view content) {
  writer.add({.name = name, .mode = k_mode}, content);
}

/// The directory of a layer for Docker before 1.10.
void add_legacy(TarWriter& writer, const LegacyLayer& legacy, const DiffId& layer) {
  writer.begin({.name = str(legacy.id, "/layer.tar"),
                .type = TarType::symlink,
                .mode = 0,
                .link = str("../", docker_layer_name(layer))});
  add_text(writer, str(legacy.id, "/VERSION"), k_legacy_version);
  add_text(writer, str(legacy.id, "/json"), legacy.json);
}

/// Puts an image beside the others; one that is there already only gets its tags.
void add_image(std::vector<DockerArchiveImage>& images, DockerArchiveImage image) {
  const auto same = std::find_if(images.begin(), images.end(),
                                 [&](const auto& other) { return other.config == image.config; });
  if (same == images.end()) {
    images.push_back(std::move(image));
    return;
  }
  for (Reference& tag : image.tags) {
    if (std::find(same->tags.begin(), same->tags.end(), tag) == same->tags.end()) {
      same->tags.push_back(std::move(tag));
    }
  }
}

}  // namespace

DockerArchiveSink::DockerArchiveSink(const std::string& path, DockerArchiveOptions options)
    : options_(std::move(options)), target_(path, options_.temporary_directory) {
  if (target_.find_size().value_or(0) > 0) {
    throw SystemError(EEXIST, str("write ", lade::quoted(path), ": archives are not changed"));
  }
}

bool DockerArchiveSink::accepts(std::string_view media_type) const {
  return manifest_kind(media_type) == ManifestKind::image;
}

bool DockerArchiveSink::has_blob(const Descriptor& descriptor) {
  auto pending = pending_.lock();
  return pending->layers.contains(descriptor.digest) || pending->small.contains(descriptor.digest);
}

std::shared_ptr<DockerArchiveSink::Layer> DockerArchiveSink::unpack(Source& bytes) const {
  Fd file = target_.make_waiting();
  Hasher hasher(HashAlgorithm::sha256);
  const auto plain = decompress(bytes);
  TapSource hashed(*plain, [&](std::span<const std::byte> piece) { hasher.update(piece); });
  FdSink sink(file, str("a layer of ", target_.path()));
  const std::uint64_t size = pump(hashed, sink, options_.stop);
  const DiffId diff_id{Digest::parse("sha256:" + hasher.finish_hex())};
  return std::make_shared<Layer>(Layer{diff_id, size, std::move(file)});
}

void DockerArchiveSink::put_blob(const Descriptor& descriptor, Source& bytes) {
  if (!descriptor.media_type.ends_with("json")) {
    auto layer = unpack(bytes);
    pending_.lock()->layers.insert_or_assign(descriptor.digest, std::move(layer));
    return;
  }
  std::string text = read_all(bytes, k_manifest_cap, "the configuration");
  pending_.lock()->small.insert_or_assign(descriptor.digest, std::move(text));
}

std::vector<Reference> DockerArchiveSink::tags_of(const ManifestKey& key) const {
  std::vector<Reference> tags;
  const auto& name = std::get<std::string>(key);
  if (!name.empty()) tags.push_back(Reference::parse(name).with_default_tag());
  for (const Reference& tag : options_.additional_tags) {
    const Reference full = tag.with_default_tag();
    if (std::find(tags.begin(), tags.end(), full) == tags.end()) tags.push_back(full);
  }
  for (const Reference& tag : tags) {
    if (tag.digest()) {
      throw UsageError(str("an image in a docker-archive has a tag and no digest, so not ",
                           lade::quoted(tag.text())));
    }
  }
  return tags;
}

void DockerArchiveSink::put_manifest(const RawManifest& raw, const ManifestKey& key) {
  if (raw.kind() != ManifestKind::image) {
    throw InvalidData(str("a docker-archive holds images for one platform each, not the list ",
                          lade::quoted(raw.digest.text())));
  }
  // Without a name of its own it is part of a list, which will be refused.
  if (std::holds_alternative<Digest>(key)) return;
  const Manifest manifest = parse_manifest(raw.bytes);
  auto pending = pending_.lock();
  const auto config_bytes = pending->small.find(manifest.config.digest);
  if (config_bytes == pending->small.end()) {
    throw NotFound(str("the configuration ", lade::quoted(manifest.config.digest.text()),
                       " was not put into the archive"));
  }
  const ImageConfig config = parse_image_config(config_bytes->second);
  if (config.diff_ids.size() != manifest.layers.size()) {
    throw InvalidData(str("image ", lade::quoted(raw.digest.text()), " has ",
                          manifest.layers.size(), " layers, and a configuration for ",
                          config.diff_ids.size()));
  }
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const Digest& digest = manifest.layers[i].digest;
    const auto layer = pending->layers.find(digest);
    if (layer == pending->layers.end()) {
      throw NotFound(str("layer ", lade::quoted(digest.text()), " was not put into the archive"));
    }
    if (layer->second->diff_id != config.diff_ids[i]) {
      throw Refused(str("layer ", lade::quoted(digest.text()),
                        " does not match its DiffID: expected ",
                        lade::quoted(config.diff_ids[i].digest.text()), ", got ",
                        lade::quoted(layer->second->diff_id.digest.text())));
    }
    pending->wanted.emplace(config.diff_ids[i], layer->second);
  }
  add_image(pending->images, {.config = manifest.config.digest,
                              .config_bytes = config_bytes->second,
                              .layers = config.diff_ids,
                              .tags = tags_of(key)});
}

void DockerArchiveSink::commit() {
  auto pending = pending_.lock();
  if (pending->is_committed) throw Error("the archive is written already");
  if (pending->images.empty()) throw Error("no image was put into the archive");
  pending->is_committed = true;
  pending->layers.clear();
  const Fd& out = target_.begin();
  write(out, *pending);
  target_.publish(Existing::keep_unless_empty);
}

/// Each layer's file goes as soon as it is in the archive, so that disk is needed for little more
/// than the archive.
void DockerArchiveSink::write(const Fd& out, Pending& pending) const {
  FdSink sink(out, target_.path());
  TarWriter writer(sink);
  std::set<std::string> legacy_written;
  for (const DockerArchiveImage& image : pending.images) {
    for (const DiffId& diff_id : image.layers) {
      const auto layer = pending.wanted.find(diff_id);
      if (layer == pending.wanted.end()) continue;  // it is there already
      const std::uint64_t size = layer->second->size;
      writer.begin({.name = docker_layer_name(diff_id), .size = size, .mode = k_mode});
      copy_range(layer->second->file, 0, size, out, target_.path(), options_.stop);
      writer.skip(size);
      pending.wanted.erase(layer);
    }
    add_text(writer, docker_config_name(image.config), image.config_bytes);
    const std::vector<LegacyLayer> legacy = legacy_layers(image);
    for (std::size_t i = 0; i < legacy.size(); ++i) {
      if (legacy_written.insert(legacy[i].id).second) {
        add_legacy(writer, legacy[i], image.layers[i]);
      }
    }
  }
  add_text(writer, "manifest.json", docker_archive_text(pending.images));
  add_text(writer, "repositories", repositories_text(pending.images));
  writer.finish();
}

}  // namespace lade::registry
