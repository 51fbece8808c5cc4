#include "runner/seccomp/cache.hpp"
#include "tests/runner/container.hpp"

#include <gtest/gtest.h>

namespace lade::runner::testing {
namespace {

SpecSeccomp filter() {
  SpecSeccomp filter;
  filter.default_action = "SCMP_ACT_ALLOW";
  filter.syscalls = {{{"chmod", "fchmod"}, "SCMP_ACT_ERRNO", 37, {{1, 511, 0, "SCMP_CMP_EQ"}}}};
  return filter;
}

class SeccompCacheTest : public ::testing::Test {
 protected:
  SeccompProgram get() {
    return find_or_compile(directory_, key_, [&] {
      ++compiled_;
      return program_;
    });
  }
  std::string file() const { return str(directory_, '/', key_); }

  Scratch scratch_;
  std::string directory_ = scratch_.path("cache");
  std::string key_ = cache_key(filter());
  SeccompProgram program_{{1, 2, 3, 4}, {6, 0, 0, 0x7fff0000}};
  int compiled_ = 0;
};

bool same(const SeccompProgram& a, const SeccompProgram& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](auto x, auto y) {
           return x.code == y.code && x.jt == y.jt && x.jf == y.jf && x.k == y.k;
         });
}

TEST_F(SeccompCacheTest, CompilesOnce) {
  EXPECT_TRUE(same(get(), program_));
  EXPECT_TRUE(same(get(), program_));
  EXPECT_EQ(compiled_, 1);
  EXPECT_EQ(Directory::open(directory_).list(), std::vector<std::string>{key_});
}

TEST_F(SeccompCacheTest, EveryWordOfTheFilterCounts) {
  std::vector<SpecSeccomp> others(9, filter());
  others[0].default_action = "SCMP_ACT_LOG";
  others[1].default_errno = 1;
  others[2].architectures = {"SCMP_ARCH_X86"};
  others[3].syscalls[0].names = {"chmodfchmod"};
  others[4].syscalls[0].action = "SCMP_ACT_KILL";
  others[5].syscalls[0].errno_value = 38;
  others[6].syscalls[0].arguments[0].value = 510;
  others[7].syscalls[0].arguments[0].op = "SCMP_CMP_NE";
  others[8].syscalls.push_back(others[8].syscalls[0]);
  std::vector<std::string> keys{key_};
  for (const SpecSeccomp& other : others) keys.push_back(cache_key(other));
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(std::unique(keys.begin(), keys.end()), keys.end());
  EXPECT_EQ(cache_key(filter()), key_);
}

TEST_F(SeccompCacheTest, WhatWasChangedIsNotUsed) {
  get();
  const std::string content = read_file(file(), 4096);
  std::string changed = content;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  for (const std::string& text : {changed, content.substr(0, content.size() - 8), content + "x",
                                  std::string(), std::string(100000, 'a')}) {
    scratch_.file("cache/" + key_, text, 0600);
    const int before = compiled_;
    EXPECT_TRUE(same(get(), program_));
    EXPECT_EQ(compiled_, before + 1) << text.size();
  }
}

TEST_F(SeccompCacheTest, WhatOthersMayChangeIsNotUsed) {
  get();
  ::chmod(file().c_str(), 0622);
  get();
  EXPECT_EQ(compiled_, 2);
  if (::geteuid() != 0) GTEST_SKIP() << "giving files away needs root";
  ASSERT_EQ(::chown(file().c_str(), 1, 1), 0);
  get();
  EXPECT_EQ(compiled_, 3);
}

TEST_F(SeccompCacheTest, LinksAndPipesAreNotUsed) {
  get();
  const std::string content = read_file(file(), 4096);
  scratch_.file("elsewhere", content, 0600);
  ::unlink(file().c_str());
  scratch_.link("cache/" + key_, scratch_.path("elsewhere"));
  get();
  EXPECT_EQ(compiled_, 2);
  ::unlink(file().c_str());
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  get();
  EXPECT_EQ(compiled_, 3);
}

TEST_F(SeccompCacheTest, ThatItCannotBeWrittenIsNoError) {
  scratch_.file("cache", "in the way");
  EXPECT_TRUE(same(get(), program_));
}

}  // namespace
}  // namespace lade::runner::testing
