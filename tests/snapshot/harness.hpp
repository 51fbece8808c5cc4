// Images made on the spot, pulled into a store of the test's own, and what they look like mounted.
#pragma once

#include "base/error.hpp"
#include "base/mount.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "snapshot/container.hpp"
#include "snapshot/image_sink.hpp"
#include "store/store.hpp"
#include "tests/base/scratch.hpp"
#include "tests/snapshot/tar_builder.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace lade::test {

/// A directory of the test's own, in memory where that takes all attributes: each pull syncs its
/// whole file system, which on a busy disk takes its time.
class StoreScratch final : public ScratchDirectory {
 public:
  StoreScratch() : ScratchDirectory(parent()) {}

 private:
  static std::string parent() {
    const std::string memory = "/dev/shm";
    try {
      const ScratchDirectory probe(memory);
      if (::setxattr(probe.path().c_str(), "user.lade", "x", 1, 0) == 0) return memory;
    } catch (const std::runtime_error&) {
      // It is not there, or not ours.
    }
    return testing::TempDir();
  }
};

/// Hears everything and keeps the notes.
class RecordingObserver final : public Observer {
 public:
  TaskId begin(TaskKind, std::string_view, std::optional<std::uint64_t>) noexcept override {
    return 0;
  }
  void advance(TaskId, std::uint64_t) noexcept override {}
  void end(TaskId, Outcome) noexcept override {}
  void note(NoteLevel, std::string_view text) noexcept override { notes.emplace_back(text); }
  std::vector<std::string> notes;
};

/// An image's blobs in memory. The layers are plain tars unless `blobs` is changed.
struct TestImage {
  std::vector<std::string> tars;   ///< the bottom first; their digests become the DiffIDs
  std::vector<std::string> blobs;  ///< what is fetched for each
  std::string config;
  std::string manifest;

  std::vector<Descriptor> layers;
  Descriptor config_descriptor{
      std::string(media_type::oci_config), Digest::of(""), 0, {}, {}, {}, {}};

  explicit TestImage(std::vector<std::string> layer_tars) : tars(layer_tars), blobs(layer_tars) {
    seal();
  }

  /// Computes descriptors, config and manifest from `tars` and `blobs`.
  void seal() {
    std::string diff_ids;
    std::string list;
    layers.clear();
    for (std::size_t i = 0; i < tars.size(); ++i) {
      const char* comma = i == 0 ? "" : ",";
      diff_ids += str(comma, '"', Digest::of(tars[i]).text(), '"');
      const Descriptor layer{std::string(media_type::oci_layer),
                             Digest::of(blobs[i]),
                             blobs[i].size(),
                             {},
                             {},
                             {},
                             {}};
      list += str(comma, "{\"mediaType\":\"", layer.media_type, "\",\"digest\":\"",
                  layer.digest.text(), "\",\"size\":", layer.size, "}");
      layers.push_back(layer);
    }
    config = str(
        R"({"created":"2024-05-01T10:00:00Z","architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[)",
        diff_ids, "]}}");
    config_descriptor.digest = Digest::of(config);
    config_descriptor.size = config.size();
    manifest = str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_manifest,
                   R"(","config":{"mediaType":")", media_type::oci_config, R"(","digest":")",
                   config_descriptor.digest.text(), R"(","size":)", config.size(), "},\"layers\":[",
                   list, "]}");
  }

  RawManifest raw() const {
    return RawManifest::make(manifest, std::string(media_type::oci_manifest));
  }
};

inline void put(snapshot::LocalImageSink& sink, const Descriptor& descriptor,
                const std::string& bytes) {
  if (sink.has_blob(descriptor) || !sink.begin_blob(descriptor, {})) return;
  StringSource source(bytes);
  VerifiedSource verified(source, descriptor);
  sink.put_blob(descriptor, verified);
}

/// Everything but commit().
inline void put_all(snapshot::LocalImageSink& sink, const TestImage& image) {
  put(sink, image.config_descriptor, image.config);
  for (std::size_t i = 0; i < image.layers.size(); ++i) put(sink, image.layers[i], image.blobs[i]);
  sink.put_manifest(image.raw(), std::string("latest"));
}

