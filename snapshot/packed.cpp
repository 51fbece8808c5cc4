#include "snapshot/packed.hpp"

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "snapshot/flat.hpp"
#include "store/image_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace lade::snapshot {

namespace {

/// In a packed layer's tree. No layer has an entry of such a name: they are of aufs, and left out.
constexpr const char* k_mark = ".wh..wh.packed";

void write_mark(const Directory& tree) {
  tree.open_file(k_mark, O_WRONLY | O_CREAT | O_EXCL, 0600);
}

}  // namespace

AppliedLayer pack_layer(Source& tar, const Directory& tree, const std::stop_token& stop) {
  AppliedLayer layer{DiffId{Digest::of("")}};
  Hasher hasher(HashAlgorithm::sha256);
  std::vector<std::byte> buffer(k_copy_buffer);
  while (const std::size_t count = tar.read(buffer)) {
    if (stop.stop_requested()) throw Cancelled();
    hasher.update(std::span(buffer).first(count));
    layer.tar_size += count;
  }
  layer.diff_id = DiffId{Digest::parse("sha256:" + hasher.finish_hex())};
  write_mark(tree);
  return layer;
}

void pack_tree(const Directory& tree) {
  for (const std::string& name : tree.list()) tree.remove_tree(name);
  write_mark(tree);
}

bool is_packed(const std::vector<ChainLink>& chain) {
  return std::any_of(chain.begin(), chain.end(), [](const ChainLink& link) {
    struct stat st {};
    return ::lstat(str(link.tree, '/', k_mark).c_str(), &st) == 0;
  });
}

void copy_image(const store::Store& store, const store::StoredImage& image, std::size_t count,
                const Directory& target, const Job& job) {
  const Manifest manifest = parse_manifest(store.read_manifest(image).bytes);
  const ImageConfig config = parse_image_config(store.read_config(image));
  std::vector<FlatLayer> layers;
  for (std::size_t i = 0; i < std::min(count, manifest.layers.size()); ++i) {
    layers.push_back({manifest.layers[i], config.diff_ids.at(i)});
  }
  store::StoredImageSource source(store, image);
  // For users as `unpack --rootless` does it: what cannot be given away is remembered.
  FlatOptions options;
  if (::geteuid() != 0) {
    options.ownership = {
        .uids = {{0, ::geteuid(), 1}}, .gids = {{0, ::getegid(), 1}}, .rootless = true};
  }
  unpack_flat(source, layers, target, options, job);
}

}  // namespace lade::snapshot
