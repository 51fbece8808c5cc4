#include "snapshot/image_commit.hpp"

#include "base/compress.hpp"
#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "snapshot/packed.hpp"
#include "store/unknown_outcome.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <thread>

namespace lade::snapshot {

namespace {

void check_diff_id(const DiffId& found, const DiffId& expected, const Descriptor& descriptor) {
  if (found == expected) return;
  throw Refused(str("layer ", quoted(descriptor.digest.text()), " unpacks to DiffID ",
                    quoted(found.digest.text()), ", the image's config says ",
                    quoted(expected.digest.text())));
}

void check_layer_count(const Manifest& manifest, const ImageConfig& config) {
  if (manifest.layers.size() == config.diff_ids.size()) return;
  throw InvalidData(str("the manifest has ", manifest.layers.size(), " layers, the config ",
                        config.diff_ids.size(), " DiffIDs"));
}

/// Takes back what publish() gave names, unless it was kept.
class Rollback {
 public:
  explicit Rollback(const store::Store& store) : store_(store) {}
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;
  ~Rollback() {
    if (published_.empty()) return;
    try {
      for (const auto& [place, name] : published_) store_.discard(*place, name);
      store_.empty_trash();
    } catch (const Error&) {
      // What stays is whole and durable, and only lacks an image: it is reused or collected.
    }
  }
  void add(const Directory& place, const std::string& name) {
    published_.emplace_back(&place, name);
  }
  void keep() noexcept { published_.clear(); }

 private:
  const store::Store& store_;
  std::vector<std::pair<const Directory*, std::string>> published_;
};

}  // namespace

ImageCommit::ImageCommit(store::Store& store, store::Lease& lease, Staged& staged,
                         const std::vector<Reference>& names,
                         const std::vector<RawManifest>& indexes, const Job& job)
    : store_(store), lease_(lease), staged_(staged), names_(names), indexes_(indexes), job_(job) {}

Fd ImageCommit::open_blob(const Descriptor& descriptor) const {
  const auto staged = staged_.blobs.find(descriptor.digest);
  return staged != staged_.blobs.end() ? staged->second->reader()
                                       : store::open_blob(store_, descriptor.digest);
}

/// A layer that is here and may stand on the chain, held so that it stays.
std::optional<store::StoredLayer> ImageCommit::find_layer(const DiffId& diff_id,
                                                          const ChainId& chain) const {
  auto layer = store_.find_layer(chain);
  if (!layer) layer = store_.find_layer(diff_id);
  if (layer && !lease_.hold_layer(layer->key)) layer.reset();
  return layer;
}

std::string ImageCommit::read_config(const Descriptor& descriptor) const {
  if (staged_.blobs.count(descriptor.digest) == 0) return store_.read_blob(descriptor.digest);
  return read_whole(open_blob(descriptor), k_manifest_cap, "the image's config");
}

void ImageCommit::prepare(const RawManifest& raw) {
  const Manifest manifest = parse_manifest(raw.bytes);
  const ImageConfig config = parse_image_config(read_config(manifest.config));
  check_layer_count(manifest, config);
  unpack_missing(manifest, config);

  store::NewImage image{.id = manifest.config.digest, .manifest = raw.descriptor()};
  if (config.created) image.created = parse_rfc3339(*config.created);
  image.platform = config.platform;
  image.size = raw.bytes.size() + manifest.config.size;
  image.blobs = manifest.layers;
  image.blobs.push_back(manifest.config);
  image.blobs.push_back(image.manifest);

  below_.clear();
  std::optional<ChainId> chain;
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    if (job_.stop.stop_requested()) throw Cancelled();
    const DiffId& diff_id = config.diff_ids[i];
    chain = chain ? chain_id(*chain, diff_id) : chain_id(diff_id);
    image.layers.push_back(take_layer(manifest.layers[i], diff_id, *chain));
    image.size += image.layers.back().tar_size;
    image.diff_ids.emplace(manifest.layers[i].digest, diff_id);
  }
  images_.push_back(std::move(image));
}

