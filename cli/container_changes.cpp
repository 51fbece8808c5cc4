#include "cli/container_changes.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/pull_image.hpp"

#include <algorithm>
#include <array>

namespace lade::cli {

using snapshot::RootView;

namespace {

NotFound missing(const std::string& name) {
  return NotFound(str("there is no image and no container ", quoted(name)));
}

}  // namespace

RootView view_of(const App& app, store::Store& store, const std::string& name) {
  if (const auto container = store::find_container(store.containers(), name)) {
    return RootView::of_container(store, *container);
  }
  const auto image = find_image(app, store, name);
  if (!image) throw missing(name);
  return RootView::of_image(store, *image);
}

RootView base_of(const App& app, store::Store& store, const std::string& name) {
  if (const auto container = store::find_container(store.containers(), name)) {
    return RootView::of_image(store, store.get_image(container->image.text()));
  }
  const auto image = find_image(app, store, name);
  if (!image) throw missing(name);
  return RootView::below_top_layer(store, *image);
}

bool is_of_the_host(const std::string& path) {
  constexpr std::array<std::string_view, 10> paths{
      "dev",  "etc/hostname", "etc/hosts",         "etc/resolv.conf", "etc/mtab",
      "proc", "run",          "run/.containerenv", "run/secrets",     "sys"};
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

}  // namespace lade::cli
