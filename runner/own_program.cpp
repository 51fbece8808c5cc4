#include "runner/own_program.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "runner/program_mapping.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lade::runner {

namespace {

constexpr const char* k_own_file = "/proc/self/exe";

std::string failed() {
  return "keep containers from lade's own file";
}

bool is_sealed() {
  struct statvfs st {};
  check_syscall(::statvfs(k_own_file, &st), failed);
  return (st.f_flag & ST_RDONLY) != 0;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// What the program is called in lists of processes: executed by a descriptor it may be a number.
void set_name(const std::vector<std::string>& words) {
  if (words.empty()) return;
  const std::string name = words[0].substr(words[0].rfind('/') + 1);
  ::prctl(PR_SET_NAME, name.c_str(), 0, 0, 0);
}

/// Whether this process could be moved to the mount as it runs.
bool is_mapped_from_mount(const Fd& mount) {
  const Fd file(::open(str("/proc/self/fd/", mount.get()).c_str(), O_RDONLY | O_CLOEXEC));
  return file.valid() && map_program_from(file) && is_sealed();
}

}  // namespace

void seal_own_program(const std::vector<std::string>& words,
                      const std::vector<std::string>& environment) {
  if (is_sealed()) return set_name(words);
  const auto number = static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, k_own_file, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (number < 0 && errno == EPERM) return;
  if (number < 0) {
    const int code = errno;
    SystemError error(code, failed());
    if (code == EINVAL) error.set_hint("it was started from a mount that is no longer there");
    throw error;
  }
  const Fd mount(number);
  struct mount_attr attributes {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  attributes.propagation = MS_PRIVATE;
  check_syscall(
      ::syscall(SYS_mount_setattr, mount.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes),
      failed);
  if (is_mapped_from_mount(mount)) return;
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<char*> variables = pointers_to(environment);
  ::execveat(mount.get(), "", arguments.data(), variables.data(), AT_EMPTY_PATH);
  throw SystemError(errno, failed());
}

}  // namespace lade::runner
