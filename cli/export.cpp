// `export`: the files of a container as a tar.
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/store_access.hpp"
#include "snapshot/layer_diff.hpp"
#include "snapshot/root_view.hpp"

#include <unistd.h>

namespace lade::cli {

void declare_options(OptionSet& options, ExportArguments& arguments) {
  options.argument("container", arguments.container);
  options.value("-o,--output", arguments.output);
}

int run_verb(const App& app, const ExportArguments& arguments) {
  if (!arguments.output && ::isatty(STDOUT_FILENO) != 0) {
    UsageError error("export: an archive is not written to a terminal");
    error.set_hint("name a file with --output, or redirect standard output");
    throw error;
  }
  store::Store store = open_store(app);
  const auto container = store::find_container(store.containers(), arguments.container);
  if (!container) throw NotFound(str("there is no container ", quoted(arguments.container)));
  const InterruptWatch interrupt;
  const auto observer = make_progress(app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const auto view = snapshot::RootView::of_container(store, *container);
  auto entries = snapshot::layer_entries_of(view.root(), "", "", job.stop);
  std::erase_if(entries, [](const auto& entry) { return entry.path.empty(); });  // the root itself
  const auto tar = snapshot::make_layer(
      view.root(), std::move(entries),
      {.times = snapshot::TarTimes::nanoseconds, .short_file = snapshot::ShortFile::padded}, job);
  write_output(arguments.output.value_or("-"), [&](Sink& out) { pump(*tar, out, job.stop); });
  return 0;
}

}  // namespace lade::cli
