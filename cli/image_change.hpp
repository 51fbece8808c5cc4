// What `repack`, `config`, `insert` and `raw add-layer` share: an image is opened, changed, and
// written under a tag to where it came from.
#pragma once

#include "base/observer.hpp"
#include "cli/arguments.hpp"
#include "cli/layout_image.hpp"
#include "cli/options.hpp"
#include "registry/image_edit.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lade::cli {

/// `--history.author`, `--history.comment`, `--history.created`, `--history.created_by`,
/// `--no-history`.
void declare(OptionSet& options, HistoryFlags& history);
/// `--compress`.
void declare_compress(OptionSet& options, LayerCompression& compression);
/// `--tag`.
void declare_tag(OptionSet& options, std::optional<std::string>& tag);

/// The time that SOURCE_DATE_EPOCH says, else now.
std::string creation_time(const App& app);

/// The entry that the flags ask for; nothing with `--no-history`. Throws UsageError.
std::optional<HistoryEntry> history_entry(const App& app, const HistoryFlags& flags,
                                          const std::string& created_by, const std::string& author);

/// An image on its way to another one. Nothing is visible until commit().
class ImageChange {
 public:
  /// `text` is `PATH[:TAG]`, or the name of an image in the store.
  ImageChange(const App& app, const std::string& text, const Job& job);
  /// The same of the image that a bundle was made from; `text` says where it is written.
  ImageChange(const App& app, const std::string& text, const std::vector<Descriptor>& path,
              const Job& job);

  const OpenedImage& image() const noexcept { return image_; }
  registry::ImageEdit& edit() noexcept { return edit_; }

  /// Puts a layer on top, of a plain tar, and its history. A layer without history is told of.
  void add_layer(Source& tar, LayerCompression compression,
                 const std::optional<HistoryEntry>& history);
  /// Writes it all under `tag` (nothing: that of the constructor's text); its descriptor.
  Descriptor commit(const std::optional<std::string>& tag);

 private:
  struct Place;
  static std::unique_ptr<Place> open_place(const App& app, const std::string& text,
                                           const std::optional<std::string>& tag, const Job& job);

  const App& app_;
  std::string text_;
  Job job_;
  OpenedImage image_;
  registry::ImageEdit edit_;
  std::vector<std::pair<Descriptor, Fd>> blobs_;  // that are new, without names
};

}  // namespace lade::cli
