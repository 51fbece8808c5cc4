// What `run` was asked for, and the pure function that makes a runtime specification of it and of
// the image's configuration. Nothing here touches the system: what the caller's environment,
// directory and container id are comes in through RunOptions.
#pragma once

#include "oci/image_config.hpp"
#include "oci/runtime_spec.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// One `-e`: `NAME=VALUE`; `NAME` takes the caller's value if it has one; `PREFIX*` takes all of
/// the caller's variables that start so.
struct EnvSetting {
  std::string name;
  std::optional<std::string> value;
};

/// Parses the argument of `-e`. Throws UsageError on an empty name.
EnvSetting parse_env_setting(std::string_view text);

/// One `-v`: a directory or file of the host to be seen in the container.
struct VolumeMount {
  std::string source;       ///< host path, absolute or relative to RunOptions::host_directory
  std::string destination;  ///< absolute path in the container
  std::vector<std::string> options;  ///< `ro`, `rw`, `rbind`, `rslave`, `noexec`, …
};

/// Parses `SRC:DST[:OPTION,…]`. Throws UsageError: named volumes are not supported yet, options
/// must be known, the destination absolute and not the root.
VolumeMount parse_volume(std::string_view text);

/// Parses the argument of `--entrypoint`: a JSON array of strings, else one program name; an empty
/// text is an entrypoint without words, which clears the image's.
std::vector<std::string> parse_entrypoint(const std::string& text);

/// `--network`.
enum class NetworkMode {
  none,  ///< a network namespace with nothing but the loopback device
  host,  ///< the caller's network
};

/// Parses the argument of `--network`. Throws UsageError on a mode that is not there yet.
NetworkMode parse_network(std::string_view text);

/// `-t`.
enum class Terminal { no, yes };

/// `--read-only`.
enum class RootAccess { read_write, read_only };

/// The command line of `run`, after the image was found.
struct RunOptions {
  std::string container_id;            ///< 64 hex digits; the first 12 are the default host name
  std::vector<std::string> args;       ///< what follows the image's name
  std::vector<EnvSetting> env;         ///< in the order given
  std::vector<std::string> host_env;   ///< the caller's environment, `NAME=VALUE`
  std::optional<std::string> workdir;  ///< -w
  std::optional<std::string> user;     ///< -u, `user[:group]`
  std::optional<std::vector<std::string>> entrypoint;  ///< --entrypoint, parsed
  std::optional<std::string> hostname;                 ///< --hostname
  std::vector<VolumeMount> volumes;                    ///< -v, in the order given
  std::string host_directory = "/";                    ///< where relative volume sources start
  NetworkMode network = NetworkMode::none;
  std::string host_hosts;        ///< the caller's /etc/hosts, for NetworkMode::host
  std::string host_resolv_conf;  ///< the caller's /etc/resolv.conf, for NetworkMode::host
  Terminal terminal = Terminal::no;
  RootAccess root = RootAccess::read_write;
};

/// The runtime specification of a container of `image` run with `options`. Throws UsageError if
/// there is nothing to run or an option is impossible.
Spec make_spec(const ImageConfig& image, const RunOptions& options);

/// What an image has to say so that `run` without options does what it did with these: what
/// `commit` makes of a container. The variables that every container gets are not the image's.
ProcessConfig committed_process(const ProcessConfig& image, const RunOptions& options);

}  // namespace lade::runner
