// The runtime configuration to start from, as `spec` writes it: a shell in a terminal, every
// namespace, three capabilities, a read-only root.
#pragma once

#include "oci/runtime_spec.hpp"

#include <optional>
#include <string>

namespace lade {

/// A config.json, indented with tabs. With `user`, one for a user who is root of a user namespace
/// of one id, in the host's network.
std::string make_default_runtime_spec(const std::optional<SpecUserIds>& user);

}  // namespace lade
