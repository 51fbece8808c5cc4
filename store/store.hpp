// The local store: images, their names, blobs and unpacked layers, below one directory
// (docs/store-format.md). Files are the truth; SQLite is the index that finds them.
#pragma once

#include "base/directory.hpp"
#include "base/time.hpp"
#include "oci/digest.hpp"
#include "oci/manifest.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "store/sync_mode.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::store {

class Database;

/// How long, and how many bytes altogether, ingest/ keeps of blobs that nobody is fetching.
inline constexpr std::chrono::hours k_ingest_age{7 * 24};
inline constexpr std::uint64_t k_ingest_cap = std::uint64_t{32} << 30;

/// An image that is wholly here: every blob verified, every layer unpacked.
struct StoredImage {
  Digest id;                       ///< the digest of its config, as podman counts image ids
  Descriptor manifest;             ///< of the image manifest that it was pulled by
  std::vector<Reference> names;    ///< `repository:tag`, sorted
  std::vector<Reference> digests;  ///< `repository@digest` of manifest and index, as pulled
  std::vector<Reference> asked;    ///< those of `digests` that it was pulled by: names like tags
  std::optional<Timestamp> created;
  std::uint64_t size = 0;  ///< bytes: the layers' plain tars, the config and the manifest
  Platform platform;
};

/// One layer of an image, unpacked.
struct StoredLayer {
  std::string key;             ///< its directory in layers/: hex of its DiffID, or of its ChainID
  DiffId diff_id;              ///< of its plain tar
  bool self_contained = true;  ///< whether `key` is the DiffID and any chain may hold it
  bool root_entry = false;     ///< whether its root directory's attributes are the image's
  bool root_opaque = false;    ///< whether it hides all below, which overlay does not see at a root
  std::uint64_t tar_size = 0;  ///< bytes of its plain tar
};

/// Everything that one transaction makes visible: an image, what it stands on, and its names.
struct NewImage {
  Digest id;
  Descriptor manifest;
  std::optional<Timestamp> created;
  std::uint64_t size = 0;
  Platform platform;
  std::vector<Descriptor> blobs;      ///< manifest, config, layers, and an index if there is one
  std::vector<StoredLayer> layers;    ///< the bottom first
  std::vector<Reference> names;       ///< tags to move here, last of all
  std::vector<Reference> digests;     ///< `repository@digest`
  std::vector<Reference> asked;       ///< those of them that somebody asked for
  std::map<Digest, DiffId> diff_ids;  ///< of blobs that were unpacked: of what
};

/// What remove_image() did, for the lines that `rmi` prints.
struct RemovedImage {
  std::vector<Reference> untagged;
  std::vector<Digest> deleted;
};

/// Whether an image that a container uses may go: only together with the container, and never while
/// that runs. `refuse_named`: nor one that has a name, be it since this very moment.
enum class RemovePolicy { refuse_in_use, force, refuse_named };

/// When the files of what was removed are unlinked: by remove_image(), or later by tidy_up().
enum class Unlink { now, later };

/// What to do about work that another process is doing already.
enum class IfBusy { skip, wait };

/// What of the things that nobody needs is removed.
struct CollectRequest {
  bool dry_run = false;   ///< only say what would go
  bool partials = false;  ///< also what is kept in ingest/ to be continued
};

/// What collect() removed, or would remove.
struct Collected {
  std::vector<Digest> blobs;
  std::vector<std::string> layers;    ///< keys
  std::vector<std::string> partials;  ///< of blobs on their way in: hex
  std::uint64_t size = 0;             ///< bytes on disk of all of them
};

/// What the index knows of files.
struct Contents {
  std::vector<Descriptor> blobs;
  std::vector<StoredLayer> layers;
};

/// Bytes on disk.
struct Usage {
  struct Image {
    Digest id;
    std::uint64_t shared = 0;  ///< of blobs and layers that other images need too
    std::uint64_t unique = 0;  ///< of those that would go with it
  };
  std::vector<Image> images;      ///< as list_images() sorts them
  std::uint64_t blobs = 0;        ///< each once
  std::uint64_t layers = 0;       ///< each once
  std::uint64_t reclaimable = 0;  ///< of blobs and layers that no image needs
  std::uint64_t partials = 0;     ///< in ingest/
  std::uint64_t containers = 0;
};

/// How a process uses a store.
struct OpenOptions {
  SyncMode sync = SyncMode::fs;
};

/// Holds the store's commit lock (a flock on its root) while it lives: between it and its end files
/// are only renamed, and one transaction is made. Never held while bytes move.
class CommitLock {
 public:
  explicit CommitLock(const Directory& root);

 private:
  Fd held_;
};

