// How what is written becomes durable before it becomes visible, and the calls that make it so.
#pragma once

#include "base/directory.hpp"
#include "base/fd.hpp"

#include <cstddef>
#include <stop_token>
#include <string>

namespace lade::store {

/// What an image is flushed with before it is listed (docs/durability.md).
enum class SyncMode {
  fs,     ///< one syncfs: the fastest, but it waits for what others have written there too
  files,  ///< fsync of each file and directory: nobody else's
  none    ///< nothing: a power cut may leave images that are listed and damaged
};

/// fsyncs every file and directory of the tree at `name` in `parent`, several at a time; links and
/// devices become durable with the directories that they are in. Throws SystemError, Cancelled.
void sync_tree(const Directory& parent, const std::string& name, std::size_t jobs,
               const std::stop_token& stop);

/// Starts writing `length` bytes from `offset` (0: to the end) to the disk, and does not wait. Only
/// a beginning: whether it worked is told by the flush that comes later.
void start_write_back(const Fd& file, std::uint64_t offset = 0, std::uint64_t length = 0) noexcept;

}  // namespace lade::store
