#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/policy.hpp"
#include "oci/manifest.hpp"
#include "registry/signing/simple_signing.hpp"

#include <fcntl.h>

namespace lade::cli {

void declare_options(OptionSet& options, StandaloneSignArguments& sign) {
  options.argument("manifest", sign.manifest);
  options.argument("docker-reference", sign.reference);
  options.argument("key-fingerprint", sign.key);
  options.value("-o,--output", sign.output);
  options.value("--passphrase-file", sign.passphrase_file);
  options.check([&] {
    if (sign.output.empty()) throw UsageError("no --output given");
  });
}

int run_verb(const App& app, const StandaloneSignArguments& arguments) {
  const InterruptWatch interrupt;
  const std::string manifest = read_file(arguments.manifest, k_manifest_cap);
  const registry::SigningKey key{.fingerprint = arguments.key,
                                 .passphrase = read_passphrase(arguments.passphrase_file)};
  const std::string signature = registry::sign_manifest(gpg_program(app, interrupt.stop()), key,
                                                        manifest, arguments.reference);
  const Fd output = open_file(arguments.output, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(output, as_bytes(signature), arguments.output);
  return 0;
}

}  // namespace lade::cli
