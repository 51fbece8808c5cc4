#include "oci/runtime_spec.hpp"
#include "runner/defaults.hpp"
#include "runner/seccomp/compile.hpp"
#include "runner/seccomp/ranges.hpp"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <array>
#include <cstring>
#include <set>

namespace lade::runner {
namespace {

/// What the kernel would answer, instruction by instruction.
std::uint32_t answer(const SeccompProgram& program, const seccomp_data& call) {
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& each = program[at];
    const auto jump = [&](bool yes) { at += yes ? each.jt : each.jf; };
    switch (each.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, reinterpret_cast<const char*>(&call) + each.k, sizeof a);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= each.k;
        break;
      case BPF_JMP | BPF_JA:
        at += each.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump(a == each.k);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        jump(a > each.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        jump(a >= each.k);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        jump((a & each.k) != 0);
        break;
      case BPF_RET | BPF_K:
        return each.k;
      default:
        ADD_FAILURE() << "instruction " << at << ": code " << each.code;
        return 0;
    }
  }
  ADD_FAILURE() << "no answer";
  return 0;
}

/// The numbers at which two programs could differ: all that calls have, and around all that is
/// compared.
std::set<std::uint32_t> numbers_of(const SeccompProgram& program) {
  std::set<std::uint32_t> numbers;
  for (std::uint32_t number = 0; number < 1200; ++number) {
    numbers.insert({number, number | 0x40000000, ~number});
  }
  for (const sock_filter& each : program) {
    if (BPF_CLASS(each.code) == BPF_JMP) numbers.insert({each.k - 1, each.k, each.k + 1});
  }
  return numbers;
}

const std::vector<std::uint64_t> k_arguments{
    0, 1, 2, 8, 40, 41, 0x20000, 0x10000000, 0x7e020000, 0xffffffff, 0x100000000, ~0ULL};

void expect_same_answers(const SeccompProgram& one, const SeccompProgram& other,
                         const std::vector<std::uint64_t>& arguments = k_arguments) {
  for (const std::uint32_t architecture :
       std::array<std::uint32_t, 6>{AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0U,
                                    AUDIT_ARCH_X86_64 + 1U, ~0U}) {
    for (const std::uint32_t number : numbers_of(one)) {
      for (const std::uint64_t argument : arguments) {
        seccomp_data call{};
        call.arch = architecture;
        call.nr = static_cast<int>(number);
        for (auto& each : call.args) each = argument;
        const std::uint32_t wanted = answer(one, call);
        ASSERT_EQ(answer(other, call), wanted)
            << "architecture " << architecture << " call " << number << " argument " << argument;
      }
    }
  }
}

SpecSyscallRule rule(std::vector<std::string> names, std::string action) {
  SpecSyscallRule made;
  made.names = std::move(names);
  made.action = std::move(action);
  return made;
}

/// A filter in which neighbours have different answers, some by their arguments, for three
/// architectures.
SpecSeccomp varied_filter() {
  SpecSeccomp filter;
  filter.default_action = "SCMP_ACT_ERRNO";
  filter.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  filter.syscalls = {
      rule({"read", "close", "mmap", "mprotect", "munmap", "brk", "futex"}, "SCMP_ACT_ALLOW"),
      rule({"write", "ioctl", "poll", "getcwd", "mount"}, "SCMP_ACT_KILL"),
      rule({"personality"}, "SCMP_ACT_ALLOW"), rule({"clone"}, "SCMP_ACT_ALLOW"),
      rule({"socket"}, "SCMP_ACT_LOG")};
  filter.syscalls[2].arguments = {{0, 8, 0, "SCMP_CMP_EQ"}};
  filter.syscalls[3].arguments = {{0, 0x7e020000, 0, "SCMP_CMP_MASKED_EQ"}};
  filter.syscalls[4].arguments = {{0, 40, 0, "SCMP_CMP_LT"}, {1, 1, 0, "SCMP_CMP_NE"}};
  return filter;
}

/// The same calls, one comparison each, as a list: what a program of libseccomp's looks like
/// without its tree.
SeccompProgram listed(std::uint32_t calls) {
  SeccompProgram program{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)}};
  for (std::uint32_t number = 0; number < calls; ++number) {
    if (number % 3 == 1 && number < 300) continue;
    program.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number});
    program.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (number / 3)});
  }
  program.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW});
  return program;
}

TEST(SeccompRanges, AnswerAsTheComparisonsDid) {
  // The hundreds of ranges of this one need jumps that are longer than a byte says.
  const SeccompProgram program = listed(900);
  const SeccompProgram shorter = with_ranges(program);
  EXPECT_LT(shorter.size(), program.size());
  EXPECT_GT(shorter.size(), 512U);
  expect_same_answers(program, shorter, {0});
}

TEST(SeccompRanges, AnswerAsTheFiltersOfSpecifications) {
  const SeccompProgram program = compile_seccomp(varied_filter());
  expect_same_answers(program, with_ranges(program));
}

TEST(SeccompRanges, AnswerAsTheDefaultProfile) {
  for (const std::vector<std::string>& capabilities :
       {default_capabilities(), std::vector<std::string>{"CAP_SYS_ADMIN", "CAP_NET_ADMIN"}}) {
    const SeccompProgram program = compile_seccomp_profile(capabilities);
    const SeccompProgram shorter = with_ranges(program);
    EXPECT_LT(shorter.size(), program.size() / 2);
    expect_same_answers(program, shorter);
  }
}

TEST(SeccompRanges, LookAtArgumentsAsBefore) {
  // Number 3 is allowed if its first argument is 40; of the second architecture, all numbers are.
  const SeccompProgram program{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, arch)},
                               {BPF_JMP | BPF_JEQ | BPF_K, 2, 0, AUDIT_ARCH_X86_64},
                               {BPF_JMP | BPF_JEQ | BPF_K, 11, 0, AUDIT_ARCH_I386},
                               {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS},
                               {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                               {BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 1},
                               {BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 2},
                               {BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 3},
                               {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args[0])},
                               {BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 40},
                               {BPF_JMP | BPF_JA, 0, 0, 1},
                               {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_LOG},
                               {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | 1},
                               {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
                               {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  const SeccompProgram shorter = with_ranges(program);
  expect_same_answers(program, shorter);
}

TEST(SeccompRanges, LeaveWhatTheyDoNotKnow) {
  // A comparison of bits has no ranges.
  const SeccompProgram program{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                               {BPF_JMP | BPF_JSET | BPF_K, 0, 1, 1},
                               {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_LOG},
                               {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  EXPECT_EQ(with_ranges(program).size(), program.size());
  EXPECT_TRUE(with_ranges({}).empty());
}

}  // namespace
}  // namespace lade::runner