inline store::StoredImage pull(store::Store& store, const TestImage& image,
                               const std::string& name = "test", Observer* observer = nullptr) {
  NullObserver nobody;
  snapshot::LocalImageSink sink(store, {Reference::parse(name)},
                                {{}, observer != nullptr ? *observer : nobody});
  put_all(sink, image);
  sink.commit();
  return store.get_image(sink.image_id().text());
}

/// One line for each path: type, mode, owner, size or target or device, content, xattrs, and how
/// many names a file has, if several.
using Listing = std::map<std::string, std::string>;

inline std::string describe(const Directory& parent, const std::string& name) {
  const auto found = parent.find_stat(name);
  if (!found) return "listed but not there";
  const struct stat st = *found;
  std::string line;
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", st.st_mode & 07777U);
  const std::string owner = str(mode, ' ', st.st_uid, ':', st.st_gid);
  if (S_ISDIR(st.st_mode)) {
    line = str("dir ", owner);
  } else if (S_ISLNK(st.st_mode)) {
    char target[4096];
    const auto length = ::readlinkat(parent.fd(), name.c_str(), target, sizeof target);
    line = str("link ", st.st_uid, ':', st.st_gid, ' ',
               std::string_view(target, static_cast<std::size_t>(length)));
  } else if (S_ISREG(st.st_mode)) {
    const Fd file = parent.open_file(name, O_RDONLY);
    line = str("file ", owner, ' ', read_whole(file, std::size_t{1} << 30, name));
  } else {
    line = str(S_ISCHR(st.st_mode)   ? "char "
               : S_ISBLK(st.st_mode) ? "block "
                                     : "fifo ",
               owner, ' ', major(st.st_rdev), ':', minor(st.st_rdev));
  }
  if (!S_ISLNK(st.st_mode)) {
    const Fd fd = parent.open_file(name, O_PATH);
    const std::string path = str("/proc/self/fd/", fd.get());
    char names[4096];
    const auto length = ::listxattr(path.c_str(), names, sizeof names);
    if (length > 0) {
      auto list = split(std::string_view(names, static_cast<std::size_t>(length - 1)), '\0');
      std::sort(list.begin(), list.end());
      for (const auto& xattr : list) {
        char value[256];
        const auto size = ::getxattr(path.c_str(), xattr.c_str(), value, sizeof value);
        line += str(' ', xattr, '=', std::string_view(value, static_cast<std::size_t>(size)));
      }
    }
  }
  return line;
}

inline void list_into(Listing& listing, const Directory& directory, const std::string& prefix) {
  for (const std::string& name : directory.list()) {
    const std::string line = describe(directory, name);
    listing[prefix + name] = line;
    const auto st = directory.find_stat(name);
    if (st && S_ISREG(st->st_mode) && st->st_nlink > 1) {
      listing[prefix + name] += str(" x", st->st_nlink);
    }
    if (line.starts_with("dir")) list_into(listing, directory.child(name), prefix + name + "/");
  }
}

/// What is below `root`, and the root itself as `/`.
inline Listing whole_listing(const Directory& root) {
  Listing listing;
  listing["/"] = describe(root, ".");
  list_into(listing, root, "");
  return listing;
}

/// What a container of the image sees, through a real overlay mount that is attached nowhere.
inline Listing merged_view(store::Store& store, const store::StoredImage& image) {
  static int next = 0;
  const auto container = snapshot::ContainerDirectory::create(store, image, str("view-", next++),
                                                              snapshot::Lifetime::ephemeral);
  return whole_listing(Directory(make_overlay_mount(container.overlay()), "merged"));
}

/// Every name in the store that is not there when it is empty, for "leaves nothing behind".
inline std::vector<std::string> leftovers(const store::Store& store) {
  std::vector<std::string> names;
  for (const Directory* place : {&store.blobs(), &store.ingest(), &store.staging(), &store.layers(),
                                 &store.containers(), &store.trash()}) {
    for (const std::string& name : place->list()) names.push_back(place->path_of(name));
  }
  return names;
}

inline bool is_root() {
  return ::geteuid() == 0;
}

}  // namespace lade::test

#define LADE_NEEDS_ROOT() \
  if (!::lade::test::is_root()) GTEST_SKIP() << "needs root: mounts and device nodes"
