/* The least that a container's start can cost: namespaces, the mounts that every container has, the
 * change of the root, the program. No cgroup, no filter, no capabilities, nothing is read or checked.
 *
 * usage: start_floor ROOTFS PROGRAM
 */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(long result, const char* what) {
  if (result >= 0) return;
  perror(what);
  _exit(125);
}

static void mount_one(const char* type, const char* target, const char* options) {
  check(mount(type, target, type, MS_NOSUID | MS_NOEXEC, options), target);
}

static void enter(const char* rootfs) {
  check(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
  check(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "bind");
  check(chdir(rootfs), "chdir");
  mount_one("proc", "proc", NULL);
  mount_one("tmpfs", "dev", "mode=755,size=65536k");
  check(mkdir("dev/pts", 0755), "mkdir");
  check(mkdir("dev/shm", 0755), "mkdir");
  mount_one("devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5");
  mount_one("tmpfs", "dev/shm", "mode=1777,size=65536k");
  mount_one("sysfs", "sys", NULL);
  check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  check(umount2(".", MNT_DETACH), "umount");
  check(chdir("/"), "chdir");
}

int main(int argc, char** argv) {
  if (argc != 3) return 125;
  struct clone_args arguments = {
      .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
      .exit_signal = SIGCHLD,
  };
  const long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  check(pid, "clone3");
  if (pid == 0) {
    enter(argv[1]);
    char* const words[] = {argv[2], NULL};
    char* const environment[] = {NULL};
    check(execve(argv[2], words, environment), "execve");
  }
  int status = 0;
  check(waitpid((pid_t)pid, &status, 0), "wait");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
