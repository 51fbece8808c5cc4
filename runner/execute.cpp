#include "runner/execute.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cannot_run.hpp"
#include "runner/signals.hpp"

#include <elf.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <optional>

namespace lade::runner {

namespace {

std::string variable(const std::vector<std::string>& env, std::string_view name) {
  const std::string wanted = str(name, '=');
  for (const std::string& text : env) {
    if (text.starts_with(wanted)) return text.substr(wanted.size());
  }
  return {};
}

void ensure_home(std::vector<std::string>& env, const std::string& home) {
  if (!variable(env, "HOME").empty()) return;
  std::erase_if(env, [](const std::string& text) { return text.starts_with("HOME="); });
  env.push_back(str("HOME=", home));
}

/// Why a file cannot be invoked; nothing if it can as far as can be seen.
std::optional<int> obstacle(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return errno;
  if (!S_ISREG(st.st_mode)) return EACCES;
  if (::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) return std::nullopt;
  const int code = errno;
  // A filter of system calls is at work already, perhaps one from before faccessat2. By now the
  // ids that are asked about here are the same.
  if (::access(path.c_str(), X_OK) == 0) return std::nullopt;
  return code;
}

/// What the absence of a file, or of the permission to execute it, is called.
[[noreturn]] void cannot_find(const std::string& name, int code) {
  if (code == EACCES || code == EPERM) {
    throw CannotRun(126, str("exec ", quoted(name), ": permission denied"));
  }
  throw CannotRun(127, str("exec ", quoted(name), ": no such file or directory"));
}

/// PT_INTERP of a 64-bit ELF image's beginning.
std::string elf_interpreter(std::string_view head) {
  Elf64_Ehdr header{};
  if (head.size() < sizeof header) return {};
  std::memcpy(&header, head.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    const std::uint64_t at = header.e_phoff + i * sizeof segment;
    if (at > head.size() || head.size() - at < sizeof segment) return {};
    std::memcpy(&segment, head.data() + at, sizeof segment);
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_offset > head.size() || head.size() - segment.p_offset < segment.p_filesz)
      return {};
    const std::string_view text = head.substr(segment.p_offset, segment.p_filesz);
    return std::string(text.substr(0, text.find('\0')));
  }
  return {};
}

/// The program that the kernel would start for this file: of a script's first line or an ELF
/// header.
std::string interpreter_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat st {};
  if (!file.valid() || ::fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode)) return {};
  std::array<char, 4096> buffer{};
  const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
  if (count < 4) return {};
  const std::string_view head(buffer.data(), static_cast<std::size_t>(count));
  if (head.starts_with("#!")) {
    const std::string_view line = trim(head.substr(2, head.find('\n') - 2));
    return std::string(line.substr(0, line.find_first_of(" \t")));
  }
  if (head.starts_with(ELFMAG) && head[EI_CLASS] == ELFCLASS64) return elf_interpreter(head);
  return {};
}

[[noreturn]] void cannot_execute(const std::string& path, int code) {
  const std::string what = str("exec ", quoted(path));
  if (code == ENOENT || code == ENOTDIR) {
    const std::string interpreter = interpreter_of(path);
    if (!interpreter.empty()) {
      throw CannotRun(
          127, str(what, ": its interpreter ", quoted(interpreter), ": no such file or directory"));
    }
    throw CannotRun(127, str(what, ": no such file or directory"));
  }
  if (code == EACCES || code == EPERM) {
    const std::string interpreter = obstacle(path) ? std::string() : interpreter_of(path);
    if (!interpreter.empty()) {
      throw CannotRun(126,
                      str(what, ": its interpreter ", quoted(interpreter), ": permission denied"));
    }
    throw CannotRun(126, str(what, ": permission denied"));
  }
  throw CannotRun(126, str(what, ": ", ascii_lower(errno_text(code))));
}

