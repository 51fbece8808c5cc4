// Changes of an image's configuration as people write them: instructions of a Dockerfile, for
// `import -c` and `commit -c`.
#pragma once

#include "oci/image_config.hpp"

#include <string_view>

namespace lade {

/// Whether a change was made. `left_out`: Docker knows such a member of a configuration, OCI does
/// not.
enum class ConfigChange { made, left_out };

/// Makes one change: `CMD ENTRYPOINT ENV EXPOSE LABEL STOPSIGNAL USER VOLUME WORKDIR` (`ONBUILD` is
/// left out), in any case, then a blank or `=`, then what podman takes there: CMD and ENTRYPOINT a
/// JSON list, or a line for the shell; ENV and LABEL `KEY=VALUE`, of which either may stand in
/// double quotes, or `KEY VALUE`; EXPOSE ports; VOLUME a JSON list, or paths. Throws UsageError.
ConfigChange change_config(ProcessConfig& config, std::string_view change);

}  // namespace lade
