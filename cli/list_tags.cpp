#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, ListTagsArguments& list_tags) {
  options.argument("repository", list_tags.repository);
  declare(options, list_tags.registry);
}

int run_verb(const App& app, const ListTagsArguments& arguments) {
  const Reference reference = registry_reference(arguments.repository);
  if (reference.tag() || reference.digest()) {
    throw UsageError(str("list-tags: ", quoted(arguments.repository),
                         ": no tag or digest allowed in reference"));
  }
  const InterruptWatch interrupt;
  const auto observer = make_progress(ProgressStyle::none);
  const RegistryAccess registries(app, arguments.registry, {interrupt.stop(), *observer});
  const auto tags =
      in_context([&] { return str("list tags of ", quoted(reference.repository())); },
                 [&] { return registries.open(reference, registry::Reading::tags).tags(); });
  write_result(list_tags_json(reference.repository(), tags));
  return 0;
}

}  // namespace lade::cli
