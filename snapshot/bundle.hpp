// A runtime bundle as umoci makes it: `rootfs`, `config.json`, and beside them what is needed to
// make a layer of the changes later: `umoci.json` and `sha256_HEX.mtree`.
#pragma once

#include "base/directory.hpp"
#include "oci/descriptor.hpp"
#include "snapshot/id_map.hpp"
#include "snapshot/inode_record.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace lade::snapshot {

inline constexpr const char* k_bundle_rootfs = "rootfs";
inline constexpr const char* k_bundle_config = "config.json";
inline constexpr const char* k_bundle_meta = "umoci.json";

/// What umoci.json says: where a bundle comes from, and who owns what in it.
struct BundleMeta {
  std::vector<Descriptor> path;  ///< from the entry of index.json to the manifest; at least one
  Ownership ownership;

  const Descriptor& manifest() const { return path.back(); }
};

std::string write_bundle_meta(const BundleMeta& meta);
/// Throws InvalidData, also for a version that is not understood.
BundleMeta parse_bundle_meta(std::string_view bytes);

/// The name of the specification of a bundle of that manifest.
std::string mtree_name(const Descriptor& manifest);

/// A directory that is being filled; what was begun is removed unless it is kept.
class NewBundle {
 public:
  /// Makes `path` (mode 0700 from now on) and the empty directory `rootfs` in it. Throws Error if
  /// there is a `rootfs` or a `config.json` already, and leaves them alone.
  explicit NewBundle(const std::string& path);
  NewBundle(const NewBundle&) = delete;
  NewBundle& operator=(const NewBundle&) = delete;
  ~NewBundle();

  const Directory& directory() const noexcept { return directory_; }
  const Directory& rootfs() const noexcept { return rootfs_; }
  /// Writes a file of the bundle.
  void write(const std::string& name, std::string_view content);
  /// Describes the root file system and writes that down, and where it comes from.
  void describe(const BundleMeta& meta, const ContentDigests& known, const std::stop_token& stop);
  /// It is complete.
  void keep() noexcept { kept_ = true; }

 private:
  std::string path_;
  bool made_;  // the directory itself
  Directory directory_;
  Directory rootfs_;
  std::vector<std::string> files_;
  bool kept_ = false;
};

/// A root file system alone, `umoci raw unpack`: the same for one directory.
class NewRootfs {
 public:
  /// Makes the directory `path`. Throws Error if it is there already and not empty.
  explicit NewRootfs(const std::string& path);
  NewRootfs(const NewRootfs&) = delete;
  NewRootfs& operator=(const NewRootfs&) = delete;
  ~NewRootfs();

  const Directory& directory() const noexcept { return directory_; }
  void keep() noexcept { kept_ = true; }

 private:
  std::string path_;
  bool made_;
  Directory directory_;
  bool kept_ = false;
};

/// A bundle that is there.
class Bundle {
 public:
  /// Throws NotFound, InvalidData.
  static Bundle open(const std::string& path);

  const BundleMeta& meta() const noexcept { return meta_; }
  const Directory& rootfs() const noexcept { return rootfs_; }
  /// What the root file system was like when it was unpacked, or refreshed last.
  InodeRecords read_specification() const;
  /// Takes the root file system as it is now for what `meta` unpacks to.
  void refresh(const BundleMeta& meta, const std::stop_token& stop);

 private:
  Bundle(Directory directory, Directory rootfs, BundleMeta meta)
      : directory_(std::move(directory)), rootfs_(std::move(rootfs)), meta_(std::move(meta)) {}

  Directory directory_;
  Directory rootfs_;
  BundleMeta meta_;
};

/// Writes the specification of `rootfs` to a file of `directory`.
void write_specification(const Directory& directory, const std::string& name,
                         const Directory& rootfs, const ContentDigests& known,
                         const std::stop_token& stop);

}  // namespace lade::snapshot
