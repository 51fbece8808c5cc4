// The entries of one layer put into a tree, whatever the tree's form. Inside snapshot/.
#pragma once

#include "base/observer.hpp"
#include "base/pieces.hpp"
#include "snapshot/entry.hpp"
#include "snapshot/layer_path.hpp"
#include "snapshot/layer_tree.hpp"
#include "snapshot/metadata.hpp"
#include "snapshot/tar_reader.hpp"
#include "snapshot/tree_builder.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace lade::snapshot {

/// What a layer may cost. Real ones are far from all of these.
struct EntryLimits {
  std::uint64_t entries = 4'000'000;
  std::uint64_t tar_size = std::uint64_t{1} << 40U;  ///< bytes, once inflated
  std::uint64_t holes = std::uint64_t{64} << 30U;    ///< bytes of sparse files that are not data
  std::uint64_t names = std::uint64_t{512} << 20U;   ///< bytes of all paths together
  std::uint64_t directories = k_directories_cap;     ///< bytes kept of the tree's until the end
};

/// Reads a tar and makes inodes of its entries.
class EntryApplier {
 public:
  /// All of these must outlive it.
  EntryApplier(PieceSource& tar, TreeBuilder& tree, MetadataWriter& metadata,
               const EntryLimits& limits, const Job& job)
      : reader_(tar), tree_(tree), metadata_(metadata), limits_(limits), job_(job) {}
  EntryApplier(const EntryApplier&) = delete;
  EntryApplier& operator=(const EntryApplier&) = delete;
  virtual ~EntryApplier() = default;

  /// Applies everything. Throws InvalidData on what is malformed or not safe, Cancelled.
  void run();

  std::uint64_t entries() const noexcept { return entries_; }

 protected:
  /// Changes an entry before it is applied.
  virtual void prepare(Entry& /*entry*/) {}
  /// Hears the content of a file: its beginning, its pieces, and its end.
  virtual void content_begins() = 0;
  virtual void content(std::span<const std::byte> bytes) = 0;
  /// `has_holes`: not all of it was heard.
  virtual void content_ends(const Fd& file, const struct stat& st, bool has_holes) = 0;
  /// Hears of a file that is a copy of another one: its inode may have been that of a third.
  virtual void copied(const struct stat& st) = 0;
  /// Hears of a hard link that came before its target, by its path without links.
  virtual void linked_late(const std::string& /*link*/) {}
  /// The same of one that has no target: refused, unless this returns.
  virtual void target_missing(const std::string& link, const std::string& target);

 private:
  /// A hard link whose target was not there when it came. Until it can be made a socket, which no
  /// tar can bring, keeps its place: whatever takes the name afterwards has it.
  struct PendingLink {
    LayerPath link;  ///< without links
    LayerPath target;
  };

  /// A file with as many names as it may have, which is held so that its inode stays its own, and a
  /// copy for more of them.
  struct Spare {
    Fd full;
    Fd copy;
  };

  void count(const Entry& entry);
  void apply(const Entry& entry);
  void apply_root(const Entry& entry);
  void apply_plain(const Entry& entry, const LayerPath& path);
  void put_file(const Entry& entry, const LayerPath& path);
  void write_data(const Entry& entry, const Fd& file);
  void put_special(const Entry& entry, const LayerPath& path);
  void put_link(const Entry& entry, const LayerPath& path);
  void link(const LayerPath& path, const Found& file);
  std::optional<Found> find_target(const LayerPath& target);
  int link_to_spare(const Found& file, int parent, const char* name);
  bool is_waiting(const PendingLink& pending);
  void retry(const PendingLink& pending);
  template <class Make>
  std::pair<const TreeBuilder::Place*, int> make(const LayerPath& path, Make&& make_inode);

  TarReader reader_;
  TreeBuilder& tree_;
  MetadataWriter& metadata_;
  const EntryLimits& limits_;
  const Job& job_;
  std::vector<PendingLink> pending_;
  std::map<ino_t, Spare> spares_;
  std::uint64_t entries_ = 0;
  std::uint64_t names_ = 0;  // bytes
  std::uint64_t holes_ = 0;  // bytes
};

}  // namespace lade::snapshot
