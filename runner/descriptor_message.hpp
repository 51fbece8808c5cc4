// A descriptor that travels over a socket with a message (SCM_RIGHTS).
#pragma once

#include "base/fd.hpp"

#include <sys/socket.h>

#include <string_view>

namespace lade::runner {

/// Sends `text`, which is not empty, and a descriptor in one message. Throws SystemError.
void send_with_descriptor(const Fd& socket, std::string_view text, const Fd& fd);

/// The descriptor that came with a message, if one did.
Fd received_descriptor(const msghdr& message);

}  // namespace lade::runner
