// `import`: a root file system becomes an image of one layer.
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/image_names.hpp"
#include "cli/import_source.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/store_access.hpp"
#include "oci/config_change.hpp"
#include "oci/new_image.hpp"
#include "oci/verified_source.hpp"
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
  for (const std::string& change : arguments.changes) {
    if (change_config(config.process, change) == ConfigChange::made) continue;
    observer.note(NoteLevel::warning,
                  str("change ", quoted(change), " is left out: OCI images have no such member"));
  }
  config.history = {
      {.comment = arguments.message.empty() ? std::string(k_default_message) : arguments.message}};
  return config;
}

/// What can be wrong with the words is found before anything is read.
void require_writable(const ImageConfig& config) {
  try {
    parse_image_config(write_image_config(config));
  } catch (const InvalidData&) {
    throw UsageError("a change or the message is no text in UTF-8");
  }
}

/// When the image was made: what the environment says, or the file, or now.
Timestamp creation_time(const App& app, const ImportSource& source) {
  const auto& epoch = app.environment.source_date_epoch;
  if (!epoch) return source.modified.value_or(now());
  const auto seconds = parse_number<std::int64_t>(*epoch);
  if (!seconds || *seconds < 0) {
    throw UsageError(str("SOURCE_DATE_EPOCH ", quoted(*epoch), ": expected seconds since 1970"));
  }
  return {*seconds, 0};
}

void put(snapshot::LocalImageSink& sink, const Descriptor& descriptor, std::string bytes) {
  if (sink.has_blob(descriptor)) return;
  StringSource source(std::move(bytes));
  VerifiedSource verified(source, descriptor);
  sink.put_blob(descriptor, verified);
}

/// Completes the image around its layer.
void put_image(snapshot::LocalImageSink& sink, ImageConfig config, const snapshot::NewLayer& layer,
               const Timestamp& created) {
  config.created = format_rfc3339(created);
  config.diff_ids = {layer.diff_id};
  config.history.front().created = *config.created;
  config.history.front().created_by =
      str("/bin/sh -c #(nop) ADD file:", layer.diff_id.digest.hex(), " in /");
  std::string bytes = write_image_config(config);
  const Descriptor descriptor{std::string(media_type::oci_config), Digest::of(bytes), bytes.size()};
  put(sink, descriptor, std::move(bytes));
  const RawManifest manifest = write_manifest({.config = descriptor, .layers = {layer.descriptor}});
  sink.put_manifest(manifest, manifest.digest);
}

Digest import_image(const App& app, const ImportArguments& arguments, const Job& job) {
  const ImageConfig config = config_of(arguments, job.observer);
  require_writable(config);
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
  put_image(sink, config, layer, created);
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
