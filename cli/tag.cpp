// `tag` and `untag`: names of images in the store, and of `tag` in a layout.
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/image_names.hpp"
#include "cli/layout_image.hpp"
#include "cli/layout_verbs.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/stored_images.hpp"

namespace lade::cli {

namespace {

/// In the store the first argument is the image.
void take_image(TagArguments& tag) {
  if (tag.names.empty()) throw UsageError("no image given");
  if (tag.names.size() == 1) throw UsageError("no name given");
  tag.image = tag.names.front();
  tag.names.erase(tag.names.begin());
}

}  // namespace

void declare_options(OptionSet& options, TagArguments& tag) {
  options.value("--image", tag.layout_image);
  options.arguments(tag.names);
  options.check([&] {
    if (tag.layout_image.empty()) return take_image(tag);
    if (tag.names.size() != 1) {
      throw UsageError("invalid number of positional arguments: expected <new-tag>");
    }
    check_layout_tag(tag.names.front(), "new tag");
  });
}

int run_verb(const App& app, const TagArguments& arguments) {
  if (!arguments.layout_image.empty()) {
    tag_in_layout(arguments.layout_image, arguments.names.front());
    return 0;
  }
  store::Store store = open_store(app);
  const store::StoredImage image = store.get_image(arguments.image);
  std::vector<Reference> names;
  for (const std::string& text : arguments.names) names.push_back(local_name(text));
  store.tag(image.id, names);
  return 0;
}

void declare_options(OptionSet& options, UntagArguments& untag) {
  options.argument("image", untag.image);
  options.arguments(untag.names);
}

int run_verb(const App& app, const UntagArguments& arguments) {
  store::Store store = open_store(app);
  const store::StoredImage image = store.get_image(arguments.image);
  std::vector<Reference> names =
      arguments.names.empty() ? all_names(image) : std::vector<Reference>{};
  for (const std::string& text : arguments.names) {
    const auto name = find_name_meant(image, text);
    if (!name) {
      throw NotFound(str("image ", quoted(image.id.hex()), " is not called ", quoted(text)));
    }
    names.push_back(*name);
  }
  store.untag(names);
  return 0;
}

}  // namespace lade::cli
