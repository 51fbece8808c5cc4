// What a process in an image or a container sees as its root directory, to be looked at: one
// merged, read-only tree that is mounted nowhere and goes with its object.
#pragma once

#include "base/directory.hpp"
#include "snapshot/container.hpp"
#include "store/container_record.hpp"
#include "store/store.hpp"

#include <optional>

namespace lade::snapshot {

/// A merged root. As long as it lives nobody removes the layers that it shows.
class RootView {
 public:
  /// `store` must outlive the view. Throws NotFound if the image was removed meanwhile.
  static RootView of_image(store::Store& store, const store::StoredImage& image);
  /// The image without its topmost layer; an empty directory if it has one layer or none.
  static RootView below_top_layer(store::Store& store, const store::StoredImage& image);
  /// The files of a container, those that it has changed included. One that is running may go on
  /// changing them.
  static RootView of_container(store::Store& store, const store::ContainerRecord& container);

  const Directory& root() const noexcept { return root_; }

 private:
  RootView(std::optional<ContainerDirectory> held, Directory root)
      : held_(std::move(held)), root_(std::move(root)) {}

  std::optional<ContainerDirectory> held_;  ///< nothing where the container itself keeps the image
  std::optional<Fd> lock_;
  Directory root_;
};

}  // namespace lade::snapshot
