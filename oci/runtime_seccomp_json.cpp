// linux.seccomp of the runtime configuration. runtime-spec, config-linux.md "Seccomp".
#include "oci/runtime_json.hpp"

#include <algorithm>

namespace lade {

namespace {

std::string read_action(const JsonNode& node) {
  expect_one_of(node, {"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
                       "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW",
                       "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY"});
  return node.text();
}

/// The number that goes with an action, which is 16 bits to the kernel.
std::optional<std::uint32_t> read_errno(const JsonNode& object, std::string_view name,
                                        const std::string& action) {
  const auto node = object.find(name);
  if (!node) return std::nullopt;
  if (action != "SCMP_ACT_ERRNO" && action != "SCMP_ACT_TRACE") {
    node->fail(str("goes with no ", quoted(action)));
  }
  return number_in<std::uint16_t>(*node);
}

SpecSyscallArgument read_argument(const JsonNode& node) {
  SpecSyscallArgument argument;
  argument.index = get_number<std::uint32_t>(node, "index");
  if (argument.index > 5) node.get("index").fail("is not an integer from 0 to 5");
  argument.value = get_number<std::uint64_t>(node, "value");
  argument.value_two = find_number<std::uint64_t>(node, "valueTwo").value_or(0);
  const JsonNode op = node.get("op");
  expect_one_of(op, {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE",
                     "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"});
  argument.op = op.text();
  return argument;
}

SpecSyscallRule read_rule(const JsonNode& node) {
  SpecSyscallRule rule;
  const JsonNode names = node.get("names");
  rule.names = names.texts();
  if (rule.names.empty()) names.fail("is empty");
  rule.action = read_action(node.get("action"));
  rule.errno_value = read_errno(node, "errnoRet", rule.action);
  for (const JsonNode& argument : find_items(node, "args")) {
    rule.arguments.push_back(read_argument(argument));
  }
  return rule;
}

}  // namespace

SpecSeccomp read_runtime_seccomp(const JsonNode& node) {
  SpecSeccomp seccomp;
  seccomp.default_action = read_action(node.get("defaultAction"));
  // Nobody could answer the calls of the one who is to answer them.
  if (seccomp.default_action == "SCMP_ACT_NOTIFY") {
    node.get("defaultAction").fail("cannot be `SCMP_ACT_NOTIFY`");
  }
  seccomp.default_errno = read_errno(node, "defaultErrnoRet", seccomp.default_action);
  for (const JsonNode& name : find_items(node, "architectures")) {
    expect_one_of(
        name,
        {"SCMP_ARCH_X86",         "SCMP_ARCH_X86_64",      "SCMP_ARCH_X32",    "SCMP_ARCH_ARM",
         "SCMP_ARCH_AARCH64",     "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",   "SCMP_ARCH_MIPS",
         "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
         "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",         "SCMP_ARCH_PPC64",  "SCMP_ARCH_PPC64LE",
         "SCMP_ARCH_S390",        "SCMP_ARCH_S390X",       "SCMP_ARCH_SH",     "SCMP_ARCH_SHEB",
         "SCMP_ARCH_PARISC",      "SCMP_ARCH_PARISC64",    "SCMP_ARCH_RISCV64"});
    seccomp.architectures.push_back(name.text());
  }
  for (const JsonNode& flag : find_items(node, "flags")) {
    expect_one_of(flag,
                  {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                   "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"});
    seccomp.flags.push_back(flag.text());
  }
  seccomp.listener_path = node.find_text("listenerPath");
  seccomp.listener_metadata = node.find_text("listenerMetadata");
  if (!seccomp.listener_metadata.empty() && seccomp.listener_path.empty()) {
    node.get("listenerMetadata").fail("goes with no absent `listenerPath`");
  }
  for (const JsonNode& rule : find_items(node, "syscalls")) {
    seccomp.syscalls.push_back(read_rule(rule));
  }
  const bool notifies =
      std::any_of(seccomp.syscalls.begin(), seccomp.syscalls.end(),
                  [](const SpecSyscallRule& rule) { return rule.action == "SCMP_ACT_NOTIFY"; });
  if (notifies && seccomp.listener_path.empty()) {
    node.fail("notifies nobody: `listenerPath` is missing");
  }
  return seccomp;
}

}  // namespace lade
