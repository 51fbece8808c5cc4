#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/child_process.hpp"
#include "cli/image_names.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/stored_images.hpp"

namespace lade::cli {

namespace {

std::string printed(const store::RemovedImage& removed) {
  std::string text;
  for (const Reference& name : removed.untagged) text += str("Untagged: ", name.text(), '\n');
  for (const Digest& id : removed.deleted) text += str("Deleted: ", id.hex(), '\n');
  return text;
}

std::string remove_one(store::Store& store, const std::string& text,
                       const RmiArguments& arguments) {
  const store::StoredImage image = store.get_image(text);
  const auto policy =
      arguments.force ? store::RemovePolicy::force : store::RemovePolicy::refuse_in_use;
  const bool has_others = all_names(image).size() > 1;
  const auto meant = find_name_meant(image, text);
  // A digest that the image was not pulled by is as good as its id.
  const bool is_id = is_id_of(image, text) || (!meant && Reference::parse(text).digest());
  if (!is_id && has_others) {
    const Reference name = meant ? *meant : Reference::parse(text).with_default_tag();
    store.untag(name);
    return str("Untagged: ", name.text(), '\n');
  }
  if (is_id && has_others && !arguments.force) {
    Error error(str("image ", quoted(text), " has several names"));
    error.set_hint("remove them by name, or pass --force");
    throw error;
  }
  return printed(store.remove_image(image.id, policy, store::Unlink::later));
}

}  // namespace

void declare_options(OptionSet& options, RmiArguments& rmi) {
  options.arguments(rmi.images);
  options.flag("-a,--all", rmi.all);
  options.flag("-f,--force", rmi.force);
  options.flag("-i,--ignore", rmi.ignore_missing);
  options.check([&] {
    if (rmi.images.empty() && !rmi.all) throw UsageError("no image given");
  });
}

int run_verb(const App& app, const RmiArguments& arguments) {
  store::Store store = open_store(app);
  std::vector<std::string> targets = arguments.images;
  if (arguments.all) {
    for (const auto& image : store.list_images()) targets.push_back(image.id.hex());
  }
  RmiArguments effective = arguments;
  effective.force = arguments.force || arguments.all;
  // The images are gone at once; their files go while the user is already doing something else.
  const auto tidy_up = [&] {
    if (store.trash().list().empty()) return;
    finish_in_background([&] {
      store.let_go_of_index();
      store.tidy_up();
    });
  };
  try {
    for (const std::string& target : targets) {
      if (arguments.ignore_missing && !store.find_image(target)) continue;
      write_result(in_context([&] { return str("remove image ", quoted(target)); },
                              [&] { return remove_one(store, target, effective); }));
    }
  } catch (...) {
    tidy_up();
    throw;
  }
  tidy_up();
  return 0;
}

}  // namespace lade::cli
