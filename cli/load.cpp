#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/image_names.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/store_access.hpp"
#include "cli/verb_options.hpp"
#include "registry/copy.hpp"
#include "registry/image_tree.hpp"
#include "registry/transports/directory_source.hpp"
#include "registry/transports/docker_archive_source.hpp"
#include "registry/transports/layout_archive.hpp"
#include "registry/transports/layout_source.hpp"
#include "snapshot/image_sink.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace lade::cli {

namespace {

constexpr const char* k_standard_input = "/dev/stdin";

/// An image of an archive, and what it is to be called here.
struct Item {
  ManifestKey key;
  std::vector<Reference> names;
};

/// What there is to load.
struct Contents {
  std::unique_ptr<ImageSource> source;
  std::vector<Item> items;
};

/// What a name in a layout means here: a whole reference, or, as with podman, one of this host.
/// Throws InvalidData: names of archives are not trusted.
Reference name_in_archive(const std::string& text) {
  try {
    const bool is_whole = text.find_first_of("/:") != std::string::npos;
    Reference name = Reference::parse(is_whole ? text : "localhost/" + text).with_default_tag();
    if (looks_like_id(name)) throw UsageError("it looks like an id");
    return name;
  } catch (const UsageError& error) {
    throw InvalidData(str("its name ", quoted(text), ": ", error.message()));
  }
}

std::vector<Item> items_of(const registry::LayoutIndex& index) {
  std::vector<Item> items;
  for (const registry::LayoutEntry& entry : index.entries()) {
    Item item{entry.descriptor.digest, {}};
    if (!entry.name.empty()) item.names.push_back(name_in_archive(entry.name));
    items.push_back(std::move(item));
  }
  return items;
}

Contents open_docker_archive(registry::ArchiveFile archive) {
  auto source = std::make_unique<registry::DockerArchiveSource>(std::move(archive));
  std::vector<Item> items;
  for (std::size_t i = 0; i < source->items().size(); ++i) {
    Item item{source->manifest_at(i).digest, {}};
    for (const std::string& tag : source->items()[i].tags) {
      item.names.push_back(name_in_archive(tag));
    }
    items.push_back(std::move(item));
  }
  return {std::move(source), std::move(items)};
}

/// A file, a pipe, or a directory, of whatever format it turns out to be.
Contents open_contents(const std::string& path, const registry::ArchiveOptions& options) {
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) {
    const Directory directory = Directory::open(path);
    if (directory.exists("oci-layout")) {
      registry::OciLayout layout = registry::OciLayout::open(path);
      std::vector<Item> items = items_of(layout.read_index());
      return {std::make_unique<registry::OciLayoutSource>(std::move(layout)), std::move(items)};
    }
    return {std::make_unique<registry::DirectorySource>(path), {{std::string(), {}}}};
  }
  registry::ArchiveFile archive = registry::ArchiveFile::open(path, options);
  // Docker's newer archives are both; their manifest.json names the images as they were saved.
  if (archive.index().find_file("manifest.json") != nullptr) {
    return open_docker_archive(std::move(archive));
  }
  auto source =
      std::make_unique<registry::LayoutArchiveSource>(registry::LayoutArchive(std::move(archive)));
  std::vector<Item> items = items_of(source->index());
  return {std::move(source), std::move(items)};
}

/// What to say of names that come to mean something else: an archive does not move a tag in
/// silence.
std::vector<std::string> list_moves(const store::Store& store, const Item& item,
                                    const Digest& loaded) {
  std::vector<std::string> moves;
  for (const Reference& name : item.names) {
    const auto before = store.find_image(name.text());
    if (!before || before->id == loaded) continue;
    moves.push_back(
        str("the name ", quoted(name.text()), " was that of image ", quoted(before->id.hex())));
  }
  return moves;
}

std::string load_one(store::Store& store, ImageSource& source, const Item& item, const Job& job) {
  const Platform platform = host_platform();
  const auto image = registry::resolve_image(source, item.key, platform);
  registry::require_image(image);
  const auto moves = list_moves(store, item, image.manifest.config.digest);
  snapshot::LocalImageSink sink(store, item.names, job);
  registry::copy_image(source, sink,
                       {.source_key = item.key,
                        .sink_key = item.key,
                        .platform = platform,
                        .instances = {registry::Instances::Which::with_lists}},
                       job);
  for (const std::string& move : moves) job.observer.note(NoteLevel::warning, move);
  if (item.names.empty()) return str("Loaded image: sha256:", sink.image_id().hex(), '\n');
  std::string text;
  for (const Reference& name : item.names) text += str("Loaded image: ", name.text(), '\n');
  return text;
}

}  // namespace

void declare_options(OptionSet& options, LoadArguments& load) {
  options.value("-i,--input", load.input);
  options.flag("-q,--quiet", load.quiet);
}

int run_verb(const App& app, const LoadArguments& arguments) {
  if (!arguments.input && ::isatty(STDIN_FILENO) != 0) {
    UsageError error("load: an archive is not read from a terminal");
    error.set_hint("name a file with --input, or redirect standard input");
    throw error;
  }
  store::Store store = open_store(app);
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const std::string path = arguments.input.value_or(k_standard_input);
  in_context([&] { return str("load ", quoted(path)); },
             [&] {
               const Contents contents = open_contents(
                   path,
                   {.temporary_directory = app.environment.temporary_directory, .stop = job.stop});
               if (contents.items.empty()) throw NotFound("there is no image in it");
               for (const Item& item : contents.items) {
                 write_result(load_one(store, *contents.source, item, job));
               }
             });
  return 0;
}

}  // namespace lade::cli
