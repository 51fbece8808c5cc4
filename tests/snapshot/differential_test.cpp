// The same image unpacked by umoci and by us, compared path by path: type, mode, owner, size,
// content, link target, extended attributes, times, and which names are one file.
// LADE_TEST_LAYOUT=PATH:TAG compares an image of an OCI layout of your own.
#include "tests/snapshot/harness.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <map>
#include <set>

namespace lade::test {
namespace {

int run(const std::string& command) {
  const int status = ::system((command + " >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool installed(const std::string& program) {
  return run("command -v " + program) == 0;
}

/// An image that somebody else's program wrote, as we would fetch it.
store::StoredImage pull_layout(store::Store& store, const std::string& layout,
                               const std::string& tag) {
  const auto blob = [&](const Descriptor& descriptor) {
    return layout + "/blobs/sha256/" + descriptor.digest.hex();
  };
  const Index index = parse_index(read_file(layout + "/index.json", k_manifest_cap));
  const Descriptor* entry = nullptr;
  for (const Descriptor& each : index.manifests) {
    if (each.annotations && each.annotations->count("org.opencontainers.image.ref.name") > 0 &&
        each.annotations->at("org.opencontainers.image.ref.name") == tag) {
      entry = &each;
    }
  }
  if (entry == nullptr) throw NotFound(str("no tag ", tag));
  const RawManifest raw =
      RawManifest::make(read_file(blob(*entry), k_manifest_cap), entry->media_type);
  const Manifest manifest = parse_manifest(raw.bytes);
  NullObserver nobody;
  snapshot::LocalImageSink sink(store, {Reference::parse("differential")}, {{}, nobody});
  std::vector<Descriptor> all = manifest.layers;
  all.push_back(manifest.config);
  for (const Descriptor& each : all) {
    if (sink.has_blob(each)) continue;
    FdSource file(open_file(blob(each), O_RDONLY), "blob");
    VerifiedSource verified(file, each);
    sink.put_blob(each, verified);
  }
  sink.put_manifest(raw, std::string(tag));
  sink.commit();
  return store.get_image("differential");
}

struct Path {
  std::string line;
  std::pair<dev_t, ino_t> inode;
};

void walk(std::map<std::string, Path>& paths, const Directory& directory,
          const std::string& prefix) {
  for (const std::string& name : directory.list()) {
    const struct stat st = *directory.find_stat(name);
    Path path{describe(directory, name), {st.st_dev, st.st_ino}};
    if (S_ISREG(st.st_mode) && path.line.size() > 200) {
      path.line = str(path.line.substr(0, 20), " … ", Digest::of(path.line).text());
    }
    path.line += str(" @", st.st_mtim.tv_sec, '.', st.st_mtim.tv_nsec);
    paths[prefix + name] = path;
    if (S_ISDIR(st.st_mode)) walk(paths, directory.child(name), prefix + name + "/");
  }
}

/// Names that are one file, by the first of them.
std::map<std::string, std::string> links(const std::map<std::string, Path>& paths) {
  std::map<std::pair<dev_t, ino_t>, std::string> first;
  std::map<std::string, std::string> result;
  for (const auto& [name, path] : paths) {
    result[name] = first.emplace(path.inode, name).first->second;
  }
  return result;
}

void expect_same(const Directory& ours, const Directory& theirs) {
  std::map<std::string, Path> mine;
  std::map<std::string, Path> umocis;
  walk(mine, ours, "");
  walk(umocis, theirs, "");
  std::size_t differences = 0;
  std::set<std::string> names;
  for (const auto& each : mine) names.insert(each.first);
  for (const auto& each : umocis) names.insert(each.first);
  for (const std::string& name : names) {
    const std::string a = mine.count(name) > 0 ? mine[name].line : "absent";
    const std::string b = umocis.count(name) > 0 ? umocis[name].line : "absent";
    if (a == b) continue;
    if (++differences <= 20) ADD_FAILURE() << name << "\n  lade:  " << a << "\n  umoci: " << b;
  }
  EXPECT_EQ(differences, 0U) << "of " << names.size() << " paths";
  EXPECT_EQ(links(mine), links(umocis));
}

void compare(const std::string& layout, const std::string& tag, const StoreScratch& scratch) {
  const std::string bundle = scratch.path() + "/bundle";
  ASSERT_EQ(run("umoci unpack --image " + layout + ":" + tag + " " + bundle), 0);
  auto store = store::Store::open(scratch.path() + "/store");
  const auto image = pull_layout(store, layout, tag);
  const auto container = snapshot::ContainerDirectory::create(store, image, "differential",
                                                              snapshot::Lifetime::ephemeral);
  const Directory ours(make_overlay_mount(container.overlay()), "merged");
  expect_same(ours, Directory::open(bundle + "/rootfs"));
}

TEST(DifferentialTest, AnImageOfManyShapesLooksAsUmociUnpacksIt) {
  LADE_NEEDS_ROOT();
  if (!installed("umoci")) GTEST_SKIP() << "umoci is not installed";
  const StoreScratch scratch;
  const std::string layout = scratch.path() + "/layout";
  ASSERT_EQ(run("umoci init --layout " + layout), 0);
  ASSERT_EQ(run("umoci new --image " + layout + ":t"), 0);
  const std::string cap("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  const std::string big(300000, 'z');
  std::vector<TarBuilder> layers;
  layers.push_back(TarBuilder()
                       .directory("bin", 0755)
                       .directory("etc")
                       .directory("tmp", 01777)
                       .directory("usr")
                       .directory("usr/lib", 0755, {.mtime = 77})
                       .symlink("lib", "usr/lib")
                       .file("etc/passwd", "root:x:0:0::/:/bin/sh\n", {.mode = 0644, .mtime = 5})
                       .file("etc/shadow", "x", {.mode = 0640, .gid = 42})
                       .file("usr/lib/big", big)
                       .hardlink("bin/big", "usr/lib/big")
                       .file("bin/su", "su", {.mode = 04755})
                       .file("bin/ping", "p",
                             {.mode = 0755,
                              .pax = {{"SCHILY.xattr.security.capability", cap},
                                      {"SCHILY.xattr.user.note", "n"}}})
                       .device("null", '3', 1, 3)
                       .device("fifo", '6', 0, 0)
                       .directory("gone")
                       .file("gone/a", "a")
                       .directory("gone/b")
                       .directory("kept")
                       .file("kept/a", "a")
                       .file("kept/b", "b")
                       .file("file-then-directory", "f")
                       .directory("directory-then-file")
                       .file("directory-then-file/x", "x"));
  layers.push_back(TarBuilder()
                       .directory("etc", 0700, {.uid = 9, .mtime = 99})
                       .file("etc/passwd", "changed", {.mtime = 1234567890})
                       .whiteout(".wh.gone")
                       .whiteout("kept/.wh.a")
                       .directory("file-then-directory")
                       .file("file-then-directory/y", "y")
                       .file("directory-then-file", "now a file"));
  layers.push_back(TarBuilder()
                       .directory("kept", 0750)
                       .whiteout("kept/.wh..wh..opq")
                       .file("kept/c", "c")
                       .directory("gone")
                       .file("gone/new", "new")
                       .directory("usr")
                       .directory("usr/lib", 0755, {.mtime = 78})
                       .file("usr/lib/big", "small now"));
  int number = 0;
  for (const TarBuilder& layer : layers) {
    const std::string name = str("layer", number++, ".tar");
    scratch->write_file(name, layer.bytes(), 0644);
    ASSERT_EQ(run("umoci raw add-layer --image " + layout + ":t " + scratch->path_of(name)), 0);
  }
  compare(layout, "t", scratch);
}

}  // namespace
}  // namespace lade::test
