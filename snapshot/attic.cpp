#include "snapshot/attic.hpp"

namespace lade::snapshot {

namespace {

constexpr const char* k_name = ".wh..wh.lade";

}  // namespace

bool Attic::is(std::string_view parent, std::string_view name) {
  return parent.empty() && name == k_name;
}

const Directory& Attic::open() {
  if (!directory_.handle().valid()) directory_ = root_.ensure_child(k_name, 0700);
  return directory_;
}

void Attic::clear() {
  if (!directory_.handle().valid()) return;
  directory_ = Directory();
  root_.remove_tree(k_name);
}

}  // namespace lade::snapshot
