// `tag` and `untag`: names of images in the store.
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/image_names.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, TagArguments& tag) {
  options.argument("image", tag.image);
  options.arguments(tag.names);
  options.check([&] {
    if (tag.names.empty()) throw UsageError("no name given");
  });
}

int run_verb(const App& app, const TagArguments& arguments) {
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
  std::vector<Reference> names = arguments.names.empty() ? image.names : std::vector<Reference>{};
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
