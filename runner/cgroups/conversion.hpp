// What the files that convert linux.resources share.
#pragma once

#include "base/text.hpp"
#include "runner/cgroups/settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace lade::runner {

/// The change that is being put together, and for which host.
class CgroupConversion {
 public:
  explicit CgroupConversion(const CgroupHost& host) : host_(host) {}

  /// The version that serves a controller here. Throws Error, naming the property that asked.
  int version_of(std::string_view controller, std::string_view property) const;
  /// The same, or nothing if the host has no such controller.
  std::optional<int> find_version_of(std::string_view controller) const;

  /// Adds a setting with one place.
  CgroupSetting& add(std::string controller, std::string property, std::string file,
                     std::string value);
  /// Adds a setting.
  CgroupSetting& add(CgroupSetting setting);
  /// Adds a warning about a property.
  void warn(std::string_view property, std::string_view why);

  CgroupChange take() { return std::move(change_); }
  const CgroupHost& host() const { return host_; }

 private:
  const CgroupHost& host_;
  CgroupChange change_;
};

/// Throws InvalidData about a property of linux.resources.
[[noreturn]] void refuse_property(std::string_view property, std::string_view why);

/// -1 as `max`, other values as they are.
inline std::string v2_limit(std::int64_t value) {
  return value < 0 ? std::string("max") : std::to_string(value);
}

void convert_memory(CgroupConversion& to, const SpecMemory& memory, const CgroupPresent& present);
void convert_cpu(CgroupConversion& to, const SpecCpu& cpu, const CgroupPresent& present);
void convert_block_io(CgroupConversion& to, const SpecBlockIo& io);

}  // namespace lade::runner
