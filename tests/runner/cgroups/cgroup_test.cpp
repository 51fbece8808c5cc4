#include "runner/cgroups/cgroup.hpp"

#include "runner/cgroups/control.hpp"
#include "tests/runner/cgroups/hosts.hpp"
#include "tests/runner/cgroups/real_cgroup.hpp"
#include "tests/runner/container.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <thread>

namespace lade::runner {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::k_patience;
using testing::move_into;
using testing::RealCgroupTest;
using ::testing::SizeIs;
using testing::TestProcess;

using CgroupTest = RealCgroupTest;

TEST_F(CgroupTest, IsMadeAndRemovedInEveryHierarchy) {
  const std::string name = path("made");
  Cgroup cgroup = Cgroup::create(host_, {name, {}});
  EXPECT_THAT(places_of(name), SizeIs(host_.hierarchies.size()));
  EXPECT_THAT(cgroup.unavailable(), IsEmpty());
  EXPECT_EQ(cgroup.made_parents(), 1U);
  EXPECT_FALSE(cgroup.populated());
  EXPECT_TRUE(Cgroup::open(host_, name).exists());
  cgroup.remove(k_patience, cgroup.made_parents());
  EXPECT_THAT(places_of(top()), IsEmpty()) << "what was made above it is removed too";
  EXPECT_FALSE(Cgroup::open(host_, name).exists());
  Cgroup::open(host_, name).remove(k_patience, 1);
}

TEST_F(CgroupTest, LeavesWhatOthersMade) {
  Cgroup other = Cgroup::create(host_, {top(), {}});
  Cgroup first = Cgroup::create(host_, {path("a/b"), {}});
  Cgroup second = Cgroup::create(host_, {path("a/c"), {}});
  EXPECT_EQ(first.made_parents(), 1U);
  EXPECT_EQ(second.made_parents(), 0U);
  first.remove(k_patience, first.made_parents());
  EXPECT_THAT(places_of(path("a/c")), SizeIs(host_.hierarchies.size()));
  second.remove(k_patience, second.made_parents());
  EXPECT_THAT(places_of(top()), SizeIs(host_.hierarchies.size()));
}

TEST_F(CgroupTest, LetsANewProcessInWithoutTheLock) {
  const Cgroup cgroup = Cgroup::create(host_, {path("in"), {}});
  const TestProcess process(cgroup.entrance(), [] {});
  for (int i = 0; i < 1000; ++i) {
    // The child enters by its own hand, some time after the clone.
    const std::string text = read_file(str("/proc/", process.pid(), "/cgroup"), 1U << 20);
    std::size_t lines = 0;
    for (const std::string& line : split(text, '\n')) lines += line.ends_with(path("in")) ? 1U : 0U;
    if (lines == host_.hierarchies.size()) break;
    ASSERT_LT(i, 999) << text;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_THAT(cgroup.processes(), ElementsAre(process.pid()));
  EXPECT_TRUE(cgroup.populated());
}

TEST_F(CgroupTest, TakesAProcessThatIsThere) {
  const Cgroup cgroup = Cgroup::create(host_, {path("attach"), {}});
  const TestProcess process;
  move_into(cgroup, process.pid());
  const std::string text = read_file(str("/proc/", process.pid(), "/cgroup"), 1U << 20);
  for (const CgroupHierarchy& hierarchy : host_.hierarchies) {
    EXPECT_THAT(text, HasSubstr(hierarchy.version == 2
                                    ? str("0::", path("attach"), '\n')
                                    : str(join(hierarchy.controllers, ","), ':', path("attach"))));
  }
  EXPECT_THAT(cgroup.processes(), ElementsAre(process.pid()));
}

TEST_F(CgroupTest, ListsTheProcessesBelowToo) {
  for (const int version : {1, 2}) {
    const CgroupHost host = only(version);
    if (host.hierarchies.empty()) continue;
    const Cgroup cgroup = Cgroup::create(host, {path(str("outer", version)), {}});
    const Cgroup inner = Cgroup::create(host, {path(str("outer", version, "/a/b")), {}});
    const TestProcess process;
    move_into(inner, process.pid());
    EXPECT_THAT(cgroup.processes(), ElementsAre(process.pid()));
    EXPECT_TRUE(cgroup.populated());
  }
}

TEST_F(CgroupTest, IsRefusedWithProcessesInIt) {
  for (const int version : {1, 2}) {
    const CgroupHost host = only(version);
    if (host.hierarchies.empty()) continue;
    Cgroup::create(host, {path("busy"), {}});
    const TestProcess process;
    // In the last hierarchy only, so that others have been made by then.
    CgroupHost last;
    last.hierarchies = {host.hierarchies.back()};
    Cgroup cgroup = Cgroup::open(last, path("busy"));
    move_into(cgroup, process.pid());
    EXPECT_THROW(Cgroup::create(host_, {path("busy"), {}}), Busy);
    cgroup.kill_all(k_patience);
    Cgroup::open(host_, path("busy")).remove(k_patience, 0);
  }
}

TEST_F(CgroupTest, LeavesNothingBehindWhenItIsRefused) {
  CgroupHost last;
  last.hierarchies = {host_.hierarchies.back()};
  const Cgroup taken = Cgroup::create(last, {path("half"), {}});
  const TestProcess process;
  move_into(taken, process.pid());
  EXPECT_THROW(Cgroup::create(host_, {path("half"), {}}), Busy);
  EXPECT_THAT(places_of(path("half")), ElementsAre(last.hierarchies[0].mount_point));
  EXPECT_THAT(places_of(top()), ElementsAre(last.hierarchies[0].mount_point));
}

TEST_F(CgroupTest, IsTakenOverIfItIsEmpty) {
  Cgroup::create(host_, {path("again"), {}});
  const Cgroup cgroup = Cgroup::create(host_, {path("again"), {}});
  EXPECT_EQ(cgroup.made_parents(), 0U);
  EXPECT_TRUE(cgroup.exists());
}

TEST_F(CgroupTest, IsRefusedIfItIsFrozenItselfOrFromAbove) {
  for (const int version : {1, 2}) {
    const CgroupHost host = only(version);
    if (host.hierarchies.empty()) continue;
    const Cgroup cgroup = Cgroup::create(host, {path("cold"), {}});
    cgroup.freeze(k_patience);
    EXPECT_TRUE(cgroup.frozen());
    EXPECT_THROW(Cgroup::create(host_, {path("cold"), {}}), Busy);
    EXPECT_THROW(Cgroup::create(host_, {path("cold/inner"), {}}), Busy);
    EXPECT_THAT(places_of(path("cold/inner")), IsEmpty());
    cgroup.thaw();
    EXPECT_FALSE(cgroup.frozen());
    Cgroup::open(host_, path("cold")).remove(k_patience, 0);
  }
}

TEST_F(CgroupTest, RefusesPathsThatLeadOut) {
  for (const std::string bad : {"/..", "/", "", "/a/../..", "a/../b"}) {
    EXPECT_THROW(Cgroup::create(host_, {bad, {}}), InvalidData) << bad;
    EXPECT_THROW(Cgroup::open(host_, bad), InvalidData) << bad;
  }
}

/// Counts in shared memory as fast as it can.
class Counter {
 public:
  Counter()
      : count_(static_cast<volatile std::uint64_t*>(
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))),
        process_([this] {
          for (;;) *count_ = *count_ + 1;
        }) {}
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  ~Counter() { ::munmap(const_cast<std::uint64_t*>(count_), 4096); }

  TestProcess& process() { return process_; }
  std::uint64_t value() const { return *count_; }
  /// Waits until it goes on.
  bool advances() const {
    const std::uint64_t before = value();
    for (int i = 0; i < 1000 && value() == before; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return value() != before;
  }

 private:
  volatile std::uint64_t* count_;
  TestProcess process_;
};

TEST_F(CgroupTest, FreezesAndThaws) {
  for (const int version : {1, 2}) {
    const CgroupHost host = only(version);
    if (host.hierarchies.empty()) continue;
    const Cgroup cgroup = Cgroup::create(host, {path(str("ice", version)), {}});
    Counter counter;
    move_into(cgroup, counter.process().pid());
    ASSERT_TRUE(counter.advances());
    EXPECT_FALSE(cgroup.frozen());
    cgroup.freeze(k_patience);
    EXPECT_TRUE(cgroup.frozen());
    const std::uint64_t stopped = counter.value();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(counter.value(), stopped) << "version " << version;
    cgroup.thaw();
    EXPECT_FALSE(cgroup.frozen());
    EXPECT_TRUE(counter.advances());
    cgroup.kill_all(k_patience);
  }
}

TEST_F(CgroupTest, KillsFrozenProcesses) {
  for (const int version : {1, 2}) {
    const CgroupHost host = only(version);
    if (host.hierarchies.empty()) continue;
    const Cgroup cgroup = Cgroup::create(host, {path(str("frozen", version)), {}});
    TestProcess process;
    move_into(cgroup, process.pid());
    cgroup.freeze(k_patience);
    cgroup.kill_all(k_patience);
    EXPECT_EQ(WTERMSIG(process.wait()), SIGKILL);
    EXPECT_FALSE(cgroup.frozen());
  }
}

TEST_F(CgroupTest, KillsProcessesThatFork) {
  for (const int version : {1, 2}) {
    const CgroupHost host = only(version);
    if (host.hierarchies.empty()) continue;
    const Cgroup cgroup = Cgroup::create(host, {path(str("bomb", version)), {}});
    if (version == 1) cgroup.apply({{{"pids", "pids.limit", {{"pids.max", "30"}}}}, {}});
    Pipe go = make_pipe();
    TestProcess process([&] {
      std::byte byte{};
      read_some(go.read, {&byte, 1}, "go");
      for (int generation = 0; generation < 4; ++generation) ::fork();
      // Each is replaced as it goes, though not for ever.
      for (int i = 0; i < 20'000; ++i) {
        if (::fork() > 0) ::_exit(0);
      }
    });
    move_into(cgroup, process.pid());
    write_all(go.write, as_bytes("."), "go");
    process.wait();
    EXPECT_TRUE(cgroup.populated());
    cgroup.kill_all(k_patience);
    EXPECT_THAT(cgroup.processes(), IsEmpty());
  }
}

TEST_F(CgroupTest, SignalsAllAndLeavesAPausedOnePaused) {
  for (const int version : {1, 2}) {
    const CgroupHost host = only(version);
    if (host.hierarchies.empty()) continue;
    const Cgroup cgroup = Cgroup::create(host, {path(str("signal", version)), {}});
    TestProcess first;
    TestProcess second;
    move_into(cgroup, first.pid());
    move_into(cgroup, second.pid());
    cgroup.freeze(k_patience);
    cgroup.signal_all(SIGTERM);
    EXPECT_TRUE(cgroup.frozen());
    // Version 2 lets go of a process that a signal is about to kill.
    EXPECT_TRUE(version == 2 || !first.ended());
    cgroup.thaw();
    EXPECT_EQ(WTERMSIG(first.wait()), SIGTERM);
    EXPECT_EQ(WTERMSIG(second.wait()), SIGTERM);
  }
}

TEST_F(CgroupTest, IsRemovedWithWhatTheContainerMadeInIt) {
  Cgroup cgroup = Cgroup::create(host_, {path("full"), {}});
  Cgroup::create(host_, {path("full/a/b"), {}});
  Cgroup::create(host_, {path("full/c"), {}});
  cgroup.remove(k_patience, 0);
  EXPECT_THAT(places_of(path("full")), IsEmpty());
}

TEST_F(CgroupTest, IsNotRemovedUnderAProcess) {
  Cgroup cgroup = Cgroup::create(host_, {path("alive"), {}});
  TestProcess process;
  move_into(cgroup, process.pid());
  EXPECT_THROW(cgroup.remove(std::chrono::milliseconds(20), 0), Busy);
  EXPECT_TRUE(cgroup.populated()) << "nothing but time was given to it";
}

TEST_F(CgroupTest, IsRemovedAtOnceAfterAKill) {
  for (int i = 0; i < 20; ++i) {
    Cgroup cgroup = Cgroup::create(host_, {path("dying"), {}});
    TestProcess process(cgroup.entrance(), [] {});
    ::kill(process.pid(), SIGKILL);
    cgroup.remove(k_patience, 0);
    EXPECT_THAT(places_of(path("dying")), IsEmpty());
  }
}

TEST_F(CgroupTest, SaysWhereItMayNotBeMade) {
  // A user to whom nothing was delegated.
  const TestProcess process;
  Pipe answer = make_pipe();
  TestProcess user([&] {
    std::string text;
    if (::setresuid(65534, 65534, 65534) == 0) {
      try {
        const Cgroup cgroup = Cgroup::create(host_, {path("denied"), {}});
        text = str(cgroup.exists() ? "made " : "none ", cgroup.unavailable().size(), ' ',
                   cgroup.unavailable().empty() ? "" : cgroup.unavailable()[0].what);
      } catch (const std::exception& error) {
        text = error.what();
      }
    }
    write_all(answer.write, as_bytes(text), "answer");
    ::_exit(0);
  });
  user.wait();
  answer.write.reset();
  std::string text;
  std::byte buffer[1024];
  while (const std::size_t count = read_some(answer.read, buffer, "answer")) {
    text += as_text(std::span(buffer, count));
  }
  EXPECT_THAT(text, HasSubstr(str("none ", host_.hierarchies.size(), " make cgroup `")));
  EXPECT_THAT(text, HasSubstr("Permission denied"));
}

TEST_F(CgroupTest, IsGivenToAUserInVersion2Only) {
  if (host_.find_unified() == nullptr) GTEST_SKIP() << "there is no version 2";
  const Cgroup cgroup = Cgroup::create(host_, {path("given"), {}});
  cgroup.delegate_to(65534, 65533);
  const auto owner = [&](const CgroupHierarchy& hierarchy, const std::string& file) {
    struct stat st {};
    EXPECT_EQ(::stat((hierarchy.mount_point + path("given") + file).c_str(), &st), 0) << file;
    EXPECT_EQ(st.st_gid, st.st_uid == 65534U ? 65533U : 0U) << file;
    return st.st_uid;
  };
  for (const CgroupHierarchy& hierarchy : host_.hierarchies) {
    const uid_t expected = hierarchy.version == 2 ? 65534U : 0U;
    EXPECT_EQ(owner(hierarchy, ""), expected);
    EXPECT_EQ(owner(hierarchy, "/cgroup.procs"), expected);
  }
  EXPECT_EQ(owner(*host_.find_unified(), "/cgroup.subtree_control"), 65534U);
  EXPECT_EQ(owner(*host_.find_unified(), "/cgroup.kill"), 0U);
}

TEST(CgroupPlace, IsNotReachedThroughALink) {
  testing::Scratch scratch;
  scratch.directory("elsewhere/inner");
  scratch.directory("top");
  scratch.link("top/link", "../elsewhere");
  scratch.link("top/here", ".");
  CgroupHost host = testing::v2_host();
  host.hierarchies[0].mount_point = scratch.path("top");
  EXPECT_THROW(Cgroup::open(host, "/link/inner"), SystemError);
  EXPECT_THROW(Cgroup::open(host, "/here"), SystemError);
}

}  // namespace
}  // namespace lade::runner
