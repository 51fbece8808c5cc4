// Options that several verbs take.
#pragma once

#include "cli/arguments.hpp"
#include "cli/options.hpp"

namespace lade::cli {

/// How many transfers at once.
inline constexpr Range k_jobs{1, 64};
/// Of `--retry-times`.
inline constexpr Range k_retries{0, 100};

/// `--tls-verify`, `--cert-dir`, `--authfile`, `--creds`.
void declare(OptionSet& options, RegistryFlags& flags);
/// The same, and the other ways in which skopeo takes credentials: `--username`, `--password`,
/// `--registry-token`, `--no-creds`.
void declare_all(OptionSet& options, RegistryFlags& flags);
/// The same of one of two sides, `src` or `dest`, with all ways in which skopeo takes credentials.
void declare_side(OptionSet& options, const std::string& side, RegistryFlags& flags);
/// `--retry-times`, `--retry-delay`, `--limit-rate`.
void declare(OptionSet& options, TransferFlags& flags);
/// `--remove-signatures`, `--remove-list-signatures`, `--sign-by` and what goes with it; refuses
/// skopeo's other ways to sign.
void declare(OptionSet& options, SignatureFlags& flags);
/// `--format` of a verb that lists: a table or JSON.
void declare_format(OptionSet& options, OutputFormat& format);
/// The same, or a Go template, which goes to `pattern`.
void declare_format(OptionSet& options, OutputFormat& format, std::string& pattern);
/// `--authfile` and `--compat-auth-file`, of which one at most may be given.
void declare_auth_files(OptionSet& options, RegistryFlags& flags,
                        std::optional<std::string>& compat_file);

}  // namespace lade::cli
