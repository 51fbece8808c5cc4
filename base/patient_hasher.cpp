#include "base/patient_hasher.hpp"

#include <algorithm>

namespace lade {

namespace {

/// Bytes. As much as a piece of what others hash: beyond that it waits in vain.
constexpr std::size_t k_most_waiting = 512 * 1024;

}  // namespace

std::span<const std::byte> PatientHasher::waiting() const {
  return std::span(waiting_).subspan(done_);
}

void PatientHasher::update(std::span<const std::byte> data) {
  if (!is_patient_) return hasher_.update(data);
  if (waiting_.size() + data.size() > k_most_waiting) {
    hasher_.update(waiting());
    waiting_.clear();
    done_ = 0;
  }
  if (data.size() > k_most_waiting) return hasher_.update(data);
  waiting_.insert(waiting_.end(), data.begin(), data.end());
}

void PatientHasher::update_beside(Hasher& other, std::span<const std::byte> data) {
  const std::size_t count = std::min(waiting().size(), data.size());
  Hasher::update_both(hasher_, waiting().first(count), other, data);
  done_ += count;
  if (done_ < waiting_.size()) return;
  waiting_.clear();
  done_ = 0;
}

std::string PatientHasher::finish_hex() {
  hasher_.update(waiting());
  waiting_.clear();
  done_ = 0;
  return hasher_.finish_hex();
}

}  // namespace lade
