#include "registry/transports/directory_source.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/transports/image_directory.hpp"
#include "registry/transports/regular_file.hpp"

#include <fcntl.h>

namespace lade::registry {

namespace {

Directory open_image_directory(const std::string& path) {
  try {
    Directory directory = Directory::open(path);
    if (directory.exists(k_directory_manifest)) return directory;
    throw NotFound(str("no image in directory ", lade::quoted(path), ": it has no ",
                       lade::quoted(k_directory_manifest)));
  } catch (const SystemError& error) {
    if (error.code() != ENOENT) throw;
    throw NotFound(str("no image directory at ", lade::quoted(path)));
  }
}

}  // namespace

DirectorySource::DirectorySource(const std::string& path)
    : directory_(open_image_directory(path)) {}

RawManifest DirectorySource::top() const {
  std::string bytes = read_regular(directory_, k_directory_manifest, k_manifest_cap);
  std::string type = detect_manifest_type(bytes, "");
  return RawManifest::make(std::move(bytes), std::move(type));
}

RawManifest DirectorySource::manifest(const ManifestKey& key) {
  const auto context = [&] { return str("directory ", lade::quoted(directory_.path())); };
  return in_context(context, [&]() -> RawManifest {
    if (const auto* name = std::get_if<std::string>(&key)) {
      if (name->empty()) return top();
      throw NotFound(str("no image ", lade::quoted(*name), ": it holds one without a name"));
    }
    const Digest& digest = std::get<Digest>(key);
    const std::string name = directory_instance_name(digest);
    if (!directory_.exists(name)) {
      RawManifest only = top();
      if (Digest::of(only.bytes, digest.algorithm()) == digest) {
        return {std::move(only.bytes), std::move(only.media_type), digest};
      }
      throw NotFound(str("no manifest ", lade::quoted(digest.text())));
    }
    std::string bytes = read_regular(directory_, name, k_manifest_cap);
    if (Digest::of(bytes, digest.algorithm()) != digest) {
      throw Refused(str(lade::quoted(name), " does not match its digest"));
    }
    std::string type = detect_manifest_type(bytes, "");
    return {std::move(bytes), std::move(type), digest};
  });
}

std::unique_ptr<Source> DirectorySource::blob(const Descriptor& descriptor) {
  const std::string name = directory_blob_name(descriptor.digest);
  auto file = find_regular(directory_, name, O_RDONLY);
  if (!file) {
    throw NotFound(str("directory ", lade::quoted(directory_.path()), " has no blob ",
                       lade::quoted(descriptor.digest.text())));
  }
  const auto actual = static_cast<std::uint64_t>(stat_of(*file, name).st_size);
  if (actual != descriptor.size) {
    throw Refused(str("blob ", lade::quoted(descriptor.digest.text()), " in directory ",
                      lade::quoted(directory_.path()), " has ", actual, " bytes, not the ",
                      descriptor.size, " of its descriptor"));
  }
  return std::make_unique<FdSource>(*std::move(file), descriptor.digest.text());
}

Descriptor DirectorySource::describe_blob(const Digest& digest) {
  const auto found = directory_.find_stat(directory_blob_name(digest));
  if (!found || !S_ISREG(found->st_mode)) {
    throw NotFound(str("directory ", lade::quoted(directory_.path()), " has no blob ",
                       lade::quoted(digest.text())));
  }
  return {.digest = digest, .size = static_cast<std::uint64_t>(found->st_size)};
}

std::vector<std::string> DirectorySource::signatures(const Digest& manifest) {
  const bool is_top = Digest::of(read_regular(directory_, k_directory_manifest, k_manifest_cap),
                                 manifest.algorithm()) == manifest;
  const std::optional<Digest> instance = is_top ? std::nullopt : std::optional(manifest);
  std::vector<std::string> signatures;
  for (std::size_t i = 0; i < k_most_signatures; ++i) {
    const std::string name = directory_signature_name(i, instance);
    const auto file = find_regular(directory_, name, O_RDONLY);
    if (!file) break;
    signatures.push_back(read_whole(*file, k_manifest_cap, directory_.path_of(name)));
  }
  return signatures;
}

}  // namespace lade::registry
