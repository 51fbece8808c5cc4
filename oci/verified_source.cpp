#include "oci/verified_source.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace lade {

std::size_t VerifiedSource::read(std::span<std::byte> buffer) {
  if (finished_) return 0;
  const std::size_t count = inner_.read(buffer);
  if (count > 0) {
    seen_ += count;
    if (seen_ > expected_.size) {
      throw Refused(str("content of ", quoted(expected_.digest.text()), " is longer than the ",
                        expected_.size, " bytes of its descriptor"));
    }
    hasher_.update(buffer.first(count));
    return count;
  }
  if (seen_ < expected_.size) {
    throw Refused(str("content of ", quoted(expected_.digest.text()), " ended after ", seen_,
                      " of ", expected_.size, " bytes"));
  }
  const std::string actual = hasher_.finish_hex();
  if (actual != expected_.digest.hex()) {
    throw Refused(str("content does not match its digest: expected ",
                      quoted(expected_.digest.text()), ", got ",
                      quoted(str(expected_.digest.algorithm_name(), ':', actual))));
  }
  finished_ = true;
  return 0;
}

}  // namespace lade
