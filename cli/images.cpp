#include "base/error.hpp"
#include "base/template/report.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/table.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"

namespace lade::cli {

namespace {

Row row_of(const store::StoredImage& image, const Reference* name, const ImagesArguments& arguments,
           const Timestamp& current) {
  Row row{name != nullptr ? name->repository() : "<none>",
          name != nullptr ? name->tag().value_or("<none>") : "<none>"};
  if (arguments.digests) row.push_back(image.manifest.digest.text());
  row.push_back(arguments.no_trunc ? image.id.text() : image.id.short_hex());
  row.push_back(image.created ? format_ago(*image.created, current) : "N/A");
  row.push_back(decimal_size(image.size));
  return row;
}

std::string images_table(const std::vector<store::StoredImage>& images,
                         const ImagesArguments& arguments) {
  std::vector<Row> rows;
  if (!arguments.no_heading) {
    rows.push_back({"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"});
    if (arguments.digests) rows.back().insert(rows.back().begin() + 2, "DIGEST");
  }
  const Timestamp current = now();
  for (const auto& image : images) {
    for (const Reference& name : image.names) {
      rows.push_back(row_of(image, &name, arguments, current));
    }
    if (image.names.empty()) rows.push_back(row_of(image, nullptr, arguments, current));
  }
  return table_text(rows);
}

std::string images_ids(const std::vector<store::StoredImage>& images,
                       const ImagesArguments& arguments) {
  std::string text;
  for (const auto& image : images) {
    text += (arguments.no_trunc ? image.id.text() : image.id.short_hex()) + "\n";
  }
  return text;
}

/// The rows by a template; podman calls the column of ids `IMAGE ID`.
std::string images_report(const std::vector<store::StoredImage>& images,
                          const ImagesArguments& arguments) {
  const Ids ids = arguments.no_trunc ? Ids::full : Ids::abbreviated;
  go::Report report{.name = "images", .rows = image_rows(images, ids)};
  if (!arguments.no_heading && !report.rows.empty()) {
    go::Map headers = *go::headers_of(*report.rows.front().as_record()).as_map();
    headers.items.insert_or_assign("ID", go::Value::text("IMAGE ID"));
    report.headers = go::Value::map(std::move(headers), "map[string]string");
  }
  return go::render_report(report, arguments.pattern);
}

/// Keeps the names that `wanted` means: that one, or all of its repository if it has no tag.
std::vector<store::StoredImage> matching(std::vector<store::StoredImage> images,
                                         const std::string& wanted) {
  const Reference reference = Reference::parse(wanted);
  const auto other = [&](const Reference& name) {
    const bool repository = name.path() == reference.path() ||
                            name.repository() == reference.repository() ||
                            str("library/", name.path()) == reference.path();
    return !repository || (reference.tag() && name.tag() != reference.tag());
  };
  for (auto& image : images) std::erase_if(image.names, other);
  std::erase_if(images, [](const auto& image) { return image.names.empty(); });
  return images;
}

}  // namespace

void declare_options(OptionSet& options, ImagesArguments& images) {
  options.argument(images.name);
  options.flag("-q,--quiet", images.quiet);
  options.flag("--digests", images.digests);
  options.flag("--no-trunc", images.no_trunc);
  options.flag("-n,--noheading", images.no_heading);
  declare_format(options, images.format, images.pattern);
}

int run_verb(const App& app, const ImagesArguments& arguments) {
  const store::Store store = open_store(app);
  auto images = store.list_images();
  if (arguments.name) images = matching(std::move(images), *arguments.name);
  if (arguments.quiet) {
    write_result(images_ids(images, arguments));
  } else if (arguments.format == OutputFormat::json) {
    write_result(pretty_json(images_value(images)));
  } else if (arguments.format == OutputFormat::pattern) {
    write_result(images_report(images, arguments));
  } else {
    write_result(images_table(images, arguments));
  }
  return 0;
}

}  // namespace lade::cli
