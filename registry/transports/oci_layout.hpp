// An OCI image layout: a directory with many images that share their blobs, as skopeo, umoci and
// other tools read and write it. What is in it is not trusted: only regular files are read, links
// are not followed. image-spec, image-layout.md.
#pragma once

#include "base/directory.hpp"
#include "oci/digest.hpp"
#include "registry/transports/layout_index.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace lade::registry {

/// The names of lade's own temporary entries in a layout begin so.
inline constexpr std::string_view k_layout_temporary = ".lade-";
/// Where a mirror keeps the beginnings of blobs; not swept, so that they can be continued.
inline constexpr std::string_view k_layout_ingest = ".lade-ingest";

/// The marker file `oci-layout`: its content, and how much of one is read (bytes).
inline constexpr std::string_view k_layout_marker_text = "{\"imageLayoutVersion\": \"1.0.0\"}";
inline constexpr std::size_t k_layout_marker_cap = 4096;

/// Throws InvalidData if the marker of the layout at `path` is not of a version that is understood.
void check_layout_marker(std::string_view text, const std::string& path);

/// An open layout. THREADS: all const functions may be called from several at once.
class OciLayout {
 public:
  /// Opens a layout that exists. Throws NotFound if there is nothing, InvalidData if it is not a
  /// layout.
  static OciLayout open(const std::string& path);

  /// Opens a layout; makes it, and missing parent directories, if there is nothing or an empty
  /// directory. Any other directory is refused (InvalidData) and left alone.
  static OciLayout ensure(const std::string& path);

  /// The same of a directory that is there, but makes nothing in it: establish() does, if the
  /// directory is empty.
  static OciLayout prepare(Directory directory);

  /// Makes all that a layout without images has, as far as it is not there.
  void establish() const;

  const Directory& directory() const noexcept { return directory_; }

  /// The same layout with its blobs elsewhere, as `ALGORITHM/HEX` in a directory that layouts
  /// share.
  OciLayout with_blobs_in(Directory shared) &&;

  /// On the file system of this directory blobs are; they can be renamed from there to their
  /// places.
  const Directory& blob_home() const noexcept { return shared_ ? *shared_ : directory_; }
  bool shares_blobs() const noexcept { return shared_.has_value(); }

  /// The index.json as it is now. Throws InvalidData.
  LayoutIndex read_index() const;

  /// Reads index.json, lets `change` at it and replaces it, atomically and durably, while no other
  /// writer does; `then` is called before they may go on. `scratch` is a directory on the same file
  /// system for the new file. Throws Busy when the lock cannot be had within half a minute,
  /// Cancelled when `stop` is requested.
  void update_index(const Directory& scratch, const std::stop_token& stop,
                    const std::function<void(LayoutIndex&)>& change,
                    const std::function<void()>& then = {}) const;

  /// The size in bytes of a blob, or nothing if there is no such regular file.
  std::optional<std::uint64_t> find_blob_size(const Digest& digest) const;

  /// All blobs and their sizes in bytes; what is not named by a digest is not one.
  std::map<Digest, std::uint64_t> list_blobs() const;

  /// A blob for reading; its bytes are not verified. Throws NotFound, InvalidData for what is not a
  /// regular file, Refused if it has not got `size` bytes.
  Fd open_blob(const Digest& digest, std::uint64_t size) const;

  /// The directory of the blobs of an algorithm, made if need be.
  Directory ensure_blobs(const Digest& digest) const;

 private:
  explicit OciLayout(Directory directory) : directory_(std::move(directory)) {}
  Fd lock(const std::stop_token& stop) const;
  std::optional<Directory> find_blobs(const Digest& digest) const;

  Directory directory_;
  std::optional<Directory> shared_;  // where the blobs are, if not in the layout
};

}  // namespace lade::registry
