#include "cli/copy_options.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/verb_options.hpp"
#include "oci/reference.hpp"

namespace lade::cli {

namespace {

using registry::Instances;
using registry::Recompression;

constexpr Range k_compress_levels{0, 22};

std::vector<Platform> parse_platforms(const std::string& text) {
  std::vector<Platform> platforms;
  for (const std::string& platform : split(text, ',')) {
    platforms.push_back(parse_platform(std::string(trim(platform))));
  }
  return platforms;
}

bool is_several(const std::optional<std::string>& platforms) {
  return platforms && platforms->find(',') != std::string::npos;
}

/// Each is `NAME:TAG`; in skopeo's words if it has no tag.
void check_additional_tags(const std::vector<std::string>& tags) {
  for (const std::string& tag : tags) {
    if (Reference::parse(tag).tag()) continue;
    throw UsageError(str("additional-tag ", quoted(tag), " must be a tagged reference"));
  }
}

void declare_places(OptionSet& options, CopyArguments& copy) {
  options.argument("source", copy.source);
  options.argument("destination", copy.destination);
  options.arguments(copy.more_destinations);
  options.flag("--keep-going", copy.keep_going);
  declare_side(options, "src", copy.source_registry);
  declare_side(options, "dest", copy.destination_registry);
  options.value("--authfile", [&](const std::string& file) {
    for (RegistryFlags* side : {&copy.source_registry, &copy.destination_registry}) {
      if (!side->auth_file) side->auth_file = file;
    }
  });
  options.value("--additional-tag", copy.additional_tags);
  options.check([&] { check_additional_tags(copy.additional_tags); });
  options.value("--src-shared-blob-dir", copy.source_blob_dir);
  options.value("--dest-shared-blob-dir", copy.destination_blob_dir);
}

void declare_choice(OptionSet& options, CopyArguments& copy) {
  options.value("--platform", copy.platform);
  options.flag("-a,--all", copy.all);
  options.value("--multi-arch", copy.multi_arch);
  options.flag("--referrers", copy.referrers);
  options.granted("--strip-removed-platforms");
  options.check([&] { wanted_instances(copy); });
}

void declare_changes(OptionSet& options, CopyArguments& copy) {
  ChangeFlags& changes = copy.changes;
  options.flag("--preserve-digests", changes.preserve_digests);
  options.value("-f,--format", changes.format);
  options.value("--dest-compress-format", changes.compress_format);
  options.number("--dest-compress-level", changes.compress_level, k_compress_levels);
  options.flag("--dest-compress", changes.compress);
  options.flag("--dest-decompress", changes.decompress);
  options.flag("--dest-oci-accept-uncompressed-layers", changes.accepts_plain_layers);
  for (const char* name : {"--dest-force-compress-format", "--dest-precompute-digests"}) {
    options.granted(name);
  }
  options.check([&] { wanted_changes(changes); });
}

/// skopeo's, which lade cannot do.
void declare_refused(OptionSet& options) {
  for (const char* value : {"--decryption-key", "--dest-daemon-host", "--encrypt-layer",
                            "--encryption-key", "--src-daemon-host"}) {
    options.refused_value(value);
  }
}

std::optional<registry::ManifestFormat> parse_format(const std::optional<std::string>& format) {
  if (!format) return std::nullopt;
  if (*format == "oci") return registry::ManifestFormat::oci;
  if (*format == "v2s2") return registry::ManifestFormat::v2s2;
  if (*format == "v2s1") {
    throw UsageError("--format v2s1: images are read from Docker's schema 1, not written to it");
  }
  throw UsageError(str("unknown format ", quoted(*format), ": choose oci or v2s2"));
}

Compression parse_compression(const std::string& format) {
  if (format == "gzip") return Compression::gzip;
  if (format == "zstd") return Compression::zstd;
  if (format == "none") return Compression::none;
  if (format == "zstd:chunked") {
    throw UsageError("--dest-compress-format zstd:chunked is not supported: choose zstd");
  }
  throw UsageError(str("unknown compression ", quoted(format), ": choose gzip, zstd or none"));
}

std::optional<Recompression> wanted_recompression(const ChangeFlags& flags) {
  if (flags.compress && flags.decompress) {
    throw UsageError("cannot use --dest-compress and --dest-decompress together");
  }
  Recompression wanted{.level = flags.compress_level};
  if (flags.compress_format) wanted.to = parse_compression(*flags.compress_format);
  if (wanted.to == Compression::gzip && flags.compress_level > 9) {
    throw UsageError("--dest-compress-level: gzip has the levels 0 to 9");
  }
  if (flags.decompress) return Recompression{.to = Compression::none};
  if (flags.compress) {
    wanted.which = Recompression::Which::uncompressed;
    return wanted;
  }
  if (flags.compress_format) return wanted;
  return std::nullopt;
}

}  // namespace

void declare_options(OptionSet& options, CopyArguments& copy) {
  declare_places(options, copy);
  declare_choice(options, copy);
  declare_changes(options, copy);
  declare(options, copy.signatures);
  declare_refused(options);
  options.number("--jobs,--image-parallel-copies", copy.jobs, k_jobs);
  declare(options, copy.transfer);
  options.flag("-q,--quiet", copy.quiet);
  options.value("--digestfile", copy.digest_file);
  options.size("--dest-chunk-size", copy.chunk_size);
}

Instances wanted_instances(const CopyArguments& arguments) {
  if (arguments.all && arguments.multi_arch) {
    throw UsageError("cannot use --all and --multi-arch flags together");
  }
  if (is_several(arguments.platform)) {
    if (arguments.all || arguments.multi_arch) {
      throw UsageError("several platforms exclude --all and --multi-arch");
    }
    return {Instances::Which::subset, parse_platforms(*arguments.platform)};
  }
  if (arguments.all) return {Instances::Which::all};
  const std::string word = arguments.multi_arch.value_or("system");
  if (word == "system") return {Instances::Which::system};
  if (word == "all") return {Instances::Which::all};
  if (word == "index-only") return {Instances::Which::index_only};
  if (word.find('/') != std::string::npos) {
    return {Instances::Which::subset, parse_platforms(word)};
  }
  throw UsageError(str("unknown multi-arch option ", quoted(word),
                       ": choose system, all, index-only, or platforms like "
                       "linux/amd64,linux/arm64"));
}

Platform wanted_platform(const CopyArguments& arguments) {
  return is_several(arguments.platform) ? host_platform() : chosen_platform(arguments.platform);
}

registry::Changes wanted_changes(const ChangeFlags& flags) {
  registry::Changes changes{.format = parse_format(flags.format),
                            .recompression = wanted_recompression(flags)};
  if (flags.preserve_digests) changes.digests = registry::Digests::preserve;
  return changes;
}

}  // namespace lade::cli
