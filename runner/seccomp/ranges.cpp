#include "runner/seccomp/ranges.hpp"

#include "base/error.hpp"

#include <linux/bpf_common.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

namespace lade::runner {

namespace {

constexpr std::uint16_t k_load = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t k_return = BPF_RET | BPF_K;
constexpr std::uint16_t k_jump = BPF_JMP | BPF_JA;
constexpr std::uint16_t k_equal = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t k_more = BPF_JMP | BPF_JGT | BPF_K;
constexpr std::uint16_t k_at_least = BPF_JMP | BPF_JGE | BPF_K;
constexpr std::uint32_t k_number_at = offsetof(seccomp_data, nr);
constexpr std::uint32_t k_architecture_at = offsetof(seccomp_data, arch);
constexpr std::size_t k_longest_jump = 255;

InvalidData foreign() {
  return InvalidData("system call filter: not of the kind that libseccomp writes");
}

/// What a program does once it knows architecture and number: it returns a value, or looks at the
/// arguments from an instruction on.
struct Outcome {
  bool is_answer = true;
  std::uint32_t value = 0;  ///< the answer, or the instruction's index

  bool operator==(const Outcome&) const = default;
};

/// An outcome for all numbers from `first` to the one before the next range.
struct Range {
  std::uint32_t first = 0;
  Outcome outcome;
};

/// The two words by which a call is sorted.
enum class Word { architecture, number };

/// Runs a program on a call of which only architecture and number are known, as far as that goes,
/// and notes the architectures at which a comparison changes its result.
class Walk {
 public:
  explicit Walk(const SeccompProgram& program) : program_(program) {}

  Outcome run(std::uint32_t architecture, std::uint32_t number) {
    std::optional<Word> loaded;
    for (std::size_t at = 0; at < program_.size(); ++at) {
      const sock_filter& each = program_[at];
      if (each.code == k_return) return {true, each.k};
      if (each.code == k_jump) {
        at += each.k;
      } else if (each.code == k_load) {
        if (each.k != k_architecture_at && each.k != k_number_at) {
          return {false, static_cast<std::uint32_t>(at)};
        }
        loaded = each.k == k_architecture_at ? Word::architecture : Word::number;
      } else if (loaded == Word::architecture) {
        add_changes(each, architectures_);
        at += compare(each, architecture) ? each.jt : each.jf;
      } else if (loaded == Word::number) {
        at += compare(each, number) ? each.jt : each.jf;
      } else {
        throw foreign();
      }
    }
    throw foreign();
  }

  const std::set<std::uint32_t>& architectures() const { return architectures_; }

  /// The values at which a comparison changes its result.
  static void add_changes(const sock_filter& each, std::set<std::uint32_t>& changes) {
    const bool from_itself = each.code == k_equal || each.code == k_at_least;
    const bool from_the_next = each.code == k_equal || each.code == k_more;
    if (from_itself) changes.insert(each.k);
    if (from_the_next) changes.insert(each.k + 1);
  }

 private:
  static bool compare(const sock_filter& each, std::uint32_t value) {
    switch (each.code) {
      case k_equal:
        return value == each.k;
      case k_more:
        return value > each.k;
      case k_at_least:
        return value >= each.k;
      default:
        throw foreign();
    }
  }

  const SeccompProgram& program_;
  std::set<std::uint32_t> architectures_{0};  // which is also what follows the largest value
};

/// Where ranges of numbers may begin: more values do no harm, as equal neighbours become one.
std::set<std::uint32_t> find_numbers(const SeccompProgram& program) {
  std::set<std::uint32_t> numbers{0};
  for (const sock_filter& each : program) Walk::add_changes(each, numbers);
  return numbers;
}

/// The architectures are found by walking through all that are known, until no walk finds another.
void find_architectures(Walk& walk, const std::set<std::uint32_t>& numbers) {
  std::size_t known = 0;
  while (known != walk.architectures().size()) {
    const std::set<std::uint32_t> architectures = walk.architectures();
    known = architectures.size();
    for (const std::uint32_t architecture : architectures) {
      for (const std::uint32_t number : numbers) walk.run(architecture, number);
    }
  }
}

std::vector<Range> ranges_of(Walk& walk, std::uint32_t architecture,
                             const std::set<std::uint32_t>& numbers) {
  std::vector<Range> ranges;
  for (const std::uint32_t first : numbers) {
    const Outcome outcome = walk.run(architecture, first);
    if (ranges.empty() || ranges.back().outcome != outcome) ranges.push_back({first, outcome});
  }
  return ranges;
}

/// The instructions of a program that can be reached from one of them, with their jumps.
class Tail {
 public:
  Tail(const SeccompProgram& program, std::size_t from) : program_(program) { reach(from); }

  /// Classic programs only jump forward, so their order stays what it was.
  SeccompProgram take() const {
    SeccompProgram taken;
    for (const auto& [index, position] : positions_) {
      sock_filter each = program_[index];
      const auto distance = [&, at = position, old = index](std::size_t jump) {
        return positions_.at(old + 1 + jump) - at - 1;
      };
      if (each.code == k_jump) {
        each.k = static_cast<std::uint32_t>(distance(each.k));
      } else if (BPF_CLASS(each.code) == BPF_JMP) {
        each.jt = static_cast<std::uint8_t>(distance(each.jt));
        each.jf = static_cast<std::uint8_t>(distance(each.jf));
      }
      taken.push_back(each);
    }
    return taken;
  }

