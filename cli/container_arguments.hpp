// The arguments of verbs for containers.
#pragma once

#include "cli/common_arguments.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade::cli {

enum class PullPolicy { missing, always, never };

struct RunArguments {
  std::string image;
  std::string name;  ///< of the container; empty: none
  std::optional<std::string> id_file;
  std::vector<std::string> command;
  bool remove = false;
  bool dry_run = false;
  bool explain = false;  ///< print a script
  bool trace = false;    ///< print where the time went
  bool interactive = false;
  bool terminal = false;
  std::vector<std::string> env;
  std::optional<std::string> workdir;
  std::optional<std::string> user;
  std::optional<std::string> entrypoint;
  std::optional<std::string> hostname;
  std::vector<std::string> volumes;
  std::string network = "none";
  PullPolicy pull = PullPolicy::missing;
  std::optional<std::string> platform;
  RegistryFlags registry;
  TransferFlags transfer;
};

struct MountArguments {
  std::vector<std::string> names;  ///< of images or containers; none: list what is mounted
  OutputFormat format = OutputFormat::table;
};

struct UnmountArguments {
  std::vector<std::string> names;
  bool all = false;
  bool force = false;
};

struct DiffArguments {
  std::string name;                 ///< of a container or an image
  std::optional<std::string> base;  ///< the same; none: what it stands on
  OutputFormat format = OutputFormat::table;
};

struct CommitArguments {
  std::string container;
  std::optional<std::string> name;   ///< of the image
  std::vector<std::string> changes;  ///< instructions, as `import` takes them
  std::string message;
  std::string author;
  std::optional<std::string> id_file;
  bool docker_format = false;  ///< Docker's schema 2, instead of the OCI's
  bool squash = false;
  bool pause = false;
  bool quiet = false;
};

struct ExportArguments {
  std::string container;
  std::optional<std::string> output;  ///< none: standard output
};

}  // namespace lade::cli
