// Descriptors that travel over a socket with a message (SCM_RIGHTS).
#pragma once

#include "base/fd.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace lade::runner {

/// Sends `text`, which is not empty, and descriptors, no more than the kernel takes at once (253),
/// in one message. Throws SystemError.
void send_with_descriptors(const Fd& socket, std::string_view text, std::span<const Fd> fds);

/// What was received.
struct ReceivedMessage {
  std::size_t size = 0;  ///< of the text; 0 when the other end has closed
  std::vector<Fd> descriptors;
};

/// The next message, its text in `buffer`; what does not fit is lost. Blocks. An error of the
/// socket is told as its end.
ReceivedMessage receive_with_descriptors(const Fd& socket, std::span<char> buffer);

}  // namespace lade::runner
