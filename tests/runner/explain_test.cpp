#include "runner/explain/explain.hpp"

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "runner/explain/shell.hpp"
#include "runner/make_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sys/mount.h>

namespace lade::runner {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// What bash makes of a text.
std::string by_bash(const std::string& text) {
  ProgramCall call;
  call.path = "/bin/bash";
  call.name = "bash";
  call.arguments = {"-c", text};
  call.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
  const ProgramResult result = call_program(call);
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return result.output;
}

TEST(ShellWord, IsReadByBashAsItWas) {
  std::vector<std::string> texts{"",
                                 " ",
                                 "a b",
                                 "it's",
                                 "'",
                                 "\"",
                                 "$HOME",
                                 "`id`",
                                 "$(id)",
                                 "a\\b",
                                 "\\",
                                 "*",
                                 "~",
                                 "#a",
                                 "a\nb",
                                 "\n",
                                 "a'b\tc",
                                 "-n",
                                 "!!",
                                 "a=b",
                                 "{a,b}",
                                 "x;y",
                                 "a&b",
                                 "<(id)",
                                 "\x1b[m",
                                 "\x01"
                                 "2f",
                                 "ä \n",
                                 "\n'$x'\\"};
  std::string every;
  for (int byte = 1; byte < 256; ++byte) every += static_cast<char>(byte);
  texts.push_back(every);
  for (const std::string& text : texts) {
    EXPECT_EQ(by_bash(str("printf %s. ", shell_word(text))), str(text, '.'));
  }
}

TEST(ShellWord, IsPlainWhereItCanBe) {
  EXPECT_EQ(shell_word("/a/b-c_d.e:1,2=3@4%5+6"), "/a/b-c_d.e:1,2=3@4%5+6");
  EXPECT_EQ(shell_words({"a", "b c", ""}), "a 'b c' ''");
}

TEST(ShellWord, LeavesNothingForATerminalToActOn) {
  EXPECT_EQ(shell_word("\x1b[2J\x7f"), "$'\\x1b[2J\\x7f'");
}

TEST(ShellWord, RefusesWhatNoWordCanHave) {
  EXPECT_THROW(shell_word(std::string_view("a\0b", 3)), UsageError);
}

TEST(ShellComment, IsOneLine) {
  EXPECT_EQ(shell_comment("a\nrm -r /"), "# a\\x0arm -r /\n");
}

/// A step of each kind is explained by a plan of nothing else.
std::string explained(std::vector<Step> steps, const ExplainFacts& facts = {}) {
  Plan plan;
  plan.namespaces = {NamespaceKind::mount, NamespaceKind::pid};
  plan.steps = std::move(steps);
  // Without it the script would have functions that do nothing, which bash does not take.
  if (plan.steps.empty() || !std::holds_alternative<step::Execute>(plan.steps.back())) {
    plan.steps.emplace_back(step::Execute{{"true"}, {}});
  }
  std::string script = explain(plan, facts);
  // Whether it is a script at all.
  by_bash(str("bash -n <<<", shell_word(script)));
  return script;
}

std::string explained(Step step, const ExplainFacts& facts = {}) {
  return explained(std::vector<Step>{std::move(step)}, facts);
}

MountFlags flags(std::uint64_t set, std::uint64_t cleared = 0) {
  return {.attributes = set, .cleared = cleared};
}

TEST(Explain, TakesTheFunctionsThatItCallsAndNoOthers) {
  const std::string script = explained(step::ReadonlyPath{"/proc/sys"});
  for (const char* needed : {"\nwithin() {", "\nchange_mount() {", "\nchange_mounts() {"}) {
    EXPECT_THAT(script, HasSubstr(needed));
  }
  EXPECT_THAT(script, Not(HasSubstr("\nfind_user() {")));
  EXPECT_THAT(script, Not(HasSubstr("\ndevice() {")));
}

TEST(Explain, Namespaces) {
  EXPECT_THAT(explained({step::NewSession{}, step::Unshare{{NamespaceKind::cgroup}}}),
              HasSubstr("exec setsid unshare --cgroup bash"));
  Plan plan;
  plan.steps = {step::Execute{{"true"}, {}}};
  plan.namespaces = {NamespaceKind::user, NamespaceKind::time};
  plan.joined = {{NamespaceKind::network, "/run/a b"}};
  plan.time_offsets = {{"monotonic", 7, 5}};
  plan.uid_mappings = {{0, 1000, 10}};
  const std::string script = explain(plan, {});
  EXPECT_THAT(script, HasSubstr("exec nsenter --preserve-credentials --net='/run/a b' unshare "
                                "--user --time --keep-caps --monotonic 7 --fork"));
  EXPECT_THAT(script, HasSubstr("# NOT HERE: clone: 5 ns of monotonic"));
  EXPECT_THAT(script, HasSubstr("printf %s $'0 1000 10\\n' >\"/proc/$pid/uid_map\""));
  EXPECT_THAT(script, HasSubstr("exec setpriv --reuid=0 --regid=0 --clear-groups bash"));
}

TEST(Explain, WhatConcernsTheKernel) {
  const std::string script = explained({step::IsolateMounts{}, step::LoopbackUp{}, step::OpenProc{},
                                        step::SetSysctl{"net/ipv4/x y", "1 2"},
                                        step::SetHostname{"a$b"}, step::SetDomainname{"dom"}});
  EXPECT_THAT(script, HasSubstr("\n  mount --make-rslave /\n"));
  EXPECT_THAT(script, HasSubstr("\n  ip link set lo up\n"));
  EXPECT_THAT(script, HasSubstr("proc -o nosuid,nodev,noexec proc \"$scratch/proc\"\n"));
  EXPECT_THAT(script, HasSubstr("printf %s '1 2' >\"$scratch/proc/sys/\"'net/ipv4/x y'\n"));
  EXPECT_THAT(script, HasSubstr("printf %s 'a$b' >/proc/sys/kernel/hostname\n"));
  EXPECT_THAT(script, HasSubstr("printf %s dom >/proc/sys/kernel/domainname\n"));
}

TEST(Explain, TheRoot) {
  ExplainFacts facts;
  facts.upper_mode = 0700;
  facts.upper_uid = 5;
  const OverlayConfig overlay{.lowers = {"/l/2:,", "/l/1"}, .upper = "/u", .work = "/w"};
  const std::string script = explained(step::AttachRoot{overlay}, facts);
  EXPECT_THAT(script, HasSubstr("ln -s -- /l/2:, \"$scratch/1\"\nln -s -- /l/1 \"$scratch/2\"\n"));
  EXPECT_THAT(script, HasSubstr("chown 5:0 \"$scratch/upper\"\nchmod 0700 "));
  EXPECT_THAT(script, HasSubstr("-o lowerdir=1:2,upperdir=upper,workdir=work,index=off,xino=off "));
  EXPECT_THAT(script, HasSubstr("mount --make-rprivate \"$root\"\n"));
  const std::string directory =
      explained(step::AttachRoot{RootDirectory{"/a b"}, HostLink::receives});
  EXPECT_THAT(directory, HasSubstr("mount -i --rbind -- '/a b' \"$root\"\n"));
  EXPECT_THAT(directory, HasSubstr("mount --make-rslave \"$root\"\n"));
}

TEST(Explain, MountsOfFileSystems) {
  const std::string script = explained(
      step::MountFilesystem{"tmpfs",
                            "shm",
                            "/dev/shm",
                            {{"mode", "1777"}},
                            flags(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME)});
  EXPECT_THAT(script, HasSubstr("directory /dev/shm strict\n  mount -i -t tmpfs -o "
                                "nosuid,strictatime,mode=1777 shm \"$place\"\n"
                                "  change_mount \"$place\" ro\n"));
  const std::string copied =
      explained(step::MountFilesystem{.type = "tmpfs", .target = "/etc", .copies_up = true});
  EXPECT_THAT(copied, HasSubstr("mount -i -t tmpfs -o rw\"$mode\" none \"$scratch/copy\"\n"));
  EXPECT_THAT(copied, HasSubstr("cp -ax -- \"$place/.\" \"$scratch/copy\"\n"));
  EXPECT_THAT(
      explained({step::OpenProc{}, step::MountProc{"/proc", flags(MOUNT_ATTR_NOEXEC)}}),
      HasSubstr(
          "mount -i -n --move \"$scratch/proc\" \"$place\"\n  change_mount \"$place\" noexec"));
  EXPECT_THAT(explained({step::UseMountLabel{"a:b"}, step::MountFilesystem{"tmpfs", "", "/t", {}}}),
              HasSubstr("context=,context='\"a:b\"'; fi\n"));
}

TEST(Explain, OptionsThatMountWouldDivide) {
  const step::MountFilesystem step{"tmpfs", "", "/t", {{"mpol", "bind:0,2"}}};
  EXPECT_THAT(explained(step), HasSubstr("# NOT HERE: mount /t: the option mpol as it is"));
}

TEST(Explain, TheCgroupIsEnteredBeforeTheFirstStep) {
  EXPECT_THAT(explained({step::EnterCgroup{}, step::Unshare{{NamespaceKind::cgroup}}}),
              HasSubstr("own\n  # unshare cgroup\n  # on the way here\n"));
}

TEST(Explain, MountsOfCgroups) {
  ExplainFacts facts;
  facts.cgroups = {{.name = "cpu,cpuacct",
                    .controllers = {"cpu", "cpuacct"},
                    .mount_point = "/sys/fs/cgroup/cpu,cpuacct"},
                   {.name = "unified", .version = 2, .mount_point = "/sys/fs/cgroup/unified"}};
  const std::string script = explained(step::MountCgroups{"/c", flags(MOUNT_ATTR_RDONLY)}, facts);
  EXPECT_THAT(script, HasSubstr("mount -i -t cgroup -o cpu,cpuacct cgroup \"$place\"\n"));
  EXPECT_THAT(script, HasSubstr("ln -s -- cpu,cpuacct \"${place%/*}/\"cpuacct\n"));
  EXPECT_THAT(script, HasSubstr("mount -i -t cgroup2 cgroup \"$place\"\n"));
  const std::string own = explained(step::MountCgroups{"/c", {}, CgroupView::of_container}, facts);
  EXPECT_THAT(own, HasSubstr("own_cgroup cpu,cpuacct\n"));
  EXPECT_THAT(own, HasSubstr("own_cgroup ''\n"));
}

TEST(Explain, Binds) {
  step::BindMount bind{"/from here", "/to", flags(MOUNT_ATTR_NOEXEC, MOUNT_ATTR_RDONLY)};
  bind.flags.deep_attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME;
  bind.flags.propagation = MS_SLAVE;
  bind.flags.propagation_recursive = true;
  EXPECT_THAT(explained(bind), HasSubstr("bind --rbind '/from here' /to\n"
                                         "  mount --make-rprivate \"$place\"\n"
                                         "  change_mounts \"$place\" ro noatime\n"
                                         "  change_mount \"$place\" rw noexec\n"
                                         "  mount --make-rslave \"$place\"\n"));
  bind.uid_mappings = {{0, 5, 1}};
  EXPECT_THAT(explained(bind), HasSubstr("# NOT HERE: bind /to: the mapped ids"));
}

TEST(Explain, ChangesOfMounts) {
  EXPECT_THAT(
      explained(step::Remount{"/t", flags(0, MOUNT_ATTR__ATIME), {{"size", "1m"}}}),
      HasSubstr("mount -i -o remount,size=1m \"$place\"\n  change_mount \"$place\" relatime\n"));
  EXPECT_THAT(explained(step::ReadonlyMount{"/dev"}),
              HasSubstr("within /dev strict\n  change_mount \"$place\" ro\n"));
  EXPECT_THAT(explained(step::ReadonlyRoot{}), HasSubstr("change_mount \"$root\" ro\n"));
  EXPECT_THAT(explained(step::MaskPath{"/proc/a b"}), HasSubstr("\n  mask '/proc/a b'\n"));
  MountFlags shared;
  shared.propagation = MS_SHARED;
  EXPECT_THAT(explained(step::SetRootPropagation{shared}),
              HasSubstr("--no-canonicalize --make-shared \"/proc/$pid/root\"\n"));
}

TEST(Explain, Files) {
  EXPECT_THAT(explained(step::ProvideFile{"/etc/hosts", "a\tb\n'c'\n"}),
              HasSubstr("printf '%s\\n' $'a\\tb' ''\\''c'\\''' | provide /etc/hosts\n"));
  EXPECT_THAT(explained(step::ProvideFile{"/f", "no end"}),
              HasSubstr("printf %s 'no end' | provide /f\n"));
  EXPECT_THAT(explained(step::MakeDevices{{{"/dev/x", 'b', 7, 1, 0640, 5, 6}}}),
              HasSubstr("device /dev/x b 7 1 0640 5 6\n"));
  EXPECT_THAT(explained(step::MakeLink{"/dev/fd", "/proc/self/fd"}),
              HasSubstr("symbolic_link /dev/fd /proc/self/fd\n"));
  EXPECT_THAT(explained(step::MakeDirectory{"/a b"}), HasSubstr("\n  directory '/a b'\n"));
  EXPECT_THAT(explained(step::MakeFile{"/dev/console"}),
              HasSubstr("\n  file /dev/console strict\n"));
}

TEST(Explain, TheProcess) {
  SpecCapabilities capabilities;
  capabilities.bounding = {"CAP_KILL", "CAP_SYS_ADMIN"};
  capabilities.permitted = {"CAP_KILL"};
  capabilities.inheritable = {"CAP_KILL", "CAP_SYS_ADMIN", "CAP_CHOWN"};
  capabilities.ambient = {"CAP_KILL", "CAP_SYS_ADMIN"};
  const std::string script =
      explained({step::ResolveUser{"a user:b", std::nullopt}, step::ChangeDirectory{"/w x"},
                 step::CheckCapabilities{capabilities}, step::SetPersonality{{"LINUX32"}},
                 step::BecomeUser{capabilities}, step::SetNoNewPrivileges{},
                 step::SetLimits{{{"RLIMIT_NOFILE", 5, UINT64_MAX}}},
                 step::Execute{{"p q", "$1"}, {"A=$b", "x.y=1", "HOME="}, 077}});
  EXPECT_THAT(script, HasSubstr("find_user 'a user:b'\n"));
  EXPECT_THAT(script, HasSubstr("within '/w x'\n  cd -P -- \"$place\"\n"));
  EXPECT_THAT(script, HasSubstr("exec env -i setarch linux32 setpriv --reuid=\"$uid\""));
  EXPECT_THAT(script, HasSubstr(" --bounding-set=-all,+kill,+sys_admin"
                                " --inh-caps=\"-all$(grantable kill sys_admin)\""
                                " --ambient-caps=\"-all$(grantable kill)\" --no-new-privs"));
  EXPECT_THAT(script, HasSubstr("prlimit --pid \"$$\" --nofile=5:unlimited\n  umask 077\n"));
  EXPECT_THAT(script, HasSubstr("  export 'A=$b'\n  export HOME=\"$1\"\n  exec 'p q' '$1'\n}\n"));
  EXPECT_THAT(script, HasSubstr("# NOT HERE: exec: the variable x.y=1"));
  const std::string numbers = explained(step::ResolveUser{"", SpecUserIds{7, 8, {9, 10}}});
  EXPECT_THAT(numbers, HasSubstr("find_user 7\n  gid=8 groups=--groups=9,10\n"));
}

TEST(Explain, HowTheKernelTreatsIt) {
  SpecScheduler deadline;
  deadline.policy = "SCHED_DEADLINE";
  deadline.runtime = 10;
  deadline.deadline = 20;
  deadline.flags = {"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM"};
  const std::string script =
      explained({step::SetScheduler{deadline}, step::SetIoPriority{{"IOPRIO_CLASS_RT", 3}},
                 step::SetLabels{"profile", "label:x"},
                 step::SetMemoryPolicy{{"MPOL_BIND", "0", {}}}, step::Execute{{"p"}, {}}});
  EXPECT_THAT(script, HasSubstr("chrt --deadline --reset-on-fork --sched-runtime 10 "
                                "--sched-deadline 20 --pid 0 \"$pid\"\n"));
  EXPECT_THAT(script, HasSubstr("# not here: chrt does not know SCHED_FLAG_RECLAIM\n"));
  EXPECT_THAT(script, HasSubstr("ionice --class realtime --classdata 3 --pid \"$pid\"\n"));
  EXPECT_THAT(script, HasSubstr("printf 'exec %s' profile >/proc/self/attr/apparmor/exec\n"));
  EXPECT_THAT(script, HasSubstr("# NOT HERE: memory policy: the memory policy MPOL_BIND"));
}

TEST(Explain, WhatNoProgramDoesIsNamedAtTheTop) {
  SpecSeccomp filter;
  filter.default_action = "SCMP_ACT_ERRNO";
  filter.syscalls = {{.names = {"read", "write"}}};
  const std::string script =
      explained({step::LoadSeccomp{{}, filter}, step::OpenTerminal{}, step::MeetParent{},
                 step::RunHooks{HookMoment::start_container, {{"/hook"}}, "{}"}});
  const std::string head = script.substr(0, script.find("\nset -eu\n"));
  EXPECT_THAT(head, HasSubstr("# NOT HERE: seccomp: the filter of system calls, 2 rules and else "
                              "SCMP_ACT_ERRNO: no program installs one\n"));
  EXPECT_THAT(head, HasSubstr("# NOT HERE: terminal: "));
  EXPECT_THAT(head, HasSubstr("# NOT HERE: hooks of the host's namespaces: "));
  EXPECT_THAT(head, HasSubstr("# NOT HERE: startContainer hooks: "));
}

TEST(Explain, HooksInTheContainersNamespaces) {
  const SpecHook hook{"/hook", {"name", "a b"}, {"X=1 2"}, 5};
  EXPECT_THAT(explained(step::RunHooks{HookMoment::create_container, {hook}, "{\"id\":\"x\"}"}),
              HasSubstr("printf %s '{\"id\":\"x\"}' | timeout 5 env -i 'X=1 2' bash -c "
                        "'exec -a \"$0\" \"$@\"' name /hook 'a b'\n"));
}

TEST(Explain, StepsThatAreTakenElsewhere) {
  const std::string script =
      explained({step::EnterRoot{}, step::ConnectStdio{}, step::FindProgram{"p", {}},
                 step::AwaitStart{}, step::ChangeRoot{}});
  EXPECT_THAT(script, HasSubstr("exec pivot_root . ."));
  EXPECT_THAT(script, HasSubstr("# wait for the start\n  # not waited for here\n"));
  ExplainFacts closed;
  closed.stdin_mode = Stdin::closed;
  EXPECT_THAT(explained(step::ConnectStdio{}, closed), HasSubstr("exec 3</dev/null 4>&1\n"));
}

TEST(Explain, WhatTheCallerDoes) {
  Plan plan;
  plan.rlimits = {{"RLIMIT_CORE", 1, 4096}};
  plan.oom_score_adj = -5;
  plan.final_cpus = "0-1";
  plan.net_devices = {{"dummy0", "eth0"}};
  ExplainFacts facts;
  facts.cgroup.emplace();
  facts.cgroup->path = "/a/b";
  facts.cgroup->host.mode = CgroupMode::v1;
  facts.cgroup->host.hierarchies = {
      {.name = "memory", .controllers = {"memory"}, .mount_point = "/sys/fs/cgroup/memory"}};
  facts.cgroup->change = convert_resources({.memory = {.limit = 4096}}, facts.cgroup->host);
  const std::string script = explain(plan, facts);
  EXPECT_THAT(script, HasSubstr("make_cgroup /sys/fs/cgroup/memory /a/b\n"
                                "limit memory.limit_in_bytes 4096"));
  EXPECT_THAT(script, HasSubstr("echo \"$pid\" >\"$cgroup/cgroup.procs\"\n"));
  EXPECT_THAT(script,
              HasSubstr("$now -lt 4096 ]]; then prlimit --pid \"$pid\" --core=:4096; fi\n"));
  EXPECT_THAT(script, HasSubstr("echo -5 >\"/proc/$pid/oom_score_adj\"\n"));
  EXPECT_THAT(script, HasSubstr("--cpu-list 0-1 \"$pid\""));
  EXPECT_THAT(script, HasSubstr("ip link set dev dummy0 netns \"$pid\" name eth0\n"));
}

TEST(Explain, RefusesWhatNoScriptCanDo) {
  EXPECT_THROW(explained(step::UseRoot{}), UsageError);
  EXPECT_THROW(explained(step::ShareRoot{"/r"}), UsageError);
  Plan plan;
  plan.joined = {{NamespaceKind::mount, "/x"}};
  EXPECT_THROW(explain(plan, {}), UsageError);
}

TEST(Explain, AWholeContainer) {
  RunOptions options;
  options.container_id = "0123456789abcdef";
  options.args = {"echo", "it's"};
  const OverlayConfig overlay{.lowers = {"/l"}, .upper = "/u", .work = "/w"};
  const std::string script = explain(make_plan(make_spec(ImageConfig{}, options), overlay), {});
  by_bash(str("bash -n <<<", shell_word(script)));
  EXPECT_THAT(script, HasSubstr("exec unshare --mount --pid --uts --ipc --net --propagation "
                                "unchanged --fork --kill-child \\\n"));
  EXPECT_THAT(script, HasSubstr("\n  exec echo 'it'\\''s'\n}\n"));
}

}  // namespace
}  // namespace lade::runner
