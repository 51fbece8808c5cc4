// What `mounts` of a config.json ask for, looked at from inside.
#include "runner/mount_cgroups.hpp"
#include "tests/runner/runtime_config.hpp"

#include <gmock/gmock.h>
#include <sys/mount.h>

namespace lade::runner::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RuntimeMountsTest : public RuntimeConfigTest {
 protected:
  std::string json_of(const std::string& destination, const std::string& type,
                      const std::string& source, const std::vector<std::string>& options) const {
    return str(R"({"destination":")", destination, R"(","type":")", type, R"(","source":")", source,
               R"(","options":)", words(options), "}");
  }

  /// The mount options and the propagation that mountinfo has for `target`, inside.
  std::string options_of(const std::string& mounts, const std::string& target) {
    return script({.mounts = mounts}, str("grep -F ' ", target,
                                          " ' /proc/self/mountinfo | /bin/busybox sed 's/^[^/]*[^ "
                                          "]* [^ ]* //; s/ - .*//'"))
        .out;
  }
};

TEST_F(RuntimeMountsTest, TakesEveryAttribute) {
  const auto tmpfs = [&](const std::vector<std::string>& options) {
    return options_of(json_of("/mnt", "tmpfs", "tmpfs", options), "/mnt");
  };
  EXPECT_EQ(tmpfs({}), "rw,relatime\n");
  EXPECT_EQ(tmpfs({"ro", "nosuid", "nodev", "noexec"}), "ro,nosuid,nodev,noexec,relatime\n");
  EXPECT_EQ(tmpfs({"noatime", "nodiratime"}), "rw,noatime,nodiratime\n");
  EXPECT_EQ(tmpfs({"strictatime"}), "rw\n");
  EXPECT_EQ(tmpfs({"nosymfollow"}), "rw,relatime,nosymfollow\n");
  EXPECT_EQ(tmpfs({"rro"}), "ro,relatime\n");
  EXPECT_EQ(tmpfs({"sync", "lazytime", "dirsync", "defaults", "silent", "async"}), "rw,relatime\n");
  EXPECT_EQ(tmpfs({"shared"}).substr(0, 18), "rw,relatime shared");
}

TEST_F(RuntimeMountsTest, GivesUnknownOptionsToTheFileSystem) {
  const Config config{.mounts = json_of("/mnt", "tmpfs", "tmpfs", {"size=64k", "mode=700"})};
  EXPECT_THAT(script(config, "grep ' /mnt ' /proc/self/mountinfo").out, HasSubstr("size=64k"));
  EXPECT_THAT(run({.mounts = json_of("/mnt", "tmpfs", "tmpfs", {"nonsense"})}, {"true"}).err,
              HasSubstr("mount /mnt: mount a `tmpfs` with option `nonsense`: Invalid argument"));
}

TEST_F(RuntimeMountsTest, BindsByOptionWhateverTheType) {
  scratch_.directory("data");
  scratch_.file("data/x", "hello\n");
  for (const char* type : {"bind", "none", ""}) {
    // The source is relative to the bundle.
    EXPECT_EQ(
        run({.mounts = json_of("/data", type, "data", {"rbind", "ro"})}, {"cat", "/data/x"}).out,
        "hello\n")
        << type;
  }
  EXPECT_THROW(plan_of({.mounts = json_of("/data", "none", "data", {})}, {"sh"}), UsageError);
}

TEST_F(RuntimeMountsTest, TakesADestinationWithoutASlash) {
  scratch_.file("x", "hello\n");
  EXPECT_EQ(run({.mounts = json_of("etc/x", "bind", "x", {"bind"})}, {"cat", "/etc/x"}).out,
            "hello\n");
}

