#include "store/process_identity.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <unistd.h>

namespace lade::store {

namespace {

constexpr std::size_t k_stat_cap = 4096;

/// The 22nd field of /proc/PID/stat; nothing if there is no such process. The second is the
/// program's name in brackets, which may have anything in it, brackets too.
std::optional<std::uint64_t> find_start_time(pid_t pid) {
  std::string stat;
  try {
    stat = read_file(str("/proc/", pid, "/stat"), k_stat_cap);
  } catch (const SystemError&) {
    return std::nullopt;
  }
  std::size_t at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return std::nullopt;
  const std::string_view rest = std::string_view(stat).substr(at + 1);
  return parse_number<std::uint64_t>(rest.substr(0, rest.find(' ')));
}

}  // namespace

std::string boot_id() {
  return std::string(trim(read_file("/proc/sys/kernel/random/boot_id", k_stat_cap)));
}

ProcessIdentity this_process() {
  const auto start_time = find_start_time(::getpid());
  if (!start_time) throw Error("read `/proc/self/stat`: it has no start time");
  return {::getpid(), *start_time, boot_id()};
}

bool is_alive(const ProcessIdentity& process) {
  return process.boot == boot_id() && find_start_time(process.pid) == process.start_time;
}

}  // namespace lade::store
