#include "runner/plan_mounts.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/defaults.hpp"

#include <linux/mount.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace lade::runner {

namespace {

/// A mount option that is an attribute of the mount. Prefixed with `r` it reaches submounts, too.
struct AttributeOption {
  std::string_view name;
  std::uint64_t set;
  std::uint64_t clear;
};

constexpr std::array<AttributeOption, 17> k_attributes{{
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"relatime", 0, MOUNT_ATTR__ATIME},
    {"norelatime", 0, MOUNT_ATTR__ATIME},
    {"atime", 0, MOUNT_ATTR__ATIME},
}};

struct PropagationOption {
  std::string_view name;
  std::uint64_t flag;
};

constexpr std::array<PropagationOption, 4> k_propagations{{{"private", MS_PRIVATE},
                                                           {"slave", MS_SLAVE},
                                                           {"shared", MS_SHARED},
                                                           {"unbindable", MS_UNBINDABLE}}};

/// Options of the file system as a whole that every one takes, so that they are no data of its own.
constexpr std::array<std::string_view, 7> k_superblock{"sync",       "async", "dirsync", "lazytime",
                                                       "nolazytime", "mand",  "nomand"};

/// Words that change nothing: what they ask for is so anyway.
constexpr std::array<std::string_view, 6> k_idle{"defaults",      "silent",     "loud",
                                                 "nostrictatime", "noiversion", "notmpcopyup"};

enum class IdMap { none, top, recursive };

/// The options of one mount, sorted into what the kernel takes in different calls.
struct ParsedOptions {
  MountFlags flags;
  bool bind = false;
  bool with_submounts = false;
  bool remount = false;
  bool copy_up = false;
  IdMap id_map = IdMap::none;
  std::vector<std::pair<std::string, std::string>> superblock;
  std::vector<std::pair<std::string, std::string>> data;
};

template <class Words>
bool holds(const Words& words, std::string_view wanted) {
  return std::find(words.begin(), words.end(), wanted) != words.end();
}

/// Whether `text` is the option, or its recursive form.
bool is_option(std::string_view text, std::string_view name, bool& recursive) {
  recursive = text.size() == name.size() + 1 && text.front() == 'r' && text.substr(1) == name;
  return recursive || text == name;
}

void add(const AttributeOption& option, std::uint64_t& set, std::uint64_t& clear) {
  set = (set & ~option.clear) | option.set;
  clear = (clear & ~option.set) | option.clear;
}

bool parse_attribute(std::string_view text, MountFlags& flags) {
  for (const AttributeOption& option : k_attributes) {
    bool recursive = false;
    if (!is_option(text, option.name, recursive)) continue;
    if (recursive) {
      add(option, flags.deep_attributes, flags.deep_cleared);
      // It is the later word on the topmost mount, too.
      flags.attributes &= ~(option.set | option.clear);
      flags.cleared &= ~(option.set | option.clear);
    } else {
      add(option, flags.attributes, flags.cleared);
    }
    return true;
  }
  return false;
}

/// Options that change what is mounted, or how.
bool parse_manner(std::string_view text, ParsedOptions& parsed) {
  if (text == "bind" || text == "rbind") {
    parsed.bind = true;
    parsed.with_submounts = text == "rbind";
  } else if (text == "remount") {
    parsed.remount = true;
  } else if (text == "tmpcopyup") {
    parsed.copy_up = true;
  } else if (text == "idmap") {
    parsed.id_map = IdMap::top;
  } else if (text == "ridmap") {
    parsed.id_map = IdMap::recursive;
  } else {
    return false;
  }
  return true;
}

ParsedOptions parse_options(const SpecMount& mount, std::vector<std::string>& warnings) {
  ParsedOptions parsed;
  for (const std::string& option : mount.options) {
    if (option.empty() || holds(k_idle, option)) continue;
    if (parse_manner(option, parsed) || parse_attribute(option, parsed.flags) ||
        parse_propagation(option, parsed.flags)) {
      continue;
    }
    const auto equals = option.find('=');
    if (option == "iversion") {
      warnings.push_back(str("mount on ", quoted(mount.destination),
                             ": `iversion` is the file system's own affair"));
    } else if (holds(k_superblock, option)) {
      parsed.superblock.emplace_back(option, "");
    } else {
      parsed.data.emplace_back(option.substr(0, equals),
                               equals == std::string::npos ? "" : option.substr(equals + 1));
    }
  }
  return parsed;
}

bool has(const Spec& spec, NamespaceKind kind) {
  return std::any_of(spec.namespaces.begin(), spec.namespaces.end(),
                     [&](const SpecNamespace& ns) { return ns.kind == kind; });
}

bool has_new(const Spec& spec, NamespaceKind kind) {
  return std::any_of(spec.namespaces.begin(), spec.namespaces.end(),
                     [&](const SpecNamespace& ns) { return ns.kind == kind && ns.path.empty(); });
}

