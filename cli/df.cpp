#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/table.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"

namespace lade::cli {

namespace {

std::string usage_table(const store::Store& store, const store::Usage& usage) {
  std::vector<Row> rows{{"REPOSITORY", "TAG", "IMAGE ID", "SHARED", "UNIQUE"}};
  for (const store::Usage::Image& image : usage.images) {
    const auto found = store.find_image(image.id.text());
    const bool is_named = found && !found->names.empty();
    rows.push_back({is_named ? found->names.front().repository() : "<none>",
                    is_named ? found->names.front().tag().value_or("<none>") : "<none>",
                    image.id.short_hex(), decimal_size(image.shared), decimal_size(image.unique)});
  }
  return str(table_text(rows), '\n',
             table_text({{"blobs", decimal_size(usage.blobs)},
                         {"layers", decimal_size(usage.layers)},
                         {"containers", decimal_size(usage.containers)},
                         {"partial downloads", decimal_size(usage.partials)},
                         {"gc would free", decimal_size(usage.reclaimable)}}));
}

}  // namespace

void declare_options(OptionSet& options, DfArguments& df) {
  declare_format(options, df.format);
}

int run_verb(const App& app, const DfArguments& arguments) {
  const store::Store store = open_store(app);
  const store::Usage usage = store.usage();
  write_result(arguments.format == OutputFormat::json ? pretty_json(usage_value(usage))
                                                      : usage_table(store, usage));
  return 0;
}

}  // namespace lade::cli
