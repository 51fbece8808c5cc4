#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, GcArguments& gc) {
  options.flag("--dry-run", gc.dry_run);
  options.flag("--partial", gc.partial);
  declare_format(options, gc.format);
}

int run_verb(const App& app, const GcArguments& arguments) {
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
