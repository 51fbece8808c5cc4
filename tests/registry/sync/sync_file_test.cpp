#include "registry/sync/sync_file.hpp"

#include "base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::registry {
namespace {

using testing::HasSubstr;

/// The file of skopeo's manual, in its shape.
constexpr const char* k_skopeo_file = R"(
registry.example.com:
    images:
        busybox: []
        redis:
            - "1.0"
            - "2.0"
            - "sha256:0000000000000000000000000000000011111111111111111111111111111111"
    images-by-tag-regex:
        nginx: ^1\.13\.[12]-alpine-perl$
    credentials:
        username: john
        password: this is a secret
    tls-verify: true
    cert-dir: /home/john/certs
quay.io:
    tls-verify: false
    images:
        coreos/etcd:
            - latest
    images-by-semver:
        alpine: ">= 3.12.0"
)";

const SyncSource& source(const SyncFile& file, const std::string& repository) {
  for (const SyncRegistry& registry : file.registries) {
    for (const SyncSource& source : registry.sources) {
      if (source.repository.repository() == repository) return source;
    }
  }
  throw Error("no such source");
}

TEST(SyncFile, ReadsSkopeosSchema) {
  const SyncFile file = parse_sync_file(k_skopeo_file, "list.yaml");
  EXPECT_TRUE(file.warnings.empty());
  ASSERT_EQ(file.registries.size(), 2U);
  const SyncRegistry& example = file.registries[0];
  EXPECT_EQ(example.name, "registry.example.com");
  EXPECT_EQ(example.credentials->username, "john");
  EXPECT_EQ(example.credentials->password, "this is a secret");
  EXPECT_EQ(example.tls_verify, TlsVerify::yes);
  EXPECT_EQ(example.cert_dir, "/home/john/certs");
  EXPECT_EQ(file.registries[1].tls_verify, TlsVerify::no);
  EXPECT_TRUE(source(file, "registry.example.com/busybox").needs_tags());
  const auto& keys = source(file, "registry.example.com/redis").keys;
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(std::get<std::string>(keys[0]), "1.0");
  EXPECT_EQ(std::get<Digest>(keys[2]).short_hex(), "000000000000");
  EXPECT_TRUE(source(file, "registry.example.com/nginx").tag_regex->matches("1.13.1-alpine-perl"));
  EXPECT_TRUE(source(file, "quay.io/alpine").versions->allows(*Version::parse("3.19")));
}

TEST(SyncFile, ReadsOurKeysBesideThem) {
  const SyncFile file = parse_sync_file(R"(
quay.io:
  images: {a/one: [], a/two: }
  newest: 5
  exclude: ['-rc', "alpine$"]
  platforms: [linux/amd64, linux/arm64]
  referrers: yes
  repositories:
    a/two: {newest: 2, rename: team/second, include: [^v]}
)",
                                        "list.yaml");
  const SyncRules& one = source(file, "quay.io/a/one").rules;
  EXPECT_EQ(one.newest, 5U);
  EXPECT_EQ(one.exclude.size(), 2U);
  EXPECT_EQ(one.platforms.size(), 2U);
  EXPECT_TRUE(one.referrers);
  EXPECT_FALSE(one.rename);
  const SyncRules& two = source(file, "quay.io/a/two").rules;
  EXPECT_EQ(two.newest, 2U);
  EXPECT_EQ(two.rename, "team/second");
  EXPECT_EQ(two.exclude.size(), 2U);
  EXPECT_EQ(two.include.size(), 1U);
}

TEST(SyncFile, WarnsOfKeysThatNobodyKnows) {
  const SyncFile file =
      parse_sync_file("quay.io:\n  images: {a: []}\n  imagse: {b: []}\n  excluded: []\n", "l");
  ASSERT_EQ(file.warnings.size(), 2U);
  EXPECT_EQ(file.warnings[0], "l: line 3: the key `imagse` is not known");
}

TEST(SyncFile, NamesTheLineOfWhatIsWrong) {
  const auto problem = [](const char* text) {
    try {
      parse_sync_file(text, "list.yaml");
    } catch (const InvalidData& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_THAT(problem("q.io:\n  images-by-tag-regex:\n    a: '('\n"), HasSubstr("line 3"));
  EXPECT_THAT(problem("q.io:\n  images-by-semver:\n    a: '>>'\n"),
              HasSubstr("improper constraint"));
  EXPECT_THAT(problem("q.io:\n  images:\n    a: [no tag]\n"), HasSubstr("neither a tag nor"));
  EXPECT_THAT(problem("q.io:\n  images:\n    A: []\n"), HasSubstr("line 3"));
  EXPECT_THAT(problem("q.io:\n  images:\n    a:1: []\n"), HasSubstr("line 3"));
  EXPECT_THAT(problem("a:\n  images:\n    b: []\n"), HasSubstr("`a` is not the name of one"));
  EXPECT_EQ(problem("registry-1.docker.io: {images: {b: []}}"), "nothing");
  EXPECT_THAT(problem("q.io: {newest: 0}"), HasSubstr("from 1 up"));
  EXPECT_THAT(problem("q.io: {platforms: [x]}"), HasSubstr("not usable"));
  EXPECT_THAT(problem("q.io: [images]"), HasSubstr("line 1"));
  EXPECT_THAT(problem("q.io: {repositories: {a: {rename: 'b:1'}}}"), HasSubstr("repository"));
}

}  // namespace
}  // namespace lade::registry
