#include "runner/explain/explain.hpp"

#include "base/text.hpp"
#include "runner/explain/caller.hpp"
#include "runner/explain/helpers.hpp"
#include "runner/explain/mounts.hpp"
#include "runner/explain/process.hpp"
#include "runner/explain/shell.hpp"
#include "runner/octal.hpp"

#include <algorithm>
#include <string_view>

namespace lade::runner {

namespace {

std::string indented(std::string_view lines) {
  std::string text;
  for (const std::string& line : split(lines, '\n')) {
    if (!line.empty()) text += str("  ", line, '\n');
  }
  return text;
}

/// Whether bash and sh take it as the name of a variable.
bool is_identifier(std::string_view name) {
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), is_good);
}

constexpr std::string_view k_head = R"SH(#!/bin/bash
# What lade does to start this container, step by step, with the programs of util-linux, iproute2 and
# coreutils. Nobody is protected here from who changes the container's files meanwhile, as lade's users are.
)SH";

constexpr std::string_view k_hear = R"SH(
# Waits for a word of the first process: what belongs to the caller is done while that waits.
hear() {
  if read -r word <&9; then return; fi
  local status=0
  wait "$inner" || status=$?
  inner=
  exit "$((status == 0 ? 125 : status))"
}

declare -f >"$scratch/functions"
)SH";

constexpr std::string_view k_end = R"SH(
# pivot root: the first process has the old root as its own, so that this exchanges it, too. It needs
# no program of the host any more.
nsenter --target "$pid" --mount sh -c 'cd "$root" && exec pivot_root . .'
nsenter --target "$pid" --mount --root=/ umount --no-canonicalize --lazy "/proc/$pid/root"
)SH";

constexpr std::string_view k_wait = R"SH(
echo go >&8
exec 8>&- 9<&-
status=0
wait "$inner" || status=$?
inner=
exit "$status"
)SH";

/// Takes the steps for each of the four places where the script does something.
class Explainer {
 public:
  Explainer(const Plan& plan, const ExplainFacts& facts)
      : plan_(plan), facts_(facts), missing_(facts.missing) {}

  std::string script() {
    for (const Step& step : plan_.steps) {
      step_ = &step;
      std::visit(*this, step);
    }
    const std::string first = first_function();
    const std::string inside = str("\ninside() {\n", indented(inside_), "}\n");
    const std::string program = program_function();
    const std::string caller = caller_part();
    const std::string body = str(first, inside, program, caller);
    std::string head(k_head);
    for (const std::string& each : missing_) head += shell_comment(str("NOT HERE: ", each));
    return str(head, k_shell_preamble, shell_functions_for(body),
               "\n# The first process of the new namespaces, until the caller has done its part.\n",
               first, "\n# It prepares the container with the programs of the host.\n",
               inside.substr(1), "\n# It becomes the program.\n", program, k_hear, caller);
  }

