// Mounts of very many layers, of layers with odd paths, by both interfaces, by users; and finding
// out where none can be made.
#include "base/process_identity.hpp"
#include "snapshot/chain.hpp"
#include "snapshot/probe.hpp"
#include "tests/snapshot/tree.hpp"

#include <gmock/gmock.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

namespace lade::test {
namespace {

using snapshot::OverlayXattrs;
using snapshot::SnapshotKind;

class OverlayLayers : public testing::TestWithParam<OverlayInterface> {
 protected:
  void SetUp() override { LADE_NEEDS_ROOT(); }

  /// Layers with a file each, and one file that all have, of which the topmost must show.
  OverlayConfig layers(std::size_t count, const std::string& prefix = "layer") {
    OverlayConfig config{.interface = GetParam()};
    for (std::size_t i = 0; i < count; ++i) {
      const Directory layer = scratch_->ensure_child(str(prefix, i), 0755);
      layer.write_file(str("f", i), "", 0600);
      layer.write_file("all", str(i), 0600);
      config.lowers.insert(config.lowers.begin(), layer.path());
    }
    return config;
  }

  static void expect_all(const Directory& merged, std::size_t count) {
    EXPECT_EQ(merged.list().size(), count + 1);
    EXPECT_EQ(read_whole(merged.open_file("all", O_RDONLY), 100, "all"), std::to_string(count - 1));
  }

  StoreScratch scratch_;
};

TEST_P(OverlayLayers, AsManyAsTheKernelStacks) {
  for (const std::size_t count : {2U, 128U, 500U}) {
    expect_all(Directory(make_overlay_mount(layers(count)), "merged"), count);
  }
}

TEST_P(OverlayLayers, OneMoreIsRefusedInOneLine) {
  try {
    make_overlay_mount(layers(501));
    FAIL() << "mounted";
  } catch (const InvalidData& error) {
    EXPECT_STREQ(error.what(), "overlay of 501 layers: the kernel takes at most 500");
  }
}

TEST_P(OverlayLayers, WithColonsCommasAndBackslashesInTheirPaths) {
  const std::string odd = "a:b,c\\d lowerdir=x ";
  OverlayConfig config = layers(3, odd);
  config.upper = scratch_->ensure_child(odd + "upper", 0755).path();
  config.work = scratch_->ensure_child(odd + "work", 0755).path();
  const Directory merged(make_overlay_mount(config), "merged");
  expect_all(merged, 3);
  merged.write_file("all", "changed", 0600);
  EXPECT_EQ(read_file(config.upper + "/all", 100), "changed");
}

// As those that several pulls share: they are held, and renamed at any time.
TEST_P(OverlayLayers, ThatAreHeldByADescriptor) {
  OverlayConfig config = layers(3);
  std::vector<Directory> held;
  for (std::string& lower : config.lowers) {
    held.push_back(Directory::open(lower));
    lower = str("/proc/self/fd/", held.back().fd());
  }
  scratch_->rename("layer1", *scratch_, "elsewhere");
  expect_all(Directory(make_overlay_mount(config), "merged"), 3);
}

TEST_P(OverlayLayers, LeaveNoMountBehind) {
  const std::string before = read_file("/proc/self/mountinfo", std::size_t{1} << 24U);
  { const Fd mount = make_overlay_mount(layers(3)); }
  EXPECT_EQ(read_file("/proc/self/mountinfo", std::size_t{1} << 24U), before);
}

TEST_P(OverlayLayers, AnErrorIsToldInOneLine) {
  OverlayConfig config = layers(2);
  config.lowers.push_back(scratch_.path() + "/nowhere");
  EXPECT_THROW(make_overlay_mount(config), SystemError);
  config = layers(2);
  config.upper = config.work = scratch_->ensure_child("same", 0755).path();
  EXPECT_THROW(make_overlay_mount(config), SystemError);
}

INSTANTIATE_TEST_SUITE_P(Interfaces, OverlayLayers,
                         testing::Values(OverlayInterface::descriptors, OverlayInterface::page),
                         [](const auto& each) {
                           return std::string(each.param == OverlayInterface::page ? "page"
                                                                                   : "descriptors");
                         });

TEST(OverlayImages, OfFiveHundredLayersArePulledAndMounted) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  std::vector<std::string> tars;
  for (int i = 0; i < 500; ++i) tars.push_back(TarBuilder().file(str("f", i), "").bytes());
  // The container's own layer is not among those that are counted.
  EXPECT_EQ(mounted_tree(store, pull(store, TestImage(tars))).size(), 501U);
}

// --- probing -------------------------------------------------------------------------------------

TEST(ProbeSnapshots, OverlayWhereItWorks) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  const auto support = snapshot::probe_snapshots(*scratch, OverlayXattrs::trusted);
  EXPECT_EQ(support.kind, SnapshotKind::overlay) << support.why;
  EXPECT_EQ(support.why, "");
  EXPECT_THAT(scratch->list(), testing::IsEmpty());
}

