// `tag` and `untag`: names of images in the store.
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"

namespace lade::cli {

namespace {

/// A name for an image here. As with podman, one without a registry is `localhost/NAME`.
Reference local_name(const std::string& text) {
  const Reference given = Reference::parse(text);
  const bool is_short = given.domain() == "docker.io" && !text.starts_with("docker.io/") &&
                        !text.starts_with("index.docker.io/");
  const Reference name = is_short ? Reference::parse("localhost/" + text) : given;
  if (name.digest()) throw UsageError(str("name ", quoted(text), ": a digest is not given to it"));
  return name.with_default_tag();
}

/// The name of `image` that `text` means, as it is or below `localhost/`.
Reference name_of(const store::StoredImage& image, const std::string& text) {
  const Reference given = Reference::parse(text).with_default_tag();
  for (const Reference& name : image.names) {
    if (name == given || name == local_name(text)) return name;
  }
  throw NotFound(str("image ", quoted(image.id.hex()), " is not called ", quoted(text)));
}

}  // namespace

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
  for (const Reference& name : names) store.tag(image.id, name);
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
  for (const std::string& text : arguments.names) names.push_back(name_of(image, text));
  for (const Reference& name : names) store.untag(name);
  return 0;
}

}  // namespace lade::cli
