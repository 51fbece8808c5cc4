#include "base/error.hpp"
#include "base/template/report.hpp"
#include "base/text.hpp"
#include "cli/image_filters.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/stored_images.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"
#include "oci/image_config.hpp"

#include <algorithm>
#include <set>

namespace lade::cli {

namespace {

/// A row for each name of each image.
std::vector<ImageRow> rows_of(const std::vector<store::StoredImage>& images,
                              const ImageFilters& filters) {
  std::vector<ImageRow> rows;
  for (const auto& image : images) {
    for (const Reference* name : filters.names_meant(image)) rows.push_back({&image, name});
    if (!image.names.empty()) continue;
    // As podman has it: of what was pulled by a digest the repository is known.
    rows.push_back({&image, image.asked.empty() ? nullptr : &image.asked.front()});
  }
  return rows;
}

std::string repository_of(const ImageRow& row) {
  return row.name != nullptr ? row.name->repository() : "<none>";
}

std::string tag_of(const ImageRow& row) {
  return row.name != nullptr ? row.name->tag().value_or("<none>") : "<none>";
}

/// Rows that are equal stay in their order: the newest first, which is how the images come.
void sort_rows(std::vector<ImageRow>& rows, ImageOrder order) {
  const auto by = [&](const auto& key) {
    std::stable_sort(rows.begin(), rows.end(), [&](const ImageRow& one, const ImageRow& other) {
      return key(one) < key(other);
    });
  };
  switch (order) {
    case ImageOrder::created:
      return;
    case ImageOrder::id:
      return by([](const ImageRow& row) { return row.image->id.hex(); });
    case ImageOrder::repository:
      return by(repository_of);
    case ImageOrder::size:
      return by([](const ImageRow& row) { return row.image->size; });
    case ImageOrder::tag:
      return by(tag_of);
  }
}

/// The images of the rows, each once.
std::vector<const store::StoredImage*> images_of(const std::vector<ImageRow>& rows) {
  std::vector<const store::StoredImage*> images;
  std::set<const store::StoredImage*> seen;
  for (const ImageRow& row : rows) {
    if (seen.insert(row.image).second) images.push_back(row.image);
  }
  return images;
}

std::string images_ids(const std::vector<ImageRow>& rows, const ImagesArguments& arguments) {
  std::string text;
  for (const auto* image : images_of(rows)) {
    text += (arguments.no_trunc ? image->id.text() : image->id.short_hex()) + "\n";
  }
  return text;
}

std::string images_json(const store::Store& store, const std::vector<ImageRow>& rows) {
  std::vector<ListedImage> listed;
  for (const auto* image : images_of(rows)) {
    listed.push_back({*image, parse_image_config(store.read_config(*image)).process.labels,
                      is_dangling(*image)});
  }
  return pretty_json(images_value(listed));
}

std::string table_pattern(const ImagesArguments& arguments) {
  return str("table {{.Repository}} {{.Tag}} ", arguments.digests ? "{{.Digest}} " : "",
             "{{.ID}} {{.Created}} {{.Size}}", arguments.history ? " {{.History}}" : "");
}

std::string images_report(const std::vector<ImageRow>& rows, const ImagesArguments& arguments) {
  const Ids ids = arguments.no_trunc ? Ids::full : Ids::abbreviated;
  go::Report report{.name = "images", .rows = image_rows(rows, ids)};
  if (!arguments.no_heading) report.headers = image_headers();
  const bool is_table = arguments.format == OutputFormat::table;
  return go::render_report(report, is_table ? table_pattern(arguments) : arguments.pattern);
}

}  // namespace

void declare_options(OptionSet& options, ImagesArguments& images) {
  options.argument(images.name);
  // No image here is a step of a build that would be hidden.
  options.granted("-a,--all");
  options.flag("-q,--quiet", images.quiet);
  options.flag("--digests", images.digests);
  options.value("-f,--filter", images.filters);
  options.flag("--history", images.history);
  options.flag("--no-trunc", images.no_trunc);
  options.flag("-n,--noheading", images.no_heading);
  options.choice("--sort", images.order,
                 {{"created", ImageOrder::created},
                  {"id", ImageOrder::id},
                  {"repository", ImageOrder::repository},
                  {"size", ImageOrder::size},
                  {"tag", ImageOrder::tag}});
  declare_format(options, images.format, images.pattern);
}

int run_verb(const App& app, const ImagesArguments& arguments) {
  const store::Store store = open_store(app);
  auto images = store.list_images();
  std::vector<std::string> wanted;
  for (const std::string& text : arguments.filters) {
    for (std::string& each : split(text, ',')) wanted.push_back(std::move(each));
  }
  if (arguments.name) wanted.push_back("reference=" + *arguments.name);
  const ImageFilters filters(store, wanted);
  std::erase_if(images, [&](const auto& image) { return !filters.pass(image); });
  std::vector<ImageRow> rows = rows_of(images, filters);
  sort_rows(rows, arguments.order);
  if (arguments.format == OutputFormat::json) {
    write_result(images_json(store, rows));
  } else if (arguments.quiet) {
    write_result(images_ids(rows, arguments));
  } else {
    write_result(images_report(rows, arguments));
  }
  return 0;
}

}  // namespace lade::cli
