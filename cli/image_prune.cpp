#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "cli/image_filters.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/stored_images.hpp"
#include "store/container_record.hpp"

#include <unistd.h>

#include <array>

namespace lade::cli {

namespace {

/// A line of standard input; nothing at its end.
std::optional<std::string> read_answer() {
  std::string line;
  std::array<std::byte, 1> one;
  Fd input(STDIN_FILENO);
  std::size_t count = 0;
  try {
    while ((count = read_some(input, one, "standard input")) > 0 && one[0] != std::byte{'\n'}) {
      line += static_cast<char>(one[0]);
    }
  } catch (...) {
    input.release();
    throw;
  }
  input.release();
  if (count == 0 && line.empty()) return std::nullopt;
  return line;
}

bool is_confirmed(const ImagePruneArguments& arguments) {
  if (arguments.force) return true;
  write_message(arguments.all ? "This removes all images that no container uses.\n"
                              : "This removes all dangling images.\n");
  write_message("Are you sure you want to continue? [y/N] ");
  const auto answer = read_answer();
  if (!answer) {
    write_message("\n");
    Error error("image prune: nobody answered whether to continue");
    error.set_hint("--force does not ask");
    throw error;
  }
  return ascii_lower(trim(*answer)).starts_with('y');
}

}  // namespace

void declare_options(OptionSet& options, ImagePruneArguments& prune) {
  options.flag("-a,--all", prune.all);
  // What it allows to remove are images of other programs' containers, which are not in this store.
  options.granted("--external");
  options.value("--filter", prune.filters);
  options.flag("-f,--force", prune.force);
}

int run_verb(const App& app, const ImagePruneArguments& arguments) {
  store::Store store = open_store(app);
  // Wrong filters are told before anything is asked.
  const ImageFilters filters(store, arguments.filters);
  if (!is_confirmed(arguments)) return 0;
  const auto all = store.list_images();
  for (const store::StoredImage& image : all) {
    if (!arguments.all && !is_dangling(image)) continue;
    if (!filters.pass(image)) continue;
    if (!store::containers_of(store.containers(), image.id).empty()) continue;
    const auto policy =
        arguments.all ? store::RemovePolicy::refuse_in_use : store::RemovePolicy::refuse_named;
    for (const Digest& id : store.remove_image(image.id, policy).deleted) {
      write_result(id.hex() + '\n');
    }
  }
  return 0;
}

}  // namespace lade::cli