/// An open store. THREADS: every method may be called from any thread.
class Store {
 public:
  /// Opens the store at `path`; makes it (0700, whatever the umask) if nothing is there. Throws
  /// InvalidData if it is a directory with other things in it, or of a newer format, or if its
  /// index is damaged.
  static Store open(const std::string& path, const OpenOptions& options = {});
  /// For processes that live on and do not look into the index any more: they are not in the way of
  /// rebuilding it. Afterwards only what concerns files may be called.
  void let_go_of_index() const;
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// The image named `text`: a reference (`latest` by default; for a short name `localhost/NAME` is
  /// tried too), `repository@digest`, or an id, whole or a unique prefix of at least 3 hex digits,
  /// with or without `sha256:`. Throws InvalidData if a prefix fits several.
  std::optional<StoredImage> find_image(std::string_view text) const;
  /// find_image(), or throws NotFound.
  StoredImage get_image(std::string_view text) const;
  /// Every image, the newest first.
  std::vector<StoredImage> list_images() const;
  /// The layers of an image, the bottom first.
  std::vector<StoredLayer> layers_of(const Digest& image) const;

  /// The bytes of an image's config, verified.
  std::string read_config(const StoredImage& image) const;
  /// The manifest of an image, verified.
  RawManifest read_manifest(const StoredImage& image) const;
  /// The bytes of any small blob (at most k_manifest_cap), verified. Throws NotFound, Refused.
  std::string read_blob(const Digest& digest) const;

  /// Makes `name` (with a tag) mean that image, wherever it pointed before. Throws NotFound.
  void tag(const Digest& image, const Reference& name);
  /// The same with several names: all of them, or none.
  void tag(const Digest& image, const std::vector<Reference>& names);
  /// Takes a name away, a tag or a digest that it was pulled by; the image stays, and is still
  /// found by the digest. Whether there was such a name.
  bool untag(const Reference& name);
  /// Takes away those of the names that there are: all of them, or none.
  void untag(const std::vector<Reference>& names);
  /// Removes an image with all its names, and the layers and blobs that no other image needs.
  /// What a living process holds (Lease) stays, for collect(). Works on a full disk. Throws
  /// NotFound, and Busy if a container uses it (or, as asked, if it has a name); with
  /// RemovePolicy::force the containers that do not run go with it.
  RemovedImage remove_image(const Digest& image, RemovePolicy policy = RemovePolicy::refuse_in_use,
                            Unlink unlink = Unlink::now);

  /// Makes an image visible; see NewImage. REQUIRES: the files are in place and durable, and the
  /// CommitLock is held. Throws Busy if a file that it needs was removed by another process,
  /// UnknownOutcome if the files must stay because nobody can say whether it is committed.
  void commit_image(const NewImage& image);
  /// Removes blobs and layers that no image needs and no living process holds (Lease), files that
  /// the index does not know, and what dead processes left. Takes nothing away from a running pull
  /// or container.
  Collected collect(const CollectRequest& request = {});
  /// Every blob and every layer that the index knows.
  Contents contents() const;
  /// The digests of the blobs of an image.
  std::vector<Digest> blobs_of(const Digest& image) const;
  /// What SQLite finds wrong with the index (quick_check, foreign keys); nothing if all is well.
  std::vector<std::string> check_index() const;
  /// The ids of the containers that run on an image.
  std::vector<std::string> running_on(const Digest& image) const;
  /// What everything takes on the disk; reads every directory of the store.
  Usage usage() const;
  /// A layer that any chain may hold (self-contained, of that DiffID).
  std::optional<StoredLayer> find_layer(const DiffId& diff_id) const;
  /// The layer that stands on top of that very chain.
  std::optional<StoredLayer> find_layer(const ChainId& chain) const;
  /// The DiffID that a blob was seen to have; nothing where nobody looked since the index was made.
  std::optional<DiffId> find_diff_id(const Digest& blob) const;

  /// How this process makes durable what it writes.
  SyncMode sync_mode() const noexcept;
  const Directory& root() const noexcept;
  const Directory& blobs() const noexcept;    ///< blobs/sha256: HEX, 0444
  const Directory& ingest() const noexcept;   ///< HEX: blobs on their way in, see BlobWriter
  const Directory& staging() const noexcept;  ///< layers being unpacked, flocked by their writers
  const Directory& layers() const noexcept;   ///< KEY/tree and KEY/layer
  const Directory& containers() const noexcept;
  const Directory& trash() const noexcept;

  /// Moves `name` out of `from` into the trash; whether it was there.
  bool discard(const Directory& from, const std::string& name) const;
  /// Removes what is in the trash. Takes no lock that a pull or a run waits for; one process at a
  /// time does it.
  void empty_trash(IfBusy if_busy = IfBusy::skip) const;
  /// What removals leave for later: empties the trash, and makes the reserve for full disks anew.
  void tidy_up() const;
  /// Throws away what processes that died left in staging/, and of what is left in ingest/ what is
  /// older than k_ingest_age or goes beyond k_ingest_cap, the oldest first.
  void sweep_leftovers(IfBusy if_busy = IfBusy::skip) const;

  /// For this folder's own files.
  struct State;
  State& state() const noexcept { return *state_; }

  explicit Store(std::unique_ptr<State> state);

 private:
  void sweep_ingest() const;

  std::unique_ptr<State> state_;
};

}  // namespace lade::store