/// Layers whose blobs were here before, but which nobody unpacked: several at a time.
void ImageCommit::unpack_missing(const Manifest& manifest, const ImageConfig& config) {
  std::vector<const Descriptor*> missing;
  std::set<Digest> seen;
  std::optional<ChainId> chain;
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const Descriptor& layer = manifest.layers[i];
    chain = chain ? chain_id(*chain, config.diff_ids[i]) : chain_id(config.diff_ids[i]);
    if (staged_.layers.count(layer.digest) > 0 || find_layer(config.diff_ids[i], *chain) ||
        !seen.insert(layer.digest).second) {
      continue;
    }
    if (!is_layer_tar(layer.media_type)) {
      throw InvalidData(str("layer ", quoted(layer.digest.text()), " is of type ",
                            quoted(layer.media_type), ", which cannot be unpacked"));
    }
    missing.push_back(&layer);
  }
  std::vector<std::unique_ptr<StagedLayer>> unpacked(missing.size());
  const std::size_t jobs = std::max(2U, std::thread::hardware_concurrency());
  parallel_for_each(missing.size(), jobs, job_.stop, [&](std::size_t i, const std::stop_token&) {
    unpacked[i] = unpack(*missing[i]);
  });
  for (std::size_t i = 0; i < missing.size(); ++i) {
    staged_.layers[missing[i]->digest] = std::move(unpacked[i]);
  }
}

template <class Use>
auto ImageCommit::read_blob(const Descriptor& descriptor, TaskKind kind, const Use& use) const {
  return in_context([&] { return str("unpack layer ", quoted(descriptor.digest.text())); },
                    [&] {
                      Task task(job_.observer, kind, descriptor.digest.text(), descriptor.size);
                      FdSource file(open_blob(descriptor), str("blob ", descriptor.digest.text()));
                      TapSource counted(file, [&](std::span<const std::byte> piece) {
                        task.advance(piece.size());
                      });
                      auto made = use(counted);
                      task.finish();
                      return made;
                    });
}

/// Unpacked by itself, or together with whoever wants it too.
std::unique_ptr<StagedLayer> ImageCommit::unpack(const Descriptor& descriptor) const {
  std::unique_ptr<StagedLayer> layer;
  while (!layer) {
    layer = read_blob(descriptor, TaskKind::unpack, [&](Source& blob) {
      return StagedLayer::share(store_, lease_, descriptor.digest, blob, job_);
    });
  }
  return layer;
}

/// Unpacked once more, with what lies below it in view.
std::unique_ptr<StagedLayer> ImageCommit::unpack_onto(const Descriptor& descriptor,
                                                      const Directory* lower) const {
  return read_blob(descriptor, TaskKind::unpack, [&](Source& blob) {
    return std::make_unique<StagedLayer>(store_, blob, lower, job_);
  });
}

/// What a layer's blob is the packing of: the index knows it of blobs that were unpacked before.
const DiffId& ImageCommit::diff_id_of(const Descriptor& descriptor) {
  const auto known = diff_ids_.find(descriptor.digest);
  if (known != diff_ids_.end()) return known->second;
  const auto staged = staged_.layers.find(descriptor.digest);
  auto diff_id = staged != staged_.layers.end() ? std::optional(staged->second->applied().diff_id)
                                                : store_.find_diff_id(descriptor.digest);
  if (!diff_id) diff_id = read_diff_id(descriptor);
  return diff_ids_.emplace(descriptor.digest, *diff_id).first->second;
}

/// Of a blob that nobody has unpacked, or not since the index was made.
DiffId ImageCommit::read_diff_id(const Descriptor& descriptor) const {
  return read_blob(descriptor, TaskKind::verify, [&](Source& blob) {
    const auto tar = decompress(blob);
    Hasher hasher(HashAlgorithm::sha256);
    std::vector<std::byte> buffer(k_copy_buffer);
    while (const std::size_t count = tar->read(buffer)) {
      if (job_.stop.stop_requested()) throw Cancelled();
      hasher.update(std::span(buffer).first(count));
    }
    return DiffId{Digest::parse("sha256:" + hasher.finish_hex())};
  });
}

