// Device rules as a program of the kernel's BPF machine (BPF_PROG_TYPE_CGROUP_DEVICE).

#include "runner/cgroups/device_rules.hpp"

#include <linux/bpf.h>

#include <cstddef>

namespace lade::runner {

namespace {

// What the program keeps where; the kernel passes its context in the first.
constexpr std::uint8_t k_result = BPF_REG_0;
constexpr std::uint8_t k_context = BPF_REG_1;
constexpr std::uint8_t k_type = BPF_REG_2;
constexpr std::uint8_t k_access = BPF_REG_3;
constexpr std::uint8_t k_major = BPF_REG_4;
constexpr std::uint8_t k_minor = BPF_REG_5;
constexpr std::uint8_t k_scratch = BPF_REG_6;

std::uint8_t registers(std::uint8_t destination, std::uint8_t source = 0) {
  return static_cast<std::uint8_t>(destination | (source << 4));
}

BpfInstruction load(std::uint8_t to, std::size_t offset) {
  return {BPF_LDX | BPF_MEM | BPF_W, registers(to, k_context), static_cast<std::int16_t>(offset),
          0};
}

BpfInstruction compute(int operation, std::uint8_t on, std::int32_t immediate) {
  return {static_cast<std::uint8_t>(BPF_ALU | BPF_K | operation), registers(on), 0, immediate};
}

BpfInstruction copy(std::uint8_t to, std::uint8_t from) {
  return {BPF_ALU | BPF_X | BPF_MOV, registers(to, from), 0, 0};
}

/// Jumps over what is to be patched in later.
BpfInstruction jump(int condition, std::uint8_t on, std::int32_t immediate) {
  return {static_cast<std::uint8_t>(BPF_JMP | BPF_K | condition), registers(on), 0, immediate};
}

void add_answer(std::vector<BpfInstruction>& program, bool allow) {
  program.push_back({BPF_ALU64 | BPF_K | BPF_MOV, registers(k_result), 0, allow ? 1 : 0});
  program.push_back({BPF_JMP | BPF_EXIT, 0, 0, 0});
}

/// Answers if the rule decides what is asked, or the last of it; falls through otherwise.
void add_rule(std::vector<BpfInstruction>& program, const DeviceException& rule) {
  std::vector<std::size_t> past;
  const auto leave_if = [&](int condition, std::uint8_t on, std::int64_t value) {
    past.push_back(program.size());
    program.push_back(jump(condition, on, static_cast<std::int32_t>(value)));
  };
  leave_if(BPF_JNE, k_type, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  if (rule.major) leave_if(BPF_JNE, k_major, *rule.major);
  if (rule.minor) leave_if(BPF_JNE, k_minor, *rule.minor);
  if (rule.allow) {
    // What this allows needs no other rule; the rest still does.
    program.push_back(compute(BPF_AND, k_access, static_cast<std::int32_t>(~rule.access & 7U)));
    leave_if(BPF_JNE, k_access, 0);
  } else {
    program.push_back(copy(k_scratch, k_access));
    program.push_back(compute(BPF_AND, k_scratch, static_cast<std::int32_t>(rule.access)));
    leave_if(BPF_JEQ, k_scratch, 0);
  }
  add_answer(program, rule.allow);
  for (const std::size_t at : past) {
    program[at].offset = static_cast<std::int16_t>(program.size() - at - 1);
  }
}

}  // namespace

std::vector<BpfInstruction> device_program(const DevicePolicy& policy) {
  static_assert(k_device_mknod == unsigned{BPF_DEVCG_ACC_MKNOD} &&
                k_device_read == unsigned{BPF_DEVCG_ACC_READ} &&
                k_device_write == unsigned{BPF_DEVCG_ACC_WRITE});
  std::vector<BpfInstruction> program = {
      load(k_type, offsetof(bpf_cgroup_dev_ctx, access_type)),
      copy(k_access, k_type),
      compute(BPF_AND, k_type, 0xFFFF),
      compute(BPF_RSH, k_access, 16),
      load(k_major, offsetof(bpf_cgroup_dev_ctx, major)),
      load(k_minor, offsetof(bpf_cgroup_dev_ctx, minor)),
  };
  for (auto rule = policy.rules.rbegin(); rule != policy.rules.rend(); ++rule) {
    add_rule(program, *rule);
  }
  add_answer(program, policy.allow_by_default);
  return program;
}

}  // namespace lade::runner
