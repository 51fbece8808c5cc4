// A fast checksum that tells damage from what was written: no protection against an attacker. The
// only file that knows xxHash (docs/decisions/0014-checksums.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace lade {

/// XXH3, 64 bits, of a stream.
class Checksum {
 public:
  Checksum();
  Checksum(Checksum&&) noexcept;
  ~Checksum();

  void update(std::span<const std::byte> data);
  /// Of everything so far.
  std::uint64_t value() const;
  /// Begins anew.
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lade
