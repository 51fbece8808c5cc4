#include "registry/transports/docker_archive_source.hpp"

#include "base/compress.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/image_config.hpp"

#include <algorithm>
#include <array>

namespace lade::registry {

namespace {

constexpr const char* k_manifest = "manifest.json";
constexpr std::size_t k_most_listed_names = 20;

/// A decompressor together with what it reads.
class PlainSource final : public Source {
 public:
  explicit PlainSource(std::unique_ptr<Source> compressed)
      : compressed_(std::move(compressed)), plain_(decompress(*compressed_)) {}
  std::size_t read(std::span<std::byte> buffer) override { return plain_->read(buffer); }

 private:
  std::unique_ptr<Source> compressed_;
  std::unique_ptr<Source> plain_;
};

class NullSink final : public Sink {
 public:
  void write(std::span<const std::byte>) override {}
};

std::vector<DockerArchiveItem> read_items(const ArchiveFile& archive) {
  const TarEntry* entry = archive.index().find_file(k_manifest);
  if (entry == nullptr) {
    throw InvalidData(str("archive ", lade::quoted(archive.path()), " has no ",
                          lade::quoted(k_manifest), ": it is not one of `docker save`"));
  }
  return in_context([&] { return str("archive ", lade::quoted(archive.path())); },
                    [&] { return parse_docker_archive(archive.read(*entry, k_manifest_cap)); });
}

bool is_same_name(const std::string& written, const std::string& wanted) {
  try {
    return Reference::parse(written).with_default_tag().text() == wanted;
  } catch (const UsageError& error) {
    throw InvalidData(str("invalid manifest.json: ", error.message()));
  }
}

}  // namespace

DockerArchiveSource::DockerArchiveSource(ArchiveFile archive)
    : archive_(std::move(archive)), items_(read_items(archive_)) {}

/// Layers are plain as a rule; of others the size is known only when all of it was unpacked.
DockerArchiveSource::Member DockerArchiveSource::measure(const TarEntry& entry) const {
  std::array<std::byte, k_compression_head> head{};
  const auto start = archive_.open(entry);
  std::size_t size = 0;
  while (const std::size_t count = start->read(std::span(head).subspan(size))) size += count;
  if (find_compression(std::span(head).first(size)) == Compression::none) {
    return {&entry, entry.size, false};
  }
  PlainSource plain(archive_.open(entry));
  NullSink nowhere;
  return {&entry, pump(plain, nowhere), true};
}

const RawManifest& DockerArchiveSource::describe(State& state, std::size_t position) const {
  const auto known = state.manifests.find(position);
  if (known != state.manifests.end()) return known->second;
  const DockerArchiveItem& item = items_[position];
  const TarEntry& config_entry = archive_.get(item.config);
  const std::string config_bytes = archive_.read(config_entry, k_manifest_cap);
  const ImageConfig config = parse_image_config(config_bytes);
  if (config.diff_ids.size() != item.layers.size()) {
    throw InvalidData(str("image @", position, " has ", item.layers.size(),
                          " layers, and a configuration for ", config.diff_ids.size()));
  }
  const Descriptor described{std::string(media_type::docker_config), Digest::of(config_bytes),
                             config_bytes.size()};
  state.members.insert_or_assign(described.digest,
                                 Member{&config_entry, config_bytes.size(), false});
  std::vector<Descriptor> layers;
  for (std::size_t i = 0; i < item.layers.size(); ++i) {
    const Digest& digest = config.diff_ids[i].digest;
    auto member = state.members.find(digest);
    if (member == state.members.end()) {
      member = state.members.emplace(digest, measure(archive_.get(item.layers[i]))).first;
    }
    layers.push_back({std::string(media_type::docker_layer_gzip), digest, member->second.size});
  }
  return state.manifests.emplace(position, docker_archive_manifest(described, layers))
      .first->second;
}

RawManifest DockerArchiveSource::manifest_at(std::size_t position) {
  return in_context([&] { return str("archive ", lade::quoted(archive_.path())); },
                    [&]() -> RawManifest {
                      if (position >= items_.size()) {
                        throw NotFound(str("no image @", position, ": it holds ", items_.size(),
                                           ", counted from 0"));
                      }
                      return describe(*state_.lock(), position);
                    });
}

std::size_t DockerArchiveSource::find_position(const std::string& name) const {
  if (name.empty()) {
    if (items_.size() == 1) return 0;
    if (items_.empty()) throw NotFound("it holds no image");
  } else {
    const std::string wanted = Reference::parse(name).with_default_tag().text();
    for (std::size_t i = 0; i < items_.size(); ++i) {
      for (const std::string& tag : items_[i].tags) {
        if (is_same_name(tag, wanted)) return i;
      }
    }
  }
  std::vector<std::string> names = docker_archive_names(items_);
  if (names.size() > k_most_listed_names) {
    names.resize(k_most_listed_names);
    names.emplace_back("…");
  }
  for (std::string& listed : names) listed = printable(listed);
  const std::string holds = str("it holds ", join(names, ", "));
  if (name.empty()) throw InvalidData(str("which image is meant is not said: ", holds));
  throw NotFound(str("no image ", lade::quoted(name), ": ", holds));
}

RawManifest DockerArchiveSource::manifest(const ManifestKey& key) {
  return in_context([&] { return str("archive ", lade::quoted(archive_.path())); },
                    [&]() -> RawManifest {
                      auto state = state_.lock();
                      if (const auto* name = std::get_if<std::string>(&key)) {
                        return describe(*state, find_position(*name));
                      }
                      for (std::size_t i = 0; i < items_.size(); ++i) {
                        const RawManifest& manifest = describe(*state, i);
                        if (manifest.digest == std::get<Digest>(key)) return manifest;
                      }
                      throw NotFound(str("no manifest ", lade::quoted(to_string(key))));
                    });
}

/// A blob is known once an image that has it was looked at.
DockerArchiveSource::Member DockerArchiveSource::find_member(const Descriptor& descriptor) {
  auto state = state_.lock();
  for (std::size_t i = 0; i <= items_.size(); ++i) {
    const auto found = state->members.find(descriptor.digest);
    if (found != state->members.end()) return found->second;
    if (i < items_.size()) describe(*state, i);
  }
  throw NotFound(str("archive ", lade::quoted(archive_.path()), " has no blob ",
                     lade::quoted(descriptor.digest.text())));
}

std::unique_ptr<Source> DockerArchiveSource::blob(const Descriptor& descriptor) {
  return open_blob(descriptor, {}).bytes;
}

BlobStream DockerArchiveSource::open_blob(const Descriptor& descriptor,
                                          const BlobRequest& request) {
  const Member member = find_member(descriptor);
  if (member.is_compressed) {
    return {.bytes = std::make_unique<PlainSource>(archive_.open(*member.entry))};
  }
  return {.offset = request.offset, .bytes = archive_.open(*member.entry, request.offset)};
}

std::vector<std::string> docker_archive_names(const std::vector<DockerArchiveItem>& items) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::vector<std::string>& tags = items[i].tags;
    names.insert(names.end(), tags.begin(), tags.end());
    if (tags.empty()) names.push_back(str('@', i));
  }
  return names;
}

}  // namespace lade::registry
