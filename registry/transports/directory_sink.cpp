#include "registry/transports/directory_sink.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/transports/image_directory.hpp"
#include "registry/transports/oci_layout.hpp"
#include "registry/transports/regular_file.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace lade::registry {

namespace {

bool is_temporary(std::string_view name) {
  return name.starts_with(k_layout_temporary);
}

/// Throws unless a directory may be written to: nothing of anybody else's is ever removed.
const Directory& check_ours(const Directory& directory) {
  if (is_image_directory(directory)) return directory;
  for (const std::string& name : directory.list()) {
    if (is_temporary(name)) continue;
    // Another writer may have made the marker since it was looked for.
    if (is_image_directory(directory)) break;
    throw InvalidData(str("directory ", lade::quoted(directory.path()),
                          " is neither empty nor an image directory: it is left alone"));
  }
  return directory;
}

/// The size in bytes of a regular file, or nothing.
std::optional<std::uint64_t> find_size(const Directory& directory, const std::string& name) {
  const auto found = directory.find_stat(name);
  if (!found || !S_ISREG(found->st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(found->st_size);
}

}  // namespace

DirectorySink::DirectorySink(const std::string& path, std::stop_token stop)
    : ensured_(path),
      directory_(check_ours(*ensured_)),
      stop_(std::move(stop)),
      staging_(directory_) {}

bool DirectorySink::has_blob(const Descriptor& descriptor) {
  const std::string name = directory_blob_name(descriptor.digest);
  auto pending = pending_.lock();
  if (pending->staged.contains(name)) {
    return find_size(staging_.directory(), name) == descriptor.size;
  }
  if (find_size(directory_, name) != descriptor.size) return false;
  pending->reused.emplace(name, descriptor.size);
  return true;
}

void DirectorySink::stage(const std::string& name, const Digest& digest, Source& bytes) {
  write_staged(staging_.directory(), name, bytes, stop_);
  auto pending = pending_.lock();
  pending->staged.insert(name);
  if (digest.algorithm() != HashAlgorithm::sha256) pending->is_sha256_only = false;
}

void DirectorySink::put_blob(const Descriptor& descriptor, Source& bytes) {
  stage(directory_blob_name(descriptor.digest), descriptor.digest, bytes);
}

void DirectorySink::put_manifest(const RawManifest& manifest, const ManifestKey& key) {
  if (Digest::of(manifest.bytes, manifest.digest.algorithm()) != manifest.digest) {
    throw Refused(str("manifest does not match its digest ", lade::quoted(manifest.digest.text())));
  }
  const auto* name = std::get_if<std::string>(&key);
  if (name != nullptr && !name->empty()) {
    throw UsageError(str("an image in a directory has no name, so not ", lade::quoted(*name)));
  }
  if (name != nullptr) pending_.lock()->top = manifest;
  const std::string file =
      name != nullptr ? k_directory_manifest : directory_instance_name(manifest.digest);
  staging_.directory().remove_file(file);
  StringSource bytes(manifest.bytes);
  stage(file, manifest.digest, bytes);
}

void DirectorySink::put_signatures(const Digest& manifest,
                                   const std::vector<std::string>& signatures) {
  if (signatures.size() > k_most_signatures) {
    throw InvalidData(str("manifest ", lade::quoted(manifest.text()), " has more than ",
                          k_most_signatures, " signatures"));
  }
  pending_.lock()->signatures.insert_or_assign(manifest, signatures);
}

void DirectorySink::commit() {
  auto pending = pending_.lock();
  if (!pending->top) throw Error("no image was put into the directory");
  stage_signatures(*pending);
  const Directory& staging = staging_.directory();
  staging.write_file(k_directory_marker, directory_marker(pending->is_sha256_only), 0644);
  check_syscall(::syncfs(staging.fd()), [&] { return str("sync ", lade::quoted(staging.path())); });

  const Directory held = directory_.child(".");
  wait_for_lock(held.handle(), directory_.path(), stop_);
  check_reused(*pending);
  publish(*pending);
  pending->committed.merge(pending->staged);
  pending->staged.clear();
  remove_others(*pending);
}

/// Which signatures are the image's own is known only now.
void DirectorySink::stage_signatures(Pending& pending) const {
  for (const auto& [digest, signatures] : pending.signatures) {
    const bool is_top = Digest::of(pending.top->bytes, digest.algorithm()) == digest;
    const std::optional<Digest> instance = is_top ? std::nullopt : std::optional(digest);
    for (std::size_t i = 0; i < signatures.size(); ++i) {
      const std::string name = directory_signature_name(i, instance);
      staging_.directory().remove_file(name);
      StringSource bytes(signatures[i]);
      write_staged(staging_.directory(), name, bytes, stop_);
      pending.staged.insert(name);
    }
  }
  pending.signatures.clear();
}

/// Another writer's commit removes what does not belong to its image.
void DirectorySink::check_reused(const Pending& pending) const {
  for (const auto& [name, size] : pending.reused) {
    if (find_size(directory_, name) == size) continue;
    throw NotFound(str("blob ", lade::quoted(name), " was removed from ",
                       lade::quoted(directory_.path()), " while it was to be used"));
  }
}

/// The marker first, so that a directory is ours before anything is in it; then what nothing refers
/// to yet; the manifest last. Between two images there are no signatures, rather than wrong ones.
void DirectorySink::publish(const Pending& pending) const {
  const Directory& staging = staging_.directory();
  staging.rename(k_directory_marker, directory_, k_directory_marker);
  directory_.sync();
  std::vector<std::string> signatures;
  for (const std::string& name : pending.staged) {
    if (is_directory_signature(name)) {
      signatures.push_back(name);
    } else if (name != k_directory_manifest) {
      staging.rename(name, directory_, name);
    }
  }
  for (const std::string& name : directory_.list()) {
    if (is_directory_signature(name) && !pending.committed.contains(name)) {
      directory_.remove_tree(name);
    }
  }
  directory_.sync();
  if (pending.staged.contains(k_directory_manifest)) {
    staging.rename(k_directory_manifest, directory_, k_directory_manifest);
  }
  for (const std::string& name : signatures) staging.rename(name, directory_, name);
  directory_.sync();
}

void DirectorySink::remove_others(const Pending& pending) const {
  for (const std::string& name : directory_.list()) {
    const bool is_ours = name == k_directory_marker || pending.committed.contains(name) ||
                         pending.reused.contains(name) || is_temporary(name);
    if (!is_ours) directory_.remove_tree(name);
  }
}

}  // namespace lade::registry
