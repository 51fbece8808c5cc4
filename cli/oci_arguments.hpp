// The arguments of the OCI runtime's verbs: `lade oci create`, or `runc create`.
#pragma once

#include "cli/common_arguments.hpp"
#include "oci/runtime_resources.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade::cli {

/// A container that is made of a bundle.
struct OciBundleArguments {
  std::string id;
  std::string bundle = ".";
  std::string config = "config.json";
  std::string pid_file;
  std::string console_socket;
  unsigned preserved_fds = 0;
};

struct OciCreateArguments {
  OciBundleArguments container;
};

struct OciRunArguments {
  OciBundleArguments container;
  bool detach = false;
  bool keep = false;
  bool explain = false;  ///< print a script instead
};

struct OciStartArguments {
  std::string id;
};

struct OciStateArguments {
  std::string id;
};

struct OciKillArguments {
  std::string id;
  std::string signal = "SIGTERM";
  bool all = false;
};

struct OciDeleteArguments {
  std::vector<std::string> ids;
  bool force = false;
};

struct OciPauseArguments {
  std::string id;
};

struct OciResumeArguments {
  std::string id;
};

struct OciListArguments {
  OutputFormat format = OutputFormat::table;
  bool quiet = false;
};

struct OciPsArguments {
  std::string id;
  OutputFormat format = OutputFormat::table;
  std::vector<std::string> options;  ///< of ps(1)
};

struct OciExecArguments {
  std::string id;
  std::vector<std::string> command;
  std::string process;  ///< a file; empty: `command`
  std::string pid_file;
  std::string console_socket;
  std::optional<std::string> cwd;
  std::optional<std::string> user;  ///< `UID[:GID]`
  std::optional<std::string> apparmor;
  std::optional<std::string> process_label;
  std::vector<std::string> env;
  std::vector<std::string> capabilities;
  std::vector<std::string> additional_gids;
  unsigned preserved_fds = 0;
  bool terminal = false;
  bool detach = false;
  bool no_new_privileges = false;
  bool ignore_paused = false;
};

struct OciUpdateArguments {
  std::string id;
  std::optional<std::string> file;  ///< of resources as JSON, or `-`; none: `resources`
  SpecResources resources;
};

struct OciEventsArguments {
  std::string id;
  bool stats = false;
  std::chrono::milliseconds interval{5000};
};

struct OciFeaturesArguments {};

struct OciSpecArguments {
  std::string bundle = ".";
  bool rootless = false;
};

}  // namespace lade::cli
