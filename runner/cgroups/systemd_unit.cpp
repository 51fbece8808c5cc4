#include "runner/cgroups/systemd_unit.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/settings.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

namespace lade::runner {

namespace {

constexpr std::uint64_t k_infinity = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t k_longest_unit = 255;
/// Processors and memory nodes are named in a bit each.
constexpr std::size_t k_most_bits = 8192;

[[noreturn]] void refuse(std::string_view path, std::string_view why) {
  throw InvalidData(str("linux.cgroupsPath ", quoted(path), ": ", why));
}

/// systemd.unit(5): what may stand in a name. Not the `\` of its escapes, which nobody needs here.
bool is_unit_name(std::string_view name) {
  const auto is_valid = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '-' || c == '_' || c == '.' || c == '@';
  };
  return !name.empty() && name.size() <= k_longest_unit && std::ranges::all_of(name, is_valid);
}

/// A limit of the specification, in which -1 is none.
std::uint64_t limit_of(std::int64_t number) {
  return number < 0 ? k_infinity : static_cast<std::uint64_t>(number);
}

/// `0-2,7` as bits, the lowest first.
std::vector<std::uint8_t> bits_of(const std::string& list, std::string_view property) {
  std::vector<std::uint8_t> bits;
  const auto refuse_list = [&] {
    throw InvalidData(str("linux.resources.", property, ": ", quoted(list), " is no list"));
  };
  for (const std::string& range : split(list, ',')) {
    const auto dash = range.find('-');
    const auto first = parse_number<std::size_t>(range.substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : parse_number<std::size_t>(range.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= k_most_bits) refuse_list();
    if (bits.size() <= *last / 8) bits.resize(*last / 8 + 1);
    for (auto at = *first; at <= *last; ++at) {
      bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] | (1U << at % 8));
    }
  }
  return bits;
}

/// Collects properties.
class Limits {
 public:
  void add(std::string name, SystemdProperty::Value value) {
    found_.push_back({std::move(name), std::move(value)});
  }
  std::vector<SystemdProperty> take() { return std::move(found_); }

 private:
  std::vector<SystemdProperty> found_;
};

void add_quota(const SpecCpu& cpu, Limits& to) {
  if (cpu.period) to.add("CPUQuotaPeriodUSec", *cpu.period);
  if (!cpu.quota) return;
  if (*cpu.quota <= 0) return to.add("CPUQuotaPerSecUSec", k_infinity);
  constexpr std::uint64_t second = 1'000'000;
  constexpr std::uint64_t step = 10'000;  // systemd counts in hundredths, and would round down
  const std::uint64_t period = cpu.period.value_or(100'000);
  if (period == 0) return;
  const std::uint64_t each = static_cast<std::uint64_t>(*cpu.quota) * second / period;
  to.add("CPUQuotaPerSecUSec", (each + step - 1) / step * step);
}

void add_of_version_1(const SpecResources& resources, Limits& to) {
  if (resources.memory.limit) to.add("MemoryLimit", limit_of(*resources.memory.limit));
  if (resources.cpu.shares) to.add("CPUShares", *resources.cpu.shares);
  if (resources.block_io.weight) {
    to.add("BlockIOWeight", std::uint64_t{*resources.block_io.weight});
  }
}

/// linux.resources.unified: of the files that systemd has a property for.
void add_unified(const SpecResources& resources, Limits& to) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> known{{
      {"cpu.weight", "CPUWeight"},
      {"memory.high", "MemoryHigh"},
      {"memory.low", "MemoryLow"},
      {"memory.max", "MemoryMax"},
      {"memory.min", "MemoryMin"},
      {"memory.swap.max", "MemorySwapMax"},
      {"pids.max", "TasksMax"},
  }};
  for (const auto& [file, text] : resources.unified) {
    for (const auto& [name, property] : known) {
      if (file != name) continue;
      const auto number = text == "max" ? k_infinity : parse_number<std::uint64_t>(text);
      if (number) to.add(std::string(property), *number);
    }
  }
}

