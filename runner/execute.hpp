// The last step: finding the program as the container would and becoming it.
#pragma once

#include "runner/channel.hpp"
#include "runner/rootfs.hpp"
#include "runner/users.hpp"

#include <string>
#include <vector>

namespace lade::runner {

/// Child: changes the working directory to one of the container's, over no magic link of /proc. May
/// be called again as another user for a directory that root could not enter. Throws CannotRun if
/// there is none, SystemError.
void change_directory(const Rootfs& root, const std::string& path);

/// Child: executes args[0], looked up in the PATH of `env` unless it has a slash. HOME is added to
/// `env` if it is not there or empty. `channel` is the only other descriptor that stays open, until
/// the program starts. Throws CannotRun.
[[noreturn]] void execute(const std::vector<std::string>& args, std::vector<std::string> env,
                          const ResolvedUser& user, Channel& channel);

}  // namespace lade::runner
