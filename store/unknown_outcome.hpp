// What a transaction throws when nobody can say whether it is committed.
#pragma once

#include "base/error.hpp"

namespace lade::store {

/// The disk failed in such a way that nobody can say whether a transaction will turn out to be
/// committed: what it speaks of has to stay.
class UnknownOutcome final : public Error {
 public:
  using Error::Error;
};

}  // namespace lade::store
