// The cgroup of one container: one directory at the same path in every hierarchy. Reached by
// descriptors only; nothing is kept in memory that the next command would need.
#pragma once

#include "base/directory.hpp"
#include "base/fd.hpp"
#include "runner/cgroups/host.hpp"
#include "runner/cgroups/settings.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// How a cgroup is to be made.
struct CgroupRequest {
  std::string path;  ///< as decide_cgroup_path() gives it
  /// Version 2 controllers that it needs, as controllers_to_enable() gives them.
  std::vector<std::string> enable;
  /// systemd has made it for this container, with a process in it that keeps it.
  bool kept_by_systemd = false;
};

/// A hierarchy in which there could be no cgroup for the container, and why.
struct CgroupUnavailable {
  std::string hierarchy;  ///< its controllers, or `unified`
  int code = 0;           ///< errno
  std::string what;       ///< one line
};

/// How a new process gets into a cgroup without the kernel's global lock on forks, which costs
/// milliseconds: born into the version 2 one, and by its own hand into the others.
struct CgroupEntrance {
  Fd unified;             ///< for clone3(CLONE_INTO_CGROUP); none where there is no version 2
  std::vector<Fd> tasks;  ///< enter_cgroups() writes to these
};

/// Child: moves the calling process, which has one thread, into the version 1 cgroups of an
/// entrance. Throws SystemError.
void enter_cgroups(std::span<const Fd> tasks);

/// A container's cgroup.
class Cgroup {
 public:
  /// One that is nowhere.
  Cgroup() = default;

  /// Makes it in every hierarchy of the host. One that is there already is taken over if it holds
  /// no process and is not frozen. Hierarchies that may not be written to are left out; see
  /// unavailable(). After an error nothing is left behind. Throws Busy for a cgroup with processes
  /// in it and for a frozen one, SystemError otherwise.
  static Cgroup create(const CgroupHost& host, const CgroupRequest& request);

  /// Makes it in further hierarchies, those of `host`, as create() does; not all are needed at
  /// once.
  void extend(const CgroupHost& host, const CgroupRequest& request);

  /// The one that is at `path` already, in those hierarchies in which it is; in none of them is no
  /// error, see exists(). Throws InvalidData for a path that create() would refuse.
  static Cgroup open(const CgroupHost& host, const std::string& path);

  /// Below the mount points.
  const std::string& path() const noexcept { return path_; }
  /// Whether it is in any hierarchy.
  bool exists() const noexcept { return !members_.empty(); }
  /// Where create() could make none: all of them for a user to whom nothing was delegated.
  const std::vector<CgroupUnavailable>& unavailable() const noexcept { return unavailable_; }
  /// How many directories above it create() made too. remove() is told, after a state file kept it.
  std::size_t made_parents() const noexcept { return made_parents_; }
  /// Its directory in the hierarchy that serves a controller (`cgroup`: version 2's own files), or
  /// null.
  const Directory* find_directory(std::string_view controller) const;

  /// Writes limits. The warnings, with those of the change. Throws Error and SystemError.
  std::vector<std::string> apply(const CgroupChange& change) const;
  /// Restricts devices, in place of the restriction that there is: by version 1 where it has a
  /// devices hierarchy and can express the rules, else by a program for version 2. No rules are no
  /// restriction. Throws Error and SystemError.
  void apply_devices(const std::vector<SpecDeviceRule>& rules) const;
  /// Gives the version 2 cgroup to a user, so that it may be divided within the container: the
  /// directory and the files that the kernel lists for it. For a container with a user namespace, a
  /// cgroup namespace and a writable cgroup mount; version 1 cannot be given away safely, and is
  /// not. The group, too: of what has an owner of another namespace in either way, exec from within
  /// the user namespace gets nothing. runtime-spec, config-linux.md "Cgroup ownership". Throws
  /// SystemError.
  void delegate_to(uid_t user, gid_t group) const;
  /// What a change of the limits must know of those in force.
  CgroupPresent present() const;

  /// For a process that is yet to be made: the only way in. Moving one that is there already takes
  /// the kernel's lock on forks, for which it may wait ten milliseconds.
  CgroupEntrance entrance() const;
  /// The processes in it and below, sorted.
  std::vector<pid_t> processes() const;
  /// Whether a process is in it or below.
  bool populated() const;

  /// Stops all processes, and waits until they have stopped. Throws Busy after `patience`, when it
  /// has let them run again.
  void freeze(std::chrono::milliseconds patience) const;
  /// Lets them run again.
  void thaw() const;
  /// Whether they are stopped, or about to be.
  bool frozen() const;

  /// Sends a signal to all processes in it and below, also to those that fork meanwhile. SIGKILL
  /// reaches frozen ones, which are let run for it.
  void signal_all(int signal) const;

  /// Kills all processes and waits for them to be gone. Throws Busy after `patience`.
  void kill_all(std::chrono::milliseconds patience) const;

  /// Removes it with all cgroups below, waiting until processes that are about to end have ended,
  /// and then `made_parents` of those above unless others use them. Nothing there is no error.
  /// Throws Busy if processes are still in it after `patience`.
  void remove(std::chrono::milliseconds patience, std::size_t made_parents);

  /// The same for one that may be somebody else's: where there is anything in it after `patience`,
  /// it stays.
  void remove_empty(std::chrono::milliseconds patience, std::size_t made_parents);

 private:
  struct Member {
    CgroupHierarchy hierarchy;
    Directory directory;
  };

  /// Removes `made_parents` directories above it, as far as nobody uses them.
  void remove_above(const Fd& mount_point, std::size_t made_parents) const;
  const Member* find_member(std::string_view controller) const;
  /// Why a setting has no file.
  std::string why_missing(const CgroupSetting& setting) const;
  const Member* find_unified() const;
  /// Any hierarchy in which processes can be listed, the version 2 one first.
  const Member* find_any() const;
  /// What stops processes: version 2, whose frozen processes can be killed, else the freezer.
  const Member* find_freezer() const;

  std::string path_;
  std::vector<Member> members_;
  std::vector<CgroupUnavailable> unavailable_;
  std::size_t made_parents_ = 0;
};

}  // namespace lade::runner
