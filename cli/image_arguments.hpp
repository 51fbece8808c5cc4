// The arguments of verbs for the images of the store, and for the store itself.
#pragma once

#include "cli/common_arguments.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade::cli {

enum class ImageOrder { created, id, repository, size, tag };

struct ImagesArguments {
  std::optional<std::string> name;
  OutputFormat format = OutputFormat::table;
  std::string pattern;  ///< of OutputFormat::pattern
  bool quiet = false;
  bool digests = false;
  bool no_trunc = false;
  bool no_heading = false;
  bool history = false;
  std::vector<std::string> filters;
  ImageOrder order = ImageOrder::created;
};

struct RmiArguments {
  std::vector<std::string> images;
  bool all = false;
  bool force = false;
  bool ignore_missing = false;
};

struct TagArguments {
  std::string layout_image;  ///< `--image PATH[:TAG]`: in a layout, which has one new name
  std::string image;
  std::vector<std::string> names;
};

struct UntagArguments {
  std::string image;
  std::vector<std::string> names;  ///< none: all that it has
};

struct GcArguments {
  std::optional<std::string> layout;  ///< a layout instead of the store
  bool dry_run = false;
  bool partial = false;  ///< also what could be continued
  OutputFormat format = OutputFormat::table;
};

struct DfArguments {
  OutputFormat format = OutputFormat::table;
};

struct InfoArguments {
  OutputFormat format = OutputFormat::table;
  std::string pattern;  ///< of OutputFormat::pattern
};

struct VerifyArguments {
  bool repair = false;
  unsigned jobs = 4;
  OutputFormat format = OutputFormat::table;
  RegistryFlags registry;  ///< where damaged blobs are fetched from again
};

struct ReindexArguments {
  OutputFormat format = OutputFormat::table;
};

enum class SaveFormat { docker_archive, oci_archive, oci_dir, docker_dir };

struct SaveArguments {
  std::vector<std::string> names;
  std::optional<std::string> output;  ///< none: standard output
  SaveFormat format = SaveFormat::docker_archive;
  bool compress = false;
  bool quiet = false;
};

struct LoadArguments {
  std::optional<std::string> input;  ///< none: standard input
  bool quiet = false;
};

struct HistoryArguments {
  std::string image;
  OutputFormat format = OutputFormat::table;
  std::string pattern;  ///< of OutputFormat::pattern
  bool human = true;
  bool no_trunc = false;
  bool quiet = false;
};

struct ImageTreeArguments {
  std::string image;
  bool what_requires = false;
};

struct ImagePruneArguments {
  bool all = false;
  bool force = false;
  std::vector<std::string> filters;
};

struct ImageExistsArguments {
  std::string image;
};

struct ImportArguments {
  std::string source;  ///< a file, a URL, or `-`
  std::optional<std::string> name;
  std::vector<std::string> changes;
  std::string message;
  std::optional<std::string> arch;
  std::optional<std::string> os;
  std::optional<std::string> variant;
  bool quiet = false;
};

}  // namespace lade::cli
