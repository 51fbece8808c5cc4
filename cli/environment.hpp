// The process's environment, read in this one place and passed down as values.
#pragma once

#include "cli/arguments.hpp"
#include "registry/registries_conf.hpp"
#include "registry/signing/policy.hpp"
#include "registry/signing/registries_d.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::cli {

/// What the environment says.
struct Environment {
  std::string home;                            ///< the user's home directory
  std::string store_root;                      ///< where the store is, unless --root says otherwise
  std::vector<std::string> auth_files;         ///< in the order in which they are looked up
  std::vector<std::string> certificate_roots;  ///< directories like /etc/containers/certs.d
  registry::RegistriesFiles registries;        ///< registries.conf and its drop-ins
  registry::PolicyFiles policy;                ///< policy.json
  registry::RegistriesDDirectories registries_d;
  std::string sync_memory;          ///< what syncs remember of registries; may be removed
  std::string temporary_directory;  ///< for large files: TMPDIR, else /var/tmp
  std::optional<std::string> source_date_epoch;  ///< SOURCE_DATE_EPOCH, as it is
  std::string search_path;                       ///< PATH
  std::vector<std::string> variables;            ///< all of it, `NAME=value`, for `run -e NAME`
};

/// Reads environ and the user's identity.
Environment read_environment();

/// SOURCE_DATE_EPOCH in seconds, if it is set. Throws UsageError if it is no number.
std::optional<std::int64_t> source_date_epoch(const Environment& environment);

}  // namespace lade::cli
