// From registry flags and the environment to a registry's connection.
#pragma once

#include "cli/verbs.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"
#include "oci/transport.hpp"
#include "registry/connection.hpp"

#include <string>
#include <string_view>

namespace lade::cli {

/// The connection that the flags ask for.
registry::ConnectionOptions connection_options(const App& app, const RegistryFlags& flags);

/// A reference to a registry: `docker://` is taken off if it is there; other transports are refused
/// by name. Throws UsageError.
Reference registry_reference(std::string_view text);

/// Whether `text` begins with a transport, like `docker://` or `oci:`.
bool has_transport(std::string_view text);

/// The manifest that a reference names: its digest, else its tag, else `latest`.
ManifestKey manifest_key(const Reference& reference);

/// `--platform`, or this machine's.
Platform chosen_platform(const std::optional<std::string>& option);

}  // namespace lade::cli
