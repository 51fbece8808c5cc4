// The last step: finding the program as the container would and becoming it.
#pragma once

#include "runner/channel.hpp"
#include "runner/plan.hpp"
#include "runner/rootfs.hpp"
#include "runner/users.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lade::runner {

/// Child: changes the working directory to one of the container's, over no magic link of /proc. May
/// be called again as another user for a directory that root could not enter. Throws CannotRun if
/// there is none, SystemError.
void change_directory(const Rootfs& root, const std::string& path);

/// Child: whether this process ends with its parent, said again: becoming another user forgets it.
void settle_lifetime(Lifetime lifetime, Channel& channel);

/// Child: the file that `name` means with the PATH of `env`. Throws CannotRun if there is none that
/// could be executed, as far as can be seen; the message is one from which callers of runtimes tell
/// 126 from 127.
std::string find_program(const std::string& name, const std::vector<std::string>& env);

/// Which file it is, whatever its names.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
};

/// Parent: the file that this program was started from. Inside, /proc may be anything.
FileIdentity identity_of_own_file();

/// The program that a container's process becomes.
struct Program {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::uint32_t umask = 022;
  Lifetime lifetime = Lifetime::bound;
  unsigned preserved_fds = 0;  ///< descriptors from 3 on that it inherits
  FileIdentity own_file;       ///< what it must not be
};

/// Child: executes args[0], looked up in the PATH of `env` unless it has a slash. HOME is added to
/// `env` if it is not there or empty. `channel` is the only descriptor beside those of the program
/// that stays open, until the program starts. Throws CannotRun.
[[noreturn]] void execute(Program program, const ResolvedUser& user, Channel& channel);

}  // namespace lade::runner
