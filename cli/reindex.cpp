#include "store/reindex.hpp"

#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/report.hpp"
#include "cli/store_access.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"

namespace lade::cli {

namespace {

std::string_view words_for(store::NameSource source) {
  switch (source) {
    case store::NameSource::index:
      return "from the old index";
    case store::NameSource::journal:
      return "from the file `names`";
    case store::NameSource::none:
      return "no record of names was left";
  }
  return "";
}

std::string report_text(const store::ReindexReport& report) {
  std::string text;
  for (const store::IncompleteImage& each : report.incomplete) {
    text += str("manifest ", each.manifest.text(), ": left out: ", each.problem, '\n');
  }
  for (const Reference& name : report.lost_names) {
    text += str("name ", name.text(), ": its image did not come back\n");
  }
  for (const std::string& id : report.stranded_containers) {
    text += str("container ", printable(id), ": its image did not come back\n");
  }
  return text + str(report.images, " images, ", report.blobs, " blobs, ", report.layers,
                    " layers, ", report.names, " names (", words_for(report.source), ")\n");
}

}  // namespace

void declare_options(OptionSet& options, ReindexArguments& reindex) {
  declare_format(options, reindex.format);
}

int run_verb(const App& app, const ReindexArguments& arguments) {
  const InterruptWatch interrupt;
  const store::ReindexReport report = store::reindex(store_path(app), interrupt.stop());
  write_result(arguments.format == OutputFormat::json ? pretty_json(reindex_value(report))
                                                      : report_text(report));
  const bool is_whole =
      report.incomplete.empty() && report.lost_names.empty() && report.stranded_containers.empty();
  return is_whole ? exit_code::done : exit_code::partly;
}

}  // namespace lade::cli
