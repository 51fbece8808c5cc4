// A stream that cannot lie: the end is reported only after size and digest were found right.
#pragma once

#include "base/patient_hasher.hpp"
#include "base/stream.hpp"
#include "oci/descriptor.hpp"

namespace lade {

/// A stream that is hashed as it is read. Who computes other hashes in the thread that reads it can
/// let the processor compute both at a time.
class HashedStream {
 public:
  virtual ~HashedStream() = default;
  virtual PatientHasher& hasher() noexcept = 0;
};

/// Passes `inner` through, refuses more bytes than the descriptor says as soon as they come, and
/// fewer, or another digest, before the end is reported. Throws Refused.
class VerifiedSource final : public Source, public HashedStream {
 public:
  VerifiedSource(Source& inner, const Descriptor& expected)
      : inner_(inner), expected_(expected), hasher_(expected.digest.algorithm()) {}
  std::size_t read(std::span<std::byte> buffer) override;
  PatientHasher& hasher() noexcept override { return hasher_; }

 private:
  Source& inner_;
  const Descriptor& expected_;
  PatientHasher hasher_;
  std::uint64_t seen_ = 0;
  bool finished_ = false;
};

}  // namespace lade
