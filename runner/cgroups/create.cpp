// Making a container's cgroup in every hierarchy, and finding it again.

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "runner/cgroups/control.hpp"
#include "runner/cgroups/path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace lade::runner {

namespace {

std::string name_of(const CgroupHierarchy& hierarchy) {
  return hierarchy.version == 2 ? "unified" : join(hierarchy.controllers, ",");
}

std::string full_path(const CgroupHierarchy& hierarchy, std::string_view path) {
  return str(hierarchy.mount_point, path);
}

/// `/a`, `/a/b` for `/a/b/c`: what is above a cgroup, from the top.
std::vector<std::string> paths_above(const std::string& path) {
  std::vector<std::string> above;
  for (auto slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    above.push_back(path.substr(0, slash));
  }
  return above;
}

/// Whether an errno says that this user may not change this hierarchy.
bool is_refusal(int code) {
  return code == EACCES || code == EPERM || code == EROFS;
}

/// One hierarchy while the cgroup is made in it. Unmakes what it made unless it is kept.
class Maker {
 public:
  Maker(const CgroupHierarchy& hierarchy, const std::string& path)
      : hierarchy_(hierarchy), path_(path), mount_point_(open_mount_point(hierarchy.mount_point)) {}
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;
  Maker(Maker&& other) noexcept = default;
  Maker& operator=(Maker&&) = delete;
  ~Maker() {
    // From the bottom; what somebody else uses by now refuses.
    for (auto made = made_.rbegin(); made != made_.rend(); ++made) {
      ::unlinkat(mount_point_.get(), made->c_str() + 1, AT_REMOVEDIR);
    }
  }

  /// 0, or the errno of a refusal.
  int make() {
    // A parent that a container of ours leaves as we come may vanish between two steps.
    for (int attempt = 0; attempt < 16; ++attempt) {
      const int code = make_directory(path_);
      if (code == ENOENT) {
        const int above = make_above();
        if (above != 0 && above != ENOENT) return above;
        continue;
      }
      if (code != 0) return code;
      const int number = open_cgroup(mount_point_, path_);
      if (number >= 0) {
        directory_ = Directory(Fd(number), full_path(hierarchy_, path_));
        return 0;
      }
      if (errno != ENOENT) throw SystemError(errno, what("open"));
      made_.clear();
    }
    throw SystemError(ENOENT, what("make"));
  }

  /// Version 2: lets the cgroups on the way down have these controllers. What is refused is told.
  void enable(const std::vector<std::string>& controllers,
              std::vector<CgroupUnavailable>& unavailable) {
    std::vector<std::string> above = paths_above(path_);
    above.insert(above.begin(), "/");
    for (const std::string& path : above) {
      const int number = open_cgroup(mount_point_, path);
      if (number < 0) continue;
      enable_in(Directory(Fd(number), full_path(hierarchy_, path)), controllers, unavailable);
    }
  }

  /// Makes the directories above, for enable().
  int make_above() {
    for (const std::string& path : paths_above(path_)) {
      if (const int code = make_directory(path)) return code;
    }
    return 0;
  }

  bool is_new() const { return !made_.empty() && made_.back() == path_; }
  std::size_t made_parents() const { return made_.empty() ? 0 : made_.size() - (is_new() ? 1 : 0); }
  const Directory& directory() const { return directory_; }
  const CgroupHierarchy& hierarchy() const { return hierarchy_; }
  /// Version 1: a cpuset takes no process before it has processors and memory.
  void fill_cpuset();

  Directory keep() {
    made_.clear();
    return std::move(directory_);
  }

 private:
  std::string what(std::string_view verb) const {
    return str(verb, " cgroup ", quoted(full_path(hierarchy_, path_)));
  }

  /// 0 if it is there now; ENOENT; or a refusal. Throws SystemError for the rest.
  int make_directory(const std::string& path) {
    if (::mkdirat(mount_point_.get(), path.c_str() + 1, 0755) == 0) {
      made_.push_back(path);
      return 0;
    }
    if (errno == EEXIST) return 0;
    if (errno == ENOENT || is_refusal(errno)) return errno;
    throw SystemError(errno, str("make cgroup ", quoted(full_path(hierarchy_, path))));
  }

  static void enable_in(const Directory& cgroup, const std::vector<std::string>& controllers,
                        std::vector<CgroupUnavailable>& unavailable) {
    const std::string file = "cgroup.subtree_control";
    const std::vector<std::string> enabled = split(find_control(cgroup, file).value_or(""), ' ');
    std::vector<std::string> missing;
    for (const std::string& controller : controllers) {
      const bool there = std::ranges::find(enabled, controller) != enabled.end();
      if (!there) missing.push_back('+' + controller);
    }
    if (missing.empty() || write_control(cgroup, file, join(missing, " ")) == 0) return;
    // One that is refused must not take the others with it.
    for (const std::string& controller : missing) {
      const int code = write_control(cgroup, file, controller);
      if (code == 0) continue;
      unavailable.push_back({controller.substr(1), code,
                             SystemError(code, str("write ", quoted(controller), " to ",
                                                   quoted(cgroup.path_of(file))))
                                 .what()});
    }
  }

