// The console socket: where a runtime hands the master side of a container's terminal to whoever
// will attend to it (`--console-socket`).
#pragma once

#include "base/fd.hpp"
#include "oci/runtime_spec.hpp"

#include <optional>
#include <string>

namespace lade::runner {

/// A connection to the socket at `path`. Throws SystemError.
Fd connect_console_socket(const std::string& path);

/// Gives a terminal the size that a configuration asks for, if it does.
void set_console_size(const Fd& master, const std::optional<SpecConsoleSize>& size);

/// Sends a descriptor in one message whose text is what the descriptor is called.
void send_console(const Fd& socket, const Fd& master);

}  // namespace lade::runner
