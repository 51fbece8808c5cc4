#include "registry/short_names.hpp"

#include "tests/registry/conf_files.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace lade::registry {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string k_digest = "@sha256:" + std::string(64, 'a');

std::vector<std::string> candidates(const RegistriesConf& conf, std::string_view text) {
  std::vector<std::string> names;
  for (const Reference& reference : resolve_short_name(conf, text).candidates) {
    names.push_back(reference.text());
  }
  return names;
}

std::string refusal(const RegistriesConf& conf, std::string_view text) {
  return error_of<UsageError>([&] { resolve_short_name(conf, text); });
}

TEST(ShortNames, AreNamesWithoutARegistry) {
  for (const std::string_view text : {"alpine", "alpine:3", "library/alpine", "a/b/c", "foo.bar",
                                      "foo.bar:1", "localhost", "localhosts/x"}) {
    EXPECT_TRUE(is_short_name(text)) << text;
  }
  for (const std::string_view text :
       {"quay.io/image", "localhost/image:tag", "server.org:5000/lib/image", "host:1/x", "[::1]/x",
        "docker.io/alpine"}) {
    EXPECT_FALSE(is_short_name(text)) << text;
  }
}

TEST(ShortNames, OthersStandForThemselves) {
  const RegistriesConf conf =
      conf_of("unqualified-search-registries=['a.x']\n[aliases]\nimage='b.x/y'\n");
  for (const std::string text : {"quay.io/image:1", "localhost/image", "localhost:5000/image"}) {
    const auto resolution = resolve_short_name(conf, text);
    EXPECT_EQ(resolution.by, ResolvedBy::itself);
    EXPECT_EQ(resolution.describe(text), "");
    EXPECT_THAT(candidates(conf, text), ElementsAre(text));
  }
  EXPECT_THAT(candidates(conf, "docker.io/alpine"), ElementsAre("docker.io/library/alpine"));
}

TEST(ShortNames, AliasesWinAndKeepTheTag) {
  const RegistriesConf conf = conf_of(
      "unqualified-search-registries=['a.x', 'b.x']\nshort-name-mode='enforcing'\n"
      "[aliases]\nfrob='c.x/y/z'\n'org/frob'='d.x/frob'\n");
  EXPECT_THAT(candidates(conf, "frob"), ElementsAre("c.x/y/z"));
  EXPECT_THAT(candidates(conf, "frob:3"), ElementsAre("c.x/y/z:3"));
  EXPECT_THAT(candidates(conf, "frob" + k_digest), ElementsAre("c.x/y/z" + k_digest));
  EXPECT_THAT(candidates(conf, "frob:3" + k_digest), ElementsAre("c.x/y/z:3" + k_digest));
  EXPECT_THAT(candidates(conf, "org/frob:1"), ElementsAre("d.x/frob:1"));

  const auto resolution = resolve_short_name(conf, "frob:3");
  EXPECT_EQ(resolution.by, ResolvedBy::alias);
  EXPECT_THAT(resolution.describe("frob:3"),
              AllOf(HasSubstr("resolved `frob:3` as an alias in `"), HasSubstr("conf`")));
}

TEST(ShortNames, AliasesAreForTheNameAsTyped) {
  const RegistriesConf conf =
      conf_of("unqualified-search-registries=['a.x']\n[aliases]\nalpine='docker.io/alpine'\n");
  EXPECT_THAT(candidates(conf, "alpine"), ElementsAre("docker.io/library/alpine"));
  EXPECT_THAT(candidates(conf, "library/alpine"), ElementsAre("a.x/library/alpine"));
}

TEST(ShortNames, SearchRegistriesInOrder) {
  for (const std::string mode : {"permissive", "disabled", ""}) {
    const RegistriesConf conf = conf_of(
        "unqualified-search-registries=['a.x', 'docker.io', 'localhost:5000']\n"
        "short-name-mode='" +
        mode + "'\n");
    EXPECT_THAT(candidates(conf, "frob:1"),
                ElementsAre("a.x/frob:1", "docker.io/library/frob:1", "localhost:5000/frob:1"));
    EXPECT_EQ(resolve_short_name(conf, "frob").by, ResolvedBy::search);
    EXPECT_THAT(resolve_short_name(conf, "frob").describe("frob"),
                HasSubstr("resolved `frob` by the search registries in `"));
  }
}

TEST(ShortNames, EnforcingWantsOneCandidate) {
  const RegistriesConf one =
      conf_of("unqualified-search-registries=['a.x']\nshort-name-mode='enforcing'\n");
  EXPECT_THAT(candidates(one, "frob"), ElementsAre("a.x/frob"));
  const RegistriesConf two =
      conf_of("unqualified-search-registries=['a.x', 'b.x']\nshort-name-mode='enforcing'\n");
  EXPECT_THAT(refusal(two, "frob:1"),
              HasSubstr("short name `frob:1` may be `a.x/frob:1` or `b.x/frob:1`"));
}

TEST(ShortNames, WithoutSearchRegistriesAConfigurationMeansNone) {
  const RegistriesConf conf = conf_of("");
  EXPECT_THAT(refusal(conf, "frob"), AllOf(HasSubstr("short name `frob` is no alias, and `"),
                                           HasSubstr("` has no `unqualified-search-registries`")));
  EXPECT_NE(refusal(conf_of("unqualified-search-registries=[]\n"), "frob"), "");
}

TEST(ShortNames, ErasedAliasesAreSearched) {
  const ConfFiles files;
  files.write("etc", "registries.conf",
              "unqualified-search-registries=['a.x']\n[aliases]\nfrob='b.x/frob'\n");
  files.write("etc/registries.conf.d", "1.conf", "[aliases]\nfrob=''\n");
  EXPECT_THAT(candidates(load_registries_conf(files.files()), "frob"), ElementsAre("a.x/frob"));
}

TEST(ShortNames, WithoutAnyConfigurationDockerHub) {
  const ConfFiles files;
  const RegistriesConf conf = load_registries_conf(files.files());
  EXPECT_THAT(candidates(conf, "frob:1"), ElementsAre("docker.io/library/frob:1"));
  EXPECT_EQ(resolve_short_name(conf, "frob").by, ResolvedBy::built_in);
  EXPECT_EQ(resolve_short_name(conf, "frob").describe("frob"),
            "resolved `frob` to docker.io, without a registries.conf");
}

TEST(ShortNames, WithoutAConfigurationRecordedAliasesCount) {
  const ConfFiles files;
  files.write("cache", "short-name-aliases.conf", "[aliases]\nfrob='b.x/frob'\n");
  const RegistriesConf conf = load_registries_conf(files.files());
  EXPECT_THAT(candidates(conf, "frob"), ElementsAre("b.x/frob"));
  EXPECT_THAT(candidates(conf, "other"), ElementsAre("docker.io/library/other"));
}

TEST(ShortNames, WhatIsNoReferenceIsRefused) {
  for (const std::string text :
       {"", "UPPER", "a b", "frob:", "frob@sha256:12", "../etc", "/frob"}) {
    EXPECT_NE(refusal({}, text), "") << text;
    EXPECT_NE(refusal(conf_of("unqualified-search-registries=['a.x']\n"), text), "") << text;
  }
}

}  // namespace
}  // namespace lade::registry