 private:
  void reach(std::size_t from) {
    std::set<std::size_t> waiting{from};
    while (!waiting.empty()) {
      const std::size_t index = *waiting.begin();
      waiting.erase(waiting.begin());
      if (index >= program_.size()) throw foreign();
      positions_[index] = positions_.size();
      const sock_filter& each = program_[index];
      if (each.code == k_jump) {
        waiting.insert(index + 1 + each.k);
      } else if (BPF_CLASS(each.code) == BPF_JMP) {
        waiting.insert({index + 1 + each.jt, index + 1 + each.jf});
      } else if (BPF_CLASS(each.code) != BPF_RET) {
        waiting.insert(index + 1);
      }
    }
  }

  const SeccompProgram& program_;
  std::map<std::size_t, std::size_t> positions_;  ///< by the index in the whole program
};

/// Writes a program. What looks at arguments comes last, once for all that lead there.
class Writer {
 public:
  void load(Word word) { add(k_load, word == Word::number ? k_number_at : k_architecture_at); }

  /// A search by number, if the word that is loaded is `value`.
  void if_equal(std::uint32_t value, const std::vector<Range>& ranges) {
    const std::size_t size = 1 + size_of(ranges);
    add(k_equal, value, 1, 0);
    add(k_jump, static_cast<std::uint32_t>(size));
    load(Word::number);
    search(ranges);
  }

  /// A binary search.
  void search(std::span<const Range> ranges) {
    if (ranges.size() == 1) return leave(ranges.front().outcome);
    const std::size_t middle = ranges.size() / 2;
    const std::span<const Range> below = ranges.first(middle);
    const std::size_t size = size_of(below);
    if (size <= k_longest_jump) {
      add(k_at_least, ranges[middle].first, size, 0);
    } else {
      add(k_at_least, ranges[middle].first, 0, 1);
      add(k_jump, static_cast<std::uint32_t>(size));
    }
    search(below);
    search(ranges.subspan(middle));
  }

  SeccompProgram finish(const SeccompProgram& program) {
    std::map<std::uint32_t, std::size_t> starts;
    for (const auto& [from, target] : pending_) {
      if (starts.contains(target)) continue;
      starts[target] = written_.size();
      const SeccompProgram tail = Tail(program, target).take();
      written_.insert(written_.end(), tail.begin(), tail.end());
    }
    for (const auto& [from, target] : pending_) {
      written_[from].k = static_cast<std::uint32_t>(starts.at(target) - from - 1);
    }
    return std::move(written_);
  }

 private:
  static std::size_t size_of(std::span<const Range> ranges) {
    if (ranges.size() == 1) return 1;
    const std::size_t below = size_of(ranges.first(ranges.size() / 2));
    return (below <= k_longest_jump ? 1 : 2) + below + size_of(ranges.subspan(ranges.size() / 2));
  }

  void leave(const Outcome& outcome) {
    if (outcome.is_answer) return add(k_return, outcome.value);
    pending_.emplace_back(written_.size(), outcome.value);
    add(k_jump, 0);
  }

  void add(std::uint16_t code, std::uint32_t value, std::size_t yes = 0, std::size_t no = 0) {
    written_.push_back(
        {code, static_cast<std::uint8_t>(yes), static_cast<std::uint8_t>(no), value});
  }

  SeccompProgram written_;
  std::vector<std::pair<std::size_t, std::uint32_t>> pending_;  ///< jumps to tails
};

SeccompProgram rewrite(const SeccompProgram& program) {
  const std::set<std::uint32_t> numbers = find_numbers(program);
  Walk walk(program);
  find_architectures(walk, numbers);
  Writer writer;
  writer.load(Word::architecture);
  std::optional<std::vector<Range>> others;
  const std::set<std::uint32_t> architectures = walk.architectures();
  for (const std::uint32_t architecture : architectures) {
    std::vector<Range> ranges = ranges_of(walk, architecture, numbers);
    // Programs compare architectures for equality: what is not one value is all the others.
    const auto next = architectures.upper_bound(architecture);
    if (next != architectures.end() && *next == architecture + 1) {
      writer.if_equal(architecture, ranges);
    } else if (!others) {
      others = std::move(ranges);
    } else if (!std::ranges::equal(*others, ranges, [](const Range& a, const Range& b) {
                 return a.first == b.first && a.outcome == b.outcome;
               })) {
      throw foreign();
    }
  }
  if (!others) throw foreign();
  writer.load(Word::number);
  writer.search(*others);
  return writer.finish(program);
}

}  // namespace

SeccompProgram with_ranges(const SeccompProgram& program) {
  try {
    SeccompProgram shorter = rewrite(program);
    return shorter.size() < program.size() ? shorter : program;
  } catch (const InvalidData&) {
    return program;
  }
}

}  // namespace lade::runner