/// The layer at hand, from the store or from what was staged, on top of below_.
store::StoredLayer ImageCommit::take_layer(const Descriptor& descriptor, const DiffId& diff_id,
                                           const ChainId& chain) {
  // Even where the layer is here already: the image must not name a blob that is another's.
  check_diff_id(diff_id_of(descriptor), diff_id, descriptor);
  if (const auto twin = ready_.find(diff_id.digest.hex()); twin != ready_.end()) {
    // The same layer a second time in this image, or in another one of this pull.
    below_.push_back(twin->second->link());
    return twin->second->description();
  }
  if (const auto known = find_layer(diff_id, chain)) {
    below_.push_back(
        {str(store_.layers().path_of(known->key), "/tree"), known->root_entry, known->root_opaque});
    return *known;
  }
  auto found = staged_.layers.extract(descriptor.digest);
  auto layer = found ? std::move(found.mapped()) : unpack(descriptor);
  check_diff_id(layer->applied().diff_id, diff_id, descriptor);
  store::StoredLayer stored{.key = {},
                            .diff_id = diff_id,
                            .self_contained = layer->applied().self_contained(),
                            .root_entry = layer->applied().root_entry,
                            .root_opaque = layer->applied().root_opaque,
                            .tar_size = layer->applied().tar_size};
  stored.key = stored.self_contained ? diff_id.digest.hex() : chain.digest.hex();
  if (const auto twin = ready_.find(stored.key); twin != ready_.end()) {
    // The same layer a second time in this image, or in another one of this pull.
    below_.push_back(twin->second->link());
    staged_.layers[descriptor.digest] = std::move(layer);
    return stored;
  }
  if (!stored.self_contained) layer = complete(std::move(layer), descriptor);
  layer->describe(stored);
  below_.push_back(layer->link());
  ready_[stored.key] = std::move(layer);
  return stored;
}

/// Finishes a layer that needs what is below it.
std::unique_ptr<StagedLayer> ImageCommit::complete(std::unique_ptr<StagedLayer> layer,
                                                   const Descriptor& descriptor) const {
  return in_context([&] { return str("finish layer ", quoted(descriptor.digest.text())); },
                    [&] {
                      if (is_packed(below_)) {
                        // Nobody can look below: the image is one that is copied, whole.
                        pack_tree(layer->tree());
                        return std::move(layer);
                      }
                      const auto lower = open_chain(below_, overlay_);
                      const Directory* view = lower ? &*lower : nullptr;
                      for (int attempt = 0; attempt < 2; ++attempt) {
                        const Finish finish = finish_layer(layer->tree(), layer->applied(), view,
                                                           overlay_, job_.observer);
                        if (finish == Finish::done) return std::move(layer);
                        layer = unpack_onto(descriptor, view);
                      }
                      return std::move(layer);
                    });
}

void ImageCommit::add_names(store::NewImage& image) const {
  for (const Reference& name : names_) {
    if (!name.digest()) image.names.push_back(name.with_default_tag());
    if (name.digest()) image.asked.push_back(name.with_digest(*name.digest()));
    image.digests.push_back(name.with_digest(image.manifest.digest));
    for (const RawManifest& index : indexes_) {
      image.digests.push_back(name.with_digest(index.digest));
    }
  }
  for (const RawManifest& index : indexes_) image.blobs.push_back(index.descriptor());
}

/// Everything that was written becomes durable here, once, before anything gets its name.
void ImageCommit::make_durable() const {
  switch (store_.sync_mode()) {
    case store::SyncMode::fs:
      check_syscall(::syncfs(store_.staging().fd()),
                    [&] { return str("sync store ", quoted(store_.root().path())); });
      return;
    case store::SyncMode::files:
      for (const auto& [digest, blob] : staged_.blobs) blob->sync();
      for (const auto& [key, layer] : ready_) layer->sync(job_.stop);
      return;
    case store::SyncMode::none:
      return;
  }
}

Digest ImageCommit::publish() {
  if (images_.empty()) throw InvalidData("no image manifest was given");
  add_names(images_.back());

  make_durable();
  if (job_.stop.stop_requested()) throw Cancelled();

  const store::CommitLock lock(store_.root());
  Rollback rollback(store_);
  for (auto& [key, layer] : ready_) {
    if (layer->publish()) rollback.add(store_.layers(), key);
  }
  for (auto& [digest, blob] : staged_.blobs) {
    if (blob->publish()) rollback.add(store_.blobs(), digest.hex());
  }
  if (store_.sync_mode() != store::SyncMode::none) {
    store_.layers().sync();
    store_.blobs().sync();
  }
  try {
    for (const store::NewImage& image : images_) store_.commit_image(image);
  } catch (const store::UnknownOutcome&) {
    rollback.keep();
    throw;
  }
  rollback.keep();
  return images_.back().id;
}

}  // namespace lade::snapshot
