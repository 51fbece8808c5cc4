#include "runner/memory_policy.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/number_list.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <string_view>
#include <utility>

namespace lade::runner {

namespace {

constexpr std::array<std::pair<std::string_view, int>, 10> k_words{
    {{"MPOL_DEFAULT", 0},
     {"MPOL_PREFERRED", 1},
     {"MPOL_BIND", 2},
     {"MPOL_INTERLEAVE", 3},
     {"MPOL_LOCAL", 4},
     {"MPOL_PREFERRED_MANY", 5},
     {"MPOL_WEIGHTED_INTERLEAVE", 6},
     {"MPOL_F_NUMA_BALANCING", 1 << 13},
     {"MPOL_F_RELATIVE_NODES", 1 << 14},
     {"MPOL_F_STATIC_NODES", 1 << 15}}};

int number_of(const std::string& word) {
  const auto* found = std::find_if(k_words.begin(), k_words.end(),
                                   [&](const auto& entry) { return entry.first == word; });
  if (found == k_words.end()) throw UsageError(str("unknown memory policy ", quoted(word)));
  return found->second;
}

}  // namespace

void set_memory_policy(const SpecMemoryPolicy& policy) {
  int mode = number_of(policy.mode);
  for (const std::string& flag : policy.flags) mode |= number_of(flag);
  const BitMask nodes = parse_number_list(policy.nodes);
  // The kernel looks at one bit less than it is told that there are.
  const unsigned long count =
      nodes.empty() ? 0 : nodes.size() * sizeof(unsigned long) * CHAR_BIT + 1;
  check_syscall(
      ::syscall(SYS_set_mempolicy, mode, nodes.empty() ? nullptr : nodes.data(), count), [&] {
        return str("set the memory policy ", policy.mode, " on nodes ", quoted(policy.nodes));
      });
}

}  // namespace lade::runner