  void operator()(const step::NewSession&) { chain_.emplace_back("setsid"); }
  void operator()(const step::IsolateMounts&) { inside("mount --make-rslave /\n"); }
  void operator()(const step::EnterCgroup&) {
    inside(facts_.cgroup ? "# by the caller, before the first step\n" : "# the caller's own\n");
  }
  void operator()(const step::Unshare& step) {
    // Another program has to take over for it, so nothing may have been prepared yet.
    inside("# on the way here\n");
    std::string words = "unshare";
    for (const NamespaceKind kind : step.kinds) words += str(' ', namespace_option(kind));
    chain_.push_back(std::move(words));
  }
  void operator()(const step::LoopbackUp&) { inside("ip link set lo up\n"); }
  void operator()(const step::OpenProc&) {
    inside("mount -i -t proc -o nosuid,nodev,noexec proc \"$scratch/proc\"\n");
  }
  void operator()(const step::SetSysctl& step) {
    inside(str("printf %s ", shell_word(step.value), " >\"$scratch/proc/sys/\"",
               shell_word(step.name), '\n'));
  }
  void operator()(const step::SetHostname& step) { set_name("hostname", step.name); }
  void operator()(const step::SetDomainname& step) { set_name("domainname", step.name); }
  void operator()(const step::AttachRoot& step) {
    if (const auto* overlay = std::get_if<OverlayConfig>(&step.source)) prepare(*overlay);
    inside(shell_lines(step));
  }
  void operator()(const step::UseRoot&) {
    refuse_to_explain(
        "a process in a container that is there already has none of the host's programs");
  }
  void operator()(const step::ShareRoot&) {
    refuse_to_explain(
        "a container without a mount namespace of its own changes its root by itself, "
        "which no program does before it gives up the privilege for it");
  }
  void operator()(const step::ChangeRoot&) {}
  void operator()(const step::MountFilesystem& step) {
    if (step.copies_up) preparation_ += "mkdir \"$scratch/copy\"\n";
    inside(shell_lines(step, label_variable_));
    for (const auto& [name, value] : step.options) {
      if (value.find_first_of(",\"") == std::string::npos) continue;
      miss(str("the option ", name, " as it is: mount(8) divides it at commas and quotes"));
    }
  }
  void operator()(const step::MountProc& step) { inside(shell_lines(step)); }
  void operator()(const step::MountCgroups& step) { inside(shell_lines(step, facts_.cgroups)); }
  void operator()(const step::BindMount& step) {
    inside(shell_lines(step));
    if (!step.uid_mappings.empty()) {
      miss("the mapped ids of this mount: older versions of mount(8) cannot map them");
    }
    if (step.link == HostLink::both && step.flags.propagation == 0) {
      miss("the link of this mount to the host's: it was cut with all others");
    }
  }
  void operator()(const step::Remount& step) { inside(shell_lines(step)); }
  void operator()(const step::ReadonlyMount& step) { inside(shell_lines(step)); }
  void operator()(const step::ProvideFile& step) { inside(shell_lines(step)); }
  void operator()(const step::MakeDevices& step) { inside(shell_lines(step)); }
  void operator()(const step::MakeLink& step) { inside(shell_lines(step)); }
  void operator()(const step::MakeDirectory& step) { inside(shell_lines(step)); }
  void operator()(const step::MakeFile& step) { inside(shell_lines(step)); }
  void operator()(const step::EnterRoot&) {
    inside("# later, when no program of the host is needed any more\n");
  }
  void operator()(const step::SetRootPropagation& step) {
    inside("# after it, too\n");
    after_pivot_ +=
        str("\n# root propagation\nnsenter --target \"$pid\" --mount --root=/ mount "
            "--no-canonicalize ",
            propagation_word(step.flags), " \"/proc/$pid/root\"\n");
  }
  void operator()(const step::ReadonlyRoot&) { inside("change_mount \"$root\" ro\n"); }
  void operator()(const step::MaskPath& step) { inside(shell_lines(step)); }
  void operator()(const step::ReadonlyPath& step) { inside(shell_lines(step)); }
  void operator()(const step::OpenTerminal&) {
    miss("a terminal of the container's own devpts: the caller's streams stay what they are");
  }
  void operator()(const step::ConnectStdio&) {
    inside(facts_.stdin_mode == Stdin::closed
               ? "# the caller's; standard input is /dev/null\n"
               : "# the caller's; lade would relay those that are terminals\n");
  }
  void operator()(const step::ResolveUser& step) { resolve(step); }
  void operator()(const step::ChangeDirectory& step) {
    inside(str("within ", shell_word(step.path), "\ncd -P -- \"$place\"\n"));
  }
  void operator()(const step::SetNoNewPrivileges&) {
    inside("# with the credentials\n");
    credentials_ += " --no-new-privs";
  }
  void operator()(const step::CheckCapabilities&) {
    inside("# what cannot be granted is left out\n");
  }
  void operator()(const step::SetLabels& step) { set_labels(step); }
  void operator()(const step::UseMountLabel& step) {
    label_variable_ = "context";
    inside(str("context=\nif [[ -d /sys/fs/selinux ]]; then context=,context=",
               shell_word(str('"', step.label, '"')), "; fi\n"));
  }
  void operator()(const step::SetScheduler& step) { late(scheduler_lines(step.scheduler)); }
  void operator()(const step::SetIoPriority& step) { late(io_priority_line(step.priority)); }
  void operator()(const step::SetPersonality& step) {
    inside("# with the credentials\n");
    wrapper_ +=
        step.personality.domain == "LINUX32" ? "setarch linux32 " : "setarch \"$(uname -m)\" ";
  }
  void operator()(const step::SetMemoryPolicy& step) {
    miss(str("the memory policy ", step.policy.mode, ": numactl, which is not of these, could"));
  }
  void operator()(const step::SetLimits& step) {
    inside("# last of all\n");
    std::string words;
    for (const SpecRlimit& limit : step.limits) words += str(' ', prlimit_word(limit));
    if (!words.empty()) program_ += str("# limits\nprlimit --pid \"$$\"", words, '\n');
  }
  void operator()(const step::LoadSeccomp& step) {
    std::size_t count = 0;
    if (step.filter) {
      for (const SpecSyscallRule& rule : step.filter->syscalls) count += rule.names.size();
    }
    const std::string which = step.filter ? str("the filter of system calls, ", count,
                                                " rules and else ", step.filter->default_action)
                                          : "lade's own filter of system calls";
    miss(str(which, ": no program installs one"));
  }
  void operator()(const step::BecomeUser& step) {
    inside("# with the program\n");
    credentials_ += setpriv_capabilities(step.capabilities);
  }
  void operator()(const step::FindProgram&) {
    inside("# the shell finds it, or says that it does not\n");
  }
  void operator()(const step::MeetParent&) {
    miss("the hooks that run in the host's namespaces, now");
  }
  void operator()(const step::RunHooks& step) { run_hooks(step); }
  void operator()(const step::AwaitStart&) { inside("# not waited for here\n"); }
  void operator()(const step::Execute& step) { execute(step); }

