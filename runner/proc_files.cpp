#include "runner/proc_files.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include <linux/openat2.h>

namespace lade::runner {

std::optional<Fd> find_in_proc(const Fd& proc, const std::string& path, int flags) {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
  long number = -1;
  do {
    number = ::syscall(SYS_openat2, proc.get(), path.c_str(), &how, sizeof how);
  } while (number < 0 && (errno == EAGAIN || errno == EINTR));
  if (number >= 0) return Fd(static_cast<int>(number));
  if (errno == ENOENT) return std::nullopt;
  const std::string what = str("open ", quoted("/proc/" + path));
  if (errno == EXDEV) throw Error(str(what, ": something of the container's is mounted over it"));
  throw SystemError(errno, what);
}

Fd open_in_proc(const Fd& proc, const std::string& path, int flags) {
  auto found = find_in_proc(proc, path, flags);
  if (!found) throw SystemError(ENOENT, str("open ", quoted("/proc/" + path)));
  return *std::move(found);
}

}  // namespace lade::runner
