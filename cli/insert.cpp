// `insert` and `raw add-layer`: a new layer that no bundle was unpacked for.
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/bundle_config.hpp"
#include "cli/image_change.hpp"
#include "cli/options.hpp"
#include "snapshot/layer_diff.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

namespace lade::cli {

namespace {

/// A path of the host, as a directory and a name in it.
std::pair<Directory, std::string> split_host_path(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  const auto slash = trimmed.rfind('/');
  const std::string name = slash == std::string::npos ? trimmed : trimmed.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") return {Directory::open(trimmed), ""};
  return {Directory::open(slash == std::string::npos ? "." : trimmed.substr(0, slash + 1)), name};
}

std::string target_of(const InsertArguments& arguments) {
  std::string target = arguments.paths.back();
  while (target.starts_with('/')) target.erase(0, 1);
  while (target.ends_with('/')) target.pop_back();
  return target;
}

void insert(const App& app, const InsertArguments& arguments, const Job& job) {
  ImageChange change(app, arguments.image, job);
  const std::string target = target_of(arguments);
  std::vector<snapshot::LayerEntry> entries;
  Directory root = Directory::open(".");
  if (arguments.whiteout) {
    if (target.empty()) throw UsageError("the root directory cannot be removed");
    entries.push_back({target, snapshot::LayerEntryKind::removed});
  } else {
    auto [directory, name] = split_host_path(arguments.paths.front());
    root = std::move(directory);
    entries = snapshot::layer_entries_of(root, name, target, job.stop);
    if (arguments.opaque) entries.push_back({target, snapshot::LayerEntryKind::opaque});
  }
  const auto layer = snapshot::make_layer(
      root, std::move(entries),
      {.ownership = ownership_of(arguments.owners), .newest = source_date_epoch(app.environment)},
      job);
  change.add_layer(*layer, arguments.compress,
                   history_entry(app, arguments.history, "umoci insert", ""));
  change.commit(arguments.tag);
}

}  // namespace

void declare_options(OptionSet& options, InsertArguments& insert) {
  options.value("--image", insert.image);
  declare_tag(options, insert.tag);
  options.flag("--opaque", insert.opaque);
  options.flag("--whiteout", insert.whiteout);
  declare(options, insert.owners);
  declare_compress(options, insert.compress);
  declare(options, insert.history);
  options.arguments(insert.paths);
  options.check([&] {
    const std::size_t expected = insert.whiteout ? 1 : 2;
    if (insert.paths.size() != expected) {
      throw UsageError(str("invalid number of positional arguments: expected ", expected));
    }
    for (std::size_t i = 0; i < expected; ++i) {
      if (!insert.paths[i].empty()) continue;
      throw UsageError(str("invalid positional argument ", i, ": arguments cannot be empty"));
    }
    require_image(insert.image);
  });
}

int run_verb(const App& app, const InsertArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_observer(app);
  in_context([&] { return str("insert into ", quoted(arguments.image)); },
             [&] {
               insert(app, arguments, Job{interrupt.stop(), *observer});
             });
  return 0;
}

void declare_options(OptionSet& options, RawAddLayerArguments& add) {
  options.value("--image", add.image);
  declare_tag(options, add.tag);
  declare_compress(options, add.compress);
  declare(options, add.history);
  options.argument("new-layer.tar", add.archive);
  options.check([&] { require_image(add.image); });
}

int run_verb(const App& app, const RawAddLayerArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_observer(app);
  const Job job{interrupt.stop(), *observer};
  ImageChange change(app, arguments.image, job);
  Fd archive = open_file(arguments.archive, O_RDONLY);
  if (S_ISDIR(stat_of(archive, arguments.archive).st_mode)) {
    throw Error("new layer archive is a directory");
  }
  FdSource tar(std::move(archive), arguments.archive);
  change.add_layer(
      tar, arguments.compress,
      history_entry(app, arguments.history, "umoci raw add-layer", change.image().config.author));
  change.commit(arguments.tag);
  return 0;
}

}  // namespace lade::cli
