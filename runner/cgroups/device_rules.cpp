#include "runner/cgroups/device_rules.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace lade::runner {

namespace {

constexpr unsigned k_all_access = k_device_mknod | k_device_read | k_device_write;

[[noreturn]] void refuse(std::string_view why) {
  throw InvalidData(str("linux.resources.devices: ", why));
}

unsigned access_of(std::string_view text) {
  if (text.empty()) return k_all_access;
  unsigned access = 0;
  for (const char c : text) {
    switch (c) {
      case 'r':
        access |= k_device_read;
        break;
      case 'w':
        access |= k_device_write;
        break;
      case 'm':
        access |= k_device_mknod;
        break;
      default:
        refuse(str(quoted(text), " is no access; it is made of `r`, `w` and `m`"));
    }
  }
  return access;
}

/// -1 is "any", in configurations that older engines wrote.
std::optional<std::int64_t> number_of(const std::optional<std::int64_t>& number) {
  if (!number || *number == -1) return std::nullopt;
  if (*number < 0 || *number > INT32_MAX) refuse(str(*number, " is no device number"));
  return number;
}

/// What every container may do.
std::vector<DeviceException> always_allowed() {
  std::vector<DeviceException> rules = {
      {'c', std::nullopt, std::nullopt, k_device_mknod, true},
      {'b', std::nullopt, std::nullopt, k_device_mknod, true},
      {'c', 136, std::nullopt, k_all_access, true},  // terminals below /dev/pts
  };
  // null, zero, full, random, urandom, tty, console, ptmx, net/tun
  constexpr std::array<std::array<std::int64_t, 2>, 9> nodes = {
      {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}, {10, 200}}};
  for (const auto& [major, minor] : nodes) {
    rules.push_back({'c', major, minor, k_all_access, true});
  }
  return rules;
}

bool same_devices(const DeviceException& a, const DeviceException& b) {
  return a.type == b.type && a.major == b.major && a.minor == b.minor;
}

bool may_meet(const std::optional<std::int64_t>& a, const std::optional<std::int64_t>& b) {
  return !a || !b || *a == *b;
}

bool overlap(const DeviceException& a, const DeviceException& b) {
  return a.type == b.type && may_meet(a.major, b.major) && may_meet(a.minor, b.minor) &&
         (a.access & b.access) != 0;
}

std::string text_of(const DeviceException& rule) {
  const auto number = [](const std::optional<std::int64_t>& value) {
    return value ? std::to_string(*value) : std::string("*");
  };
  std::string text = str(rule.type, ' ', number(rule.major), ':', number(rule.minor), ' ');
  if ((rule.access & k_device_read) != 0) text += 'r';
  if ((rule.access & k_device_write) != 0) text += 'w';
  if ((rule.access & k_device_mknod) != 0) text += 'm';
  return text;
}

}  // namespace

DevicePolicy make_device_policy(const std::vector<SpecDeviceRule>& rules) {
  DevicePolicy policy;
  for (const SpecDeviceRule& rule : rules) {
    DeviceException exception{rule.type, number_of(rule.major), number_of(rule.minor),
                              access_of(rule.access), rule.allow};
    if (rule.type != 'a' && rule.type != 'b' && rule.type != 'c') {
      refuse(str(quoted(std::string(1, rule.type)), " is no type; it is `a`, `b` or `c`"));
    }
    if (rule.type == 'a' && !exception.major && !exception.minor &&
        exception.access == k_all_access) {
      // Whatever was said before is undone.
      policy.rules.clear();
      policy.allow_by_default = rule.allow;
      continue;
    }
    for (const char type : {'c', 'b'}) {
      if (rule.type != 'a' && rule.type != type) continue;
      exception.type = type;
      policy.rules.push_back(exception);
    }
  }
  if (policy.allow_by_default && policy.rules.empty()) return policy;
  for (const DeviceException& rule : always_allowed()) policy.rules.push_back(rule);
  return policy;
}

std::optional<std::vector<DeviceLine>> device_lines(const DevicePolicy& policy) {
  // The kernel keeps a set of exceptions to its default, and finds a rule again by its devices
  // only.
  std::vector<DeviceException> exceptions;
  for (const DeviceException& rule : policy.rules) {
    const auto same = std::ranges::find_if(exceptions, [&](const DeviceException& exception) {
      return same_devices(exception, rule);
    });
    if (rule.allow != policy.allow_by_default) {
      if (same == exceptions.end()) {
        exceptions.push_back(rule);
      } else {
        same->access |= rule.access;
      }
      continue;
    }
    if (same != exceptions.end()) {
      same->access &= ~rule.access;
      if (same->access == 0) exceptions.erase(same);
    }
    const bool hole = std::ranges::any_of(
        exceptions, [&](const DeviceException& exception) { return overlap(exception, rule); });
    if (hole) return std::nullopt;
  }
  std::vector<DeviceLine> lines = {{policy.allow_by_default, "a"}};
  for (const DeviceException& exception : exceptions) {
    lines.push_back({!policy.allow_by_default, text_of(exception)});
  }
  return lines;
}

}  // namespace lade::runner
