// A hasher that can wait for company.
#pragma once

#include "base/hash.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace lade {

/// As a Hasher; but once it is patient, what it was fed may wait, so that it is hashed together
/// with bytes of another one (see Hasher::update_both()). Never from two threads at once.
class PatientHasher {
 public:
  explicit PatientHasher(HashAlgorithm algorithm) : hasher_(algorithm) {}

  /// From now on bytes wait for update_beside(), which is called again and again.
  void be_patient() noexcept { is_patient_ = true; }
  /// Feeds `data`. What waits is a copy, and never much.
  void update(std::span<const std::byte> data);
  /// Feeds `data` to `other`, and meanwhile as much to this one of what waits.
  void update_beside(Hasher& other, std::span<const std::byte> data);
  /// Of everything, see Hasher::finish_hex(). update_beside() may still be called.
  std::string finish_hex();

 private:
  std::span<const std::byte> waiting() const;

  Hasher hasher_;
  bool is_patient_ = false;
  std::vector<std::byte> waiting_;
  std::size_t done_ = 0;  // bytes of waiting_ that were hashed
};

}  // namespace lade
