// From the global options and the environment to what decides about images and keeps signatures.
#pragma once

#include "cli/verbs.hpp"
#include "registry/signing/copy_signatures.hpp"
#include "registry/signing/policy_check.hpp"
#include "registry/signing/registries_d.hpp"
#include "registry/transports/transport_name.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace lade::cli {

/// The gpg of the user. Calls end when `stop` is requested.
registry::GpgProgram gpg_program(const App& app, std::stop_token stop = {});

/// The policy of `--policy`, `--insecure-policy`, or the host's files. Throws InvalidData naming
/// the file for a malformed one, UsageError for options that contradict each other, Error where
/// there is no file and GlobalOptions::missing_policy does not let that be.
std::unique_ptr<registry::PolicyCheck> make_policy_check(const App& app, std::stop_token stop = {});

/// `--registries.d`, or the host's. Throws InvalidData naming file and line.
registry::RegistriesD read_registries_d(const App& app);

/// What policy.json calls an image that is read.
registry::ImageScope image_scope(const registry::ImageName& name);

/// What a verb that copies does about signatures; the requests that it makes point to it.
class CopyTrust {
 public:
  /// Reads the policy and the passphrase. Throws as make_policy_check(), SystemError.
  CopyTrust(const App& app, const SignatureFlags& flags, const std::stop_token& stop);

  const registry::PolicyCheck& policy() const { return *policy_; }
  /// For copies, but for the gate of each.
  registry::CopySignatures request() const;
  /// For a copy of the images of `gate`'s name.
  registry::CopySignatures request(const registry::PolicyGate& gate) const;

 private:
  std::unique_ptr<registry::PolicyCheck> policy_;
  const SignatureFlags& flags_;
  std::optional<registry::ImageSigner> signer_;
};

/// The first line of a file; nothing without a file, and of an empty line.
std::optional<std::string> read_passphrase(const std::optional<std::string>& path);

}  // namespace lade::cli
