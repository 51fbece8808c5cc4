// Two SHA-256 at once on processors with SHA instructions: one alone waits for its own last result
// most of the time. Inside base/.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lade {

/// One of the two: eight words of state, and blocks of 64 bytes to be taken into it.
struct Sha256Lane {
  std::uint32_t* state;
  const std::byte* blocks;
};

/// Takes `count` blocks into each of two states; FIPS 180-4, 6.2.2. False, and nothing is done, on
/// a processor that cannot.
bool sha256_pair(const Sha256Lane& a, const Sha256Lane& b, std::size_t count);

}  // namespace lade
