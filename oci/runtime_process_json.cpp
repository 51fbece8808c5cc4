// `process` and `hooks` of the runtime configuration. runtime-spec, config.md.
#include "oci/runtime_json.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace lade {

namespace {

/// All bits set is how system calls are told to leave an id as it is.
std::uint32_t read_id(const JsonNode& node) {
  const auto id = number_in<std::uint32_t>(node);
  if (id == std::numeric_limits<std::uint32_t>::max()) node.fail("is not an id");
  return id;
}

SpecUser read_user(const JsonNode& node) {
  SpecUser user;
  SpecUserIds& ids = user.ids.emplace();
  if (const auto uid = node.find("uid")) ids.uid = read_id(*uid);
  if (const auto gid = node.find("gid")) ids.gid = read_id(*gid);
  for (const JsonNode& gid : find_items(node, "additionalGids")) {
    ids.additional_gids.push_back(read_id(gid));
  }
  user.umask = find_number<std::uint32_t>(node, "umask");
  if (user.umask && *user.umask > 0777) node.get("umask").fail("is not a mask of permission bits");
  return user;
}

SpecConsoleSize read_console_size(const JsonNode& node) {
  return {get_number<std::uint16_t>(node, "height"), get_number<std::uint16_t>(node, "width")};
}

std::vector<std::string> read_env(const JsonNode& object) {
  const auto node = object.find("env");
  if (!node) return {};
  std::vector<std::string> env = node->texts();
  const auto wrong = std::find_if(env.begin(), env.end(), [](const std::string& text) {
    const auto equals = text.find('=');
    return equals == std::string::npos || equals == 0;
  });
  if (wrong != env.end()) {
    node->items()[static_cast<std::size_t>(wrong - env.begin())].fail(
        str("is ", quoted(*wrong), ", not of the form NAME=VALUE"));
  }
  return env;
}

SpecCapabilities read_capabilities(const JsonNode& node) {
  return {.bounding = find_texts(node, "bounding"),
          .effective = find_texts(node, "effective"),
          .inheritable = find_texts(node, "inheritable"),
          .permitted = find_texts(node, "permitted"),
          .ambient = find_texts(node, "ambient")};
}

std::vector<SpecRlimit> read_rlimits(const JsonNode& object) {
  static const std::vector<std::string_view> types{
      "RLIMIT_AS",     "RLIMIT_CORE",   "RLIMIT_CPU",        "RLIMIT_DATA",
      "RLIMIT_FSIZE",  "RLIMIT_LOCKS",  "RLIMIT_MEMLOCK",    "RLIMIT_MSGQUEUE",
      "RLIMIT_NICE",   "RLIMIT_NOFILE", "RLIMIT_NPROC",      "RLIMIT_RSS",
      "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK"};
  std::vector<SpecRlimit> limits;
  for (const JsonNode& node : find_items(object, "rlimits")) {
    const JsonNode type = node.get("type");
    expect_one_of(type, types);
    const SpecRlimit limit{type.text(), get_number<std::uint64_t>(node, "soft"),
                           get_number<std::uint64_t>(node, "hard")};
    if (limit.soft > limit.hard) node.fail("has a `soft` limit above the `hard` one");
    if (std::any_of(limits.begin(), limits.end(),
                    [&](const SpecRlimit& other) { return other.type == limit.type; })) {
      type.fail(str("is ", quoted(limit.type), ", which comes twice"));
    }
    limits.push_back(limit);
  }
  return limits;
}

SpecScheduler read_scheduler(const JsonNode& node) {
  SpecScheduler scheduler;
  const JsonNode policy = node.get("policy");
  expect_one_of(policy, {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO",
                         "SCHED_IDLE", "SCHED_DEADLINE"});
  scheduler.policy = policy.text();
  scheduler.nice = find_number<std::int32_t>(node, "nice");
  scheduler.priority = find_number<std::int32_t>(node, "priority");
  for (const JsonNode& flag : find_items(node, "flags")) {
    expect_one_of(flag, {"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN",
                         "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS",
                         "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX"});
    scheduler.flags.push_back(flag.text());
  }
  scheduler.runtime = find_number<std::uint64_t>(node, "runtime");
  scheduler.deadline = find_number<std::uint64_t>(node, "deadline");
  scheduler.period = find_number<std::uint64_t>(node, "period");
  return scheduler;
}

SpecIoPriority read_io_priority(const JsonNode& node) {
  const JsonNode name = node.get("class");
  expect_one_of(name, {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"});
  SpecIoPriority priority{name.text(), find_number<std::int32_t>(node, "priority").value_or(0)};
  if (priority.priority < 0 || priority.priority > 7) {
    node.get("priority").fail("is not an integer from 0 to 7");
  }
  return priority;
}

void read_labels(const JsonNode& node, SpecProcess& process) {
  process.apparmor_profile = node.find_text("apparmorProfile");
  process.selinux_label = node.find_text("selinuxLabel");
  process.no_new_privileges = find_flag(node, "noNewPrivileges").value_or(false);
}

void read_placement(const JsonNode& node, SpecProcess& process) {
  process.oom_score_adj = find_number<std::int32_t>(node, "oomScoreAdj");
  if (process.oom_score_adj && (*process.oom_score_adj < -1000 || *process.oom_score_adj > 1000)) {
    node.get("oomScoreAdj").fail("is not an integer from -1000 to 1000");
  }
  if (const auto scheduler = node.find("scheduler")) {
    process.scheduler = read_scheduler(*scheduler);
  }
  if (const auto priority = node.find("ioPriority")) {
    process.io_priority = read_io_priority(*priority);
  }
  if (const auto affinity = node.find("execCPUAffinity")) {
    process.initial_cpus = find_list(*affinity, "initial");
    process.final_cpus = find_list(*affinity, "final");
  }
}

SpecHook read_hook(const JsonNode& node) {
  SpecHook hook;
  hook.path = get_text(node, "path");
  if (!hook.path.starts_with('/')) node.get("path").fail("is not an absolute path");
  hook.args = find_texts(node, "args");
  hook.env = find_texts(node, "env");
  if (const auto timeout = node.find("timeout")) {
    hook.timeout = number_in<std::uint32_t>(*timeout);
    if (*hook.timeout == 0) timeout->fail("is not greater than zero");
  }
  return hook;
}

std::vector<SpecHook> read_hook_list(const JsonNode& object, std::string_view name) {
  std::vector<SpecHook> hooks;
  for (const JsonNode& node : find_items(object, name)) hooks.push_back(read_hook(node));
  return hooks;
}

}  // namespace

SpecProcess read_runtime_process(const JsonNode& node) {
  SpecProcess process;
  process.terminal = find_flag(node, "terminal").value_or(false);
  if (const auto size = node.find("consoleSize"); size && process.terminal) {
    process.console_size = read_console_size(*size);
  }
  process.user.ids.emplace();
  if (const auto user = node.find("user")) process.user = read_user(*user);
  const JsonNode args = node.get("args");
  process.args = args.texts();
  if (process.args.empty()) args.fail("is empty");
  process.env = read_env(node);
  process.cwd = get_text(node, "cwd");
  if (!process.cwd.starts_with('/')) node.get("cwd").fail("is not an absolute path");
  process.create_cwd = process.cwd != "/";
  if (const auto sets = node.find("capabilities")) {
    process.capabilities = read_capabilities(*sets);
  }
  process.rlimits = read_rlimits(node);
  read_labels(node, process);
  read_placement(node, process);
  return process;
}

SpecHooks read_runtime_hooks(const JsonNode& node) {
  SpecHooks hooks;
  hooks.prestart = read_hook_list(node, "prestart");
  hooks.create_runtime = read_hook_list(node, "createRuntime");
  hooks.create_container = read_hook_list(node, "createContainer");
  hooks.start_container = read_hook_list(node, "startContainer");
  hooks.poststart = read_hook_list(node, "poststart");
  hooks.poststop = read_hook_list(node, "poststop");
  return hooks;
}

}  // namespace lade
