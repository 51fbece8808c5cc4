#include "runner/seccomp/profile.hpp"

#include <linux/sched.h>

#include <array>

namespace lade::runner {

namespace {

constexpr const char* k_reading[] = {"read",
                                     "pread64",
                                     "readv",
                                     "preadv",
                                     "preadv2",
                                     "write",
                                     "pwrite64",
                                     "writev",
                                     "pwritev",
                                     "pwritev2",
                                     "lseek",
                                     "_llseek",
                                     "sendfile",
                                     "sendfile64",
                                     "splice",
                                     "tee",
                                     "vmsplice",
                                     "readahead",
                                     "fadvise64",
                                     "fadvise64_64",
                                     "copy_file_range",
                                     "io_setup",
                                     "io_submit",
                                     "io_cancel",
                                     "io_destroy",
                                     "io_getevents",
                                     "io_pgetevents",
                                     "io_pgetevents_time64"};

constexpr const char* k_opening[] = {"open",  "openat",       "openat2",      "creat",
                                     "close", "close_range",  "dup",          "dup2",
                                     "dup3",  "fcntl",        "fcntl64",      "pipe",
                                     "pipe2", "memfd_create", "memfd_secret", "name_to_handle_at",
                                     "flock", "ioctl"};

constexpr const char* k_names[] = {
    "access",  "faccessat", "faccessat2", "stat",       "stat64",   "lstat",      "lstat64",
    "fstat",   "fstat64",   "fstatat64",  "newfstatat", "statx",    "statfs",     "statfs64",
    "fstatfs", "fstatfs64", "readlink",   "readlinkat", "getdents", "getdents64", "getcwd",
    "chdir",   "fchdir",    "mkdir",      "mkdirat",    "rmdir",    "link",       "linkat",
    "symlink", "symlinkat", "unlink",     "unlinkat",   "rename",   "renameat",   "renameat2",
    "mknod",   "mknodat"};

constexpr const char* k_attributes[] = {"chmod",
                                        "fchmod",
                                        "fchmodat",
                                        "fchmodat2",
                                        "chown",
                                        "chown32",
                                        "fchown",
                                        "fchown32",
                                        "fchownat",
                                        "lchown",
                                        "lchown32",
                                        "umask",
                                        "utime",
                                        "utimes",
                                        "futimesat",
                                        "utimensat",
                                        "utimensat_time64",
                                        "getxattr",
                                        "lgetxattr",
                                        "fgetxattr",
                                        "getxattrat",
                                        "setxattr",
                                        "lsetxattr",
                                        "fsetxattr",
                                        "setxattrat",
                                        "listxattr",
                                        "llistxattr",
                                        "flistxattr",
                                        "listxattrat",
                                        "removexattr",
                                        "lremovexattr",
                                        "fremovexattr",
                                        "removexattrat"};

constexpr const char* k_durability[] = {
    "sync",     "syncfs",     "fsync",     "fdatasync",   "sync_file_range", "sync_file_range2",
    "truncate", "truncate64", "ftruncate", "ftruncate64", "fallocate",       "msync"};

constexpr const char* k_watching[] = {"poll",
                                      "ppoll",
                                      "ppoll_time64",
                                      "select",
                                      "_newselect",
                                      "pselect6",
                                      "pselect6_time64",
                                      "epoll_create",
                                      "epoll_create1",
                                      "epoll_ctl",
                                      "epoll_ctl_old",
                                      "epoll_wait",
                                      "epoll_wait_old",
                                      "epoll_pwait",
                                      "epoll_pwait2",
                                      "eventfd",
                                      "eventfd2",
                                      "inotify_init",
                                      "inotify_init1",
                                      "inotify_add_watch",
                                      "inotify_rm_watch",
                                      "fanotify_mark"};

constexpr const char* k_memory[] = {"brk",
                                    "mmap",
                                    "mmap2",
                                    "munmap",
                                    "mremap",
                                    "mprotect",
                                    "madvise",
                                    "mincore",
                                    "mlock",
                                    "mlock2",
                                    "mlockall",
                                    "munlock",
                                    "munlockall",
                                    "membarrier",
                                    "remap_file_pages",
                                    "pkey_alloc",
                                    "pkey_free",
                                    "pkey_mprotect",
                                    "process_madvise",
                                    "process_mrelease",
                                    "map_shadow_stack",
                                    "mseal",
                                    "cachestat"};

constexpr const char* k_processes[] = {"fork",
                                       "vfork",
                                       "execve",
                                       "execveat",
                                       "exit",
                                       "exit_group",
                                       "wait4",
                                       "waitid",
                                       "waitpid",
                                       "getpid",
                                       "getppid",
                                       "gettid",
                                       "getpgid",
                                       "getpgrp",
                                       "getsid",
                                       "setpgid",
                                       "setsid",
                                       "prctl",
                                       "arch_prctl",
                                       "modify_ldt",
                                       "set_tid_address",
                                       "get_thread_area",
                                       "set_thread_area",
                                       "rseq",
                                       "getrusage",
                                       "times",
                                       "getpriority",
                                       "setpriority",
                                       "nice",
                                       "ioprio_get",
                                       "ioprio_set",
                                       "getrlimit",
                                       "ugetrlimit",
                                       "setrlimit",
                                       "prlimit64",
                                       "pidfd_open",
                                       "pidfd_send_signal",
                                       "pidfd_getfd",
                                       "getcpu",
                                       "uname",
                                       "olduname",
                                       "oldolduname",
                                       "sysinfo",
                                       "getrandom"};

constexpr const char* k_inspection[] = {"ptrace", "process_vm_readv", "process_vm_writev", "kcmp"};

constexpr const char* k_scheduling[] = {"sched_yield",
                                        "sched_getaffinity",
                                        "sched_setaffinity",
                                        "sched_getparam",
                                        "sched_setparam",
                                        "sched_getscheduler",
                                        "sched_setscheduler",
                                        "sched_getattr",
                                        "sched_setattr",
                                        "sched_get_priority_max",
                                        "sched_get_priority_min",
                                        "sched_rr_get_interval",
                                        "sched_rr_get_interval_time64"};

constexpr const char* k_synchronisation[] = {"futex",
                                             "futex_time64",
                                             "futex_waitv",
                                             "futex_wait",
                                             "futex_wake",
                                             "futex_requeue",
                                             "set_robust_list",
                                             "get_robust_list",
                                             "restart_syscall",
                                             "semget",
                                             "semop",
                                             "semctl",
                                             "semtimedop",
                                             "semtimedop_time64",
                                             "shmget",
                                             "shmat",
                                             "shmctl",
                                             "shmdt",
                                             "msgget",
                                             "msgsnd",
                                             "msgrcv",
                                             "msgctl",
                                             "ipc",
                                             "mq_open",
                                             "mq_unlink",
                                             "mq_notify",
                                             "mq_getsetattr",
                                             "mq_timedsend",
                                             "mq_timedsend_time64",
                                             "mq_timedreceive",
                                             "mq_timedreceive_time64"};

constexpr const char* k_signals[] = {"kill",
                                     "tkill",
                                     "tgkill",
                                     "pause",
                                     "alarm",
                                     "signal",
                                     "sigaction",
                                     "sigpending",
                                     "sigprocmask",
                                     "sigreturn",
                                     "sigsuspend",
                                     "sigaltstack",
                                     "rt_sigaction",
                                     "rt_sigpending",
                                     "rt_sigprocmask",
                                     "rt_sigqueueinfo",
                                     "rt_sigreturn",
                                     "rt_sigsuspend",
                                     "rt_sigtimedwait",
                                     "rt_sigtimedwait_time64",
                                     "rt_tgsigqueueinfo",
                                     "signalfd",
                                     "signalfd4"};

constexpr const char* k_time[] = {"time",
                                  "gettimeofday",
                                  "clock_gettime",
                                  "clock_gettime64",
                                  "clock_getres",
                                  "clock_getres_time64",
                                  "clock_nanosleep",
                                  "clock_nanosleep_time64",
                                  "nanosleep",
                                  "getitimer",
                                  "setitimer",
                                  "timer_create",
                                  "timer_delete",
                                  "timer_getoverrun",
                                  "timer_gettime",
                                  "timer_gettime64",
                                  "timer_settime",
                                  "timer_settime64",
                                  "timerfd_create",
                                  "timerfd_gettime",
                                  "timerfd_gettime64",
                                  "timerfd_settime",
                                  "timerfd_settime64",
                                  "adjtimex",
                                  "clock_adjtime",
                                  "clock_adjtime64"};

constexpr const char* k_identity[] = {"getuid",
                                      "getuid32",
                                      "geteuid",
                                      "geteuid32",
                                      "getgid",
                                      "getgid32",
                                      "getegid",
                                      "getegid32",
                                      "getresuid",
                                      "getresuid32",
                                      "getresgid",
                                      "getresgid32",
                                      "setuid",
                                      "setuid32",
                                      "setgid",
                                      "setgid32",
                                      "setreuid",
                                      "setreuid32",
                                      "setregid",
                                      "setregid32",
                                      "setresuid",
                                      "setresuid32",
                                      "setresgid",
                                      "setresgid32",
                                      "setfsuid",
                                      "setfsuid32",
                                      "setfsgid",
                                      "setfsgid32",
                                      "getgroups",
                                      "getgroups32",
                                      "setgroups",
                                      "setgroups32",
                                      "capget",
                                      "capset",
                                      "seccomp",
                                      "landlock_create_ruleset",
                                      "landlock_add_rule",
                                      "landlock_restrict_self"};

constexpr const char* k_network[] = {
    "socketpair", "socketcall", "bind",           "listen",      "accept",     "accept4",
    "connect",    "shutdown",   "getsockname",    "getpeername", "getsockopt", "setsockopt",
    "send",       "sendto",     "sendmsg",        "sendmmsg",    "recv",       "recvfrom",
    "recvmsg",    "recvmmsg",   "recvmmsg_time64"};

constexpr const char* k_numa[] = {"get_mempolicy", "set_mempolicy", "set_mempolicy_home_node",
                                  "mbind",         "migrate_pages", "move_pages"};

constexpr const char* k_administration[] = {
    "mount",           "umount",   "umount2",     "mount_setattr", "move_mount",
    "open_tree",       "fsopen",   "fsconfig",    "fsmount",       "fspick",
    "pivot_root",      "setns",    "statmount",   "listmount",     "fanotify_init",
    "lookup_dcookie",  "quotactl", "quotactl_fd", "sethostname",   "setdomainname",
    "perf_event_open", "bpf",      "clone",       "clone3",        "unshare"};

constexpr const char* k_chroot[] = {"chroot"};
constexpr const char* k_handles[] = {"open_by_handle_at"};
constexpr const char* k_booting[] = {"reboot"};
constexpr const char* k_modules[] = {"init_module", "finit_module", "delete_module"};
constexpr const char* k_accounting[] = {"acct"};
constexpr const char* k_clock[] = {"settimeofday", "stime", "clock_settime", "clock_settime64"};
constexpr const char* k_ports[] = {"iopl", "ioperm"};
constexpr const char* k_terminals[] = {"vhangup"};
constexpr const char* k_log[] = {"syslog"};
constexpr const char* k_tracing[] = {"bpf"};
constexpr const char* k_profiling[] = {"perf_event_open"};

constexpr std::array<SyscallGroup, 28> k_groups{{
    {"reading and writing", "", k_reading},
    {"opening, and what is open", "", k_opening},
    {"names and directories", "", k_names},
    {"attributes", "", k_attributes},
    {"sizes and durability", "", k_durability},
    {"waiting for files", "", k_watching},
    {"memory", "", k_memory},
    {"processes", "", k_processes},
    {"looking into other processes", "", k_inspection},
    {"scheduling", "", k_scheduling},
    {"synchronisation and System V", "", k_synchronisation},
    {"signals", "", k_signals},
    {"time", "", k_time},
    {"identity and self-restraint", "", k_identity},
    {"sockets", "", k_network},
    {"placing of memory", "CAP_SYS_NICE", k_numa},
    {"mounts and namespaces", "CAP_SYS_ADMIN", k_administration},
    {"changing the root", "CAP_SYS_CHROOT", k_chroot},
    {"files by handle", "CAP_DAC_READ_SEARCH", k_handles},
    {"restarting the machine", "CAP_SYS_BOOT", k_booting},
    {"kernel modules", "CAP_SYS_MODULE", k_modules},
    {"process accounting", "CAP_SYS_PACCT", k_accounting},
    {"setting the clock", "CAP_SYS_TIME", k_clock},
    {"input and output ports", "CAP_SYS_RAWIO", k_ports},
    {"hanging up terminals", "CAP_SYS_TTY_CONFIG", k_terminals},
    {"the kernel's log", "CAP_SYSLOG", k_log},
    {"tracing programs", "CAP_BPF", k_tracing},
    {"profiling", "CAP_PERFMON", k_profiling},
}};

/// Of no use in a container, or a way out of many: keyrings are not of any namespace, io_uring and
/// userfaultfd have been the way of most kernel exploits.
constexpr const char* k_denied[] = {"add_key",         "request_key",
                                    "keyctl",          "io_uring_setup",
                                    "io_uring_enter",  "io_uring_register",
                                    "userfaultfd",     "kexec_load",
                                    "kexec_file_load", "swapon",
                                    "swapoff",         "nfsservctl",
                                    "uselib",          "ustat",
                                    "sysfs",           "vm86",
                                    "vm86old",         "create_module",
                                    "get_kernel_syms", "query_module",
                                    "_sysctl",         "lsm_set_self_attr"};

constexpr std::array<std::uint64_t, 8> k_namespace_flags{
    CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
    CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET, CLONE_NEWTIME};

// Linux, 32-bit, with a version of 2.6, both, and "which one is it".
constexpr std::array<std::uint64_t, 5> k_personalities{0, 0x8, 0x20000, 0x20008, 0xffffffff};

}  // namespace

std::span<const SyscallGroup> syscall_groups() {
  return k_groups;
}
std::span<const char* const> denied_syscalls() {
  return k_denied;
}
std::span<const std::uint64_t> namespace_flags() {
  return k_namespace_flags;
}
std::span<const std::uint64_t> allowed_personalities() {
  return k_personalities;
}

}  // namespace lade::runner
