// The arguments of umoci's verbs: bundles, and images in layouts.
#pragma once

#include "cli/common_arguments.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade::cli {

/// Who owns what in a bundle.
struct OwnerFlags {
  std::vector<std::string> uid_maps;  ///< `CONTAINER:HOST[:SIZE]`
  std::vector<std::string> gid_maps;
  bool rootless = false;
};

struct UnpackArguments {
  std::string image;   ///< `PATH[:TAG]` or a name in the store
  std::string target;  ///< the bundle
  bool keep_dirlinks = false;
  OwnerFlags owners;
};

struct RawUnpackArguments {
  UnpackArguments unpack;  ///< its target is the root file system itself
};

/// The entry that a change leaves in the image's history.
struct HistoryFlags {
  bool none = false;
  std::optional<std::string> author;
  std::optional<std::string> comment;
  std::optional<std::string> created;
  std::optional<std::string> created_by;
};

/// Of a new layer; `automatic`: as the topmost one that is compressed.
enum class LayerCompression { automatic, gzip, zstd, none };

struct RepackArguments {
  std::string image;  ///< where the image goes, `PATH[:TAG]`
  std::string bundle;
  std::vector<std::string> mask_paths;
  bool no_mask_volumes = false;
  bool refresh_bundle = false;
  LayerCompression compress = LayerCompression::automatic;
  HistoryFlags history;
};

/// `config`: settings of an image; what is not given stays.
struct ConfigArguments {
  std::string image;
  std::optional<std::string> tag;  ///< instead of the one that `image` has
  std::vector<std::string> clear;  ///< `config.env`, `manifest.annotations`, …
  std::optional<std::string> user;
  std::optional<std::string> working_dir;
  std::optional<std::string> stop_signal;
  std::vector<std::string> exposed_ports;
  std::vector<std::string> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::string> volumes;
  std::vector<std::string> labels;
  std::vector<std::string> annotations;
  std::optional<std::string> created;
  std::optional<std::string> author;
  std::optional<std::string> os;
  std::optional<std::string> architecture;
  std::optional<std::string> variant;
  HistoryFlags history;
};

struct InitArguments {
  std::string layout;
};

struct InsertArguments {
  std::string image;
  std::optional<std::string> tag;
  bool opaque = false;
  bool whiteout = false;
  std::vector<std::string> paths;  ///< of the source and in the image; of a whiteout in the image
  OwnerFlags owners;
  LayerCompression compress = LayerCompression::automatic;
  HistoryFlags history;
};

struct ListArguments {
  std::string layout;
};

struct NewArguments {
  std::string image;
};

struct RawAddLayerArguments {
  std::string image;
  std::optional<std::string> tag;
  std::string archive;
  LayerCompression compress = LayerCompression::automatic;
  HistoryFlags history;
};

struct RawConfigArguments {
  std::string image;
  std::optional<std::string> rootfs;
  std::string target;
  OwnerFlags owners;
};

struct RmArguments {
  std::string image;
};

struct StatArguments {
  std::string image;
  bool json = false;
};

}  // namespace lade::cli
