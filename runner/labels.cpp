#include "runner/labels.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/proc_files.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace lade::runner {

namespace {

void write_attribute(const Fd& proc, const char* name, const std::string& text,
                     const std::string& what) {
  const std::string path = str("thread-self/attr/", name);
  in_context([&] { return what; },
             [&] { write_all(open_in_proc(proc, path, O_WRONLY), as_bytes(text), path); });
}

void set_apparmor(const Fd& proc, const std::string& profile) {
  const bool has_apparmor = find_in_proc(proc, "thread-self/attr/apparmor", O_PATH).has_value();
  const std::string what = str("set the AppArmor profile ", quoted(profile));
  if (!has_apparmor) {
    if (profile == "unconfined") return;
    throw Error(str(what, ": this host has no AppArmor"));
  }
  write_attribute(proc, "apparmor/exec", str("exec ", profile), what);
}

void set_selinux(const Fd& proc, const std::string& label) {
  const std::string what = str("set the SELinux label ", quoted(label));
  if (!has_selinux(proc)) throw Error(str(what, ": this host has no SELinux"));
  write_attribute(proc, "exec", label, what);
}

}  // namespace

void set_labels(const Fd& proc, const step::SetLabels& step) {
  if (!step.apparmor_profile.empty()) set_apparmor(proc, step.apparmor_profile);
  if (!step.selinux_label.empty()) set_selinux(proc, step.selinux_label);
}

bool has_selinux(const Fd& proc) {
  constexpr std::size_t k_cap = 256 * 1024;
  const Fd file = open_in_proc(proc, "filesystems", O_RDONLY);
  return read_whole(file, k_cap, "/proc/filesystems").find("\tselinuxfs\n") != std::string::npos;
}

bool takes_label(const std::string& type) {
  return type != "proc" && type != "sysfs" && type != "mqueue";
}

}  // namespace lade::runner
