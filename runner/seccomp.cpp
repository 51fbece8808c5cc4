#include "runner/seccomp.hpp"

#include "base/error.hpp"
#include "runner/seccomp_compile.hpp"

#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lade::runner {

SeccompProgram make_seccomp_program(const std::vector<std::string>& capabilities) {
  return compile_seccomp_profile(capabilities);
}

void load_seccomp(const SeccompProgram& program) {
  sock_fprog filter{};
  filter.len = static_cast<unsigned short>(program.size());
  filter.filter = const_cast<sock_filter*>(program.data());
  check_syscall(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter),
                [] { return std::string("load the system call filter"); });
}

}  // namespace lade::runner
