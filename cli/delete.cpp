#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/progress.hpp"
#include "cli/transfer.hpp"
#include "cli/verb_options.hpp"
#include "registry/deletion.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, DeleteArguments& remove) {
  options.argument("reference", remove.reference);
  options.flag("--tag-only", remove.tag_only);
  options.number("--retry-times", remove.transfer.retry_times, k_retries);
  options.value("--retry-delay",
                [&](const std::string& text) { remove.transfer.retry_delay = parse_delay(text); });
  declare_all(options, remove.registry);
  // skopeo's, which lade cannot do yet.
  for (const char* name : {"--daemon-host", "--shared-blob-dir"}) options.refused_value(name);
}

int run_verb(const App& app, const DeleteArguments& arguments) {
  const Reference reference = registry_reference(arguments.reference).with_default_tag();
  if (arguments.tag_only && reference.digest()) {
    throw UsageError(str("delete --tag-only ", quoted(arguments.reference), ": it has a digest"));
  }
  const InterruptWatch interrupt;
  const auto observer = make_progress(ProgressStyle::none);
  const RegistryAccess registries(app, arguments.registry, {interrupt.stop(), *observer},
                                  retry_policy(arguments.transfer, *observer));
  in_context([&] { return str("delete ", quoted(reference.text())); },
             [&] {
               registry::Repository repository(reference, registries.direct(reference.repository()),
                                               interrupt.stop());
               if (arguments.tag_only) {
                 registry::delete_tag(repository, *reference.tag());
               } else {
                 registry::delete_manifest(repository, manifest_key(reference));
               }
             });
  return 0;
}

}  // namespace lade::cli
