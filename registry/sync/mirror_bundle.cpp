#include "registry/sync/mirror_bundle.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/tar_writer.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "registry/referrers_tag.hpp"

#include <algorithm>
#include <set>

namespace lade::registry {

namespace {

constexpr const char* k_head_name = "lade-bundle";
constexpr std::size_t k_head_cap = 256 * 1024 * 1024;
constexpr std::size_t k_most_named_blobs = 20;

std::string member_name(const Digest& digest) {
  return str("blobs/", digest.algorithm_name(), '/', digest.hex());
}

Descriptor blob_of(const Digest& digest, std::uint64_t size) {
  return {.media_type = {}, .digest = digest, .size = size};
}

/// A bundle, and the mirror that it is to go into, if there is one.
class Application {
 public:
  Application(const ArchiveFile& bundle, const std::string& path, std::size_t jobs, const Job& job)
      : bundle_(bundle), path_(path), jobs_(jobs), job_(job) {
    const TarEntry* head = bundle.index().find_file(k_head_name);
    if (head == nullptr) {
      throw InvalidData(str(quoted(bundle.path()), " is not a bundle of lade mirror"));
    }
    head_ = BundleHead::parse(bundle.read(*head, k_head_cap));
    try {
      there_.emplace(OciLayout::open(path));
    } catch (const NotFound&) {
      there_.reset();
    }
  }

  BundleApplied run() {
    check_needed();
    check_members();
    verify_contained();
    check_images();
    return write();
  }

 private:
  bool is_there(const Digest& digest, std::uint64_t size) const {
    return there_ && there_->find_blob_size(digest) == size;
  }

  const TarEntry& member(const Digest& digest, std::uint64_t size) const {
    const TarEntry* entry = bundle_.index().find_file(member_name(digest));
    if (entry != nullptr && entry->size == size) return *entry;
    throw InvalidData(str("the bundle is not whole: ", quoted(member_name(digest)),
                          entry == nullptr ? " is missing" : " has another size"));
  }

  /// What the bundle takes for granted.
  void check_needed() const {
    std::vector<std::string> missing;
    for (const auto& [digest, size] : head_.needed) {
      if (!is_there(digest, size)) missing.push_back(digest.text());
    }
    if (missing.empty()) return;
    const std::size_t count = missing.size();
    if (count > k_most_named_blobs) {
      missing.resize(k_most_named_blobs);
      missing.emplace_back("…");
    }
    NotFound error(str("the mirror ", quoted(path_), " lacks ", count,
                       " blobs that the bundle builds upon: ", join(missing, ", ")));
    error.set_hint(
        "make the bundle for this mirror: give `lade mirror bundle --have` what"
        " `lade mirror state` says of it");
    throw error;
  }

  /// No member but those that are listed, each once.
  void check_members() const {
    std::set<std::string> expected{k_head_name};
    for (const auto& [digest, size] : head_.contained) {
      member(digest, size);
      expected.insert(member_name(digest));
    }
    for (const TarEntry& entry : bundle_.index().entries()) {
      if (entry.type == TarType::directory) continue;
      if (entry.type != TarType::file || expected.erase(entry.name) == 0) {
        throw InvalidData(
            str("the bundle has a member that it does not list: ", quoted(entry.name)));
      }
    }
  }

  void verify_contained() const {
    std::vector<std::pair<Digest, std::uint64_t>> blobs(head_.contained.begin(),
                                                        head_.contained.end());
    std::uint64_t total = 0;
    for (const auto& [digest, size] : blobs) total += size;
    Task task(job_.observer, TaskKind::resolve, "bundle", total);
    const auto verify = [&](std::size_t index, const std::stop_token& stop) {
      const Descriptor blob = blob_of(blobs[index].first, blobs[index].second);
      const auto bytes = bundle_.open(member(blob.digest, blob.size));
      VerifiedSource verified(*bytes, blob);
      std::vector<std::byte> buffer(k_copy_buffer);
      const auto context = [&] { return str("blob ", quoted(blob.digest.text())); };
      in_context(context, [&] {
        while (const std::size_t count = verified.read(buffer)) {
          if (stop.stop_requested()) throw Cancelled();
          task.advance(count);
        }
      });
    };
    parallel_for_each(blobs.size(), jobs_, job_.stop, verify);
    task.finish();
  }

  /// That every image has all that it needs.
  void check_images() const {
    std::set<Digest> seen;
    for (const auto& [name, image] : head_.images) {
      in_context([&] { return str("image ", quoted(name)); },
                 [&] { check_manifest(image, seen, 0); });
    }
  }

  void require(const Descriptor& blob) const {
    const auto contained = head_.contained.find(blob.digest);
    if (contained != head_.contained.end() && contained->second == blob.size) return;
    if (!blob.urls.empty() || is_there(blob.digest, blob.size)) return;
    throw InvalidData(str("the bundle is not whole: neither it nor the mirror has the blob ",
                          quoted(blob.digest.text())));
  }