/// One mount after the other.
class MountPlanner {
 public:
  MountPlanner(const Spec& spec, const PlanOptions& options, Plan& plan)
      : spec_(spec), options_(options), plan_(plan) {}

  void plan_all() {
    for (const SpecMount& mount : spec_.mounts) {
      const ParsedOptions parsed = parse_options(mount, plan_.warnings);
      const bool bind = parsed.bind || mount.type == "bind";
      if (bind && !files_planned_) plan_files();
      const std::string target = target_of(mount);
      if (parsed.remount) {
        plan_remount(target, parsed);
      } else if (bind) {
        plan_bind(mount, target, parsed);
      } else {
        plan_filesystem(mount, target, parsed);
      }
      if (target == "/dev" && !parsed.remount) {
        dev_planned_ = true;
        if (!bind) plan_dev();
      }
    }
    if (!dev_planned_) plan_dev();
    if (!files_planned_) plan_files();
  }

  /// What was mounted writable so that it could be filled.
  void plan_readonly() {
    for (const std::string& target : readonly_) {
      plan_.steps.push_back(step::ReadonlyMount{target});
    }
  }

 private:
  std::string target_of(const SpecMount& mount) {
    std::string target = mount.destination;
    if (!target.starts_with('/')) target.insert(target.begin(), '/');
    while (target.size() > 1 && target.back() == '/') target.pop_back();
    return target;
  }

  void plan_remount(const std::string& target, const ParsedOptions& parsed) {
    step::Remount step{target, parsed.flags, {}};
    if (!parsed.bind) {
      step.options = parsed.superblock;
      step.options.insert(step.options.end(), parsed.data.begin(), parsed.data.end());
    }
    plan_.steps.push_back(std::move(step));
  }

  void plan_bind(const SpecMount& mount, const std::string& target, const ParsedOptions& parsed) {
    if (mount.source.empty()) {
      throw UsageError(str("mount on ", quoted(mount.destination), ": it has no source"));
    }
    for (const auto& [name, value] : parsed.data) {
      plan_.warnings.push_back(str("mount on ", quoted(mount.destination), ": the option ",
                                   quoted(name), " means nothing to a bind mount"));
    }
    step::BindMount step{source_of(mount), target, parsed.flags, parsed.with_submounts,
                         link_of(spec_)};
    // What cuts every link leaves nothing to be said before.
    const bool is_cut =
        parsed.flags.propagation_recursive && parsed.flags.propagation == MS_PRIVATE;
    if (is_cut) step.link = HostLink::both;
    plan_id_map(mount, parsed, step);
    plan_.steps.push_back(std::move(step));
  }

  std::string source_of(const SpecMount& mount) const {
    if (mount.source.starts_with('/') || options_.bundle.empty()) return mount.source;
    return str(options_.bundle, '/', mount.source);
  }

  void plan_id_map(const SpecMount& mount, const ParsedOptions& parsed, step::BindMount& step) {
    const bool own = !mount.uid_mappings.empty();
    if (!own && parsed.id_map == IdMap::none) return;
    step.uid_mappings = own ? mount.uid_mappings : spec_.uid_mappings;
    step.gid_mappings = own ? mount.gid_mappings : spec_.gid_mappings;
    step.maps_submounts = parsed.id_map == IdMap::recursive;
    if (step.uid_mappings.empty() || step.gid_mappings.empty()) {
      throw UsageError(str("mount on ", quoted(mount.destination),
                           ": `idmap` needs mappings, its own or those of a user namespace"));
    }
  }

  void plan_filesystem(const SpecMount& mount, const std::string& target, ParsedOptions parsed) {
    if (mount.type.empty() || mount.type == "none") {
      throw UsageError(str("mount on ", quoted(mount.destination),
                           ": it has neither a type nor the option `bind`"));
    }
    if (parsed.id_map != IdMap::none || !mount.uid_mappings.empty()) {
      throw UsageError(
          str("mount on ", quoted(mount.destination), ": only bind mounts can have mapped ids"));
    }
    if (mount.type == "cgroup") {
      const auto view =
          has(spec_, NamespaceKind::cgroup) ? CgroupView::of_namespace : CgroupView::of_container;
      plan_.steps.push_back(step::MountCgroups{target, parsed.flags, view});
      return;
    }
    if (mount.type == "sysfs" && !may_mount_sysfs()) {
      // A sysfs is of a network namespace, and only the owner of that may mount it.
      parsed.flags.deep_attributes |= MOUNT_ATTR_RDONLY | parsed.flags.attributes;
      plan_.steps.push_back(step::BindMount{"/sys", target, parsed.flags, true, link_of(spec_)});
      return;
    }
    // The private procfs is one mount, which a second place would take away from the first.
    if (mount.type == "proc" && !proc_planned_ && parsed.data.empty() &&
        parsed.superblock.empty()) {
      proc_planned_ = true;
      plan_.steps.push_back(step::MountProc{target, parsed.flags});
      return;
    }
    // devpts has been a new instance on every mount since Linux 4.7; the word is an error to
    // fsconfig.
    std::erase_if(parsed.data, [](const auto& option) { return option.first == "newinstance"; });
    if (mount.type == "tmpfs" && (parsed.flags.attributes & MOUNT_ATTR_RDONLY) != 0) {
      // Mount points and devices may have to be made in it.
      parsed.flags.attributes &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
      readonly_.push_back(target);
    }
    step::MountFilesystem step{mount.type, mount.source, target, std::move(parsed.superblock),
                               parsed.flags};
    step.options.insert(step.options.end(), parsed.data.begin(), parsed.data.end());
    step.copies_up = parsed.copy_up && mount.type == "tmpfs";
    plan_.steps.push_back(std::move(step));
  }

