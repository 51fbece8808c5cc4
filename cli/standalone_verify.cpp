#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/policy.hpp"
#include "oci/manifest.hpp"
#include "registry/signing/simple_signing.hpp"
#include "registry/signing/stored_signature.hpp"

namespace lade::cli {

namespace {

constexpr std::string_view k_any_key = "any";

std::unique_ptr<registry::Keyring> open_keyring(const registry::GpgProgram& gpg,
                                                const std::optional<std::string>& file) {
  if (!file) return registry::open_user_keyring(gpg);
  return registry::make_keyring(gpg, {read_file(*file, registry::k_signature_cap)});
}

}  // namespace

void declare_options(OptionSet& options, StandaloneVerifyArguments& verify) {
  options.argument("manifest", verify.manifest);
  options.argument("docker-reference", verify.reference);
  options.argument("key-fingerprints", verify.keys);
  options.argument("signature", verify.signature);
  options.value("--public-key-file", verify.public_key_file);
  options.check([&] {
    if (verify.keys == k_any_key && !verify.public_key_file) {
      throw UsageError("Cannot use any fingerprint without a public key file");
    }
  });
}

int run_verb(const App& app, const StandaloneVerifyArguments& arguments) {
  const InterruptWatch interrupt;
  const std::string manifest = read_file(arguments.manifest, k_manifest_cap);
  const std::string signature = read_file(arguments.signature, registry::k_signature_cap);
  const auto keyring = open_keyring(gpg_program(app, interrupt.stop()), arguments.public_key_file);
  const std::vector<std::string> keys =
      arguments.keys == k_any_key ? keyring->fingerprints() : split(arguments.keys, ',');
  const auto verified = in_context([] { return std::string("Error verifying signature"); },
                                   [&] {
                                     return registry::verify_manifest(
                                         *keyring, keys, manifest, arguments.reference, signature);
                                   });
  write_result(str("Signature verified using fingerprint ", verified.fingerprint, ", digest ",
                   verified.digest.text(), '\n'));
  return 0;
}

}  // namespace lade::cli
