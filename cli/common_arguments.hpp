// What verbs of every kind are told: options before the verb, how to talk to registries, how to
// move blobs, how to print.
#pragma once

#include "runner/cgroups/manager.hpp"
#include "store/sync_mode.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace lade::cli {

/// The last two are for the name `skopeo`, whose lines go to standard output unless the image does.
enum class ProgressStyle { automatic, bar, plain, json, none, skopeo, skopeo_on_stderr };
/// Whose command line it is.
enum class ProgramName { lade, skopeo, umoci, runtime };
/// `pattern`: a Go template, which stands beside it.
enum class OutputFormat { table, json, pattern };

/// What it means that the host has no policy.json: to skopeo, that nothing may be copied.
enum class MissingPolicy { accepts, fails };

/// Options before a verb of the OCI runtime.
struct RuntimeFlags {
  std::optional<std::string> root;  ///< of the states of containers
  std::optional<std::string> log;   ///< a file for what went wrong
  bool log_json = false;
  bool systemd_cgroup = false;  ///< runc's word for the second of the next ones
  runner::CgroupManager cgroups = runner::CgroupManager::cgroupfs;
};

/// Options before the verb.
struct GlobalOptions {
  std::optional<std::string> root;
  std::optional<std::string> registries_conf;
  std::optional<std::string> policy;
  std::optional<std::string> registries_d;
  bool insecure_policy = false;
  bool require_signed = false;
  MissingPolicy missing_policy = MissingPolicy::accepts;  ///< not an option
  store::SyncMode sync = store::SyncMode::fs;
  ProgressStyle progress = ProgressStyle::automatic;
  bool debug = false;
  RuntimeFlags runtime;
  ProgramName name = ProgramName::lade;
  std::string user_agent_prefix;
  std::chrono::milliseconds command_timeout{0};  ///< 0: none
};

/// How to talk to a registry; every verb that does takes these.
struct RegistryFlags {
  std::optional<bool> tls_verify;  ///< not given: what registries.conf says, else yes
  std::optional<std::string> cert_dir;
  std::optional<std::string> auth_file;
  std::optional<std::string> credentials;  ///< `USER[:PASSWORD]`
  std::optional<std::string> username;     ///< with `password`, instead of `credentials`
  std::optional<std::string> password;
  std::optional<std::string> token;  ///< a bearer token that is sent as it is
  bool anonymous = false;            ///< no credentials at all
};

/// How to move blobs.
struct TransferFlags {
  std::optional<int> retry_times;                        ///< after the first attempt
  std::optional<std::chrono::milliseconds> retry_delay;  ///< instead of one that doubles
  std::optional<std::uint64_t> limit_rate;               ///< bytes per second, of all together
};

}  // namespace lade::cli
