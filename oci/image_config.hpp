// The image configuration: what to run, and which layers it stands on. image-spec, config.md.
#pragma once

#include "oci/digest.hpp"
#include "oci/platform.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade {

/// One step of an image's history.
struct HistoryEntry {
  std::string created;
  std::string created_by;
  std::string author;
  std::string comment;
  bool empty_layer = false;
};

/// The members of `config`, empty or absent where the image does not set them.
struct ProcessConfig {
  std::string user;
  std::optional<std::vector<std::string>> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::string working_dir;
  std::string stop_signal;
  std::vector<std::string> exposed_ports;  ///< sorted, e.g. `80/tcp`
  std::vector<std::string> volumes;        ///< sorted paths
  std::optional<std::map<std::string, std::string>> labels;
};

/// A parsed configuration blob.
struct ImageConfig {
  std::optional<std::string> created;
  std::string author;
  std::string docker_version;
  Platform platform;
  ProcessConfig process;
  std::vector<DiffId> diff_ids;  ///< the bottom layer first
  std::vector<HistoryEntry> history;
};

/// Parses a configuration blob, OCI or Docker. Throws InvalidData; rootfs.type must be `layers`.
ImageConfig parse_image_config(std::string_view bytes);

}  // namespace lade
