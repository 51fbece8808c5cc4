#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/json_views.hpp"
#include "cli/output.hpp"
#include "registry/repository.hpp"

namespace lade::cli {

int run_verb(const App& app, const ListTagsArguments& arguments) {
  const Reference reference = registry_reference(arguments.repository);
  if (reference.tag() || reference.digest()) {
    throw UsageError(str("list-tags: ", quoted(arguments.repository),
                         ": no tag or digest allowed in reference"));
  }
  const InterruptWatch interrupt;
  registry::Repository repository(reference, connection_options(app, arguments.registry),
                                  interrupt.stop());
  const auto tags = in_context([&] { return str("list tags of ", quoted(reference.repository())); },
                               [&] { return repository.tags(); });
  write_result(list_tags_json(reference.repository(), tags));
  return 0;
}

}  // namespace lade::cli
