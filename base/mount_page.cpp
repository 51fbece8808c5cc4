#include "base/mount_page.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace lade {

namespace {

constexpr std::size_t k_page = 4096;

/// What the child found out.
struct Answer {
  int error = 0;
  int step = 0;
};
constexpr const char* k_steps[] = {"make a mount namespace for", "open the layers of", "mount",
                                   "detach the mount of"};

Fd open_path(const std::string& path) {
  Fd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) throw SystemError(errno, str("open layer ", quoted(path)));
  return fd;
}

/// A directory of the mount, and the number that stands for it.
struct Named {
  Fd fd;
  const char* path;
};

/// The options, with directories as numbers of descriptors: they are short, so that the kernel's
/// 500 layers fit into the page, and need no escapes for `:` and `,`.
std::string options_of(const OverlayConfig& config, std::vector<Named>& held) {
  const auto number = [&](const std::string& path) {
    held.push_back({open_path(path), path.c_str()});
    return std::to_string(held.back().fd.get());
  };
  std::string options = "index=off,xino=off";
  if (config.user_xattr) options += ",userxattr";
  if (!config.upper.empty()) {
    options += str(",upperdir=", number(config.upper));
    options += str(",workdir=", number(config.work));
    if (config.volatile_upper) options += ",volatile";
  }
  options += ",lowerdir=";
  for (const std::string& lower : config.lowers) {
    options += str(&lower == &config.lowers.front() ? "" : ":", number(lower));
  }
  if (options.size() >= k_page) {
    throw InvalidData(str("overlay of ", config.lowers.size(),
                          " layers: more than this kernel's page of mount options holds"));
  }
  return options;
}

using Path = char[PATH_MAX];

bool is_same(int one, int other) {
  struct stat first {};
  struct stat second {};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/// In the child: the same directory in this mount namespace, by the path that is left in `path`.
/// One that is held by a descriptor of the parent's (`/proc/self/fd/N`) may be renamed at any time:
/// it is looked for where it is now. False and errno if it cannot be had.
bool open_again(const Named& directory, Path& path) {
  constexpr char by_descriptor[] = "/proc/self/fd/";
  const bool is_held = std::strncmp(directory.path, by_descriptor, sizeof by_descriptor - 1) == 0;
  for (int attempt = 0; attempt < 100; ++attempt) {
    if (is_held) {
      const ssize_t length = ::readlink(directory.path, path, sizeof path - 1);
      if (length < 0) return false;
      path[length] = '\0';
    } else {
      const std::size_t size = std::strlen(directory.path) + 1;
      if (size > sizeof path) {
        errno = ENAMETOOLONG;
        return false;
      }
      std::memcpy(path, directory.path, size);
    }
    const int fd = ::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && !(is_held && errno == ENOENT)) return false;
    if (fd >= 0 && (!is_held || is_same(fd, directory.fd.get()))) {
      const bool is_done = ::dup2(fd, directory.fd.get()) >= 0;
      ::close(fd);
      return is_done;
    }
    if (fd >= 0) ::close(fd);
  }
  errno = ESTALE;
  return false;
}

/// In the child: system calls only, since other threads of the process may have held locks. The
/// mount is made over the directory `over`, where nobody else sees it.
Answer mount_in_child(const std::vector<Named>& directories, std::size_t over, const char* options,
                      unsigned long flags, int& mount) {
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return {errno, 0};
  }
  // Overlay takes no directory of another mount namespace: the same again, in this one.
  Path target;
  for (std::size_t i = 0; i < directories.size(); ++i) {
    Path path;
    if (!open_again(directories[i], i == over ? target : path)) return {errno, 1};
  }
  if (::chdir("/proc/self/fd") != 0) return {errno, 1};
  if (::mount("overlay", target, "overlay", flags, options) != 0) return {errno, 2};
  mount = static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, target, OPEN_TREE_CLONE));
  return mount < 0 ? Answer{errno, 3} : Answer{};
}

/// A message with one descriptor, or none, and its answer.
struct Message {
  explicit Message(Answer& answer) : bytes{&answer, sizeof answer} {
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  iovec bytes;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};
};

void send_answer(int channel, Answer answer, int mount) {
  Message message(answer);
  if (mount >= 0) {
    cmsghdr* control = CMSG_FIRSTHDR(&message.header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(control), &mount, sizeof mount);
  } else {
    message.header.msg_controllen = 0;
  }
  static_cast<void>(::sendmsg(channel, &message.header, MSG_NOSIGNAL));
}

Fd receive_answer(const Fd& channel, Answer& answer) {
  Message message(answer);
  const ssize_t count = ::recvmsg(channel.get(), &message.header, MSG_CMSG_CLOEXEC);
  if (count != static_cast<ssize_t>(sizeof answer)) answer = {EIO, 2};
  int mount = -1;
  const cmsghdr* control = CMSG_FIRSTHDR(&message.header);
  if (control != nullptr && control->cmsg_type == SCM_RIGHTS) {
    std::memcpy(&mount, CMSG_DATA(control), sizeof mount);
  }
  return Fd(mount);
}

}  // namespace

Fd mount_overlay_by_page(const OverlayConfig& config) {
  std::vector<Named> held;
  const std::string options = options_of(config, held);
  // The first is the upper directory, or without one the topmost layer.
  constexpr std::size_t over = 0;
  const unsigned long flags = config.upper.empty() ? MS_RDONLY : 0;
  int ends[2];
  check_syscall(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends),
                [] { return std::string("make a socket pair"); });
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const pid_t child = check_syscall(::fork(), [] { return std::string("fork"); });
  if (child == 0) {
    int mount = -1;
    const Answer answer = mount_in_child(held, over, options.c_str(), flags, mount);
    send_answer(theirs.get(), answer, mount);
    ::_exit(0);
  }
  theirs = Fd();
  Answer answer;
  Fd mount = receive_answer(ours, answer);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (answer.error != 0 || !mount.valid()) {
    throw SystemError(answer.error != 0 ? answer.error : EIO,
                      str(k_steps[answer.step], " overlay"));
  }
  return mount;
}

}  // namespace lade
