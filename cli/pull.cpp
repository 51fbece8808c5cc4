#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/pull_image.hpp"
#include "cli/store_access.hpp"

namespace lade::cli {

int run_verb(const App& app, const PullArguments& arguments) {
  std::vector<Reference> references;
  for (const std::string& name : arguments.names) references.push_back(registry_reference(name));

  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const PullSettings settings{connection_options(app, arguments.registry),
                              chosen_platform(arguments.platform), arguments.jobs};
  store::Store store = open_store(app);
  for (const Reference& reference : references) {
    write_result(pull_image(store, reference, settings, job).hex() + "\n");
  }
  return 0;
}

}  // namespace lade::cli
