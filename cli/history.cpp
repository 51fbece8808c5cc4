#include "base/template/report.hpp"
#include "base/template/text_form.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/stored_images.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"

#include <algorithm>

namespace lade::cli {

namespace {

/// podman's, so that columns begin where they do there.
constexpr std::string_view k_table =
    "table {{.ID}} {{.Created}} {{.CreatedBy}} {{.Size}} {{.Comment}}";

/// The image that is made of these layers and no more; the newest, if there are several.
const StackedImage* find_made_of(const std::vector<StackedImage>& all,
                                 const std::vector<store::StoredLayer>& layers) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const StackedImage& each) {
    return each.layers.size() == layers.size() && each.stands_on(layers);
  });
  return found == all.end() ? nullptr : &*found;
}

/// The steps, the last one first, as podman shows them: an image that is here stands at the first
/// of the steps at which it was all there was.
std::vector<HistoryStep> steps_of(const store::Store& store, const store::StoredImage& image,
                                  const ImageConfig& config) {
  const std::vector<StackedImage> all = stacked_images(store);
  std::vector<store::StoredLayer> layers = store.layers_of(image.id);
  std::vector<Digest> used;
  std::vector<HistoryStep> steps;
  for (auto entry = config.history.rbegin(); entry != config.history.rend(); ++entry) {
    HistoryStep step{.entry = *entry};
    if (steps.empty()) step.id = image.id;
    if (!layers.empty()) {
      const StackedImage* made = find_made_of(all, layers);
      const bool is_new =
          made != nullptr && std::count(used.begin(), used.end(), made->image.id) == 0;
      if (!step.id && is_new) step.id = made->image.id;
      if (made != nullptr) used.push_back(made->image.id);
    }
    if (!entry->empty_layer && !layers.empty()) {
      step.size = layers.back().tar_size;
      layers.pop_back();
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

std::string ids_of(const std::vector<HistoryStep>& steps, const HistoryArguments& arguments) {
  std::string text;
  for (const HistoryStep& step : steps) {
    text += !step.id ? "<missing>" : arguments.no_trunc ? step.id->hex() : step.id->short_hex();
    text += '\n';
  }
  return text;
}

}  // namespace

void declare_options(OptionSet& options, HistoryArguments& history) {
  options.argument("image", history.image);
  options.flag("-H,--human", history.human);
  options.flag("--no-trunc", history.no_trunc);
  options.flag("-q,--quiet", history.quiet);
  declare_format(options, history.format, history.pattern);
}

int run_verb(const App& app, const HistoryArguments& arguments) {
  const store::Store store = open_store(app);
  const store::StoredImage image = store.get_image(arguments.image);
  const auto steps = steps_of(store, image, parse_image_config(store.read_config(image)));
  if (arguments.format == OutputFormat::json) {
    write_result(go::json_text(history_steps_value(steps)) + '\n');
    return 0;
  }
  if (arguments.quiet) {
    write_result(ids_of(steps, arguments));
    return 0;
  }
  go::Report report{
      .name = "history",
      .rows = history_rows(steps, {.truncated = !arguments.no_trunc, .human = arguments.human}),
      .headers = history_headers()};
  const bool is_table = arguments.format == OutputFormat::table;
  write_result(go::render_report(report, is_table ? k_table : arguments.pattern));
  return 0;
}

}  // namespace lade::cli
