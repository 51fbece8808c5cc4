// `commit`: what a container has changed becomes a layer, and the container an image.
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/container_changes.hpp"
#include "cli/image_names.hpp"
#include "cli/new_image.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/store_access.hpp"
#include "snapshot/image_sink.hpp"
#include "snapshot/layer_diff.hpp"
#include "snapshot/root_view.hpp"
#include "store/container_record.hpp"

#include <fcntl.h>

#include <algorithm>

namespace lade::cli {

namespace {

using snapshot::Change;
using snapshot::ChangeKind;
using snapshot::LayerEntry;
using snapshot::RootView;

constexpr std::size_t k_config_cap = 4 * 1024 * 1024;

store::ContainerRecord get_container(const store::Store& store, const std::string& name) {
  auto container = store::find_container(store.containers(), name);
  if (!container) throw NotFound(str("there is no container ", quoted(name)));
  return *std::move(container);
}

/// A container that does not run stands still by itself; one that does cannot be paused yet.
void refuse_running(const store::Store& store, const store::StoredImage& image,
                    const store::ContainerRecord& container) {
  const auto running = store.running_on(image.id);
  if (std::find(running.begin(), running.end(), container.id) == running.end()) return;
  Busy error("the container is running, and cannot be paused yet");
  error.set_hint("stop it, or leave out --pause: files are taken as they are found");
  throw error;
}

/// The configuration of the image, with the command, the variables and so on that the container was
/// run with.
ImageConfig config_of(const store::Store& store, const store::ContainerRecord& container,
                      const store::StoredImage& image) {
  const Directory directory = store.containers().child(container.id);
  const auto file = directory.find_file(snapshot::k_container_config, O_RDONLY | O_NONBLOCK);
  if (!file) return parse_image_config(store.read_config(image));
  return parse_image_config(
      read_whole(*file, k_config_cap, directory.path_of(snapshot::k_container_config)));
}

/// The places that were made for what a container gets from its host.
bool is_mount_point(const Change& change) {
  return change.kind == ChangeKind::added && is_of_the_host(change.path);
}

/// The layer of what the container has changed; with `squash` of all that it has.
std::vector<LayerEntry> find_entries(store::Store& store, const store::StoredImage& image,
                                     const RootView& after, bool squash,
                                     const std::stop_token& stop) {
  if (squash) return snapshot::layer_entries_of(after.root(), "", "", stop);
  const RootView before = RootView::of_image(store, image);
  return snapshot::layer_entries(
      snapshot::compare_trees(before.root(), after.root(), stop, is_mount_point));
}

/// What the history says of a container's layer: how it came about, and of what.
HistoryEntry history_of(const CommitArguments& arguments, const ImageConfig& config,
                        const store::StoredImage& image) {
  std::vector<std::string> command = config.process.entrypoint;
  command.insert(command.end(), config.process.cmd.begin(), config.process.cmd.end());
  const std::string base = image.names.empty() ? image.id.hex() : image.names.front().text();
  return {.created = *config.created,
          .created_by = join(command, " "),
          .author = config.author,
          .comment = arguments.message.empty() ? "FROM " + base : arguments.message};
}

Digest commit_container(const App& app, const CommitArguments& arguments, const Job& job) {
  store::Store store = open_store(app);
  const store::ContainerRecord container = get_container(store, arguments.container);
  const store::StoredImage image = store.get_image(container.image.text());
  if (arguments.pause) refuse_running(store, image, container);
  ImageConfig config = config_of(store, container, image);
  if (!arguments.author.empty()) config.author = arguments.author;
  change_config(config, arguments.changes, job.observer);
  const auto epoch = source_date_epoch(app.environment);
  config.created = format_rfc3339(epoch ? Timestamp{*epoch, 0} : now());
  std::vector<Reference> names;
  if (arguments.name) names.push_back(local_name(*arguments.name));

  const RootView after = RootView::of_container(store, container);
  auto entries = find_entries(store, image, after, arguments.squash, job.stop);
  const auto tar = snapshot::make_layer(after.root(), std::move(entries),
                                        {.newest = epoch,
                                         .times = snapshot::TarTimes::nanoseconds,
                                         .short_file = snapshot::ShortFile::padded},
                                        job);
  snapshot::LocalImageSink sink(store, names, job);
  std::vector<Descriptor> layers = parse_manifest(store.read_manifest(image).bytes).layers;
  if (arguments.squash) {
    layers.clear();
    config.diff_ids.clear();
    config.history.clear();
  }
  const snapshot::NewLayer layer = sink.put_new_layer(*tar);
  layers.push_back(layer.descriptor);
  config.diff_ids.push_back(layer.diff_id);
  config.history.push_back(history_of(arguments, config, image));
  for (const Descriptor& each : layers) sink.has_blob(each);  // held until they are committed
  put_image(
      sink, config, layers,
      arguments.docker_format ? registry::ManifestFormat::v2s2 : registry::ManifestFormat::oci);
  sink.commit();
  return sink.image_id();
}

}  // namespace

void declare_options(OptionSet& options, CommitArguments& commit) {
  options.argument("container", commit.container);
  options.argument(commit.name);
  options.value("-c,--change", commit.changes);
  options.value("-m,--message", commit.message);
  options.value("-a,--author", commit.author);
  options.value("--iidfile", commit.id_file);
  options.flag("--squash,-s", commit.squash);
  options.flag("-q,--quiet", commit.quiet);
  options.value("-f,--format", [&commit](const std::string& format) {
    if (format != "oci" && format != "docker") {
      throw UsageError(str("--format ", quoted(format), ": it is oci or docker"));
    }
    commit.docker_format = format == "docker";
  });
  options.flag("-p,--pause", commit.pause);
  options.refused_flag("--include-volumes");
}

int run_verb(const App& app, const CommitArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const Digest id = in_context([&] { return str("commit ", quoted(arguments.container)); },
                               [&] { return commit_container(app, arguments, job); });
  if (arguments.id_file) write_digest_file(*arguments.id_file, id);
  write_result(id.hex() + '\n');
  return 0;
}

}  // namespace lade::cli