TEST_F(RuntimeMountsTest, RecursiveAttributesReachSubmountsAndOthersDoNot) {
  scratch_.directory("data");
  ASSERT_EQ(::mount("top", scratch_.path("data").c_str(), "tmpfs", 0, nullptr), 0);
  scratch_.directory("data/sub");
  ASSERT_EQ(::mount("sub", scratch_.path("data/sub").c_str(), "tmpfs", 0, nullptr), 0);
  const auto both = [&](const std::vector<std::string>& options) {
    const std::string mounts = json_of("/data", "bind", "data", options);
    return options_of(mounts, "/data") + options_of(mounts, "/data/sub");
  };
  EXPECT_EQ(both({"rbind", "ro", "private"}), "ro,relatime\nrw,relatime\n");
  EXPECT_EQ(both({"rbind", "rro", "rprivate"}), "ro,relatime\nro,relatime\n");
  EXPECT_EQ(both({"rbind", "rro", "rw", "nosuid", "rprivate"}),
            "rw,nosuid,relatime\nro,relatime\n");
  EXPECT_EQ(both({"rbind", "ro", "rrw", "rnoexec", "rprivate"}),
            "rw,noexec,relatime\nrw,noexec,relatime\n");
  ::umount(scratch_.path("data/sub").c_str());
  ::umount(scratch_.path("data").c_str());
}

TEST_F(RuntimeMountsTest, ChangesAMountThatIsThere) {
  const std::string mounts = str(json_of("/mnt", "tmpfs", "tmpfs", {"size=64k"}), ',',
                                 json_of("/mnt", "none", "", {"remount", "ro", "size=32k"}));
  EXPECT_EQ(options_of(mounts, "/mnt"), "ro,relatime\n");
  EXPECT_THAT(script({.mounts = mounts}, "grep ' /mnt ' /proc/self/mountinfo").out,
              HasSubstr("size=32k"));
}

TEST_F(RuntimeMountsTest, ATmpfsLooksLikeWhatItCovers) {
  scratch_.directory("rootfs/tmp");
  ::chmod(rootfs("tmp").c_str(), 01777);
  EXPECT_EQ(
      run({.mounts = json_of("/tmp", "tmpfs", "tmpfs", {})}, {"stat", "-c", "%a", "/tmp"}).out,
      "1777\n");
}

TEST_F(RuntimeMountsTest, ATmpfsCanHaveWhatItCovers) {
  scratch_.directory("rootfs/var");
  scratch_.directory("rootfs/var/deep");
  scratch_.file("rootfs/var/deep/file", "content\n", 04750);
  scratch_.link("rootfs/var/link", "/etc/passwd");
  ASSERT_EQ(::chown(rootfs("var/deep/file").c_str(), 1000, 50), 0);
  ::chmod(rootfs("var/deep/file").c_str(), 04750);
  const Config config{.mounts = json_of("/var", "tmpfs", "tmpfs", {"tmpcopyup", "nosuid"})};
  EXPECT_EQ(script(config,
                   "cat /var/deep/file; stat -c '%a %u %g' /var/deep/file; readlink /var/link;"
                   "echo changed > /var/deep/file; cat /var/deep/file")
                .out,
            "content\n4750 1000 50\n/etc/passwd\nchanged\n");
  EXPECT_EQ(read_file(rootfs("var/deep/file"), 100), "content\n");
}

TEST_F(RuntimeMountsTest, AReadOnlyTmpfsIsFilledFirst) {
  scratch_.file("x", "hello\n");
  const Config config{.mounts = str(json_of("/mnt", "tmpfs", "tmpfs", {"ro"}), ',',
                                    json_of("/mnt/x", "bind", "x", {"bind"}))};
  const Result result = script(config, "cat /mnt/x; touch /mnt/y");
  EXPECT_EQ(result.out, "hello\n");
  EXPECT_THAT(result.err, HasSubstr("Read-only file system"));
}

TEST_F(RuntimeMountsTest, MapsOwners) {
  scratch_.directory("data");
  scratch_.file("data/x", "");
  ASSERT_EQ(::chown(scratch_.path("data/x").c_str(), 5, 6), 0);
  const std::string mount = str(R"({"destination":"/data","type":"bind","source":"data",
      "options":["bind"],"uidMappings":[{"containerID":0,"hostID":1000,"size":100}],
      "gidMappings":[{"containerID":0,"hostID":2000,"size":100}]})");
  const Result result = run({.mounts = mount}, {"stat", "-c", "%u %g", "/data/x"});
  if (result.err.find("map the owners") != std::string::npos) {
    GTEST_SKIP() << "the file system of /tmp cannot be mapped: " << result.err;
  }
  EXPECT_EQ(result.out, "1005 2006\n");
  EXPECT_THROW(plan_of({.mounts = json_of("/x", "bind", "data", {"bind", "idmap"})}, {"sh"}),
               UsageError);
}

