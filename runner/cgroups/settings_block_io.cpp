// linux.resources.blockIO.

#include "base/text.hpp"
#include "runner/cgroups/conversion.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lade::runner {

namespace {

constexpr std::uint16_t k_least_weight = 10;
constexpr std::uint16_t k_most_weight = 1000;

void check_weight(std::uint16_t weight, std::string_view property) {
  if (weight < k_least_weight || weight > k_most_weight) {
    refuse_property(property,
                    str(weight, " is not within ", k_least_weight, " to ", k_most_weight));
  }
}

/// `8:0`.
template <class Device>
std::string device_number(const Device& device, std::string_view property) {
  if (device.major < 0 || device.minor < 0)
    refuse_property(property, "a device number is negative");
  return str(device.major, ':', device.minor);
}

/// A weight, for one device (`8:0 `) or for all (``). BFQ keeps its own, in a file of its own.
void add_weight(CgroupConversion& to, const std::string& property, const std::string& device,
                std::uint16_t weight) {
  check_weight(weight, property);
  CgroupSetting setting;
  setting.property = property;
  const std::string plain = str(device, weight);
  const std::string suffix = device.empty() ? "" : "_device";
  if (to.find_version_of("blkio")) {
    setting.controller = "blkio";
    setting.places = {{"blkio.weight" + suffix, plain}, {"blkio.bfq.weight" + suffix, plain}};
  } else {
    to.version_of("io", property);
    setting.controller = "io";
    setting.places = {{"io.bfq.weight", plain},
                      {"io.weight", str(device, io_weight_of_blkio(weight))}};
    if (device.empty()) setting.places[1].value.insert(0, "default ");
  }
  to.add(std::move(setting));
}

/// The schedulers that gave leaves a weight of their own are gone since Linux 5.0.
void add_leaf_weight(CgroupConversion& to, const std::string& property, const std::string& device,
                     std::uint16_t weight) {
  check_weight(weight, property);
  if (!to.find_version_of("blkio")) {
    to.warn(property, "cgroup version 2 has no weights for leaves");
    return;
  }
  to.add("blkio", property, device.empty() ? "blkio.leaf_weight" : "blkio.leaf_weight_device",
         str(device, weight))
      .missing = CgroupSetting::Missing::warning;
}

void convert_weights(CgroupConversion& to, const SpecBlockIo& io) {
  if (io.weight.value_or(0) != 0) add_weight(to, "blockIO.weight", "", *io.weight);
  if (io.leaf_weight.value_or(0) != 0)
    add_leaf_weight(to, "blockIO.leafWeight", "", *io.leaf_weight);
  for (const SpecWeightDevice& device : io.weight_devices) {
    const std::string property = "blockIO.weightDevice";
    const std::string number = device_number(device, property) + ' ';
    if (device.weight.value_or(0) != 0) add_weight(to, property, number, *device.weight);
    if (device.leaf_weight.value_or(0) != 0) {
      add_leaf_weight(to, property, number, *device.leaf_weight);
    }
  }
}

struct Throttle {
  const char* property;
  const char* v1_file;
  const char* v2_key;
  const std::vector<SpecThrottleDevice>& devices;
};

void convert_throttle(CgroupConversion& to, const Throttle& throttle) {
  for (const SpecThrottleDevice& device : throttle.devices) {
    const std::string number = device_number(device, throttle.property);
    if (to.find_version_of("blkio")) {
      to.add("blkio", throttle.property, throttle.v1_file, str(number, ' ', device.rate));
      continue;
    }
    to.version_of("io", throttle.property);
    // Version 1 takes 0 for no limit.
    const std::string rate = device.rate == 0 ? "max" : std::to_string(device.rate);
    to.add("io", throttle.property, "io.max", str(number, ' ', throttle.v2_key, '=', rate));
  }
}

}  // namespace

std::uint64_t io_weight_of_blkio(std::uint64_t weight) {
  return 1 + (weight - k_least_weight) * 9999 / (k_most_weight - k_least_weight);
}

void convert_block_io(CgroupConversion& to, const SpecBlockIo& io) {
  convert_weights(to, io);
  convert_throttle(
      to, {"blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps", io.read_bps});
  convert_throttle(to, {"blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps",
                        io.write_bps});
  convert_throttle(to, {"blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device",
                        "riops", io.read_iops});
  convert_throttle(to, {"blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device",
                        "wiops", io.write_iops});
}

}  // namespace lade::runner
