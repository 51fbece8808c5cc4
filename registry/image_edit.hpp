// An image that is changed: layers and history are added, settings of its configuration set. What
// is not changed stays byte for byte as it was, members that lade does not know included.
#pragma once

#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "registry/json_object.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// A manifest and its configuration, on their way to new ones.
class ImageEdit {
 public:
  /// An image without layers, made at `created` (RFC 3339).
  static ImageEdit blank(const Platform& platform, const std::string& created);
  /// Throws InvalidData for anything that is not an OCI image.
  ImageEdit(const RawManifest& manifest, std::string_view config);

  /// Puts a layer on top. `uncompressed`: of its tar, bytes.
  void add_layer(Descriptor layer, const DiffId& diff_id, std::uint64_t uncompressed);
  void add_history(const HistoryEntry& entry);

  /// Sets a member of the configuration: `author`, `created`, `os`, `architecture`, `variant`.
  void set(std::string_view name, const std::string& value);
  /// Sets a member of its `config`: `User`, `WorkingDir`, `StopSignal`. Empty: takes it away.
  void set_setting(std::string_view name, const std::string& value);
  /// The same for lists: `Env`, `Cmd`, `Entrypoint`.
  void set_setting(std::string_view name, const std::vector<std::string>& values);
  /// The same for maps: `Labels`.
  void set_setting(std::string_view name, const std::map<std::string, std::string>& values);
  /// The same for sets, which are objects of empty objects: `Volumes`, `ExposedPorts`.
  void set_names(std::string_view name, const std::vector<std::string>& names);
  void set_annotations(const std::map<std::string, std::string>& annotations);

  /// What the configuration says now.
  ImageConfig config() const { return parse_image_config(config_text()); }
  std::string config_text() const { return config_.text(); }
  /// The manifest of the image as it is now. Throws InvalidData if it is not consistent.
  RawManifest manifest() const;

 private:
  ImageEdit() = default;
  void store_settings();

  JsonObject manifest_;
  JsonObject config_;
  JsonObject settings_;  // config_'s `config`
};

/// The annotation in which umoci keeps the size of a layer's tar.
inline constexpr std::string_view k_uncompressed_size = "ci.umo.uncompressed_blob_size";

}  // namespace lade::registry
