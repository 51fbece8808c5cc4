#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/policy.hpp"
#include "cli/progress.hpp"
#include "cli/pull_image.hpp"
#include "cli/store_access.hpp"
#include "cli/transfer.hpp"
#include "cli/verb_options.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, PullArguments& pull) {
  options.arguments(pull.names);
  options.value("--platform", pull.platform);
  options.number("--jobs", pull.jobs, k_jobs);
  options.flag("-q,--quiet", pull.quiet);
  declare(options, pull.registry);
  declare(options, pull.transfer);
  options.check([&] {
    if (pull.names.empty()) throw UsageError("no image name given");
  });
}

int run_verb(const App& app, const PullArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const registry::RetryPolicy retry = retry_policy(arguments.transfer, *observer);
  const auto limiter = make_rate_limiter(arguments.transfer);
  const RegistryAccess registries(app, arguments.registry, job, retry);
  // Every name is looked at before anything is fetched.
  for (const std::string& name : arguments.names) registry_reference(name);

  store::Store store = open_store(app);
  const auto policy = make_policy_check(app, interrupt.stop());
  const PullSettings settings{registries, *policy,       chosen_platform(arguments.platform),
                              retry,      limiter.get(), arguments.jobs};
  for (const std::string& name : arguments.names) {
    write_result(pull_image(store, name, settings, job).hex() + "\n");
  }
  return 0;
}

}  // namespace lade::cli