 private:
  void inside(std::string_view lines) {
    inside_ += shell_comment(name_of(*step_));
    inside_ += lines;
  }
  void late(std::string_view lines) {
    inside("# the caller does it\n");
    late_ += str('\n', shell_comment(name_of(*step_)), lines);
  }
  /// Tells, in its place and at the top, what the script cannot do.
  void miss(const std::string& what) {
    inside(shell_comment(str("NOT HERE: ", what)));
    missing_.push_back(str(name_of(*step_), ": ", what));
  }

  void set_name(std::string_view file, const std::string& name) {
    const std::string path = str("/proc/sys/kernel/", file);
    if (!has_user_namespace(plan_)) {
      inside(str("printf %s ", shell_word(name), " >", path, '\n'));
      return;
    }
    // The file is root's, who is nobody in there.
    inside("# the caller does it\n");
    names_ += str('\n', shell_comment(name_of(*step_)),
                  "nsenter --target \"$pid\" --uts bash -c 'printf %s \"$0\" >", path, "' ",
                  shell_word(name), '\n');
  }

  void prepare(const OverlayConfig& overlay) {
    preparation_ += "\n# The layers by short names: mount(8) has one page for them all.\n";
    for (std::size_t i = 0; i < overlay.lowers.size(); ++i) {
      const std::string& path = overlay.lowers[i];
      const std::string lower = path.starts_with('/') ? path : str(facts_.directory, '/', path);
      preparation_ += str("ln -s -- ", shell_word(lower), " \"$scratch/", i + 1, "\"\n");
    }
    if (overlay.upper.empty()) return;
    preparation_ += str("mkdir \"$scratch/upper\" \"$scratch/work\"\nchown ", facts_.upper_uid, ':',
                        facts_.upper_gid, " \"$scratch/upper\"\nchmod ", octal(facts_.upper_mode),
                        " \"$scratch/upper\"\n");
  }

  void resolve(const step::ResolveUser& step) {
    if (!step.ids) {
      inside(str("find_user ", shell_word(step.text.empty() ? "0" : step.text), '\n'));
      return;
    }
    std::vector<std::string> groups;
    for (const std::uint32_t each : step.ids->additional_gids) groups.push_back(str(each));
    inside(str("find_user ", step.ids->uid, "\ngid=", step.ids->gid, " groups=",
               groups.empty() ? "--clear-groups" : str("--groups=", join(groups, ",")), '\n'));
  }

  void set_labels(const step::SetLabels& step) {
    std::string lines;
    // The next program to be executed gets it.
    if (!step.apparmor_profile.empty()) {
      lines += str("printf 'exec %s' ", shell_word(step.apparmor_profile),
                   " >/proc/self/attr/apparmor/exec\n");
    }
    if (!step.selinux_label.empty()) {
      lines += str("printf %s ", shell_word(step.selinux_label), " >/proc/self/attr/exec\n");
    }
    inside("# last of all\n");
    labels_ = str("# labels\n", lines);
  }

