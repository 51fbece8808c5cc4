#include "oci/reference.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade {
namespace {

const std::string k_hex(64, 'a');
const std::string k_digest = "sha256:" + k_hex;

TEST(Reference, Normalises) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"alpine", "docker.io/library/alpine"},
      {"alpine:3.20", "docker.io/library/alpine:3.20"},
      {"alpine@" + k_digest, "docker.io/library/alpine@" + k_digest},
      {"alpine:3.20@" + k_digest, "docker.io/library/alpine:3.20@" + k_digest},
      {"library/alpine", "docker.io/library/alpine"},
      {"user/image", "docker.io/user/image"},
      {"docker.io/alpine", "docker.io/library/alpine"},
      {"docker.io/user/image", "docker.io/user/image"},
      {"index.docker.io/alpine", "docker.io/library/alpine"},
      {"index.docker.io/a/b:t", "docker.io/a/b:t"},
      {"registry-1.docker.io/alpine", "docker.io/library/alpine"},
      {"quay.io/alpine", "quay.io/alpine"},
      {"quay.io/a/b/c/d:t", "quay.io/a/b/c/d:t"},
      {"localhost/alpine", "localhost/alpine"},
      {"localhost", "docker.io/library/localhost"},
      {"localhost:5000", "docker.io/library/localhost:5000"},
      {"localhost:5000/x", "localhost:5000/x"},
      {"localhost:5000/x:tag", "localhost:5000/x:tag"},
      {"host:5000/a/b@" + k_digest, "host:5000/a/b@" + k_digest},
      {"127.0.0.1:5000/x", "127.0.0.1:5000/x"},
      {"[::1]:5000/x:t", "[::1]:5000/x:t"},
      {"[fe80::1]/x", "[fe80::1]/x"},
      {"Reg.Example.COM/x", "Reg.Example.COM/x"},
      {"HOST:80/x", "HOST:80/x"},
      {"xn--n3h.com/x", "xn--n3h.com/x"},
      {"a.b/x", "a.b/x"},
      {"a-b/x", "docker.io/a-b/x"},
      {"x/a__b.c_d-e---f/0", "docker.io/x/a__b.c_d-e---f/0"},
      {"x:" + std::string(128, 't'), "docker.io/library/x:" + std::string(128, 't')},
      {"x:_.-", "docker.io/library/x:_.-"},
      {"x:UPPER", "docker.io/library/x:UPPER"},
      {std::string(63, 'a'), "docker.io/library/" + std::string(63, 'a')},
      {"x@sha512:" + k_hex + k_hex, "docker.io/library/x@sha512:" + k_hex + k_hex},
      {"q.io/" + std::string(250, 'x'), "q.io/" + std::string(250, 'x')},
  };
  for (const auto& [text, normal] : table) {
    const Reference reference = Reference::parse(text);
    EXPECT_EQ(reference.text(), normal) << text;
    EXPECT_EQ(Reference::parse(normal), reference) << text;
  }
}

TEST(Reference, SaysWhichRuleIsBroken) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "it is empty"},
      {":tag", "no repository name"},
      {"@" + k_digest, "no repository name"},
      {"quay.io/", "no repository name"},
      {"Foo/bar", "repository names are lower case"},
      {"Alpine", "repository names are lower case"},
      {"quay.io/Foo", "repository names are lower case"},
      {"/x", "a part of the repository name is empty"},
      {"x/", "a part of the repository name is empty"},
      {"a//b", "a part of the repository name is empty"},
      {"docker://alpine", "`docker:` is not a registry host"},
      {"https://quay.io/x", "`https:` is not a registry host"},
      {"-host.io/x", "`-host.io` is not a registry host"},
      {"host-.io/x", "`host-.io` is not a registry host"},
      {"host..io/x", "is not a registry host"},
      {".host/x", "is not a registry host"},
      {"ho_st.io/x", "is not a registry host"},
      {"host:x/y", "is not a registry host"},
      {"host:65536/y", "is not a registry host"},
      {"host:5000:6000/y", "is not a registry host"},
      {"[::1/x", "is not a registry host"},
      {"[::1]5000.x/x", "is not a registry host"},
      {"../x", "is not a registry host"},
      {"a/../b", "the part `..`"},
      {"a/./b", "the part `.`"},
      {"-a", "the part `-a`"},
      {"a-", "the part `a-`"},
      {"a..b", "the part `a..b`"},
      {"a___b", "the part `a___b`"},
      {"a._b", "the part `a._b`"},
      {"a b", "the part `a b`"},
      {std::string("a\0b", 3), "the part `a\\x00b`"},
      {"\xc3\xa4", "the part"},
      {"x:", "a tag is"},
      {"x:.t", "a tag is"},
      {"x:-t", "a tag is"},
      {"x:a b", "a tag is"},
      {"x:a+b", "a tag is"},
      {"x:" + std::string(129, 't'), "a tag is"},
      {"x:a:b", "the part `x:a`"},
      {"x@", "after `@`"},
      {"x@sha256:" + k_hex.substr(1), "after `@`"},
      {"x@sha256:" + std::string(64, 'A'), "after `@`"},
      {"x@md5:" + std::string(32, 'a'), "after `@`"},
      {"x@" + k_digest + ":t", "after `@`"},
      {"x@" + k_digest + "@" + k_digest, "after `@`"},
      {k_hex, "an image id"},
      {k_hex + ":t", "an image id"},
      {"q.io/" + std::string(251, 'x'), "at most 255"},
      {"\x1b[31m", "`\\x1b[31m`"},
  };
  for (const auto& [text, rule] : table) {
    try {
      const Reference reference = Reference::parse(text);
      ADD_FAILURE() << text << " was taken for " << reference.text();
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), testing::StartsWith("invalid reference `"));
      EXPECT_THAT(error.what(), testing::HasSubstr(rule)) << text;
    }
  }
}

TEST(Reference, HasParts) {
  const Reference reference = Reference::parse("localhost:5000/a/b:t@" + k_digest);
  EXPECT_EQ(reference.domain(), "localhost:5000");
  EXPECT_EQ(reference.path(), "a/b");
  EXPECT_EQ(reference.tag(), "t");
  EXPECT_EQ(reference.digest()->hex(), k_hex);
  EXPECT_EQ(reference.repository(), "localhost:5000/a/b");
}

TEST(Reference, ExchangesParts) {
  const Reference plain = Reference::parse("x");
  const Reference tagged = Reference::parse("x:t");
  const Reference pinned = Reference::parse("x@" + k_digest);
  EXPECT_EQ(plain.with_default_tag().text(), "docker.io/library/x:latest");
  EXPECT_EQ(tagged.with_default_tag(), tagged);
  EXPECT_EQ(pinned.with_default_tag(), pinned);
  EXPECT_EQ(pinned.with_tag("t"), tagged);
  EXPECT_EQ(tagged.with_digest(Digest::parse(k_digest)), pinned);
  EXPECT_LT(plain, tagged);
}

TEST(Reference, Tags) {
  EXPECT_TRUE(is_valid_tag("v1.2_3-x"));
  EXPECT_FALSE(is_valid_tag(""));
  EXPECT_FALSE(is_valid_tag("../x"));
  EXPECT_FALSE(is_valid_tag("a/b"));
}

}  // namespace
}  // namespace lade
