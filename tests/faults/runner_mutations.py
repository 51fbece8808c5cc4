"""The protections of the runner, each as an edit that takes it out, and the test that is there to notice (mutate)."""

from mutations import Mutation

ATTACKS = "oci_attacks_test.sh"
FAILURES = "oci_failures_test.sh"
LIFECYCLE = "oci_lifecycle_test.sh"
INIT = "runner/init.cpp"
EXECUTE = "runner/execute.cpp"
MOUNTS = "runner/mounts.cpp"
ROOTFS = "runner/rootfs.cpp"
NAMESPACES = "runner/namespaces.cpp"
CAPABILITIES = "runner/capabilities.cpp"
DEVICES = "runner/devices.cpp"
CACHE = "runner/seccomp/cache.cpp"

RUNNER_MUTATIONS = [
    # --- lade's own file ---
    Mutation("a container cannot execute lade's own file", "runner.ContainmentTest.*:RuntimeProcessTest.*",
             (EXECUTE, "  refuse_own_file(path, program.own_file);\n", "  if (path.empty()) refuse_own_file(path, program.own_file);\n")),
    Mutation("an interpreter that is lade's own file is refused, too", ATTACKS,
             (EXECUTE, "    file = interpreter_of(file);\n", "    file.clear();\n")),
    Mutation("lade's own file is on a read-only mount", ATTACKS,
             ("runner/own_program.cpp", "  if (is_sealed()) return set_name(words);", "  return set_name(words);")),
    # --- on the way in ---
    Mutation("processes on their way into a user namespace are closed to it", ATTACKS,
             (NAMESPACES, "  const ClosedMemory closed;\n", "")),
    Mutation("descriptors are closed before the program runs, not by it", "runner.ContainmentTest.*",
             (EXECUTE, "  close_the_rest(channel, 3 + program.preserved_fds);\n",
              "  if (path.empty()) close_the_rest(channel, 3 + program.preserved_fds);\n")),
    Mutation("a container that waits has nothing of the host's open", ATTACKS,
             (INIT, "    close_what_was_inherited();\n", "")),
    Mutation("a process that lade leaves half made ends with lade", FAILURES,
             (INIT, "    check_syscall(::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0),", "    check_syscall(0,")),
    # --- paths ---
    Mutation("paths of the container are resolved in its root", "runner.ContainmentTest.*",
             (ROOTFS, "  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;", "  how.resolve = RESOLVE_NO_MAGICLINKS;")),
    Mutation("what is trusted is mounted over no link", "runner.RuntimeMountsTest.*:ContainmentTest.*",
             (ROOTFS, "  if (links == Links::refuse) how.resolve |= RESOLVE_NO_SYMLINKS;\n", "  static_cast<void>(links);\n")),
    Mutation("a file that is made is opened through no link", "runner.RootfsRace.*",
             (ROOTFS, "O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644),", "O_RDONLY | O_CREAT | O_CLOEXEC, 0644),"),
             (ROOTFS, "name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC),", "name.c_str(), O_PATH | O_CLOEXEC),")),
    Mutation("user files have an end", "runner.ContainmentTest.*",
             ("runner/users.cpp", "constexpr std::size_t k_largest_user_file = 1024 * 1024;",
              "constexpr std::size_t k_largest_user_file = 1024UL * 1024 * 1024 * 1024;"),
             (ROOTFS, "  if (!S_ISREG(stat_of(*found, path).st_mode)) {\n", "  if (false) {\n")),
    Mutation("the null device that masks is the real one", "runner.ContainmentTest.*",
             (DEVICES, "  if (!path.valid() || !is_null_device(stat_of(path, \"/dev/null\"))) {", "  if (!path.valid() || (path.get() < 0 && !is_null_device(stat_of(path, \"/dev/null\")))) {"),
             (DEVICES, "  if (!is_null_device(stat_of(opened, \"/dev/null\"))) throw refuse(\"it is not the null device\");\n", "")),
    Mutation("what is mounted over parts of /proc gets no label", "runner.RuntimeTreatmentTest.*",
             ("runner/proc_files.cpp", "  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;",
              "  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;")),
    # --- mounts ---
    Mutation("no mount of the container's reaches a host that shares its own", "runner.ContainmentTest.*:PropagationTest.*",
             (MOUNTS, "  check_syscall(::mount(nullptr, \"/\", nullptr, MS_REC | MS_SLAVE, nullptr), failed);\n", "")),
    Mutation("leaving the old root unmounts nothing of the host's", "runner.ContainmentTest.*:PropagationTest.*",
             (MOUNTS, "  check_syscall(::mount(nullptr, \".\", nullptr, MS_REC | MS_SLAVE, nullptr), failed);\n  check_syscall(::umount2(",
              "  check_syscall(::umount2("), (MOUNTS, "  check_syscall(::mount(nullptr, \"/\", nullptr, MS_REC | MS_SLAVE, nullptr), failed);\n", "")),
    Mutation("the old root is left", "runner.ContainmentTest.*",
             (MOUNTS, "  check_syscall(::umount2(\".\", MNT_DETACH), failed);\n", "")),
    Mutation("volumes are linked to the host's mounts only where that was asked for", "runner.PropagationTest.*:RuntimeMountsTest.*",
             (MOUNTS, "  set_link(source, step.link, step.target);\n", "")),
    Mutation("cgroups are read-only where that was asked for", "runner.ContainmentTest.*",
             ("runner/mount_cgroups.cpp", "const std::uint64_t attributes = step.flags.attributes | step.flags.deep_attributes;",
              "const std::uint64_t attributes = (step.flags.attributes | step.flags.deep_attributes) & ~std::uint64_t{MOUNT_ATTR_RDONLY};")),
    Mutation("paths are masked, directories too", "runner.ContainmentTest.*",
             (MOUNTS, "  if (!found) return;\n  if (S_ISDIR", "  if (found) return;\n  if (S_ISDIR")),
    Mutation("paths are read-only", "runner.ContainmentTest.*",
             (MOUNTS, "  set_flags(mount, {.deep_attributes = MOUNT_ATTR_RDONLY}, path);\n", "")),
    # --- credentials ---
    Mutation("no groups but those that were asked for", "runner.RuntimeProcessTest.*:RunTest.*",
             (CAPABILITIES, "  set_groups(user.groups);\n", "")),
    Mutation("the bounding set", "runner.ContainmentTest.*:RuntimeProcessTest.*",
             (CAPABILITIES, "  bound(sets.bounding);\n", "  if (sets.bounding.size() > 99) bound(sets.bounding);\n")),
    Mutation("capabilities are what was asked for", "runner.ContainmentTest.*:RuntimeProcessTest.*",
             (CAPABILITIES, "  set_capabilities(sets);\n", "  if (sets.bounding.size() > 99) set_capabilities(sets);\n")),
    Mutation("a session without the caller's terminal", "runner.TerminalTest.*",
             (INIT, "    if (::setsid() < 0 && errno != EPERM) throw SystemError(errno, \"start a session\");\n", "")),
    Mutation("the filter is loaded", "runner.RuntimeProcessTest.*:ContainmentTest.*",
             (INIT, "    const Fd listener = load_seccomp(preparation_.seccomp);\n", "    const Fd listener;\n")),
    Mutation("signals that the caller ignores are not ignored inside", "runner.ContainmentTest.*:RunTest.*",
             (EXECUTE, "  reset_signals();\n", "")),
    Mutation("limits are the program's, not those of the way to it", "runner.RuntimeTreatmentTest.*:RuntimeProcessTest.*",
             ("runner/plan.cpp", "  if (!process.rlimits.empty()) steps.push_back(step::SetLimits{process.rlimits});\n  if (process.no_new_privileges) plan_seccomp(spec, steps);\n", "  if (process.no_new_privileges) plan_seccomp(spec, steps);\n"),
             ("runner/plan.cpp", "  steps.push_back(step::ResolveUser{process.user.text, process.user.ids});\n",
              "  if (!process.rlimits.empty()) steps.push_back(step::SetLimits{process.rlimits});\n"
              "  steps.push_back(step::ResolveUser{process.user.text, process.user.ids});\n")),
    # --- filters that are kept ---
    Mutation("a kept filter is what was written", "runner.SeccompCacheTest.*",
             (CACHE, "  if (hash_of(bytes) != content.substr(0, k_hash_size)) return std::nullopt;\n", "")),
    Mutation("a kept filter is the user's own", "runner.SeccompCacheTest.*",
             (CACHE, "S_ISREG(st.st_mode) && st.st_uid == ::geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0", "S_ISREG(st.st_mode)")),
    Mutation("a kept filter is not opened through a link, nor a pipe waited for", "runner.SeccompCacheTest.*",
             (CACHE, "O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC", "O_RDONLY | O_CLOEXEC")),
    Mutation("a filter by ranges keeps what looks at arguments", "runner.SeccompRanges.*",
             ("runner/seccomp/ranges.cpp", "starts.at(target) - from - 1", "starts.at(target) - from")),
    # --- states and cgroups ---
    Mutation("a pid is its process only with its start time", FAILURES,
             ("base/process_identity.cpp", "  return stat && stat->start_time == process.start_time && stat->state != 'Z'",
              "  return stat && stat->state != 'Z'")),
    Mutation("an id is the container's only as long as it has its directory", LIFECYCLE,
             ("runner/runtime_root.cpp", "now.st_dev != theirs.st_dev || now.st_ino != theirs.st_ino;", "theirs.st_ino == 0;")),
    Mutation("the state says where the cgroup is going to be", FAILURES,
             ("runner/creation.cpp", "    announce_container_cgroup(spec_, runtime.cgroups, state_);\n", "")),
    Mutation("a cgroup that may be somebody else's is not emptied", FAILURES,
             ("runner/container_cgroup.cpp", "  if (state.init.pid == 0) {\n", "  if (false) {\n")),
    Mutation("a cgroup with processes in it is refused", "runner.*Cgroup*",
             ("runner/cgroups/create.cpp", "    if (!may_hold && find_keyed", "    if (may_hold && find_keyed"),
             ("runner/cgroups/create.cpp", "  if (!may_hold && !find_control(", "  if (may_hold && !find_control(")),
    Mutation("a frozen cgroup is refused", FAILURES,
             ("runner/cgroups/create.cpp", "      find_control(cgroup, \"freezer.state\").value_or(\"THAWED\") != \"THAWED\") {\n", "      false) {\n")),
    Mutation("a cgroup's path does not go up", "runner.*Path*",
             ("runner/cgroups/path.cpp", "    if (name == \"..\") refuse(path, \"it may not go up with `..`\");\n", "")),
    Mutation("a namespace to join is of its kind", FAILURES,
             (NAMESPACES, "    if (type < 0 || static_cast<std::uint64_t>(type) != flag_of(each.kind)) {", "    if (type < 0) {")),
]
