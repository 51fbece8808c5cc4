#include "base/process_identity.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace lade {

namespace {

constexpr std::size_t k_stat_cap = 4096;

/// What /proc/PID/stat says.
struct Stat {
  char state = '?';
  std::uint64_t start_time = 0;
};

/// Nothing if there is no such process. The second field is the program's name in brackets, which
/// may have anything in it, brackets too; the third is the state, the 22nd the start time.
std::optional<Stat> find_stat(pid_t pid) {
  const std::string path = str("/proc/", pid, "/stat");
  // That a process has ended is what is mostly asked for: no exception for it.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  std::string text;
  try {
    text = read_whole(file, k_stat_cap, path);
  } catch (const SystemError&) {
    return std::nullopt;
  }
  const std::size_t bracket = text.rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  const std::vector<std::string> fields = split(std::string_view(text).substr(bracket + 1), ' ');
  if (fields.size() < 21 || fields[1].size() != 1) return std::nullopt;
  const auto start_time = parse_number<std::uint64_t>(fields[20]);
  if (!start_time) return std::nullopt;
  return Stat{fields[1].front(), *start_time};
}

}  // namespace

std::string boot_id() {
  return std::string(trim(read_file("/proc/sys/kernel/random/boot_id", k_stat_cap)));
}

ProcessIdentity this_process() {
  const auto found = find_process(::getpid());
  if (!found) throw Error("read `/proc/self/stat`: it has no start time");
  return *found;
}

std::optional<ProcessIdentity> find_process(pid_t pid) {
  const auto stat = find_stat(pid);
  if (!stat) return std::nullopt;
  return ProcessIdentity{pid, stat->start_time, boot_id()};
}

bool is_alive(const ProcessIdentity& process) {
  if (process.boot != boot_id()) return false;
  const auto stat = find_stat(process.pid);
  return stat && stat->start_time == process.start_time;
}

bool is_running(const ProcessIdentity& process) {
  if (process.boot != boot_id()) return false;
  const auto stat = find_stat(process.pid);
  return stat && stat->start_time == process.start_time && stat->state != 'Z' && stat->state != 'X';
}

}  // namespace lade
