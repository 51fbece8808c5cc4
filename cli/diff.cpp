// `diff`: what a container or an image changes.
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/container_changes.hpp"
#include "cli/container_views.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"
#include "snapshot/tree_changes.hpp"

namespace lade::cli {

namespace {

using snapshot::Change;
using snapshot::ChangeKind;

char letter_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::modified:
      return 'C';
    case ChangeKind::added:
      return 'A';
    case ChangeKind::deleted:
      return 'D';
  }
  return '?';
}

std::string lines_of(const std::vector<Change>& changes) {
  std::string lines;
  for (const Change& change : changes) {
    lines += str(letter_of(change.kind), " /", printable(change.path), '\n');
  }
  return lines;
}

}  // namespace

void declare_options(OptionSet& options, DiffArguments& diff) {
  options.argument("container or image", diff.name);
  options.argument(diff.base);
  declare_format(options, diff.format);
}

int run_verb(const App& app, const DiffArguments& arguments) {
  store::Store store = open_store(app);
  const InterruptWatch interrupt;
  const snapshot::RootView after = view_of(app, store, arguments.name);
  const snapshot::RootView before =
      arguments.base ? view_of(app, store, *arguments.base) : base_of(app, store, arguments.name);
  const auto is_left_out = [](const Change& change) {
    return change.path.empty() || is_of_the_host(change.path);
  };
  std::vector<Change> changes =
      snapshot::compare_trees(before.root(), after.root(), interrupt.stop(), is_left_out);
  std::erase_if(changes, is_left_out);  // also as a directory with changes
  write_result(arguments.format == OutputFormat::json ? pretty_json(changes_value(changes))
                                                      : lines_of(changes));
  return 0;
}

}  // namespace lade::cli
