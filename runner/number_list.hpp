// Lists of processors and memory nodes, `0-3,7`, as the bit masks that system calls take.
#pragma once

#include <string_view>
#include <vector>

namespace lade::runner {

/// One bit a number, in the order of sched_setaffinity(2) and set_mempolicy(2).
using BitMask = std::vector<unsigned long>;

/// The numbers of a list; empty for an empty one. Throws InvalidData for what is no list or goes
/// beyond what any kernel counts to (8192).
BitMask parse_number_list(std::string_view text);

}  // namespace lade::runner