  const CgroupHierarchy& hierarchy_;
  const std::string& path_;
  Fd mount_point_;
  Directory directory_;
  std::vector<std::string> made_;
};

void Maker::fill_cpuset() {
  for (const std::string file : {"cpuset.cpus", "cpuset.mems"}) {
    if (!is_new() && !find_control(directory_, file).value_or("").empty()) continue;
    std::vector<std::string> down = paths_above(path_);
    down.push_back(path_);
    // From the nearest cgroup above that has some.
    std::string value;
    auto next = down.size();
    while (value.empty()) {
      const std::string above = next < 2 ? "/" : down[next - 2];
      const int number = open_cgroup(mount_point_, above);
      check_syscall(number, [&] { return what("open what is above"); });
      value = find_control(Directory(Fd(number), full_path(hierarchy_, above)), file).value_or("");
      if (next < 2) break;
      if (value.empty()) --next;
    }
    for (auto i = next == 0 ? 0 : next - 1; i < down.size(); ++i) {
      const int number = open_cgroup(mount_point_, down[i]);
      check_syscall(number, [&] { return what("open"); });
      const Directory cgroup(Fd(number), full_path(hierarchy_, down[i]));
      const int code = write_control(cgroup, file, value);
      if (code != 0) {
        throw SystemError(code, str("write ", quoted(value), " to ", quoted(cgroup.path_of(file))));
      }
    }
  }
}

/// Refuses a cgroup that somebody is in, unless it may hold processes, or whose processes would
/// not run.
void check_usable(const Directory& cgroup, const CgroupHierarchy& hierarchy, bool may_hold) {
  const auto refuse = [&](std::string_view why) {
    throw Busy(str("cgroup ", quoted(cgroup.path()), " ", why));
  };
  if (hierarchy.version == 2) {
    const std::string events = find_control(cgroup, "cgroup.events").value_or("");
    if (!may_hold && find_keyed_number(events, "populated").value_or(0) != 0) {
      refuse("has processes in it");
    }
    if (find_keyed_number(events, "frozen").value_or(0) != 0 ||
        find_control(cgroup, "cgroup.freeze").value_or("0") == "1") {
      refuse("is frozen");
    }
    return;
  }
  // A new one is frozen too if one above it is.
  if (std::ranges::find(hierarchy.controllers, "freezer") != hierarchy.controllers.end() &&
      find_control(cgroup, "freezer.state").value_or("THAWED") != "THAWED") {
    refuse("is frozen");
  }
  if (!may_hold && !find_control(cgroup, "cgroup.procs").value_or("").empty()) {
    refuse("has processes in it");
  }
}

}  // namespace

Cgroup Cgroup::create(const CgroupHost& host, const CgroupRequest& request) {
  Cgroup cgroup;
  cgroup.path_ = checked_cgroup_path(request.path);
  std::vector<Maker> makers;
  makers.reserve(host.hierarchies.size());
  for (const CgroupHierarchy& hierarchy : host.hierarchies) {
    Maker& maker = makers.emplace_back(hierarchy, cgroup.path_);
    int code = 0;
    if (hierarchy.version == 2 && !request.enable.empty()) {
      code = maker.make_above();
      if (code == 0 || code == ENOENT) maker.enable(request.enable, cgroup.unavailable_);
      if (code == ENOENT) code = 0;
    }
    if (code == 0) code = maker.make();
    if (code != 0) {
      cgroup.unavailable_.push_back(
          {name_of(hierarchy), code,
           SystemError(code, str("make cgroup ", quoted(full_path(hierarchy, cgroup.path_))))
               .what()});
      makers.pop_back();
      continue;
    }
    check_usable(maker.directory(), hierarchy, maker.is_new() || request.kept_by_systemd);
    if (std::ranges::find(hierarchy.controllers, "cpuset") != hierarchy.controllers.end() &&
        hierarchy.version == 1) {
      maker.fill_cpuset();
    }
  }
  // Only as many as were made everywhere: what was there before is another's.
  const auto fewest = std::ranges::min_element(makers, {}, &Maker::made_parents);
  if (fewest != makers.end()) cgroup.made_parents_ = fewest->made_parents();
  for (Maker& maker : makers) cgroup.members_.push_back({maker.hierarchy(), maker.keep()});
  return cgroup;
}

void Cgroup::extend(const CgroupHost& host, const CgroupRequest& request) {
  Cgroup more = create(host, request);
  if (!more.members_.empty()) {
    made_parents_ =
        members_.empty() ? more.made_parents_ : std::min(made_parents_, more.made_parents_);
  }
  std::ranges::move(more.members_, std::back_inserter(members_));
  std::ranges::move(more.unavailable_, std::back_inserter(unavailable_));
}

Cgroup Cgroup::open(const CgroupHost& host, const std::string& path) {
  Cgroup cgroup;
  cgroup.path_ = checked_cgroup_path(path);
  for (const CgroupHierarchy& hierarchy : host.hierarchies) {
    const Fd mount_point = open_mount_point(hierarchy.mount_point);
    Fd fd(open_cgroup(mount_point, cgroup.path_));
    if (fd.valid()) {
      cgroup.members_.push_back(
          {hierarchy, Directory(std::move(fd), full_path(hierarchy, cgroup.path_))});
    } else if (errno != ENOENT && errno != ENOTDIR) {
      throw SystemError(errno, str("open cgroup ", quoted(full_path(hierarchy, cgroup.path_))));
    }
  }
  return cgroup;
}

}  // namespace lade::runner
