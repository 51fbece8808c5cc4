// The command line of an OCI runtime, as podman, containerd and people call runc and crun: global
// options before the verb, one JSON object in the log file when something went wrong, and exit code
// 1 for it.
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/options.hpp"
#include "cli/parse.hpp"
#include "cli/personality.hpp"
#include "cli/verbs.hpp"
#include "oci/json_writer.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>

namespace lade::cli {

namespace {

constexpr std::array<std::string_view, 8> k_with_value{
    "--root",           "--log",      "--log-format", "--log-level",
    "--cgroup-manager", "--rootless", "--criu",       "--log-size-max"};

/// Where the runtime's words begin: lade is told that they do.
std::size_t first_index(const std::vector<std::string>& words) {
  return !words.empty() && words.front() == "oci" ? 1 : 0;
}

/// Where the verb is: the words before it are global options.
std::size_t verb_index(const std::vector<std::string>& words) {
  std::size_t at = first_index(words);
  while (at < words.size() && words[at].starts_with('-')) {
    const bool has_value =
        std::find(k_with_value.begin(), k_with_value.end(), words[at]) != k_with_value.end();
    at += has_value ? 2 : 1;
  }
  return std::min(at, words.size());
}

void declare_global(OptionSet& options, GlobalOptions& global) {
  RuntimeFlags& runtime = global.runtime;
  options.value("--root", runtime.root);
  options.value("--log", runtime.log);
  options.choice("--log-format", runtime.log_json, {{"text", false}, {"json", true}});
  options.value("--log-level", [](const std::string&) {});
  options.flag("--debug", global.debug);
  options.flag("--systemd-cgroup", runtime.systemd_cgroup);
  options.choice("--cgroup-manager", runtime.cgroups,
                 {{"cgroupfs", runner::CgroupManager::cgroupfs},
                  {"systemd", runner::CgroupManager::systemd},
                  {"disabled", runner::CgroupManager::none}});
  // What the user may do is found out where it matters.
  options.value("--rootless", [](const std::string&) {});
  options.value("--criu", [](const std::string&) {});
}

class RuntimePersonality final : public Personality {
 public:
  Invocation parse(const std::vector<std::string>& words) override {
    Invocation invocation;
    invocation.global.name = ProgramName::runtime;
    const std::size_t at = verb_index(words);
    bool want_help = false;
    bool want_version = false;
    OptionSet global;
    declare_global(global, invocation.global);
    global.flag("-h,--help", want_help);
    global.flag("-v,--version", want_version);
    const std::size_t first = first_index(words);
    global.parse(std::span(words).subspan(first, at - first));
    flags_ = invocation.global.runtime;
    if (want_version) return {invocation.global, "version", VersionArguments{}};
    const std::string name = at < words.size() ? words[at] : std::string("help");
    if (want_help || name == "help") return help(invocation);
    invocation.verb = "oci " + name;
    if (!has_verb(invocation.verb)) throw UsageError(str("unknown command ", quoted(name)));
    OptionSet options = declare_verb(invocation.verb, invocation.arguments);
    options.flag("-h,--help", want_help);
    options.parse(std::span(words).subspan(at + 1));
    if (want_help) return help(invocation);
    options.check_all();
    return invocation;
  }

  std::string verb_of(const std::vector<std::string>& words) const override {
    const std::size_t at = verb_index(words);
    return at < words.size() ? "oci " + words[at] : std::string();
  }

  Report describe(const std::exception_ptr& failure, const std::string& verb,
                  Detail detail) const override {
    Report report = cli::describe(failure, verb, detail);
    report.exit_code = exit_code::failed;
    write_log(report.text);
    return report;
  }

 private:
  static Invocation help(const Invocation& invocation) {
    return {invocation.global, "help", HelpArguments{{"oci"}}};
  }

  /// podman parses the whole file as one object.
  void write_log(const std::string& text) const {
    if (!flags_.log) return;
    const std::string message(trim(text));
    std::string line;
    if (flags_.log_json) {
      JsonWriter json;
      json.begin_object().member("msg", message).member("level", "error");
      json.member("time", format_rfc3339(now())).end_object();
      line = json.take() + '\n';
    } else {
      line = str("time=\"", format_rfc3339(now()), "\" level=error msg=", quoted(message), '\n');
    }
    try {
      write_all(open_file(*flags_.log, O_WRONLY | O_CREAT | O_APPEND, 0644), as_bytes(line),
                *flags_.log);
    } catch (const Error&) {
      // Standard error has it all the same.
    }
  }

  RuntimeFlags flags_;
};

}  // namespace

std::unique_ptr<Personality> make_oci_runtime() {
  return std::make_unique<RuntimePersonality>();
}

}  // namespace lade::cli
