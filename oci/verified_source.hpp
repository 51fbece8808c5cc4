// A stream that cannot lie: the end is reported only after size and digest were found right.
#pragma once

#include "base/stream.hpp"
#include "oci/descriptor.hpp"

namespace lade {

/// Passes `inner` through, refuses more bytes than the descriptor says as soon as they come, and
/// fewer, or another digest, before the end is reported. Throws Refused.
class VerifiedSource final : public Source {
 public:
  VerifiedSource(Source& inner, const Descriptor& expected)
      : inner_(inner), expected_(expected), hasher_(expected.digest.algorithm()) {}
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  Source& inner_;
  const Descriptor& expected_;
  Hasher hasher_;
  std::uint64_t seen_ = 0;
  bool finished_ = false;
};

}  // namespace lade
