// `import`: a root file system becomes an image of one layer.
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/image_names.hpp"
#include "cli/import_source.hpp"
#include "cli/new_image.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/store_access.hpp"
#include "snapshot/image_sink.hpp"

namespace lade::cli {

namespace {

constexpr std::string_view k_default_message = "imported from tarball";

/// What the image is to be, before anything is known of its layer.
ImageConfig config_of(const ImportArguments& arguments, Observer& observer) {
  const Platform host = host_platform();
  const auto arch = arguments.arch.value_or(host.architecture);
  ImageConfig config{.platform = {.os = arguments.os.value_or(host.os),
                                  .architecture = arch,
                                  .variant = arguments.variant.value_or("")}};
  config.history = {
      {.comment = arguments.message.empty() ? std::string(k_default_message) : arguments.message}};
  change_config(config, arguments.changes, observer);
  return config;
}

/// When the image was made: what the environment says, or the file, or now.
Timestamp creation_time(const App& app, const ImportSource& source) {
  if (const auto epoch = source_date_epoch(app.environment)) return {*epoch, 0};
  return source.modified.value_or(now());
}

/// Completes the configuration around its layer.
void add_layer(ImageConfig& config, const snapshot::NewLayer& layer, const Timestamp& created) {
  config.created = format_rfc3339(created);
  config.diff_ids = {layer.diff_id};
  config.history.front().created = *config.created;
  config.history.front().created_by =
      str("/bin/sh -c #(nop) ADD file:", layer.diff_id.digest.hex(), " in /");
}

Digest import_image(const App& app, const ImportArguments& arguments, const Job& job) {
  ImageConfig config = config_of(arguments, job.observer);
  std::vector<Reference> names;
  if (arguments.name) names.push_back(local_name(*arguments.name));
  ImportSource source = open_import(arguments.source, job.stop);
  const Timestamp created = creation_time(app, source);

  store::Store store = open_store(app);
  snapshot::LocalImageSink sink(store, names, job);
  Task task(job.observer, TaskKind::fetch, arguments.source, source.size);
  TapSource counted(*source.bytes,
                    [&](std::span<const std::byte> piece) { task.advance(piece.size()); });
  const snapshot::NewLayer layer = sink.put_new_layer(counted);
  task.finish();
  add_layer(config, layer, created);
  put_image(sink, config, {layer.descriptor});
  sink.commit();
  return sink.image_id();
}

}  // namespace

void declare_options(OptionSet& options, ImportArguments& import) {
  options.argument("tar", import.source);
  options.argument(import.name);
  options.value("-c,--change", import.changes);
  options.value("-m,--message", import.message);
  options.value("--arch", import.arch);
  options.value("--os", import.os);
  options.value("--variant", import.variant);
  options.flag("-q,--quiet", import.quiet);
}

int run_verb(const App& app, const ImportArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const Digest id = in_context([&] { return str("import ", quoted(arguments.source)); },
                               [&] { return import_image(app, arguments, job); });
  write_result(id.text() + '\n');
  return 0;
}

}  // namespace lade::cli
