// The tar format as bytes: POSIX ustar with PAX extended headers, and what GNU tar adds to it. What
// the reader (tar_index) and the writer (tar_writer) have in common.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lade::tar {

/// Everything in an archive is a multiple of this (bytes).
inline constexpr std::size_t k_block = 512;

/// Where a member of a header is, in bytes.
struct Field {
  std::size_t offset;
  std::size_t size;
};

inline constexpr Field k_name{0, 100};
inline constexpr Field k_mode{100, 8};
inline constexpr Field k_uid{108, 8};
inline constexpr Field k_gid{116, 8};
inline constexpr Field k_size{124, 12};
inline constexpr Field k_mtime{136, 12};
inline constexpr Field k_checksum{148, 8};
inline constexpr Field k_type{156, 1};
inline constexpr Field k_link{157, 100};
inline constexpr Field k_magic{257, 8};  ///< with the version: `ustar\0` `00`
inline constexpr Field k_user{265, 32};
inline constexpr Field k_group{297, 32};
inline constexpr Field k_device_major{329, 8};
inline constexpr Field k_device_minor{337, 8};
inline constexpr Field k_prefix{345, 155};
/// In headers of GNU's sparse files: whether another block of the map follows.
inline constexpr std::size_t k_gnu_sparse_more = 482;
/// The same in such a block.
inline constexpr std::size_t k_gnu_map_more = 504;

/// Zeros from the end of `size` bytes to the next block.
inline constexpr std::size_t padding(std::uint64_t size) {
  return static_cast<std::size_t>((k_block - size % k_block) % k_block);
}

}  // namespace lade::tar