TEST_F(RuntimeMountsTest, ShowsItsOwnCgroupsOnlyWithoutANamespace) {
  const Config config{.mounts = json_of("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid"})};
  // Where mountinfo says that the mount's root is, /proc/self/cgroup says that the process is.
  const std::string text =
      script(config, "cat /proc/self/cgroup; echo; cat /proc/self/mountinfo").out;
  const auto hierarchies = find_cgroup_mounts();
  if (hierarchies.empty()) GTEST_SKIP() << "the host has no cgroups";
  for (const CgroupHierarchy& hierarchy : hierarchies) {
    const std::string path = cgroup_in(hierarchy, text);
    const std::string target =
        hierarchy.name.empty() ? "/sys/fs/cgroup" : str("/sys/fs/cgroup/", hierarchy.name);
    EXPECT_THAT(text, HasSubstr(str(' ', path, ' ', target, " ro,nosuid")));
  }
}

// CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: what the runtime trusts must not
// be elsewhere.
TEST_F(RuntimeMountsTest, RefusesLinksInPlaceOfWhatIsTrusted) {
  ::rmdir(rootfs("proc").c_str());
  scratch_.directory("rootfs/evil");
  scratch_.link("rootfs/proc", "/evil");
  const Result result = run({}, {"true"});
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("a symbolic link is in the way"));
}

TEST_F(RuntimeMountsTest, RefusesALinkUnderAnotherProc) {
  scratch_.directory("rootfs/evil");
  scratch_.link("rootfs/other", "/evil");
  const Config config{.mounts = json_of("/other", "proc", "proc", {})};
  EXPECT_THAT(run(config, {"true"}).err, HasSubstr("a symbolic link is in the way"));
}

// CVE-2026-41579, CVE-2026-47766: devices would be made on the host.
TEST_F(RuntimeMountsTest, RefusesALinkInPlaceOfDev) {
  scratch_.directory("outside");
  ::rmdir(rootfs("dev").c_str());
  scratch_.link("rootfs/dev", scratch_.path("outside"));
  const Result result = run({}, {"true"});
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(Directory::open(scratch_.path("outside")).list(), ElementsAre());
}

TEST_F(RuntimeMountsTest, HasTheDevices) {
  const Config config{.linux = R"("devices":[
      {"path":"/dev/net/x","type":"c","major":10,"minor":200,"fileMode":384,"uid":5,"gid":6},
      {"path":"/dev/pipe","type":"p"},{"path":"/dev/null","type":"c","major":1,"minor":3,
      "fileMode":438}])"};
  EXPECT_EQ(script(config, "stat -c '%F %t:%T %a %u %g' /dev/net/x /dev/pipe /dev/null").out,
            "character special file a:c8 600 5 6\nfifo 0:0 666 0 0\n"
            "character special file 1:3 666 0 0\n");
}

TEST_F(RuntimeMountsTest, TheRootHasItsPropagation) {
  const auto root = [&](const std::string& propagation) {
    return script({.linux = str(R"("rootfsPropagation":")", propagation, '"')},
                  "grep ' / / \\| / [^ ]* / ' /proc/self/mountinfo; grep -E '^[^/]*/[^ ]* / ' "
                  "/proc/self/mountinfo | head -n 1")
        .out;
  };
  EXPECT_THAT(root("shared"), HasSubstr(" shared:"));
  EXPECT_THAT(root("unbindable"), HasSubstr(" unbindable"));
  EXPECT_THAT(root("private"), ::testing::Not(HasSubstr(" shared:")));
}

}  // namespace
}  // namespace lade::runner::testing
