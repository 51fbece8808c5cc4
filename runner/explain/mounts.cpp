#include "runner/explain/mounts.hpp"

#include "base/text.hpp"
#include "runner/explain/shell.hpp"
#include "runner/mount_calls.hpp"
#include "runner/octal.hpp"

#include <linux/mount.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace lade::runner {

namespace {

struct AttributeWords {
  std::uint64_t flag;
  std::string_view set;
  std::string_view cleared;
};

constexpr std::array<AttributeWords, 6> k_attributes{{
    {MOUNT_ATTR_RDONLY, "ro", "rw"},
    {MOUNT_ATTR_NOSUID, "nosuid", "suid"},
    {MOUNT_ATTR_NODEV, "nodev", "dev"},
    {MOUNT_ATTR_NOEXEC, "noexec", "exec"},
    {MOUNT_ATTR_NODIRATIME, "nodiratime", "diratime"},
    {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", "symfollow"},
}};

/// ` strict` for a path that may not lead over links.
std::string strictness(const std::string& target) {
  return links_to(target) == Links::refuse ? " strict" : "";
}

std::string directory_line(const std::string& target) {
  return str("directory ", shell_word(target), strictness(target), '\n');
}

/// What remains to be done to the mount on `$place`.
std::string flag_lines(const MountFlags& flags) {
  std::string text;
  const auto deep = mount_words(flags.deep_attributes, flags.deep_cleared);
  const auto own = mount_words(flags.attributes, flags.cleared);
  if (!deep.empty()) text += str("change_mounts \"$place\" ", join(deep, " "), '\n');
  if (!own.empty()) text += str("change_mount \"$place\" ", join(own, " "), '\n');
  const std::string propagation = propagation_word(flags);
  if (!propagation.empty()) text += str("mount ", propagation, " \"$place\"\n");
  return text;
}

std::vector<std::string> option_words(
    const std::vector<std::pair<std::string, std::string>>& options) {
  std::vector<std::string> words;
  for (const auto& [key, value] : options) {
    words.push_back(value.empty() ? key : str(key, '=', value));
  }
  return words;
}

/// ` -o …`; `more` is text for the shell, in double quotes.
std::string option_argument(const std::vector<std::string>& words, const std::string& more = {}) {
  if (words.empty() && more.empty()) return {};
  const std::string list = words.empty() ? "rw" : join(words, ",");
  return str(" -o ", shell_word(list), more.empty() ? "" : str('"', more, '"'));
}

/// Of the attributes of a new mount those that mount(2) has for the mount alone: `ro` would make
/// the file system itself read-only.
std::vector<std::string> new_mount_words(std::uint64_t attributes) {
  return mount_words(attributes & ~std::uint64_t{MOUNT_ATTR_RDONLY}, 0);
}

std::string readonly_line(std::uint64_t attributes) {
  return (attributes & MOUNT_ATTR_RDONLY) != 0 ? "change_mount \"$place\" ro\n" : "";
}

std::string overlay_lines(const OverlayConfig& overlay) {
  std::vector<std::string> numbers;
  for (std::size_t i = 1; i <= overlay.lowers.size(); ++i) numbers.push_back(str(i));
  if (numbers.size() == 1 && overlay.upper.empty()) {
    return "place=$root\nmount -i --bind -- \"$scratch/1\" \"$place\"\nchange_mount \"$place\" "
           "ro\n";
  }
  std::string options = str("lowerdir=", join(numbers, ":"));
  if (!overlay.upper.empty()) options += ",upperdir=upper,workdir=work";
  if (!overlay.upper.empty() && overlay.volatile_upper) options += ",volatile";
  options += ",index=off,xino=off";
  if (overlay.user_xattr) options += ",userxattr";
  std::string text =
      str("place=$root\n(cd -- \"$scratch\" && mount -i -t overlay -o ", options, " none root)\n");
  if (overlay.upper.empty()) text += "change_mount \"$place\" ro\n";
  return text;
}

/// One hierarchy on `$place`.
std::string hierarchy_lines(const CgroupHierarchy& hierarchy, const step::MountCgroups& step) {
  const std::uint64_t attributes = step.flags.attributes | step.flags.deep_attributes;
  if (step.view == CgroupView::of_container) {
    std::string text = "cgroup=\n";
    text += str("own_cgroup ",
                shell_word(hierarchy.version == 2 ? "" : join(hierarchy.controllers, ",")), '\n');
    if (hierarchy.root != "/") text += str("cgroup=${cgroup#", shell_word(hierarchy.root), "}\n");
    text += str("mount -i --bind -- ", shell_word(hierarchy.mount_point),
                "\"/$cgroup\" \"$place\"\nmount --make-private \"$place\"\n");
    const auto words = mount_words(attributes, 0);
    if (!words.empty()) text += str("change_mount \"$place\" ", join(words, " "), '\n');
    return text;
  }
  std::vector<std::string> words = new_mount_words(attributes);
  if (hierarchy.version == 1) {
    words.insert(words.end(), hierarchy.controllers.begin(), hierarchy.controllers.end());
  }
  return str("mount -i -t ", hierarchy.version == 2 ? "cgroup2" : "cgroup", option_argument(words),
             " cgroup \"$place\"\n", readonly_line(attributes));
}

}  // namespace

std::vector<std::string> mount_words(std::uint64_t set, std::uint64_t cleared) {
  std::vector<std::string> words;
  for (const AttributeWords& each : k_attributes) {
    if ((set & each.flag) != 0) words.emplace_back(each.set);
    if ((cleared & each.flag) != 0) words.emplace_back(each.cleared);
  }
  if ((set & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME) {
    words.emplace_back("noatime");
  } else if ((set & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME) {
    words.emplace_back("strictatime");
  } else if ((cleared & MOUNT_ATTR__ATIME) != 0) {
    words.emplace_back("relatime");
  }
  return words;
}

std::string propagation_word(const MountFlags& flags) {
  static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 4> names{{
      {MS_PRIVATE, "private"},
      {MS_SLAVE, "slave"},
      {MS_SHARED, "shared"},
      {MS_UNBINDABLE, "unbindable"},
  }};
  for (const auto& [flag, name] : names) {
    if (flags.propagation == flag) {
      return str(flags.propagation_recursive ? "--make-r" : "--make-", name);
    }
  }
  return {};
}

std::string shell_lines(const step::AttachRoot& step) {
  std::string text;
  if (const auto* directory = std::get_if<RootDirectory>(&step.source)) {
    text = str("mount -i --rbind -- ", shell_word(directory->path), " \"$root\"\n");
  } else {
    text = overlay_lines(std::get<OverlayConfig>(step.source));
  }
  if (step.link == HostLink::none) text += "mount --make-rprivate \"$root\"\n";
  if (step.link == HostLink::receives) text += "mount --make-rslave \"$root\"\n";
  return text;
}

std::string shell_lines(const step::MountFilesystem& step, const std::string& context) {
  const std::uint64_t attributes = step.flags.deep_attributes | step.flags.attributes;
  std::vector<std::string> words = new_mount_words(attributes);
  for (std::string& word : option_words(step.options)) words.push_back(std::move(word));
  const bool has_mode = std::any_of(step.options.begin(), step.options.end(),
                                    [](const auto& option) { return option.first == "mode"; });
  const bool trusted = step.type == "proc" || step.type == "sysfs";
  std::string more = context.empty() ? "" : str("$", context);
  std::string text;
  if (step.type == "tmpfs" && !has_mode) {
    // It looks like the directory that it covers.
    text += str("within ", shell_word(step.target), strictness(step.target),
                "\nmode=\nif [[ -d $place ]]; then mode=,mode=$(stat -c %a -- \"$place\"); fi\n");
    more += "$mode";
  }
  const std::string source = shell_word(step.source.empty() ? "none" : step.source);
  const std::string command =
      str("mount -i -t ", shell_word(step.type), option_argument(words, more), ' ', source, ' ');
  text += trusted ? str("directory ", shell_word(step.target), " strict\n")
                  : directory_line(step.target);
  if (step.copies_up) {
    text += str(command, "\"$scratch/copy\"\ncp -ax -- \"$place/.\" \"$scratch/copy\"\n",
                "mount -i -n --move \"$scratch/copy\" \"$place\"\n");
  } else {
    text += str(command, "\"$place\"\n");
  }
  text += readonly_line(attributes);
  const std::string propagation = propagation_word(step.flags);
  if (!propagation.empty()) text += str("mount ", propagation, " \"$place\"\n");
  return text;
}

std::string shell_lines(const step::MountProc& step) {
  return str("directory ", shell_word(step.target),
             " strict\nmount -i -n --move \"$scratch/proc\" \"$place\"\n", flag_lines(step.flags));
}

std::string shell_lines(const step::MountCgroups& step,
                        const std::vector<CgroupHierarchy>& hierarchies) {
  std::string text = directory_line(step.target);
  if (hierarchies.size() == 1 && hierarchies[0].name.empty()) {
    return text + hierarchy_lines(hierarchies[0], step);
  }
  const std::uint64_t attributes = step.flags.attributes | step.flags.deep_attributes;
  std::vector<std::string> words = new_mount_words(attributes);
  words.emplace_back("mode=755");
  text += str("mount -i -t tmpfs", option_argument(words), " tmpfs \"$place\"\n");
  for (const CgroupHierarchy& hierarchy : hierarchies) {
    if (hierarchy.name.empty()) continue;
    const std::string target = str(step.target, '/', hierarchy.name);
    text += directory_line(target) + hierarchy_lines(hierarchy, step);
    if (hierarchy.name.find(',') == std::string::npos) continue;
    for (const std::string& controller : split(hierarchy.name, ',')) {
      text += str("ln -s -- ", shell_word(hierarchy.name), " \"${place%/*}/\"",
                  shell_word(controller), '\n');
    }
  }
  if ((attributes & MOUNT_ATTR_RDONLY) == 0) return text;
  return str(text, "within ", shell_word(step.target), "\nchange_mount \"$place\" ro\n");
}

std::string shell_lines(const step::BindMount& step) {
  std::string text =
      str("bind ", step.with_submounts ? "--rbind " : "--bind ", shell_word(step.source), ' ',
          shell_word(step.target), strictness(step.target), '\n');
  if (step.link == HostLink::none) text += "mount --make-rprivate \"$place\"\n";
  if (step.link == HostLink::receives) text += "mount --make-rslave \"$place\"\n";
  return text + flag_lines(step.flags);
}

std::string shell_lines(const step::Remount& step) {
  std::string text = str("within ", shell_word(step.target), strictness(step.target), '\n');
  if (!step.options.empty()) {
    text += str("mount -i -o remount,", shell_word(join(option_words(step.options), ",")),
                " \"$place\"\n");
  }
  return text + flag_lines(step.flags);
}

std::string shell_lines(const step::ReadonlyMount& step) {
  return str("within ", shell_word(step.target), strictness(step.target),
             "\nchange_mount \"$place\" ro\n");
}

std::string shell_lines(const step::ProvideFile& step) {
  std::string content = step.content;
  std::string text = str("provide ", shell_word(step.target), strictness(step.target));
  if (!content.ends_with('\n')) {
    return str("printf %s ", shell_word(content), " | ", text, '\n');
  }
  content.pop_back();
  // Line by line, to be read.
  return str("printf '%s\\n' ", shell_words(split(content, '\n')), " | ", text, '\n');
}

std::string shell_lines(const step::MakeDevices& step) {
  std::string text;
  for (const SpecDevice& device : step.devices) {
    text += str("device ", shell_word(device.path), ' ', device.type, ' ', device.major, ' ',
                device.minor, ' ', octal(device.mode), ' ', device.uid, ' ', device.gid, '\n');
  }
  return text;
}

std::string shell_lines(const step::MakeLink& step) {
  return str("symbolic_link ", shell_word(step.path), ' ', shell_word(step.target), '\n');
}

std::string shell_lines(const step::MakeDirectory& step) {
  return str("directory ", shell_word(step.path), '\n');
}

std::string shell_lines(const step::MakeFile& step) {
  return str("file ", shell_word(step.path), " strict\n");
}

std::string shell_lines(const step::MaskPath& step) {
  return str("mask ", shell_word(step.path), '\n');
}

std::string shell_lines(const step::ReadonlyPath& step) {
  return str("make_readonly ", shell_word(step.path), '\n');
}

}  // namespace lade::runner