  void run_hooks(const step::RunHooks& step) {
    if (step.moment != HookMoment::create_container) {
      miss("hooks that run after the old root is out of reach");
      return;
    }
    std::string lines;
    for (const SpecHook& hook : step.hooks) {
      std::vector<std::string> words = hook.args;
      const std::string name = words.empty() ? hook.path : words.front();
      if (!words.empty()) words.erase(words.begin());
      lines += str("printf %s ", shell_word(step.state), " |",
                   hook.timeout ? str(" timeout ", *hook.timeout) : "", " env -i ",
                   shell_words(hook.env), " bash -c 'exec -a \"$0\" \"$@\"' ", shell_word(name),
                   ' ', shell_word(hook.path), ' ', shell_words(words), '\n');
    }
    inside(lines);
  }

  void execute(const step::Execute& step) {
    inside(str("for each in /proc/self/fd/*; do\n  each=${each##*/}\n",
               "  if [[ $each -gt 2 && $each != [89] ]]; then eval \"exec $each>&-\"; fi\ndone\n",
               "exec env -i ", wrapper_, "setpriv --reuid=\"$uid\" --regid=\"$gid\" \"$groups\"",
               credentials_, plan_.lifetime == Lifetime::bound ? " --pdeathsig=KILL" : "",
               " \\\n  sh -euc \"$(declare -f program)\n"
               "program \\\"\\$1\\\"\" sh \"$home\"\n"));
    program_ += str(labels_, "umask ", octal(step.umask), "\necho ready >&9\nread -r _ <&8\n",
                    "exec 8<&- 9>&-\nunset PWD OLDPWD\n");
    bool has_home = false;
    for (const std::string& text : step.env) {
      const auto equals = text.find('=');
      const std::string name = text.substr(0, equals);
      if (equals == std::string::npos || !is_identifier(name)) {
        missing_.push_back(str("exec: the variable ", text, ": a shell has none of such a name"));
        continue;
      }
      if (name == "HOME" && equals + 1 < text.size()) has_home = true;
      if (name == "HOME" && equals + 1 == text.size()) continue;
      program_ += str("export ", shell_word(text), '\n');
    }
    if (!has_home) program_ += "export HOME=\"$1\"\n";
    program_ += str("exec ", shell_words(step.args), '\n');
  }

  std::string first_function() const {
    std::string words;
    if (has_user_namespace(plan_)) words = "setpriv --reuid=0 --regid=0 --clear-groups ";
    for (const std::string& each : chain_) words += str(each, ' ');
    return str("first() {\n  read -r pid _ </proc/self/stat\n  echo \"$pid\" >&9\n",
               "  read -r _ <&8\n  exec ", words,
               "bash -euc '. \"$0\"; inside' \"$scratch/functions\"\n}\n");
  }

  std::string program_function() const { return str("program() {\n", indented(program_), "}\n"); }

  std::string caller_part() {
    const bool is_closed = facts_.stdin_mode == Stdin::closed;
    return str(preparation_, "\n# clone\n",
               is_closed ? "exec 3</dev/null 4>&1\n" : "exec 3<&0 4>&1\n",
               "coproc container {\n  exec ", entrance_words(plan_, missing_),
               " \\\n    bash -euc \"$(declare -f first); first\" 8<&0 9>&1 <&3 >&4 3<&- 4>&-\n}\n",
               "inner=$container_PID\n",
               "exec 8>&\"${container[1]}\" 9<&\"${container[0]}\" 3<&- 4>&-\nhear\npid=$word\n",
               names_, duty_lines(plan_, facts_, missing_), "\necho go >&8\nhear\n", late_, k_end,
               after_pivot_, k_wait);
  }

  const Plan& plan_;
  const ExplainFacts& facts_;
  const Step* step_ = nullptr;
  std::vector<std::string> missing_;
  std::string preparation_;         // the caller's, before the clone
  std::vector<std::string> chain_;  // programs by which the first process gets to inside()
  std::string inside_;
  std::string names_;   // of the host and the domain, if they are the caller's to set
  std::string labels_;  // the last before the program
  std::string label_variable_;
  std::string wrapper_;      // programs between the credentials and inside()
  std::string credentials_;  // of setpriv
  std::string program_;
  std::string late_;  // the caller's, when all is ready
  std::string after_pivot_;
};

}  // namespace

std::string explain(const Plan& plan, const ExplainFacts& facts) {
  return Explainer(plan, facts).script();
}

}  // namespace lade::runner
