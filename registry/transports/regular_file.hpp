// Files of directories that somebody else wrote: only regular ones are read, links are not
// followed, and what is written appears whole or not at all.
#pragma once

#include "base/directory.hpp"
#include "base/stream.hpp"

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>

namespace lade::registry {

/// Opens a regular file, or nothing if it does not exist. What is there is looked at first, since
/// opening alone can do harm (a FIFO blocks, a device acts). Throws InvalidData for anything else.
std::optional<Fd> find_regular(const Directory& directory, const std::string& name, int flags);

/// A regular file as a whole, at most `cap` bytes. Throws InvalidData, also if it does not exist.
std::string read_regular(const Directory& directory, const std::string& name, std::size_t cap);

/// Writes a new file whole, or leaves none; its write-back starts on the way. Throws Cancelled when
/// `stop` is requested.
void write_staged(const Directory& staging, const std::string& name, Source& bytes,
                  const std::stop_token& stop);

/// Asks for the exclusive flock of an open file without waiting; whether it was had.
bool try_lock(const Fd& file, const std::string& path);

/// Takes the exclusive flock of an open file or directory. Throws Busy when it cannot be had within
/// half a minute, Cancelled when `stop` is requested.
void wait_for_lock(const Fd& file, const std::string& path, const std::stop_token& stop);

}  // namespace lade::registry
