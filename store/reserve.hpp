// Room on a full disk: a file that is given up so that SQLite can write down what is removed.
#pragma once

#include "base/directory.hpp"

#include <functional>

namespace lade::store {

/// Makes ROOT/reserve if it is not there. That there is no room for it is no error.
void ensure_reserve(const Directory& root);

/// Does something that makes room; once more without the reserve if there is none for it.
void on_full_disk(const Directory& root, const std::function<void()>& body);

}  // namespace lade::store