  void plan_dev() {
    constexpr std::array<std::pair<const char*, const char*>, 6> links{
        {{"/dev/fd", "/proc/self/fd"},
         {"/dev/stdin", "/proc/self/fd/0"},
         {"/dev/stdout", "/proc/self/fd/1"},
         {"/dev/stderr", "/proc/self/fd/2"},
         {"/dev/core", "/proc/kcore"},
         {"/dev/ptmx", "pts/ptmx"}}};
    std::vector<SpecDevice> devices;
    const auto add_device = [&](const SpecDevice& device) {
      // What is a link here is a link, whatever was asked for: /dev/ptmx is the container's own.
      if (std::any_of(links.begin(), links.end(),
                      [&](const auto& link) { return device.path == link.first; })) {
        return;
      }
      const auto same = std::find_if(devices.begin(), devices.end(),
                                     [&](const auto& other) { return other.path == device.path; });
      if (same == devices.end()) {
        devices.push_back(device);
      } else {
        *same = device;
      }
    };
    for (const SpecDevice& device : default_devices()) add_device(device);
    for (const SpecDevice& device : spec_.devices) add_device(device);
    plan_.steps.push_back(step::MakeDevices{std::move(devices)});
    for (const auto& [path, target] : links) plan_.steps.push_back(step::MakeLink{path, target});
    // For the terminal, which comes when nothing can be made here any more.
    if (spec_.process.terminal) plan_.steps.push_back(step::MakeFile{"/dev/console"});
  }

  /// Whether the container's network namespace is not one of a user namespace above its own.
  bool may_mount_sysfs() const {
    return !has_new(spec_, NamespaceKind::user) || has_new(spec_, NamespaceKind::network);
  }

  /// The files need the container's own /dev; the binds may want to lie over them.
  void plan_files() {
    files_planned_ = true;
    for (const SpecFile& file : spec_.files) {
      plan_.steps.push_back(step::ProvideFile{file.path, file.content});
    }
  }

  const Spec& spec_;
  const PlanOptions& options_;
  Plan& plan_;
  bool files_planned_ = false;
  bool proc_planned_ = false;
  bool dev_planned_ = false;
  std::vector<std::string> readonly_;
};

}  // namespace

bool parse_propagation(std::string_view text, MountFlags& flags) {
  for (const PropagationOption& option : k_propagations) {
    bool recursive = false;
    if (!is_option(text, option.name, recursive)) continue;
    flags.propagation = option.flag;
    flags.propagation_recursive = recursive;
    return true;
  }
  return false;
}

HostLink link_of(const Spec& spec) {
  MountFlags flags;
  parse_propagation(spec.rootfs_propagation, flags);
  if (flags.propagation == MS_SHARED) return HostLink::both;
  if (flags.propagation == MS_PRIVATE || flags.propagation == MS_UNBINDABLE) return HostLink::none;
  // Unsaid, an unmount on the host is at least not held up by the container.
  return HostLink::receives;
}

std::vector<std::string> known_mount_options() {
  std::vector<std::string> names{"bind",  "rbind",  "remount",    "tmpcopyup",
                                 "idmap", "ridmap", "norelatime", "iversion"};
  const auto add = [&](std::string_view name) { names.emplace_back(name); };
  for (const AttributeOption& option : k_attributes) {
    add(option.name);
    add(str('r', option.name));
  }
  for (const PropagationOption& option : k_propagations) {
    add(option.name);
    add(str('r', option.name));
  }
  for (const std::string_view name : k_superblock) add(name);
  for (const std::string_view name : k_idle) add(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void plan_mounts(const Spec& spec, const PlanOptions& options, Plan& plan) {
  MountPlanner planner(spec, options, plan);
  planner.plan_all();
  planner.plan_readonly();
}

}  // namespace lade::runner