/// lade's own file must not be what the container executes (`/proc/self/exe` as the program or as
/// an interpreter): a process of the container's could then open it and write to it.
void refuse_own_file(const std::string& path, const FileIdentity& own) {
  const auto is_own = [&](const std::string& file) {
    struct stat st {};
    return !file.empty() && ::stat(file.c_str(), &st) == 0 && st.st_dev == own.device &&
           st.st_ino == own.inode;
  };
  std::string file = path;
  // The kernel follows interpreters of interpreters four deep.
  for (int depth = 0; depth < 6 && !file.empty(); ++depth) {
    if (is_own(file))
      throw CannotRun(126, str("exec ", quoted(path), ": permission denied: it is lade itself"));
    file = interpreter_of(file);
  }
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// Closes everything from `first` on but the channel, for real: a mere close-on-exec would leave
/// descriptors in reach until the program starts.
void close_the_rest(const Channel& channel, unsigned first) {
  const auto kept = static_cast<unsigned>(channel.fd());
  if (kept > first) ::close_range(first, kept - 1, 0);
  ::close_range(std::max(kept + 1, first), UINT_MAX, 0);
}

}  // namespace

FileIdentity identity_of_own_file() {
  struct stat st {};
  check_syscall(::stat("/proc/self/exe", &st),
                [] { return std::string("look at lade's own file"); });
  return {st.st_dev, st.st_ino};
}

void settle_lifetime(Lifetime lifetime, Channel& channel) {
  const bool is_bound = lifetime == Lifetime::bound;
  check_syscall(::prctl(PR_SET_PDEATHSIG, is_bound ? SIGKILL : 0, 0, 0, 0),
                [] { return std::string("bind this process's life to lade's"); });
  if (is_bound) channel.check_parent();
}

void change_directory(const Rootfs& root, const std::string& path) {
  const auto found = root.find(path, Links::follow);
  if (!found || !S_ISDIR(stat_of(*found, path).st_mode)) {
    throw CannotRun(126,
                    str("working directory ", quoted(path), " does not exist in the container"));
  }
  check_syscall(::fchdir(found->get()),
                [&] { return str("change to working directory ", quoted(path)); });
  std::array<char, PATH_MAX> now{};
  // Outside the root, getcwd() succeeds with `(unreachable)/…` or does not succeed at all.
  if (::getcwd(now.data(), now.size()) == nullptr || now[0] != '/') {
    throw Error(str("change to working directory ", quoted(path), ": it is outside the container"));
  }
}

std::string find_program(const std::string& name, const std::vector<std::string>& env) {
  if (name.empty()) throw CannotRun(127, "exec ``: executable file not found in $PATH");
  if (name.find('/') != std::string::npos) {
    const auto reason = obstacle(name);
    // Of other obstacles, which a filter of system calls may feign, execve() knows more.
    if (reason == ENOENT || reason == ENOTDIR || reason == EACCES) cannot_find(name, *reason);
    return name;
  }
  bool denied = false;
  for (const std::string& directory : split(variable(env, "PATH"), ':')) {
    const std::string candidate = str(directory.empty() ? "." : directory, '/', name);
    const auto reason = obstacle(candidate);
    if (!reason) return candidate;
    denied = denied || *reason == EACCES;
  }
  if (denied) throw CannotRun(126, str("exec ", quoted(name), ": permission denied"));
  throw CannotRun(127, str("exec ", quoted(name), ": executable file not found in $PATH"));
}

void execute(Program program, const ResolvedUser& user, Channel& channel) {
  ensure_home(program.env, user.home);
  const std::string path = find_program(program.args.at(0), program.env);
  const std::vector<char*> arguments = pointers_to(program.args);
  const std::vector<char*> environment = pointers_to(program.env);
  ::umask(program.umask);
  close_the_rest(channel, 3 + program.preserved_fds);
  // Now, when the program's limits leave a descriptor for it.
  refuse_own_file(path, program.own_file);
  settle_lifetime(program.lifetime, channel);
  reset_signals();
  ::execve(path.c_str(), arguments.data(), environment.data());
  cannot_execute(path, errno);
}

}  // namespace lade::runner
