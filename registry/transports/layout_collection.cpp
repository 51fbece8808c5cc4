#include "registry/transports/layout_collection.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/manifest.hpp"
#include "oci/verified_source.hpp"
#include "registry/transports/layout_staging.hpp"
#include "registry/transports/reachable.hpp"

#include <sys/file.h>

#include <optional>
#include <set>
#include <string>

namespace lade::registry {

namespace {

constexpr std::string_view k_umoci_temporary = ".umoci-";

std::optional<std::string> read_manifest(const OciLayout& layout, const Descriptor& descriptor) {
  if (layout.find_blob_size(descriptor.digest) != descriptor.size) return std::nullopt;
  FdSource file(layout.open_blob(descriptor.digest, descriptor.size), descriptor.digest.text());
  VerifiedSource verified(file, descriptor);
  return read_all(verified, k_manifest_cap, "the manifest");
}

std::set<Digest> needed_by(const OciLayout& layout, const LayoutIndex& index) {
  std::vector<Descriptor> manifests;
  for (const LayoutEntry& entry : index.entries()) manifests.push_back(entry.descriptor);
  const auto needed = find_reachable(
      manifests, [&](const Descriptor& descriptor) { return read_manifest(layout, descriptor); });
  if (!needed) {
    throw InvalidData(
        "a manifest is missing or not understood, so nothing can be told to be "
        "superfluous");
  }
  return *needed;
}

/// umoci's own, as it would do it: a directory that nobody has locked.
void sweep_umoci(const Directory& directory) {
  for (const std::string& name : directory.list()) {
    if (!name.starts_with(k_umoci_temporary)) continue;
    const auto st = directory.find_stat(name);
    if (!st || !S_ISDIR(st->st_mode)) continue;
    const Directory leftover = directory.child(name);
    if (::flock(leftover.fd(), LOCK_EX | LOCK_NB) == 0) directory.remove_tree(name);
  }
}

}  // namespace

LayoutCollection collect_layout(const OciLayout& layout, const std::stop_token& stop) {
  const LayoutStaging staging(layout.directory());
  LayoutCollection collection;
  // The index stays as it is; its lock is what is wanted.
  layout.update_index(staging.directory(), stop, [&](LayoutIndex& index) {
    const std::set<Digest> needed = needed_by(layout, index);
    for (const auto& [digest, size] : layout.list_blobs()) {
      if (needed.contains(digest)) continue;
      layout.ensure_blobs(digest).remove_file(digest.hex());
      collection.blobs.push_back(digest);
      collection.bytes += size;
    }
    sweep_umoci(layout.directory());
  });
  return collection;
}

}  // namespace lade::registry
