#include "registry/signing/manifest_digest.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "oci/manifest.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, ManifestDigestArguments& digest) {
  options.argument("manifest", digest.manifest);
}

int run_verb(const App&, const ManifestDigestArguments& arguments) {
  const std::string manifest = read_file(arguments.manifest, k_manifest_cap);
  const auto context = [&] { return str("read ", quoted(arguments.manifest)); };
  const Digest digest = in_context(context, [&] { return registry::manifest_digest(manifest); });
  write_result(digest.text() + "\n");
  return 0;
}

}  // namespace lade::cli
