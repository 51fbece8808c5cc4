// A mirror: an OCI layout that many images are written to at once, by several threads and several
// processes, which share their blobs. Its images are called by their full names.
#pragma once

#include "base/concurrency.hpp"
#include "oci/transport.hpp"
#include "registry/sync/mirror_ingest.hpp"
#include "registry/transports/layout_staging.hpp"
#include "registry/transports/oci_layout.hpp"

#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace lade::registry {

/// Where an image of a mirror came from, as its entry's annotations tell.
struct MirrorRecord {
  std::string origin;            ///< `docker://quay.io/x/app:1`; empty: not told
  std::optional<Digest> digest;  ///< what that stood for then
  std::string selection;         ///< which part of that was copied, as Selection::text() has it

  bool operator==(const MirrorRecord&) const = default;

  /// The annotations that say so.
  std::map<std::string, std::string> annotations() const;
  /// What an entry's annotations say.
  static MirrorRecord of(const Descriptor& entry);
};

/// A mirror open for writing. Blobs go to their places as soon as each is whole and durable, so
/// that the death of a process costs none; index.json comes last. THREADS: all functions.
class MirrorDirectory {
 public:
  /// Opens or makes the layout at `path`; see OciLayout::ensure().
  MirrorDirectory(const std::string& path, std::stop_token stop);

  const OciLayout& layout() const noexcept { return layout_; }
  const std::stop_token& stop() const noexcept { return stop_; }

  /// See MirrorBlob::claim().
  std::unique_ptr<MirrorBlob> claim(const Descriptor& descriptor,
                                    const std::stop_token& stop) const {
    return MirrorBlob::claim(layout_, ingest_, descriptor, stop);
  }

  /// See MirrorBlob::replace().
  std::unique_ptr<MirrorBlob> replace(const Descriptor& descriptor,
                                      const std::stop_token& stop) const {
    return MirrorBlob::replace(layout_, ingest_, descriptor, stop);
  }

  /// What index.json is to say, and the blobs that must still be there when it does.
  struct Listing {
    std::vector<std::pair<std::string, Descriptor>>
        images;                              ///< name, and manifest with annotations
    std::vector<std::string> removed;        ///< names that go
    std::map<Digest, std::uint64_t> needed;  ///< sizes
  };
  /// Changes index.json, together with what other threads want of it at the same time. Throws
  /// NotFound if a blob was removed by somebody meanwhile; then nothing of this listing is there.
  void publish(Listing listing);

  /// Removes what refers to images that are gone, and the blobs that nothing needs, unless another
  /// process is writing to the mirror.
  struct Collected {
    bool busy = false;  ///< somebody else writes: nothing was removed
    std::size_t blobs = 0;
    std::uint64_t bytes = 0;
  };
  Collected collect();

 private:
  struct Wish {
    Listing listing;
    std::exception_ptr failure;
    bool is_done = false;
  };

  /// Flushes the directories that hold the blobs of the wishes.
  void sync_blobs(const std::vector<Wish*>& wishes);
  void publish_all(const std::vector<Wish*>& wishes);
  void remove_unreachable(const std::set<Digest>& reachable, Collected& collected) const;

  OciLayout layout_;
  std::stop_token stop_;
  Directory ingest_;  // its descriptor's shared lock says that somebody writes
  LayoutStaging scratch_;
  std::mutex publishing_;
  Sync<std::vector<Wish*>> wishes_;
};

/// Writes one image to a mirror. THREADS: as ImageSink.
class MirrorSink final : public ImageSink {
 public:
  /// The image called `name`; `record` is told of its manifest. A manifest that gets another name
  /// is a tag of the same repository.
  MirrorSink(MirrorDirectory& mirror, std::string name, MirrorRecord record)
      : mirror_(mirror), name_(std::move(name)), record_(std::move(record)) {}

  bool has_blob(const Descriptor& descriptor) override;
  std::optional<KeptBytes> begin_blob(const Descriptor& descriptor,
                                      const std::stop_token& stop) override;
  /// The blob is visible at once, and stays without commit(): a digest is its own proof.
  void put_blob(const Descriptor& descriptor, Source& bytes) override;
  bool takes_referrers() const override { return true; }
  /// A manifest whose key is a name is listed under it; one that refers to another, without one.
  /// Any name is taken.
  void put_manifest(const RawManifest& manifest, const ManifestKey& key) override;
  std::optional<std::string> refuses_signatures() const override;
  void commit() override;

 private:
  std::unique_ptr<MirrorBlob> take(const Descriptor& descriptor);

  MirrorDirectory& mirror_;
  std::string name_;
  MirrorRecord record_;
  Sync<std::map<Digest, std::unique_ptr<MirrorBlob>>> begun_;
  Sync<MirrorDirectory::Listing> listing_;
};

}  // namespace lade::registry