void add_of_version_2(const SpecResources& resources, Limits& to) {
  const SpecMemory& memory = resources.memory;
  if (memory.limit) to.add("MemoryMax", limit_of(*memory.limit));
  if (memory.reservation) to.add("MemoryLow", limit_of(*memory.reservation));
  if (memory.swap && *memory.swap < 0) to.add("MemorySwapMax", k_infinity);
  if (memory.swap && *memory.swap >= 0 && memory.limit && *memory.limit >= 0) {
    to.add("MemorySwapMax", limit_of(std::max<std::int64_t>(*memory.swap - *memory.limit, 0)));
  }
  if (resources.cpu.shares && *resources.cpu.shares > 0) {
    to.add("CPUWeight", weight_of_shares(*resources.cpu.shares));
  }
  if (!resources.cpu.cpus.empty()) to.add("AllowedCPUs", bits_of(resources.cpu.cpus, "cpu.cpus"));
  if (!resources.cpu.mems.empty()) {
    to.add("AllowedMemoryNodes", bits_of(resources.cpu.mems, "cpu.mems"));
  }
  if (resources.block_io.weight) {
    to.add("IOWeight", io_weight_of_blkio(*resources.block_io.weight));
  }
  add_unified(resources, to);
}

/// `'word'` or `"word"`; nothing for anything else.
std::optional<std::string> parse_word(std::string_view text) {
  if (text.size() < 2 || (text.front() != '\'' && text.front() != '"')) return {};
  if (text.back() != text.front()) return {};
  const std::string_view inner = text.substr(1, text.size() - 2);
  if (inner.find(text.front()) != std::string_view::npos ||
      inner.find('\\') != std::string_view::npos) {
    return {};
  }
  return std::string(inner);
}

std::optional<SystemdProperty::Value> parse_value(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  if (auto word = parse_word(text)) return *std::move(word);
  constexpr std::string_view wide = "uint64 ";
  if (text.starts_with(wide)) {
    const auto number = parse_number<std::uint64_t>(trim(text.substr(wide.size())));
    return number ? std::optional<SystemdProperty::Value>(*number) : std::nullopt;
  }
  constexpr std::string_view narrow = "int32 ";
  if (text.starts_with(narrow)) text = trim(text.substr(narrow.size()));
  if (const auto number = parse_number<std::int32_t>(text)) return *number;
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return {};
  std::vector<std::string> words;
  for (const std::string& part : split(text.substr(1, text.size() - 2), ',')) {
    auto word = parse_word(trim(part));
    if (!word) return {};
    words.push_back(*std::move(word));
  }
  return words;
}

}  // namespace

SystemdUnit decide_systemd_unit(std::string_view cgroups_path, std::string_view id,
                                SystemdInstance instance) {
  const std::string_view usual = instance == SystemdInstance::user ? "user.slice" : "system.slice";
  std::vector<std::string> parts{"", "lade", std::string(id)};
  if (!cgroups_path.empty()) parts = split(cgroups_path, ':');
  if (parts.size() != 3) {
    refuse(cgroups_path, "for systemd it is `SLICE:PREFIX:NAME`, as in `machine.slice:lade:web`");
  }
  SystemdUnit unit{parts[0].empty() ? std::string(usual) : parts[0],
                   parts[1].empty() ? parts[2] : str(parts[1], '-', parts[2])};
  if (unit.name.ends_with(".slice")) refuse(cgroups_path, "a slice holds no processes");
  if (!unit.name.ends_with(".scope")) unit.name += ".scope";
  if (!unit.slice.ends_with(".slice")) refuse(cgroups_path, "its first part is no slice");
  if (parts[2].empty() || !is_unit_name(unit.name)) refuse(cgroups_path, "it names no scope");
  if (!is_unit_name(unit.slice)) refuse(cgroups_path, "it names no slice");
  return unit;
}

std::vector<SystemdProperty> systemd_limits(const SpecResources& resources,
                                            const CgroupHost& host) {
  Limits limits;
  add_quota(resources.cpu, limits);
  if (resources.pids_limit) {
    limits.add("TasksMax",
               *resources.pids_limit > 0 ? limit_of(*resources.pids_limit) : k_infinity);
  }
  if (host.mode == CgroupMode::v2) {
    add_of_version_2(resources, limits);
  } else {
    add_of_version_1(resources, limits);
  }
  return limits.take();
}

std::vector<SystemdProperty> annotated_properties(
    const std::vector<std::pair<std::string, std::string>>& annotations) {
  constexpr std::string_view prefix = "org.systemd.property.";
  std::vector<SystemdProperty> properties;
  for (const auto& [name, text] : annotations) {
    if (!name.starts_with(prefix)) continue;
    auto value = parse_value(trim(text));
    if (!value) {
      throw InvalidData(
          str("annotation ", quoted(name), ": cannot read the value ", quoted(text),
              "; a word in quotes, a list of words, true, false and numbers can be given"));
    }
    properties.push_back({name.substr(prefix.size()), *std::move(value)});
  }
  return properties;
}

}  // namespace lade::runner
