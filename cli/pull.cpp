#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/pull_image.hpp"
#include "cli/store_access.hpp"

namespace lade::cli {

int run_verb(const App& app, const PullArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const RegistryAccess registries(app, arguments.registry, job);
  // Every name is looked at before anything is fetched.
  for (const std::string& name : arguments.names) registry_reference(name);

  store::Store store = open_store(app);
  const PullSettings settings{registries, chosen_platform(arguments.platform), arguments.jobs};
  for (const std::string& name : arguments.names) {
    write_result(pull_image(store, name, settings, job).hex() + "\n");
  }
  return 0;
}

}  // namespace lade::cli
