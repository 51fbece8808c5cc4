#include "base/checksum.hpp"

#define XXH_STATIC_LINKING_ONLY  // the state's size and alignment
#include <xxhash.h>

namespace lade {

struct Checksum::State {
  XXH3_state_t xxh;
};

Checksum::Checksum() : state_(std::make_unique<State>()) {
  reset();
}
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum::~Checksum() = default;

void Checksum::update(std::span<const std::byte> data) {
  XXH3_64bits_update(&state_->xxh, data.data(), data.size());
}

std::uint64_t Checksum::value() const {
  return XXH3_64bits_digest(&state_->xxh);
}

void Checksum::reset() {
  XXH3_64bits_reset(&state_->xxh);
}

}  // namespace lade