  void check_manifest(const Descriptor& manifest, std::set<Digest>& seen, int depth) const {
    if (!seen.insert(manifest.digest).second) return;
    if (depth > 8) throw InvalidData("its lists are nested too deep");
    require(manifest);
    const std::string bytes = read_manifest_bytes(manifest);
    const std::string type = detect_manifest_type(bytes, manifest.media_type);
    if (manifest_kind(type) == ManifestKind::index) {
      const Index index = parse_index(bytes);
      for (const Descriptor& entry : index.manifests) check_manifest(entry, seen, depth + 1);
    } else if (manifest_kind(type) == ManifestKind::image) {
      const Manifest image = parse_manifest(bytes);
      require(image.config);
      for (const Descriptor& layer : image.layers) require(layer);
    }
  }

  std::string read_manifest_bytes(const Descriptor& manifest) const {
    std::unique_ptr<Source> bytes;
    if (head_.contained.contains(manifest.digest)) {
      bytes = bundle_.open(member(manifest.digest, manifest.size));
    } else {
      bytes = std::make_unique<FdSource>(there_->open_blob(manifest.digest, manifest.size),
                                         manifest.digest.text());
    }
    VerifiedSource verified(*bytes, manifest);
    return read_all(verified, k_manifest_cap, "the manifest");
  }

  /// How a manifest without a name is listed: as what it refers to wants it.
  Descriptor described(const Descriptor& image) const {
    std::string bytes = read_manifest_bytes(image);
    std::string type = detect_manifest_type(bytes, image.media_type);
    const RawManifest raw{std::move(bytes), std::move(type), image.digest};
    return find_subject(raw) ? referrer_descriptor(raw) : image;
  }

  BundleApplied write() {
    BundleApplied applied{.images = head_.images.size()};
    MirrorDirectory mirror(path_, job_.stop);
    MirrorDirectory::Listing listing{.needed = head_.needed};
    for (const auto& [digest, size] : head_.contained) {
      put(mirror, blob_of(digest, size), applied);
      listing.needed.emplace(digest, size);
    }
    const LayoutIndex index = mirror.layout().read_index();
    for (const auto& [name, digest] : head_.gone) {
      const LayoutEntry* entry = index.find(name);
      if (entry == nullptr || entry->descriptor.digest != digest) continue;
      listing.removed.push_back(name);
      ++applied.removed;
    }
    for (const auto& [name, image] : head_.images) {
      if (Digest::try_parse(name) == image.digest) {
        listing.images.emplace_back("", described(image));
      } else {
        listing.images.emplace_back(name, image);
      }
    }
    mirror.publish(std::move(listing));
    return applied;
  }

  void put(MirrorDirectory& mirror, const Descriptor& blob, BundleApplied& applied) const {
    const auto file = mirror.claim(blob, job_.stop);
    if (!file) return;
    if (file->kept() > 0) file->discard();
    const auto bytes = bundle_.open(member(blob.digest, blob.size));
    VerifiedSource verified(*bytes, blob);
    std::vector<std::byte> buffer(k_copy_buffer);
    while (const std::size_t count = verified.read(buffer)) {
      if (job_.stop.stop_requested()) throw Cancelled();
      file->write(std::span(buffer).first(count));
    }
    file->finish();
    ++applied.blobs;
    applied.bytes += blob.size;
  }

  const ArchiveFile& bundle_;
  const std::string& path_;
  std::size_t jobs_;
  const Job& job_;
  BundleHead head_;
  std::optional<OciLayout> there_;
};

}  // namespace

BundleHead plan_bundle(const OciLayout& layout, const BundleBase& base) {
  MirrorState now = MirrorState::of(layout);
  BundleHead head;
  for (const auto& [digest, size] : now.blobs) {
    const bool is_known = base.state.blobs.contains(digest);
    (is_known ? head.needed : head.contained).emplace(digest, size);
  }
  if (base.names == BundleBase::Names::add_and_remove) {
    for (const auto& [name, image] : base.state.images) {
      if (!now.images.contains(name)) head.gone.emplace(name, image.digest);
    }
  }
  head.images = std::move(now.images);
  return head;
}

void write_bundle(const OciLayout& layout, const BundleHead& head, Sink& out, const Job& job) {
  std::uint64_t total = 0;
  for (const auto& [digest, size] : head.contained) total += size;
  Task task(job.observer, TaskKind::commit, "bundle", total);
  TarWriter tar(out);
  tar.add(TarMember{.name = k_head_name}, head.text());
  for (const auto& [digest, size] : head.contained) {
    const Descriptor blob = blob_of(digest, size);
    FdSource file(layout.open_blob(digest, size), digest.text());
    VerifiedSource verified(file, blob);
    TapSource metered(verified, [&](std::span<const std::byte> piece) {
      if (job.stop.stop_requested()) throw Cancelled();
      task.advance(piece.size());
    });
    tar.add({.name = member_name(digest), .size = size}, metered);
  }
  tar.finish();
  task.finish();
}

BundleApplied apply_bundle(const ArchiveFile& bundle, const std::string& path, std::size_t jobs,
                           const Job& job) {
  return Application(bundle, path, jobs, job).run();
}

}  // namespace lade::registry
