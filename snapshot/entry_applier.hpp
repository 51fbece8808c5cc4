// The entries of one layer put into a tree, whatever the tree's form. Inside snapshot/.
#pragma once

#include "base/observer.hpp"
#include "base/stream.hpp"
#include "snapshot/entry.hpp"
#include "snapshot/layer_path.hpp"
#include "snapshot/metadata.hpp"
#include "snapshot/tar_reader.hpp"
#include "snapshot/tree_builder.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace lade::snapshot {

/// What a layer may cost. Real ones are far from all of these.
struct EntryLimits {
  std::uint64_t entries = 4'000'000;
  std::uint64_t holes = std::uint64_t{64} << 30U;   ///< bytes of sparse files that are not data
  std::uint64_t names = std::uint64_t{512} << 20U;  ///< bytes of all paths together
};

/// Reads a tar and makes inodes of its entries.
class EntryApplier {
 public:
  /// All of these must outlive it.
  EntryApplier(Source& tar, TreeBuilder& tree, MetadataWriter& metadata, const EntryLimits& limits,
               const Job& job)
      : reader_(tar), tree_(tree), metadata_(metadata), limits_(limits), job_(job) {}
  EntryApplier(const EntryApplier&) = delete;
  EntryApplier& operator=(const EntryApplier&) = delete;
  virtual ~EntryApplier() = default;

  /// Applies everything. Throws InvalidData on what is malformed or not safe, Cancelled.
  void run();

 protected:
  /// A hard link whose target was not there when it came.
  struct PendingLink {
    LayerPath link;
    LayerPath target;
  };

  /// Changes an entry before it is applied.
  virtual void prepare(Entry& /*entry*/) {}
  /// Hears the content of a file: its beginning, its pieces, and its end.
  virtual void content_begins() = 0;
  virtual void content(std::span<const std::byte> bytes) = 0;
  /// `has_holes`: not all of it was heard.
  virtual void content_ends(const Fd& file, const struct stat& st, bool has_holes) = 0;
  /// After all other entries.
  virtual void retry(const PendingLink& link) = 0;

  /// Whether the tree has a file at `target`, which then has the name `path` too.
  bool link(const LayerPath& path, const LayerPath& target);
  TreeBuilder& tree() const noexcept { return tree_; }

 private:
  void count(const Entry& entry);
  void apply(const Entry& entry);
  void apply_root(const Entry& entry);
  void apply_plain(const Entry& entry, const LayerPath& path);
  void put_file(const Entry& entry, const LayerPath& path);
  void write_data(const Entry& entry, const Fd& file);
  void put_special(const Entry& entry, const LayerPath& path);
  void put_link(const Entry& entry, const LayerPath& path);
  template <class Make>
  std::pair<const TreeBuilder::Place*, int> make(const LayerPath& path, Make&& make_inode);

  TarReader reader_;
  TreeBuilder& tree_;
  MetadataWriter& metadata_;
  const EntryLimits& limits_;
  const Job& job_;
  std::vector<PendingLink> pending_;
  std::uint64_t entries_ = 0;
  std::uint64_t names_ = 0;  // bytes
  std::uint64_t holes_ = 0;  // bytes
};

}  // namespace lade::snapshot
