#include "runner/resctrl.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

namespace lade::runner {

namespace {

/// The lines that make up the class's schemata; the L3 and MB lines are those of older documents.
std::string schemata_of(const SpecIntelRdt& rdt) {
  std::vector<std::string> lines;
  if (!rdt.l3_cache_schema.empty()) lines.push_back(rdt.l3_cache_schema);
  if (!rdt.mem_bw_schema.empty()) lines.push_back(rdt.mem_bw_schema);
  lines.insert(lines.end(), rdt.schemata.begin(), rdt.schemata.end());
  return lines.empty() ? std::string() : str(join(lines, "\n"), '\n');
}

void write_file(const std::string& path, const std::string& text) {
  write_all(open_file(path, O_WRONLY | O_TRUNC), as_bytes(text), path);
}

void make_group(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return;
  throw SystemError(errno, str("make ", quoted(path)));
}

std::string group_name(const SpecIntelRdt& rdt, const std::string& container) {
  return rdt.clos_id.empty() ? container : rdt.clos_id;
}

std::string host_mount() {
  constexpr std::size_t k_cap = 16 * 1024 * 1024;
  return find_resctrl(read_file("/proc/self/mountinfo", k_cap));
}

}  // namespace

std::string find_resctrl(std::string_view mountinfo) {
  for (const std::string& line : split(mountinfo, '\n')) {
    // `36 35 98:0 / /mount/point rw shared:1 - type source options`
    const std::vector<std::string> words = split(line, ' ');
    for (std::size_t at = 6; at + 1 < words.size(); ++at) {
      if (words[at] != "-") continue;
      if (words[at + 1] == "resctrl") return words[4];
      break;
    }
  }
  return {};
}

void join_resctrl(const SpecIntelRdt& rdt, const std::string& mount, const std::string& container,
                  pid_t pid) {
  const std::string name = group_name(rdt, container);
  const std::string what = str("join the class of service ", quoted(name));
  if (mount.empty()) throw Error(str("linux.intelRdt: this host has no resctrl mounted"));
  const std::string schemata = schemata_of(rdt);
  const std::string path = str(mount, '/', name);
  in_context([&] { return what; },
             [&] {
               const bool exists = ::access(path.c_str(), F_OK) == 0;
               if (!exists && !rdt.clos_id.empty() && schemata.empty()) {
                 throw NotFound("there is none of this name, and nothing to make one of");
               }
               make_group(path);
               if (!schemata.empty()) write_file(path + "/schemata", schemata);
               write_file(path + "/tasks", str(pid, '\n'));
               if (!rdt.enable_monitoring) return;
               const std::string monitor = str(path, "/mon_groups/", container);
               make_group(monitor);
               write_file(monitor + "/tasks", str(pid, '\n'));
             });
}

void leave_resctrl(const SpecIntelRdt& rdt, const std::string& mount,
                   const std::string& container) {
  if (mount.empty()) return;
  const std::string path = str(mount, '/', group_name(rdt, container));
  if (rdt.enable_monitoring) ::rmdir(str(path, "/mon_groups/", container).c_str());
  // A class with a name of its own may be others', too.
  if (rdt.clos_id.empty()) ::rmdir(path.c_str());
}

void join_resctrl(const SpecIntelRdt& rdt, const std::string& container, pid_t pid) {
  join_resctrl(rdt, host_mount(), container, pid);
}

void leave_resctrl(const SpecIntelRdt& rdt, const std::string& container) {
  leave_resctrl(rdt, host_mount(), container);
}

}  // namespace lade::runner
