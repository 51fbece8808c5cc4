// `init`, `new`, `list` and `rm`: OCI layouts and the names in them, as umoci has them; and what
// `tag` and `gc` do to a layout.
#include "cli/layout_verbs.hpp"

#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/bundle_config.hpp"
#include "cli/image_change.hpp"
#include "cli/layout_image.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "oci/platform.hpp"
#include "registry/transports/layout_sink.hpp"
#include "registry/transports/layout_staging.hpp"

#include <sys/stat.h>

namespace lade::cli {

namespace {

/// Changes index.json under its lock.
void change_index(const registry::OciLayout& layout, const std::stop_token& stop,
                  const std::function<void(registry::LayoutIndex&)>& change) {
  const registry::LayoutStaging staging(layout.directory());
  layout.update_index(staging.directory(), stop, change);
}

void put(ImageSink& sink, const Descriptor& descriptor, const std::string& bytes) {
  if (sink.has_blob(descriptor)) return;
  StringSource source(bytes);
  sink.put_blob(descriptor, source);
}

}  // namespace

void declare_layout(OptionSet& options, std::string& layout) {
  options.value("--layout", layout);
  options.check([&] { require_layout(layout); });
}

void require_layout(const std::string& layout) {
  if (layout.empty()) throw UsageError("missing mandatory argument: --layout");
  if (layout.find(':') == std::string::npos) return;
  throw UsageError(
      str("invalid --layout: path contains ':' character: \"", printable(layout), '"'));
}

void tag_in_layout(const std::string& image, const std::string& tag) {
  const InterruptWatch interrupt;
  const LayoutName name = parse_layout_name(image);
  const registry::OciLayout layout = open_layout(name.path);
  change_index(layout, interrupt.stop(), [&](registry::LayoutIndex& index) {
    const registry::LayoutEntry* entry = index.find(name.tag);
    if (entry == nullptr) throw TagNotFound(name.path, name.tag);
    Descriptor descriptor = entry->descriptor;
    descriptor.annotations.reset();  // which hold the other name
    index.set(tag, descriptor);
  });
}

void declare_options(OptionSet& options, InitArguments& init) {
  declare_layout(options, init.layout);
}

int run_verb(const App&, const InitArguments& arguments) {
  struct stat st {};
  if (::lstat(arguments.layout.c_str(), &st) == 0) {
    throw Error(str("image layout creation: path already exists: ", printable(arguments.layout)));
  }
  registry::OciLayout::ensure(arguments.layout);
  return 0;
}

void declare_options(OptionSet& options, NewArguments& arguments) {
  options.value("--image", arguments.image);
  options.check([&] { require_image(arguments.image); });
}

int run_verb(const App& app, const NewArguments& arguments) {
  const InterruptWatch interrupt;
  const LayoutName name = parse_layout_name(arguments.image);
  const auto edit = registry::ImageEdit::blank(host_platform(), creation_time(app));
  const RawManifest raw = edit.manifest();
  registry::OciLayoutSink sink(open_layout(name.path), interrupt.stop());
  put(sink, parse_manifest(raw.bytes).config, edit.config_text());
  sink.put_manifest(raw, name.tag);
  sink.commit();
  return 0;
}

void declare_options(OptionSet& options, ListArguments& list) {
  declare_layout(options, list.layout);
}

int run_verb(const App&, const ListArguments& arguments) {
  std::string text;
  const registry::LayoutIndex index = open_layout(arguments.layout).read_index();
  for (const registry::LayoutEntry& entry : index.entries()) {
    if (!entry.name.empty()) text += str(printable(entry.name), '\n');
  }
  write_result(text);
  return 0;
}

void declare_options(OptionSet& options, RmArguments& rm) {
  options.value("--image", rm.image);
  options.check([&] { require_image(rm.image); });
}

int run_verb(const App&, const RmArguments& arguments) {
  const InterruptWatch interrupt;
  const LayoutName name = parse_layout_name(arguments.image);
  const registry::OciLayout layout = open_layout(name.path);
  // That there is none is no error, and blobs stay until `gc`: as with umoci.
  change_index(layout, interrupt.stop(), [&](registry::LayoutIndex& index) {
    index.remove_if([&](const registry::LayoutEntry& entry) { return entry.name == name.tag; });
  });
  return 0;
}

}  // namespace lade::cli
