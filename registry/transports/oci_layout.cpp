#include "registry/transports/oci_layout.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/manifest.hpp"
#include "registry/transports/layout_staging.hpp"
#include "registry/transports/regular_file.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace lade::registry {

namespace {

constexpr const char* k_marker = "oci-layout";
constexpr const char* k_index = "index.json";

/// Checks the file that makes a directory a layout.
void check_marker(const Directory& directory) {
  check_layout_marker(read_regular(directory, k_marker, k_layout_marker_cap), directory.path());
}

bool is_empty_but_for_temporaries(const Directory& directory) {
  for (const std::string& name : directory.list()) {
    if (!name.starts_with(k_layout_temporary)) return false;
  }
  return true;
}

/// Gives a directory its marker. Linked, not renamed: the file that other writers lock must never
/// be replaced.
void make_marker(const Directory& directory) {
  const LayoutStaging staging(directory);
  staging.directory().write_file(k_marker, k_layout_marker_text, 0644);
  if (::linkat(staging.directory().fd(), k_marker, directory.fd(), k_marker, 0) != 0 &&
      errno != EEXIST) {
    throw SystemError(errno, str("make ", lade::quoted(directory.path_of(k_marker))));
  }
  directory.sync();
}

}  // namespace

void check_layout_marker(std::string_view text, const std::string& path) {
  const JsonValue document = parse_json(text, k_marker);
  const std::string version = JsonNode(document, k_marker).get("imageLayoutVersion").text();
  if (!version.starts_with("1.")) {
    throw InvalidData(str("layout ", lade::quoted(path), " is of version ", lade::quoted(version),
                          ", which is not supported"));
  }
}

OciLayout OciLayout::open(const std::string& path) {
  try {
    Directory directory = Directory::open(path);
    check_marker(directory);
    return OciLayout(std::move(directory));
  } catch (const SystemError& error) {
    if (error.code() != ENOENT) throw;
    throw NotFound(str("no OCI layout at ", lade::quoted(path)));
  } catch (const InvalidData& error) {
    throw InvalidData(str(lade::quoted(path), " is not an OCI layout: ", error.message()));
  }
}

OciLayout OciLayout::ensure(const std::string& path) {
  OciLayout layout = prepare(Directory::ensure(path, 0755));
  layout.establish();
  return layout;
}

OciLayout OciLayout::prepare(Directory directory) {
  const std::string& path = directory.path();
  // The order matters: who makes a layout makes the marker first, so whoever sees more than the
  // marker's absence may trust that it will not come.
  if (!directory.exists(k_marker) && !is_empty_but_for_temporaries(directory) &&
      !directory.exists(k_marker)) {
    throw InvalidData(str("directory ", lade::quoted(path),
                          " is neither empty nor an OCI layout: it is left alone"));
  }
  if (directory.exists(k_marker)) return open(path);
  return OciLayout(std::move(directory));
}

void OciLayout::establish() const {
  if (!directory_.exists(k_marker)) make_marker(directory_);
  open(directory_.path());
  directory_.ensure_child("blobs", 0755).ensure_child("sha256", 0755);
  if (directory_.exists(k_index)) return;
  const LayoutStaging staging(directory_);
  update_index(staging.directory(), {}, [](LayoutIndex&) {});
}

OciLayout OciLayout::with_blobs_in(Directory shared) && {
  shared_ = std::move(shared);
  return std::move(*this);
}

LayoutIndex OciLayout::read_index() const {
  return LayoutIndex::parse(read_regular(directory_, k_index, k_manifest_cap));
}

Fd OciLayout::lock(const std::stop_token& stop) const {
  const std::string path = directory_.path_of(k_marker);
  for (;;) {
    auto file = find_regular(directory_, k_marker, O_RDONLY);
    if (!file) throw InvalidData(str(lade::quoted(path), " does not exist"));
    wait_for_lock(*file, path, stop);
    // Another tool may have replaced the file between opening and locking it.
    const auto now = directory_.find_stat(k_marker);
    if (now && now->st_ino == stat_of(*file, path).st_ino) return *std::move(file);
  }
}

void OciLayout::update_index(const Directory& scratch, const std::stop_token& stop,
                             const std::function<void(LayoutIndex&)>& change,
                             const std::function<void()>& then) const {
  const Fd held = lock(stop);
  const bool is_there = directory_.exists(k_index);
  LayoutIndex index = is_there ? read_index() : LayoutIndex();
  const std::string before = index.text();
  change(index);
  const std::string after = index.text();
  if (is_there && after == before) return;
  if (after.size() > k_manifest_cap) {
    throw InvalidData(str(lade::quoted(directory_.path_of(k_index)), " would become larger than ",
                          human_size(k_manifest_cap)));
  }
  scratch.write_file(k_index, after, 0644);
  scratch.rename(k_index, directory_, k_index);
  directory_.sync();
  if (then) then();
}

std::optional<Directory> OciLayout::find_blobs(const Digest& digest) const {
  try {
    const std::string algorithm(digest.algorithm_name());
    return shared_ ? shared_->child(algorithm) : directory_.child("blobs").child(algorithm);
  } catch (const SystemError& error) {
    if (error.code() == ENOENT) return std::nullopt;
    // A link, or something else that is not a directory.
    if (error.code() == ENOTDIR || error.code() == ELOOP) {
      throw InvalidData(str(error.message(), ": links are not followed"));
    }
    throw;
  }
}

std::optional<std::uint64_t> OciLayout::find_blob_size(const Digest& digest) const {
  const auto blobs = find_blobs(digest);
  const auto found = blobs ? blobs->find_stat(digest.hex()) : std::nullopt;
  if (!found || !S_ISREG(found->st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(found->st_size);
}

std::map<Digest, std::uint64_t> OciLayout::list_blobs() const {
  std::map<Digest, std::uint64_t> sizes;
  for (const HashAlgorithm algorithm : {HashAlgorithm::sha256, HashAlgorithm::sha512}) {
    const Digest any = Digest::of("", algorithm);
    const auto blobs = find_blobs(any);
    if (!blobs) continue;
    for (const std::string& hex : blobs->list()) {
      const auto digest = Digest::try_parse(str(any.algorithm_name(), ':', hex));
      const auto found = blobs->find_stat(hex);
      if (!digest || !found || !S_ISREG(found->st_mode)) continue;
      sizes.emplace(*digest, static_cast<std::uint64_t>(found->st_size));
    }
  }
  return sizes;
}

Fd OciLayout::open_blob(const Digest& digest, std::uint64_t size) const {
  const auto blobs = find_blobs(digest);
  auto file = blobs ? find_regular(*blobs, digest.hex(), O_RDONLY) : std::nullopt;
  if (!file) {
    throw NotFound(str("layout ", lade::quoted(directory_.path()), " has no blob ",
                       lade::quoted(digest.text())));
  }
  const auto actual = static_cast<std::uint64_t>(stat_of(*file, digest.text()).st_size);
  if (actual != size) {
    throw Refused(str("blob ", lade::quoted(digest.text()), " in layout ",
                      lade::quoted(directory_.path()), " has ", actual, " bytes, not the ", size,
                      " of its descriptor"));
  }
  return *std::move(file);
}

Directory OciLayout::ensure_blobs(const Digest& digest) const {
  const std::string algorithm(digest.algorithm_name());
  if (shared_) return shared_->ensure_child(algorithm, 0755);
  return directory_.ensure_child("blobs", 0755).ensure_child(algorithm, 0755);
}

}  // namespace lade::registry
