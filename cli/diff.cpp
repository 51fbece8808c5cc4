// `diff`: what a container or an image changes.
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/container_views.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/pull_image.hpp"
#include "cli/store_access.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"
#include "snapshot/root_view.hpp"
#include "snapshot/tree_changes.hpp"

#include <algorithm>
#include <array>

namespace lade::cli {

namespace {

using snapshot::Change;
using snapshot::ChangeKind;
using snapshot::RootView;

/// What every container gets from its host: no change of anybody's, as podman has it.
bool is_of_the_host(const std::string& path) {
  constexpr std::array<std::string_view, 11> paths{
      "",         "dev",  "etc/hostname", "etc/hosts",         "etc/resolv.conf",
      "etc/mtab", "proc", "run",          "run/.containerenv", "run/secrets",
      "sys"};
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

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

NotFound missing(const std::string& name) {
  return NotFound(str("there is no image and no container ", quoted(name)));
}

RootView view_of(const App& app, store::Store& store, const std::string& name) {
  if (const auto container = store::find_container(store.containers(), name)) {
    return RootView::of_container(store, *container);
  }
  const auto image = find_image(app, store, name);
  if (!image) throw missing(name);
  return RootView::of_image(store, *image);
}

/// What `name` is compared with if nothing is said: a container's image, what an image stands on.
RootView base_of(const App& app, store::Store& store, const std::string& name) {
  if (const auto container = store::find_container(store.containers(), name)) {
    return RootView::of_image(store, store.get_image(container->image.text()));
  }
  const auto image = find_image(app, store, name);
  if (!image) throw missing(name);
  return RootView::below_top_layer(store, *image);
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
  const RootView after = view_of(app, store, arguments.name);
  const RootView before =
      arguments.base ? view_of(app, store, *arguments.base) : base_of(app, store, arguments.name);
  std::vector<Change> changes =
      snapshot::compare_trees(before.root(), after.root(), interrupt.stop());
  std::erase_if(changes, [](const Change& change) { return is_of_the_host(change.path); });
  std::sort(changes.begin(), changes.end(),
            [](const Change& one, const Change& other) { return one.path < other.path; });
  write_result(arguments.format == OutputFormat::json ? pretty_json(changes_value(changes))
                                                      : lines_of(changes));
  return 0;
}

}  // namespace lade::cli
