#include "snapshot/root_view.hpp"

#include "base/error.hpp"
#include "base/mount.hpp"
#include "base/text.hpp"
#include "snapshot/chain.hpp"
#include "snapshot/packed.hpp"
#include "snapshot/probe.hpp"
#include "store/locked.hpp"

#include <fcntl.h>

namespace lade::snapshot {

namespace {

/// A container of the image that nobody runs: it keeps the image, and has an empty directory with
/// the attributes of the image's root.
ContainerDirectory hold(store::Store& store, const store::StoredImage& image) {
  return ContainerDirectory::create(store, image, store::unique_name("view"), Lifetime::ephemeral);
}

/// `top` over `lowers`. There are two directories or more wherever there is a layer: of a single
/// one overlay would be asked for a plain view, in which whiteouts show.
Directory mount_view(const std::string& top, const std::vector<std::string>& lowers,
                     const std::string& name) {
  OverlayConfig config{.lowers = {top},
                       .upper = {},
                       .work = {},
                       .user_xattr = overlay_xattrs_of_process() == OverlayXattrs::user};
  config.lowers.insert(config.lowers.end(), lowers.begin(), lowers.end());
  return Directory(make_overlay_mount(config), name);
}

}  // namespace

RootView RootView::of_image(store::Store& store, const store::StoredImage& image) {
  ContainerDirectory held = hold(store, image);
  if (auto copy = find_copied_root(held.directory())) {
    return RootView(std::move(held), *std::move(copy));
  }
  const OverlayConfig& overlay = held.overlay();
  Directory root = mount_view(overlay.upper, overlay.lowers, image.id.hex());
  return RootView(std::move(held), std::move(root));
}

RootView RootView::below_top_layer(store::Store& store, const store::StoredImage& image) {
  ContainerDirectory held = hold(store, image);
  std::vector<ChainLink> chain = chain_of(store, image);
  if (find_copied_root(held.directory())) {
    Directory copy = held.directory().ensure_child("below", 0755);
    NullObserver nobody;
    copy_image(store, image, chain.empty() ? 0 : chain.size() - 1, copy, {{}, nobody});
    return RootView(std::move(held), std::move(copy));
  }
  if (!chain.empty()) chain.pop_back();
  const Directory top = held.directory().ensure_child("below", 0700);
  NullObserver nobody;
  MetadataWriter metadata(top, overlay_xattrs_of_process(), nobody);
  metadata.apply(top.handle(), root_attributes(chain), top.path());
  Directory root = mount_view(top.path(), lower_directories(chain), image.id.hex());
  return RootView(std::move(held), std::move(root));
}

RootView RootView::of_container(store::Store& store, const store::ContainerRecord& container) {
  const Directory directory = store.containers().child(container.id);
  RootView view = [&] {
    if (auto copy = find_copied_root(directory)) return RootView(std::nullopt, *std::move(copy));
    ContainerDirectory held = hold(store, store.get_image(container.image.text()));
    if (!held.copied_root().empty()) {
      throw Error(str("container ", quoted(container.id),
                      " is an overlay, which cannot be here: ", find_support(store).why));
    }
    Directory root =
        mount_view(directory.child("upper").path(), held.overlay().lowers, container.id);
    return RootView(std::move(held), std::move(root));
  }();
  // Against its removal. If it runs, the process that runs it has the lock.
  Fd lock = duplicate(directory.handle());
  if (store::try_lock_shared(lock)) view.lock_ = std::move(lock);
  return view;
}

}  // namespace lade::snapshot
