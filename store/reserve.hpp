// Room on a full disk: a file that is given up so that SQLite can write down what is removed.
#pragma once

#include "base/directory.hpp"

#include <functional>

namespace lade::store {

/// Makes ROOT/reserve if it is not there. That there is no room for it is no error.
void ensure_reserve(const Directory& root);

/// Does something that makes room. If there is none for it: once more without the reserve, and once
/// more when the trash is empty.
void on_full_disk(const Directory& root, const std::function<void()>& body);

}  // namespace lade::store
