#include "registry/sync/mirror.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/referrers_tag.hpp"
#include "registry/sync/mirror_walk.hpp"
#include "registry/sync/sync_plan.hpp"

#include <sys/file.h>

#include <set>

namespace lade::registry {

namespace {

constexpr const char* k_origin = "dev.lade.sync.origin";
constexpr const char* k_digest = "dev.lade.sync.digest";
constexpr const char* k_selection = "dev.lade.sync.selection";

void drain(Source& source) {
  std::vector<std::byte> buffer(k_copy_buffer);
  while (source.read(buffer) > 0) {
  }
}

Directory open_ingest(const OciLayout& layout) {
  Directory ingest = layout.directory().ensure_child(std::string(k_layout_ingest), 0700);
  check_syscall(::flock(ingest.fd(), LOCK_SH), [&] { return str("lock ", quoted(ingest.path())); });
  return ingest;
}

/// What refers to a manifest that is not there any more goes, and what refers to that.
void remove_orphans(const OciLayout& layout, LayoutIndex& index) {
  std::size_t removed = 0;
  do {
    const std::set<Digest> reachable = reachable_blobs(layout, index);
    removed = index.remove_if([&](const LayoutEntry& entry) {
      if (!entry.name.empty()) return false;
      const auto subject = find_subject(read_manifest(layout, entry.descriptor));
      return subject && !reachable.contains(subject->digest);
    });
  } while (removed > 0);
}

}  // namespace

std::map<std::string, std::string> MirrorRecord::annotations() const {
  std::map<std::string, std::string> annotations;
  if (!origin.empty()) annotations.emplace(k_origin, origin);
  if (digest) annotations.emplace(k_digest, digest->text());
  if (!selection.empty()) annotations.emplace(k_selection, selection);
  return annotations;
}

MirrorRecord MirrorRecord::of(const Descriptor& entry) {
  const auto text = [&](const char* key) {
    if (!entry.annotations) return std::string();
    const auto found = entry.annotations->find(key);
    return found == entry.annotations->end() ? std::string() : found->second;
  };
  return {text(k_origin), Digest::try_parse(text(k_digest)), text(k_selection)};
}

MirrorDirectory::MirrorDirectory(const std::string& path, std::stop_token stop)
    : layout_(OciLayout::ensure(path)),
      stop_(std::move(stop)),
      ingest_(open_ingest(layout_)),
      scratch_(layout_.directory()) {}

void MirrorDirectory::publish(Listing listing) {
  Wish wish{.listing = std::move(listing)};
  wishes_.lock()->push_back(&wish);
  {
    // Who comes first does it for all that wait, so that many images cost few index.jsons.
    const std::lock_guard lock(publishing_);
    if (!wish.is_done) publish_all(std::exchange(*wishes_.lock(), {}));
  }
  if (wish.failure) std::rethrow_exception(wish.failure);
}

void MirrorDirectory::sync_blobs(const std::vector<Wish*>& wishes) {
  std::set<HashAlgorithm> synced;
  for (const Wish* wish : wishes) {
    for (const auto& [digest, size] : wish->listing.needed) {
      if (synced.insert(digest.algorithm()).second) layout_.ensure_blobs(digest).sync();
    }
  }
}

void MirrorDirectory::publish_all(const std::vector<Wish*>& wishes) {
  const auto still_has = [&](const Listing& listing) {
    for (const auto& [digest, size] : listing.needed) {
      if (layout_.find_blob_size(digest) == size) continue;
      throw NotFound(str("blob ", quoted(digest.text()), " was removed from ",
                         quoted(layout_.directory().path()), " while it was to be used"));
    }
  };
  const auto change = [&](LayoutIndex& index) {
    for (Wish* wish : wishes) {
      try {
        still_has(wish->listing);
      } catch (const Error&) {
        wish->failure = std::current_exception();
        continue;
      }
      for (const auto& [name, manifest] : wish->listing.images) index.set(name, manifest);
      for (const std::string& name : wish->listing.removed) {
        index.remove_if([&](const LayoutEntry& entry) { return entry.name == name; });
      }
    }
  };
  std::exception_ptr failure;
  try {
    sync_blobs(wishes);
    layout_.update_index(scratch_.directory(), {}, change);
  } catch (...) {
    failure = std::current_exception();
  }
  for (Wish* wish : wishes) {
    wish->is_done = true;
    if (failure) wish->failure = failure;
  }
}

MirrorDirectory::Collected MirrorDirectory::collect() {
  const auto lock = [&](int operation) { return ::flock(ingest_.fd(), operation) == 0; };
  Collected collected;
  // Alone, or not at all: what others have put but not listed yet looks like what nobody wants.
  if (lock(LOCK_EX | LOCK_NB)) {
    layout_.update_index(scratch_.directory(), stop_, [&](LayoutIndex& index) {
      remove_orphans(layout_, index);
      remove_unreachable(reachable_blobs(layout_, index), collected);
      for (const std::string& name : ingest_.list()) ingest_.remove_file(name);
    });
  } else {
    collected.busy = true;
  }
  if (!lock(LOCK_SH)) throw SystemError(errno, str("lock ", quoted(ingest_.path())));
  return collected;
}

void MirrorDirectory::remove_unreachable(const std::set<Digest>& reachable,
                                         Collected& collected) const {
  for (const auto& [digest, size] : layout_.list_blobs()) {
    if (reachable.contains(digest)) continue;
    collected.bytes += size;
    collected.blobs += layout_.ensure_blobs(digest).remove_file(digest.hex()) ? 1U : 0U;
  }
}

bool MirrorSink::has_blob(const Descriptor& descriptor) {
  if (mirror_.layout().find_blob_size(descriptor.digest) != descriptor.size) return false;
  listing_.lock()->needed.emplace(descriptor.digest, descriptor.size);
  return true;
}

std::optional<KeptBytes> MirrorSink::begin_blob(const Descriptor& descriptor,
                                                const std::stop_token& stop) {
  begun_.lock()->erase(descriptor.digest);
  auto blob = mirror_.claim(descriptor, stop);
  if (!blob) {
    listing_.lock()->needed.emplace(descriptor.digest, descriptor.size);
    return std::nullopt;
  }
  KeptBytes kept{.size = blob->kept()};
  if (kept.size > 0) kept.bytes = blob->reader();
  (*begun_.lock())[descriptor.digest] = std::move(blob);
  return kept;
}

/// The one that begin_blob() took hold of, else a new one for a stream that begins at the
/// beginning.
std::unique_ptr<MirrorBlob> MirrorSink::take(const Descriptor& descriptor) {
  if (auto node = begun_.lock()->extract(descriptor.digest)) return std::move(node.mapped());
  auto blob = mirror_.claim(descriptor, mirror_.stop());
  // Nobody has read what is kept, so nobody has verified it.
  if (blob && blob->kept() > 0) blob->discard();
  return blob;
}

void MirrorSink::put_blob(const Descriptor& descriptor, Source& bytes) {
  auto blob = take(descriptor);
  listing_.lock()->needed.emplace(descriptor.digest, descriptor.size);
  if (!blob) return drain(bytes);
  try {
    TapSource written(bytes, [&](std::span<const std::byte> piece) { blob->write(piece); });
    drain(written);
  } catch (const InvalidData&) {
    blob->discard();
    throw;
  }
  blob->finish();
}

void MirrorSink::put_manifest(const RawManifest& manifest, const ManifestKey& key) {
  Descriptor descriptor = manifest.descriptor();
  if (Digest::of(manifest.bytes, descriptor.digest.algorithm()) != descriptor.digest) {
    throw Refused(str("manifest does not match its digest ", quoted(descriptor.digest.text())));
  }
  if (!has_blob(descriptor)) {
    StringSource bytes(manifest.bytes);
    put_blob(descriptor, bytes);
  }
  const auto* name = std::get_if<std::string>(&key);
  if (name == nullptr) {
    if (find_subject(manifest)) {
      listing_.lock()->images.emplace_back("", referrer_descriptor(manifest));
    }
    return;
  }
  const bool is_ours = *name == name_;
  if (is_ours) descriptor.annotations = record_.annotations();
  listing_.lock()->images.emplace_back(is_ours ? name_ : str(repository_of(name_), ':', *name),
                                       std::move(descriptor));
}

std::optional<std::string> MirrorSink::refuses_signatures() const {
  return "an OCI layout has no place for signatures";
}

void MirrorSink::commit() {
  mirror_.publish(std::exchange(*listing_.lock(), {}));
}

}  // namespace lade::registry