TEST(ProbeSnapshots, ThatOverlayWorksIsRememberedForOneStartOfTheMachine) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  const auto store = store::Store::open(scratch.path() + "/store");
  EXPECT_EQ(snapshot::find_support(store).kind, SnapshotKind::overlay);
  const std::string file = store.root().path_of("overlay-probe");
  const std::string memory = read_file(file, 1000);
  EXPECT_EQ(memory, boot_id() + " trusted descriptors\n");

  // Believed: the same machine, the same kind of process.
  store.root().write_file("overlay-probe", boot_id() + " trusted page\n", 0600);
  EXPECT_EQ(snapshot::find_support(store).interface, OverlayInterface::page);
  // Not believed: another start, another kind of process, nonsense.
  for (const std::string& text :
       {std::string("01234567-89ab-cdef trusted page\n"), boot_id() + " user page\n", std::string(),
        std::string("flat\n")}) {
    store.root().write_file("overlay-probe", text, 0600);
    EXPECT_EQ(snapshot::find_support(store).interface, OverlayInterface::descriptors) << text;
    EXPECT_EQ(read_file(file, 1000), memory);
  }
  EXPECT_THAT(store.staging().list(), testing::IsEmpty()) << "left behind";
}

/// Runs `body` as `unshare -Urm` would: a user who is root of a namespace of their own.
int as_namespace_root(const std::function<void()>& body) {
  return in_child([&] {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(65534, 65534, 65534) != 0 ||
        ::setresuid(65534, 65534, 65534) != 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return 77;
    }
    ::prctl(PR_SET_DUMPABLE, 1);  // else its files in /proc are root's
    const auto write_proc = [](const char* path, const std::string& text) {
      write_all(open_file(path, O_WRONLY), as_bytes(text), path);
    };
    write_proc("/proc/self/setgroups", "deny");
    write_proc("/proc/self/uid_map", "0 65534 1");
    write_proc("/proc/self/gid_map", "0 65534 1");
    body();
    return testing::Test::HasFailure() ? 1 : 0;
  });
}

/// A directory that such a user can write to.
class NobodysScratch {
 public:
  NobodysScratch() { EXPECT_EQ(::chown(scratch_.path().c_str(), 65534, 65534), 0); }
  const std::string& path() const { return scratch_.path(); }

 private:
  StoreScratch scratch_;
};

TEST(ProbeSnapshots, UsersHaveTheirOwnNamespaceOfAttributes) {
  LADE_NEEDS_ROOT();
  const NobodysScratch scratch;
  const int status = as_namespace_root([&] {
    const Directory place = Directory::open(scratch.path());
    const auto support = snapshot::probe_snapshots(place, OverlayXattrs::user);
    EXPECT_EQ(support.kind, SnapshotKind::overlay) << support.why;
    // What only root of the host may write is no use here, and it is said why.
    const auto trusted = snapshot::probe_snapshots(place, OverlayXattrs::trusted);
    EXPECT_EQ(trusted.kind, SnapshotKind::flat);
    EXPECT_THAT(trusted.why, testing::HasSubstr("trusted.overlay.opaque"));
    EXPECT_THAT(place.list(), testing::IsEmpty());
  });
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "users may have no namespaces here";
  EXPECT_EQ(status, 0);
}

TEST(ProbeSnapshots, UsersLayersWorkWithUserxattr) {
  LADE_NEEDS_ROOT();
  const NobodysScratch scratch;
  const int status = as_namespace_root([&] {
    const Directory place = Directory::open(scratch.path());
    RecordingObserver observer;
    const auto unpack = [&](const char* name, const TarBuilder& tar) {
      const Directory root = place.ensure_child(name, 0755);
      StringSource source(tar.bytes());
      snapshot::apply_layer(source, root, {.overlay = OverlayXattrs::user}, {{}, observer});
      return root.path();
    };
    OverlayConfig config{.user_xattr = true};
    config.lowers.push_back(
        unpack("upper-layer",
               TarBuilder()
                   .whiteout(".wh.gone")
                   .whiteout("d/.wh..wh..opq")
                   .file("d/new", "new", {.pax = {{"SCHILY.xattr.user.overlay.opaque", "y"}}})));
    config.lowers.push_back(unpack(
        "lower-layer",
        TarBuilder().file("gone", "g").directory("d").file("d/old", "old").file("kept", "k")));
    for (const auto interface : {OverlayInterface::descriptors, OverlayInterface::page}) {
      config.interface = interface;
      const Directory merged(make_overlay_mount(config), "merged");
      EXPECT_THAT(merged.list(), testing::ElementsAre("d", "kept"));
      EXPECT_THAT(merged.child("d").list(), testing::ElementsAre("new"));
      EXPECT_THAT(describe(merged.child("d"), "new"), testing::HasSubstr("user.overlay.opaque=y"));
    }
  });
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "users may have no namespaces here";
  EXPECT_EQ(status, 0);
}

/// A file system that cannot hold an upper directory: another overlay is refused there.
TEST(ProbeSnapshots, FlatWhereOverlayCannotBeAndWhyIsSaid) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  OverlayConfig config;
  for (const char* name : {"one", "two"}) {
    config.lowers.push_back(scratch->ensure_child(name, 0755).path());
  }
  config.upper = scratch->ensure_child("upper", 0755).path();
  config.work = scratch->ensure_child("work", 0755).path();
  const int status = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      return 77;
    }
    scratch->ensure_child("merged", 0755);
    // By path: the directory that was opened before belongs to the other mount namespace.
    const Directory target = Directory::open(scratch->path_of("merged"));
    attach_mount(make_overlay_mount(config), target.handle(), "merged");
    const Directory merged = Directory::open(scratch->path_of("merged"));
    const auto support = snapshot::probe_snapshots(merged, OverlayXattrs::trusted);
    EXPECT_EQ(support.kind, SnapshotKind::flat);
    EXPECT_THAT(support.why, testing::HasSubstr("whiteout"));
    EXPECT_THAT(support.why, testing::Not(testing::HasSubstr("\n")));
    EXPECT_THAT(merged.list(), testing::IsEmpty());
    return testing::Test::HasFailure() ? 1 : 0;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace lade::test
