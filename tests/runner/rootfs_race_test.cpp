// CVE-2021-30465 and CVE-2024-45310: somebody who shares a volume with the container exchanges a
// directory on the way to a mount's target for a link that leads out, again and again.
#include "runner/rootfs.hpp"
#include "tests/runner/container.hpp"

#include <sys/syscall.h>

#include <atomic>

namespace lade::runner::testing {
namespace {

class RootfsRace : public ::testing::Test {
 protected:
  static constexpr int k_tries = 1000;

  void SetUp() override {
    for (const char* path : {"root", "root/volume", "root/volume/a", "outside"}) {
      scratch_.directory(path);
    }
    scratch_.link("root/volume/b", "../../outside");
    exchange_ = std::thread([this] {
      const std::string a = scratch_.path("root/volume/a");
      const std::string b = scratch_.path("root/volume/b");
      while (!over_) ::syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), 2);
    });
  }
  void TearDown() override { stop(); }

  void stop() {
    over_ = true;
    if (exchange_.joinable()) exchange_.join();
  }

  /// What a descriptor's file is called on the host; a link that has been removed is none.
  static std::string place_of(const Fd& fd) {
    std::array<char, 4096> text{};
    const auto size = ::readlink(str("/proc/self/fd/", fd.get()).c_str(), text.data(), text.size());
    return std::string(text.data(), static_cast<std::size_t>(size));
  }

  /// Whether there is a directory of this name in the volume, with something in it.
  bool has_entries(const std::string& name) {
    const Fd fd(::open(scratch_.path("root/volume/" + name).c_str(),
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return fd.valid() && !Directory(Fd(::dup(fd.get())), name).list().empty();
  }

  void expect_nothing_outside() {
    EXPECT_TRUE(Directory::open(scratch_.path("outside")).list().empty());
  }

  Scratch scratch_;
  std::atomic<bool> over_ = false;
  std::thread exchange_;
};

TEST_F(RootfsRace, NoTargetIsOutside) {
  const Rootfs root(open_file(scratch_.path("root"), O_PATH | O_DIRECTORY), "root");
  int found = 0;
  for (int i = 0; i < k_tries; ++i) {
    try {
      const auto target = root.find("/volume/a", Links::follow);
      if (!target) continue;
      ++found;
      EXPECT_TRUE(place_of(*target).starts_with(scratch_.path("root/")) ||
                  place_of(*target) == scratch_.path("root"))
          << place_of(*target);
    } catch (const Error&) {
    }
  }
  EXPECT_GT(found, 0);
}

TEST_F(RootfsRace, NothingIsMadeOutside) {
  const Rootfs root(open_file(scratch_.path("root"), O_PATH | O_DIRECTORY), "root");
  int made = 0;
  // Until some succeed: how the threads take turns is not for this test to say.
  for (int i = 0; i < k_tries || (made == 0 && i < 100 * k_tries); ++i) {
    try {
      root.ensure_directory(str("/volume/a/new", i, "/deep"), Links::follow);
      root.ensure_file(str("/volume/b/file", i), Links::follow);
      ++made;
    } catch (const Error&) {
    }
  }
  stop();
  EXPECT_GT(made, 0);
  expect_nothing_outside();
  // And what was made is in the root, whichever of the two names the directory has now.
  EXPECT_TRUE(has_entries("a") || has_entries("b"));
}

// The last name on the way is a link for a moment, to what is not there outside.
TEST_F(RootfsRace, NoFileIsMadeThroughALink) {
  stop();
  const Rootfs root(open_file(scratch_.path("root"), O_PATH | O_DIRECTORY), "root");
  const std::string target = scratch_.path("root/volume/target");
  std::atomic<bool> over = false;
  std::thread links([&] {
    while (!over) {
      if (::symlink("../../outside/file", target.c_str()) == 0) ::unlink(target.c_str());
    }
  });
  int made = 0;
  for (int i = 0; i < 20 * k_tries; ++i) {
    try {
      root.ensure_file("/volume/target", Links::refuse);
      ++made;
      ::unlink(target.c_str());
    } catch (const Error&) {
    }
  }
  over = true;
  links.join();
  EXPECT_GT(made, 0);
  expect_nothing_outside();
}

}  // namespace
}  // namespace lade::runner::testing
