#include "runner/pid_file.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

#include <fcntl.h>

#include <cstdio>

namespace lade::runner {

void write_pid_file(const std::string& path, pid_t pid) {
  const std::string temporary = path + ".new";
  {
    const Fd file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write_all(file, as_bytes(str(pid)), temporary);
  }
  check_syscall(std::rename(temporary.c_str(), path.c_str()),
                [&] { return str("write ", quoted(path)); });
}

}  // namespace lade::runner
