// Telling the kernel which devices a container may use.

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "runner/cgroups/control.hpp"
#include "runner/cgroups/device_rules.hpp"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lade::runner {

namespace {

long bpf(int command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

__u64 address_of(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

/// All lines through two descriptors.
void write_lines(const Directory& cgroup, const std::vector<DeviceLine>& lines) {
  Fd allow;
  Fd deny;
  for (const DeviceLine& line : lines) {
    const std::string file = line.allow ? "devices.allow" : "devices.deny";
    Fd& fd = line.allow ? allow : deny;
    if (!fd.valid()) fd = cgroup.open_file(file, O_WRONLY);
    check_syscall(::write(fd.get(), line.text.data(), line.text.size()), [&] {
      return str("linux.resources.devices: write ", quoted(line.text), " to ",
                 quoted(cgroup.path_of(file)));
    });
  }
}

Fd load_program(const std::vector<BpfInstruction>& program) {
  static_assert(sizeof(BpfInstruction) == sizeof(bpf_insn));
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = address_of(program.data());
  attributes.insn_cnt = static_cast<__u32>(program.size());
  attributes.license = address_of("GPL");
  std::memcpy(attributes.prog_name, "lade_devices", sizeof "lade_devices");
  return Fd(static_cast<int>(check_syscall(bpf(BPF_PROG_LOAD, attributes),
                                           [] { return std::string("load device rules"); })));
}

/// The programs that are attached to a cgroup itself.
std::vector<Fd> attached_programs(const Directory& cgroup) {
  std::array<__u32, 64> ids{};
  bpf_attr query{};
  query.query.target_fd = static_cast<__u32>(cgroup.fd());
  query.query.attach_type = BPF_CGROUP_DEVICE;
  query.query.prog_ids = address_of(ids.data());
  query.query.prog_cnt = ids.size();
  check_syscall(bpf(BPF_PROG_QUERY, query),
                [&] { return str("list the device rules of ", quoted(cgroup.path())); });
  std::vector<Fd> programs;
  for (std::size_t i = 0; i < query.query.prog_cnt; ++i) {
    bpf_attr by_id{};
    by_id.prog_id = ids[i];
    Fd program(static_cast<int>(bpf(BPF_PROG_GET_FD_BY_ID, by_id)));
    // Gone between the two calls.
    if (!program.valid() && errno == ENOENT) continue;
    if (!program.valid()) throw SystemError(errno, "open the device rules in force");
    programs.push_back(std::move(program));
  }
  return programs;
}

/// Puts `program` in the place of all that is attached, with no moment at which nothing is.
void attach_program(const Directory& cgroup, const Fd& program) {
  const std::vector<Fd> old = attached_programs(cgroup);
  bpf_attr attach{};
  attach.target_fd = static_cast<__u32>(cgroup.fd());
  attach.attach_bpf_fd = static_cast<__u32>(program.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (old.size() == 1) {
    attach.attach_flags |= BPF_F_REPLACE;
    attach.replace_bpf_fd = static_cast<__u32>(old.front().get());
  }
  check_syscall(bpf(BPF_PROG_ATTACH, attach),
                [&] { return str("attach device rules to ", quoted(cgroup.path())); });
  if (old.size() == 1) return;
  for (const Fd& one : old) {
    bpf_attr detach{};
    detach.target_fd = static_cast<__u32>(cgroup.fd());
    detach.attach_bpf_fd = static_cast<__u32>(one.get());
    detach.attach_type = BPF_CGROUP_DEVICE;
    check_syscall(bpf(BPF_PROG_DETACH, detach),
                  [&] { return str("detach old device rules of ", quoted(cgroup.path())); });
  }
}

}  // namespace

void Cgroup::apply_devices(const std::vector<SpecDeviceRule>& rules) const {
  if (rules.empty()) return;
  const DevicePolicy policy = make_device_policy(rules);
  const Member* v1 = find_member("devices");
  const auto lines = v1 == nullptr ? std::nullopt : device_lines(policy);
  if (lines) {
    write_lines(v1->directory, *lines);
    return;
  }
  const Member* v2 = find_unified();
  if (v2 == nullptr) {
    throw Error(v1 == nullptr
                    ? "linux.resources.devices: there is no cgroup here that could restrict devices"
                    : "linux.resources.devices: cgroup version 1 cannot deny a part of what an "
                      "earlier rule allows");
  }
  in_context([] { return std::string("linux.resources.devices"); },
             [&] { attach_program(v2->directory, load_program(device_program(policy))); });
}

}  // namespace lade::runner
