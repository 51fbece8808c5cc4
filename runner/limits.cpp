#include "runner/limits.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace lade::runner {

namespace {

using Resource = decltype(RLIMIT_AS);

constexpr std::array<std::pair<std::string_view, Resource>, 16> k_resources{
    {{"RLIMIT_AS", RLIMIT_AS},
     {"RLIMIT_CORE", RLIMIT_CORE},
     {"RLIMIT_CPU", RLIMIT_CPU},
     {"RLIMIT_DATA", RLIMIT_DATA},
     {"RLIMIT_FSIZE", RLIMIT_FSIZE},
     {"RLIMIT_LOCKS", RLIMIT_LOCKS},
     {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
     {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
     {"RLIMIT_NICE", RLIMIT_NICE},
     {"RLIMIT_NOFILE", RLIMIT_NOFILE},
     {"RLIMIT_NPROC", RLIMIT_NPROC},
     {"RLIMIT_RSS", RLIMIT_RSS},
     {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
     {"RLIMIT_RTTIME", RLIMIT_RTTIME},
     {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
     {"RLIMIT_STACK", RLIMIT_STACK}}};

Resource resource_of(const std::string& type) {
  const auto* found = std::find_if(k_resources.begin(), k_resources.end(),
                                   [&](const auto& entry) { return entry.first == type; });
  if (found == k_resources.end()) throw UsageError(str("unknown resource limit ", quoted(type)));
  return found->second;
}

auto failed(const SpecRlimit& limit) {
  return [&] { return str("set ", limit.type, " to ", limit.soft, ':', limit.hard); };
}

}  // namespace

void set_limits(const std::vector<SpecRlimit>& limits) {
  for (const SpecRlimit& limit : limits) {
    const struct rlimit wanted { limit.soft, limit.hard };
    check_syscall(::setrlimit(resource_of(limit.type), &wanted), failed(limit));
  }
}

void raise_limits(pid_t pid, const std::vector<SpecRlimit>& limits) {
  for (const SpecRlimit& limit : limits) {
    struct rlimit now {};
    check_syscall(::prlimit(pid, resource_of(limit.type), nullptr, &now), failed(limit));
    if (now.rlim_max >= limit.hard) continue;
    now.rlim_max = limit.hard;
    check_syscall(::prlimit(pid, resource_of(limit.type), &now, nullptr), failed(limit));
  }
}

void set_oom_score(pid_t pid, std::int32_t adjustment) {
  const std::string text = str(adjustment);
  const auto what = [&] { return str("set the OOM score adjustment to ", text); };
  const Fd file = open_file(str("/proc/", pid, "/oom_score_adj"), O_WRONLY | O_CLOEXEC);
  in_context(what, [&] { write_all(file, as_bytes(text), "oom_score_adj"); });
}

}  // namespace lade::runner
