// Whether an image may be used, by the policy and the signatures that it has.
#pragma once

#include "base/concurrency.hpp"
#include "registry/signing/gpg.hpp"
#include "registry/signing/policy.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// Whether an image needs a signature that some requirement verifies, even where the policy would
/// take it without.
enum class RequireSigned { as_policy_says, always };

/// Asks a policy about images. THREADS: admit() may be called from several at once.
class PolicyCheck {
 public:
  /// Fetches the signatures of the image that is asked about; called only if they matter.
  using Signatures = std::function<std::vector<std::string>()>;

  PolicyCheck(Policy policy, GpgProgram gpg,
              RequireSigned require_signed = RequireSigned::as_policy_says);

  /// Whether the policy lets `image` be used whatever it is, so that admit() need not be asked.
  bool takes_any(const ImageScope& image) const;

  /// Returns if the policy lets `image`, whose manifest has these bytes, be used. Throws Refused,
  /// "Source image rejected: …" with the reason.
  void admit(const ImageScope& image, std::string_view manifest,
             const Signatures& signatures) const;

 private:
  const Keyring& keyring_of(const SignedBy& requirement) const;
  void require(const SignedBy& requirement, const ImageScope& image, std::string_view manifest,
               const std::vector<std::string>& signatures) const;

  Policy policy_;
  GpgProgram gpg_;
  RequireSigned require_signed_;
  mutable Sync<std::map<const SignedBy*, std::unique_ptr<Keyring>>> keyrings_;
};

}  // namespace lade::registry
