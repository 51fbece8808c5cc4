#include "runner/cgroups/settings.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/conversion.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lade::runner {

namespace {

bool is_word(std::string_view text, std::string_view extra) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
}

void convert_pids(CgroupConversion& to, const std::optional<std::int64_t>& limit) {
  if (!limit) return;
  if (*limit <= 0 && !to.find_version_of("pids")) return;  // unlimited it is
  to.version_of("pids", "pids.limit");
  to.add("pids", "pids.limit", "pids.max", *limit <= 0 ? "max" : std::to_string(*limit));
}

void convert_hugepages(CgroupConversion& to, const std::vector<SpecHugepageLimit>& limits) {
  for (const SpecHugepageLimit& limit : limits) {
    const std::string property = "hugepageLimits";
    if (!is_word(limit.page_size, "")) {
      refuse_property(property, str(quoted(limit.page_size), " is no page size"));
    }
    const std::string_view file =
        to.version_of("hugetlb", property) == 1 ? "limit_in_bytes" : "max";
    const std::string value = std::to_string(limit.limit);
    const std::string page = str("hugetlb.", limit.page_size, '.');
    to.add("hugetlb", property, str(page, file), value);
    // Reservations count too, on kernels that can count them (5.7).
    to.add("hugetlb", property, str(page, "rsvd.", file), value).missing =
        CgroupSetting::Missing::nothing;
  }
}

void convert_network(CgroupConversion& to, const SpecNetworkClass& network) {
  if (network.class_id) {
    to.version_of("net_cls", "network.classID");
    to.add("net_cls", "network.classID", "net_cls.classid", std::to_string(*network.class_id));
  }
  for (const auto& [name, priority] : network.priorities) {
    if (!is_word(name, "-_.:@")) {
      refuse_property("network.priorities", str(quoted(name), " is no interface"));
    }
    to.version_of("net_prio", "network.priorities");
    to.add("net_prio", "network.priorities", "net_prio.ifpriomap", str(name, ' ', priority));
  }
}

void convert_rdma(CgroupConversion& to, const std::vector<SpecRdma>& devices) {
  for (const SpecRdma& rdma : devices) {
    if (!is_word(rdma.device, "-_.:")) {
      refuse_property("rdma", str(quoted(rdma.device), " is no device"));
    }
    std::string value = rdma.device;
    if (rdma.hca_handles) value += str(" hca_handle=", *rdma.hca_handles);
    if (rdma.hca_objects) value += str(" hca_object=", *rdma.hca_objects);
    if (value.size() == rdma.device.size()) continue;
    to.version_of("rdma", "rdma");
    to.add("rdma", "rdma", "rdma.max", value);
  }
}

/// linux.resources.unified: files of version 2 by their names.
void convert_unified(CgroupConversion& to,
                     const std::vector<std::pair<std::string, std::string>>& unified) {
  constexpr std::array<std::string_view, 6> no_limits = {"cgroup.procs", "cgroup.threads",
                                                         "cgroup.kill",  "cgroup.freeze",
                                                         "cgroup.type",  "cgroup.subtree_control"};
  if (unified.empty()) return;
  const CgroupHierarchy* hierarchy = to.host().find_unified();
  if (hierarchy == nullptr) {
    throw Error("linux.resources.unified: this host has no cgroup version 2");
  }
  for (const auto& [file, value] : unified) {
    const std::string property = str("unified.", printable(file));
    const auto dot = file.find('.');
    if (!is_word(file, "._-") || dot == std::string::npos || dot == 0) {
      refuse_property(property, "this is no file of a cgroup");
    }
    if (std::ranges::find(no_limits, file) != no_limits.end()) {
      refuse_property(property, "this is no limit");
    }
    const std::string controller = file.substr(0, dot);
    if (controller != "cgroup" &&
        std::ranges::find(hierarchy->controllers, controller) == hierarchy->controllers.end()) {
      throw Error(str("linux.resources.", property, ": cgroup version 2 has no controller ",
                      quoted(controller), " on this host"));
    }
    // A file such as nvme.max has a line for each device.
    for (const std::string& line : split(value, '\n')) {
      if (!line.empty()) to.add(controller, property, file, line);
    }
  }
}

}  // namespace

std::optional<int> CgroupConversion::find_version_of(std::string_view controller) const {
  const CgroupHierarchy* hierarchy = host_.find_controller(controller);
  if (hierarchy == nullptr) return std::nullopt;
  return hierarchy->version;
}

int CgroupConversion::version_of(std::string_view controller, std::string_view property) const {
  const std::optional<int> version = find_version_of(controller);
  if (version) return *version;
  throw Error(str("linux.resources.", property, ": this host has no cgroup controller ",
                  quoted(controller)));
}

CgroupSetting& CgroupConversion::add(std::string controller, std::string property, std::string file,
                                     std::string value) {
  CgroupSetting setting;
  setting.controller = std::move(controller);
  setting.property = std::move(property);
  setting.places.push_back({std::move(file), std::move(value)});
  return add(std::move(setting));
}

CgroupSetting& CgroupConversion::add(CgroupSetting setting) {
  return change_.settings.emplace_back(std::move(setting));
}

void CgroupConversion::warn(std::string_view property, std::string_view why) {
  change_.warnings.push_back(str("linux.resources.", property, ": ", why));
}

void refuse_property(std::string_view property, std::string_view why) {
  throw InvalidData(str("linux.resources.", property, ": ", why));
}

CgroupChange convert_resources(const SpecResources& resources, const CgroupHost& host,
                               const CgroupPresent& present) {
  CgroupConversion conversion(host);
  convert_cpu(conversion, resources.cpu, present);
  convert_pids(conversion, resources.pids_limit);
  convert_block_io(conversion, resources.block_io);
  convert_hugepages(conversion, resources.hugepages);
  convert_network(conversion, resources.network);
  convert_rdma(conversion, resources.rdma);
  convert_memory(conversion, resources.memory, present);
  // Last, so that they win over what was converted.
  convert_unified(conversion, resources.unified);
  return conversion.take();
}

std::vector<std::string> controllers_to_enable(const SpecResources& resources,
                                               const CgroupHost& host) {
  const CgroupHierarchy* unified = host.find_unified();
  if (unified == nullptr) return {};
  std::vector<std::string> wanted;
  if (host.mode == CgroupMode::v2) {
    wanted = {"cpuset", "cpu", "io", "memory", "pids", "hugetlb", "rdma"};
  } else {
    if (!resources.hugepages.empty()) wanted.emplace_back("hugetlb");
    if (!resources.rdma.empty()) wanted.emplace_back("rdma");
  }
  for (const auto& [file, value] : resources.unified)
    wanted.push_back(file.substr(0, file.find('.')));
  std::vector<std::string> enabled;
  for (const std::string& controller : unified->controllers) {
    if (std::ranges::find(wanted, controller) != wanted.end()) enabled.push_back(controller);
  }
  return enabled;
}

}  // namespace lade::runner
