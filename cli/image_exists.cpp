#include "cli/options.hpp"
#include "cli/pull_image.hpp"
#include "cli/report.hpp"
#include "cli/store_access.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, ImageExistsArguments& exists) {
  options.argument("image", exists.image);
}

int run_verb(const App& app, const ImageExistsArguments& arguments) {
  const store::Store store = open_store(app);
  // podman's answer: not the code for what is not found.
  return find_image(app, store, arguments.image) ? exit_code::done : exit_code::failed;
}

}  // namespace lade::cli
