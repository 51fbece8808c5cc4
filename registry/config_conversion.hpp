// A configuration in Docker's format as one in the OCI's, as Go's types of the image specification
// write it.
#pragma once

#include <string>
#include <string_view>

namespace lade::registry {

/// The OCI configuration of an image whose configuration is `docker`: the members that the OCI
/// specifies, in its order. Throws InvalidData.
std::string oci_config(std::string_view docker);

/// A time as Go writes it again after reading it: no zeros at the end of the fraction, and `Z` for
/// an offset of nothing.
std::string go_time(std::string_view text);

}  // namespace lade::registry
