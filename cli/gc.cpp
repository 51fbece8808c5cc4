#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/layout_image.hpp"
#include "cli/layout_verbs.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"
#include "registry/transports/layout_collection.hpp"

namespace lade::cli {

namespace {

int collect_in_layout(const App& app, const std::string& path) {
  const InterruptWatch interrupt;
  const registry::LayoutCollection collected =
      in_context([&] { return str("layout ", quoted(path)); },
                 [&] { return registry::collect_layout(open_layout(path), interrupt.stop()); });
  if (app.global.name == ProgramName::umoci) return 0;
  std::string text;
  for (const Digest& blob : collected.blobs) text += str("blob ", blob.text(), '\n');
  write_result(str(text, "freed ", decimal_size(collected.bytes), '\n'));
  return 0;
}

}  // namespace

void declare_options(OptionSet& options, GcArguments& gc) {
  options.flag("--dry-run", gc.dry_run);
  options.flag("--partial", gc.partial);
  declare_format(options, gc.format);
  options.value("--layout", gc.layout);
  options.check([&] {
    if (!gc.layout) return;
    require_layout(*gc.layout);
    if (gc.dry_run || gc.partial) {
      throw UsageError("--layout: --dry-run and --partial are of the store");
    }
  });
}

int run_verb(const App& app, const GcArguments& arguments) {
  if (arguments.layout) return collect_in_layout(app, *arguments.layout);
  store::Store store = open_store(app);
  const store::Collected collected =
      store.collect({.dry_run = arguments.dry_run, .partials = arguments.partial});
  if (arguments.format == OutputFormat::json) {
    write_result(pretty_json(collected_value(collected)));
    return 0;
  }
  std::string text;
  for (const Digest& blob : collected.blobs) text += str("blob ", blob.text(), '\n');
  for (const std::string& layer : collected.layers) text += str("layer ", layer, '\n');
  for (const std::string& partial : collected.partials) {
    text += str("partial sha256:", partial, '\n');
  }
  text += str(arguments.dry_run ? "would free " : "freed ", decimal_size(collected.size), '\n');
  write_result(text);
  return 0;
}

}  // namespace lade::cli
