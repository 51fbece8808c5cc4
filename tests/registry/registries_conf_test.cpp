#include "registry/registries_conf.hpp"

#include "tests/registry/conf_files.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <vector>

namespace lade::registry {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view k_example = R"(
unqualified-search-registries = ["example.com", "localhost:5000"]
short-name-mode = "enforcing"

[[registry]]
prefix = "example.com/foo"
insecure = false
blocked = false
location = "internal-registry.example.net/bar"

[[registry.mirror]]
location = "mirror-0.example/for-foo"
[[registry.mirror]]
location = "mirror-1.example/mirrors/foo"
insecure = true
pull-from-mirror = "digest-only"

[[registry]]
location = "registry.com"
blocked = true
[[registry.mirror]]
location = "mirror.registry.com/"
proxy = "socks5://127.0.0.1:1080"

[aliases]
"alpine" = "docker.io/library/alpine"
"org/tool" = "quay.io/org/tool"
)";

TEST(RegistriesConf, ReadsWhatAFileSays) {
  const RegistriesConf conf = conf_of(k_example);
  EXPECT_THAT(conf.search_registries, ElementsAre("example.com", "localhost:5000"));
  EXPECT_EQ(conf.short_name_mode, ShortNameMode::enforcing);
  ASSERT_EQ(conf.rules.size(), 2U);

  const RegistryRule& foo = conf.rules.at("example.com/foo");
  EXPECT_EQ(foo.location.name, "internal-registry.example.net/bar");
  EXPECT_EQ(foo.location.tls_verify, TlsVerify::yes);
  EXPECT_EQ(foo.access, Access::allowed);
  ASSERT_EQ(foo.mirrors.size(), 2U);
  EXPECT_EQ(foo.mirrors[0].location.name, "mirror-0.example/for-foo");
  EXPECT_EQ(foo.mirrors[0].use, MirrorUse::all);
  EXPECT_EQ(foo.mirrors[1].location.tls_verify, TlsVerify::no);
  EXPECT_EQ(foo.mirrors[1].use, MirrorUse::digest_only);

  const RegistryRule& com = conf.rules.at("registry.com");
  EXPECT_EQ(com.access, Access::blocked);
  EXPECT_EQ(com.mirrors.at(0).location.name, "mirror.registry.com");
  EXPECT_EQ(com.mirrors.at(0).location.proxy, "socks5://127.0.0.1:1080");

  EXPECT_EQ(conf.aliases.at("alpine").target.text(), "docker.io/library/alpine");
  EXPECT_EQ(conf.aliases.at("org/tool").target.text(), "quay.io/org/tool");
}

// Checked against skopeo 1.9.3, which takes all of these.
TEST(RegistriesConf, TakesWhatTheOthersTake) {
  for (const std::string_view text : {
           "",
           "# nothing\n",
           "frob = 1\n[[registry]]\nlocation='a.b'\nfrob='x'\n[nonsense]\n",
           "[[Registry]]\nPrefix='a.b'\nLOCATION='c.d'\nInsecure=true\n",
           "[[registry]]\nprefix='*.a.b'\n",
           "[[registry]]\nprefix='a.*.b'\nlocation='c.d'\n",
           "[[registry]]\nlocation='a.b'\n[[registry.mirror]]\nlocation='c'\npull-from-mirror=''\n",
           "short-name-mode = ''\n",
           "unqualified-search-registries = []\n",
           "credential-helpers = ['secretservice']\n",
           "# Fran\xc3\xa7ois \xe2\x80\xa8\n[[registry]] # \xc3\xa9t\xc3\xa9\nlocation='a.b'\n",
           "\xef\xbb\xbf[[registry]]\nlocation='a.b'\r\n",
       }) {
    EXPECT_NO_THROW(parse_registries_toml(text, "x.conf")) << text;
  }
}

TEST(RegistriesConf, KnowsKeysInAnyCase) {
  const auto fragment =
      parse_registries_toml("[[Registry]]\nPrefix='a.b'\nLOCATION='c.d'\nBlocked=true\n", "x.conf");
  ASSERT_EQ(fragment.rules.size(), 1U);
  EXPECT_EQ(fragment.rules[0].prefix, "a.b");
  EXPECT_EQ(fragment.rules[0].location.name, "c.d");
  EXPECT_EQ(fragment.rules[0].access, Access::blocked);
}

struct Malformed {
  std::string_view text;
  std::string_view line;   // as the message names it
  std::string_view cause;  // a part of the message
};

class MalformedConf : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedConf, IsRefusedByFileAndLine) {
  const std::string error = error_of<InvalidData>(
      [] { parse_registries_toml(GetParam().text, "/etc/containers/registries.conf"); });
  EXPECT_THAT(error, AllOf(HasSubstr("parse `/etc/containers/registries.conf`: line "),
                           HasSubstr(std::string(GetParam().line) + ":"),
                           HasSubstr(std::string(GetParam().cause))))
      << GetParam().text;
  EXPECT_EQ(error.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MalformedConf,
    ::testing::Values(
        Malformed{"a = [1,\n\n2", "line 3", ""},
        Malformed{"a = 1\n[.b]\n", "line 2", "name of a table"},
        Malformed{"a=1\nblocked\xc3\xa9=1\n", "line 2", ""},
        Malformed{"a=\xc3\xa9\n", "line 1", ""},
        Malformed{"\xff\xfe"
                  "a",
                  "line 1", ""},
        Malformed{"[aliases]\n'\xc3\xa9'='a.b/c'\n", "line 2", "alias `??`"},
        Malformed{"\n\n[[\n", "line 3", ""}, Malformed{"\n[ =", "line 2", "name of a table"},
        Malformed{"a = 1\na = 2\n", "line 2", ""},
        Malformed{"[[registry]]\nlocation='x.y'\ninsecure='yes'\n", "line 3", "true or false"},
        Malformed{"[[registry]]\nlocation='x.y'\nblocked=1\n", "line 3", "true or false"},
        Malformed{"[[registry]]\nlocation=1\n", "line 2", "text in quotes"},
        Malformed{"[registry]\nlocation='a.b'\n", "line 1", "array of tables"},
        Malformed{"registry=['a.b']\n", "line 1", "array of tables"},
        Malformed{"[[registry]]\nblocked=true\n", "line 1", "needs a `prefix` or a `location`"},
        Malformed{"[[registry]]\nprefix='a.b'\n", "line 1", "needs a `location`"},
        Malformed{"[[registry]]\nlocation='https://x.y'\n", "line 2", "scheme"},
        Malformed{"[[registry]]\nprefix='http://x.y'\nlocation='z.y'\n", "line 2", "scheme"},
        Malformed{"[[registry]]\nprefix='*.x.y/z'\n", "line 1", "host alone"},
        Malformed{"[[registry]]\nprefix='*.x.y:80'\n", "line 1", "host alone"},
        Malformed{"[[registry]]\nlocation='x.y'\npull-from-mirror='all'\n", "line 1", "mirror"},
        Malformed{"[[registry]]\nlocation='x.y'\n[[registry.mirror]]\ninsecure=true\n", "line 3",
                  "needs a `location`"},
        Malformed{"[[registry]]\nlocation='x.y'\n[[registry.mirror]]\nlocation='m'\n"
                  "pull-from-mirror='some'\n",
                  "line 5", "`some`"},
        Malformed{"[[registry]]\nlocation='x.y'\nmirror-by-digest-only=true\n[[registry.mirror]]\n"
                  "location='m'\npull-from-mirror='all'\n",
                  "line 4", "contradicts"},
        Malformed{"[[registry]]\nprefix='a.b'\nlocation='x.y'\n[[registry]]\nprefix='c.d'\n"
                  "location='x.y'\ninsecure=true\n",
                  "line 4", "another `insecure`"},
        Malformed{"[[registry]]\nlocation='x.y'\n[[registry]]\nlocation='x.y'\nblocked=true\n",
                  "line 3", "another `blocked`"},
        Malformed{"[[registry]]\nlocation='x.y'\nproxy='ftp://u:secret@x'\n", "line 3", "http"},
        Malformed{"short-name-mode='loud'\n", "line 1", "`loud`"},
        Malformed{"unqualified-search-registries='a.b'\n", "line 1", "array of texts"},
        Malformed{"unqualified-search-registries=['a.b', 1]\n", "line 1", "text in quotes"},
        Malformed{"unqualified-search-registries=['a.b/c']\n", "line 1", "`a.b/c`"},
        Malformed{"unqualified-search-registries=['']\n", "line 1", "not a registry host"},
        Malformed{"unqualified-search-registries=['word']\n", "line 1", "not a registry host"},
        Malformed{"aliases = 1\n", "line 1", "must be a table"},
        Malformed{"[aliases]\na='q.io/b'\na='q.io/b'\n", "line 3", ""},
        Malformed{"[aliases]\nfoo=1\n", "line 2", "text in quotes"},
        Malformed{"[aliases]\nfoo='q.io/foo:1'\n", "line 2", "a tag or a digest"},
        Malformed{"[aliases]\nfoo='foo/bar'\n", "line 2", "no registry"},
        Malformed{"[aliases]\n'q.io/foo'='q.io/bar'\n", "line 2", "has a registry"},
        Malformed{"[aliases]\n'foo:1'='q.io/bar'\n", "line 2", "a tag or a digest"},
        Malformed{"[aliases]\nFOO='q.io/bar'\n", "line 2", "lower case"},
        Malformed{"[aliases]\nfoo='q.io/'\n", "line 2", "repository name"},
        Malformed{"[registries.search]\nregistries=['a.b']\n", "line 1", "[registries.search]"},
        Malformed{"\n[registries.insecure]\nregistries=[]\n", "line 2", "version 1"},
        Malformed{"[registries.block]\nregistries=['a.b']\n", "line 1", "version 1"}));

TEST(RegistriesConf, SaysHowToLeaveVersion1) {
  try {
    parse_registries_toml("[registries.search]\nregistries=['a.b']\n", "x.conf");
    FAIL();
  } catch (const InvalidData& error) {
    EXPECT_THAT(error.hint(), HasSubstr("unqualified-search-registries"));
  }
}

TEST(RegistriesConf, ShowsNoProxyPassword) {
  const std::string error = error_of<InvalidData>([] {
    parse_registries_toml("[[registry]]\nlocation='x.y'\nproxy='ftp://u:secret@x'\n", "x.conf");
  });
  EXPECT_EQ(error.find("secret"), std::string::npos) << error;
}

TEST(RegistriesConf, EscapesWhatAFileSays) {
  const std::string error = error_of<InvalidData>(
      [] { parse_registries_toml("short-name-mode=\"\\u001b[31m\"\n", "x.conf"); });
  EXPECT_NE(error, "");
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
}

// Whatever a file is cut to or has in one place, it is read or refused as InvalidData.
TEST(RegistriesConf, SurvivesDamage) {
  for (std::size_t i = 0; i < k_example.size(); ++i) {
    for (const char c : {'\0', '"', '[', '=', '\n', '\xff', '.'}) {
      std::string text(k_example);
      text[i] = c;
      for (const std::string& damaged : {text, text.substr(0, i + 1)}) {
        try {
          parse_registries_toml(damaged, "x.conf");
        } catch (const InvalidData&) {
          continue;
        }
      }
    }
  }
}

std::string repeated(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

// toml++ recurses into values and into the parts of a dotted key: a crash without the two limits.
TEST(RegistriesConf, RefusesDepth) {
  for (const std::string& text :
       {"a=" + repeated("[", 100'000), "a=" + repeated("{a=", 100'000),
        "a" + repeated(".a", 100'000) + "=1\n", "[a" + repeated(".a", 100'000) + "]\n"}) {
    EXPECT_THROW(parse_registries_toml(text, "x.conf"), InvalidData) << text.substr(0, 8);
  }
}

// The deepest that the limits allow.
TEST(RegistriesConf, TakesTheDepthThatIsAllowed) {
  const std::string key = "a" + repeated(".a", 500);
  std::string text = "[" + key + "]\n" + key + " = [\n";
  for (int i = 0; i < 3; ++i) text += "{" + key + " = [\n";
  text += repeated("]}\n", 3) + "]\n";
  EXPECT_NO_THROW(parse_registries_toml(text, "x.conf"));
}

TEST(RegistriesConf, WithinAFileTheFirstRuleOfAPrefixStands) {
  const RegistriesConf conf = conf_of(
      "[[registry]]\nprefix='a.b'\nlocation='first.b'\n"
      "[[registry]]\nprefix='a.b'\nlocation='second.b'\n");
  EXPECT_EQ(conf.rules.at("a.b").location.name, "first.b");
}

TEST(RegistriesConf, NoFilesSayNothing) {
  const ConfFiles files;
  const RegistriesConf conf = load_registries_conf(files.files());
  EXPECT_THAT(conf.files, IsEmpty());
  EXPECT_THAT(conf.rules, IsEmpty());
  EXPECT_EQ(conf.short_name_mode, ShortNameMode::permissive);
  EXPECT_THAT(load_registries_conf({}).files, IsEmpty());
}

TEST(RegistriesConf, TheGivenFileMustExist) {
  const ConfFiles files;
  RegistriesFiles paths = files.files();
  paths.explicit_file = files.path("absent.conf");
  EXPECT_THAT(error_of<SystemError>([&] { load_registries_conf(paths); }),
              HasSubstr("absent.conf`: No such file"));
}

TEST(RegistriesConf, OneMainFileAndItsDropIns) {
  const ConfFiles files;
  const auto etc = files.write("etc", "registries.conf", "short-name-mode='disabled'\n");
  const auto etc_drop_in = files.write("etc/registries.conf.d", "10.conf", "");
  const auto home_drop_in = files.write("home/registries.conf.d", "05.conf", "");
  EXPECT_THAT(load_registries_conf(files.files()).files,
              ElementsAre(etc, etc_drop_in, home_drop_in));

  // The user's main file replaces the system's and its drop-ins.
  const auto home = files.write("home", "registries.conf", "");
  const RegistriesConf users = load_registries_conf(files.files());
  EXPECT_THAT(users.files, ElementsAre(home, home_drop_in));
  EXPECT_EQ(users.short_name_mode, ShortNameMode::permissive);

  // The explicit file replaces both main files, and no drop-in.
  RegistriesFiles paths = files.files();
  paths.explicit_file = files.write("given", "x.conf", "");
  EXPECT_THAT(load_registries_conf(paths).files,
              ElementsAre(*paths.explicit_file, etc_drop_in, home_drop_in));
}

TEST(RegistriesConf, DropInsAreReadInTheOrderOfTheirNames) {
  const ConfFiles files;
  const std::string dir = "etc/registries.conf.d";
  const auto b = files.write(dir, "b.conf", "");
  const auto a = files.write(dir, "a.conf", "");
  const auto ten = files.write(dir, "10.conf", "");
  files.write(dir, "c.conf.bak", "not TOML");
  files.write(dir, "README", "not TOML");
  files.write(dir + "/d.conf", "e.conf", "not TOML");
  ASSERT_EQ(::symlink("nowhere", files.path(dir + "/f.conf").c_str()), 0);
  EXPECT_THAT(load_registries_conf(files.files()).files, ElementsAre(ten, a, b));
}

TEST(RegistriesConf, LaterFilesReplaceEarlierOnes) {
  const ConfFiles files;
  files.write("etc", "registries.conf",
              "unqualified-search-registries=['one.x']\nshort-name-mode='enforcing'\n"
              "[[registry]]\nprefix='a.b'\nlocation='one.x'\nblocked=true\n"
              "[[registry.mirror]]\nlocation='m.x'\n"
              "[[registry]]\nlocation='kept.x'\n"
              "[aliases]\nerased='one.x/e'\nchanged='one.x/c'\nkept='one.x/k'\n");
  const auto drop_in = files.write("etc/registries.conf.d", "1.conf",
                                   "unqualified-search-registries=['two.x']\n"
                                   "[[registry]]\nprefix='a.b'\nlocation='two.x'\n"
                                   "[aliases]\nerased=''\nchanged='two.x/c'\n");
  files.write("etc/registries.conf.d", "2.conf", "short-name-mode='disabled'\n");
  const RegistriesConf conf = load_registries_conf(files.files());

  EXPECT_THAT(conf.search_registries, ElementsAre("two.x"));
  EXPECT_EQ(conf.search_file, drop_in);
  EXPECT_EQ(conf.short_name_mode, ShortNameMode::disabled);
  const RegistryRule& rule = conf.rules.at("a.b");
  EXPECT_EQ(rule.location.name, "two.x");
  EXPECT_EQ(rule.access, Access::allowed);
  EXPECT_THAT(rule.mirrors, IsEmpty());
  EXPECT_EQ(rule.file, drop_in);
  EXPECT_EQ(conf.rules.count("kept.x"), 1U);
  EXPECT_EQ(conf.aliases.count("erased"), 0U);
  EXPECT_EQ(conf.aliases.at("changed").target.text(), "two.x/c");
  EXPECT_EQ(conf.aliases.at("kept").target.text(), "one.x/k");
}

TEST(RegistriesConf, AnEmptyListOfSearchRegistriesReplacesToo) {
  const ConfFiles files;
  files.write("etc", "registries.conf", "unqualified-search-registries=['one.x']\n");
  files.write("etc/registries.conf.d", "1.conf", "unqualified-search-registries=[]\n");
  EXPECT_THAT(load_registries_conf(files.files()).search_registries, IsEmpty());
}

TEST(RegistriesConf, RecordedAliasesWin) {
  const ConfFiles files;
  files.write("etc", "registries.conf", "[aliases]\na='one.x/a'\nb='one.x/b'\n");
  const auto cache = files.write("cache", "short-name-aliases.conf",
                                 "short-name-mode='disabled'\n[aliases]\na='two.x/a'\nb=''\n");
  const RegistriesConf conf = load_registries_conf(files.files());
  EXPECT_EQ(conf.aliases.at("a").target.text(), "two.x/a");
  EXPECT_EQ(conf.aliases.at("a").file, cache);
  EXPECT_EQ(conf.aliases.count("b"), 0U);
  EXPECT_EQ(conf.short_name_mode, ShortNameMode::permissive);  // only its aliases count
}

TEST(RegistriesConf, MalformedDropInsAreNamed) {
  const ConfFiles files;
  const auto path = files.write("home/registries.conf.d", "x.conf", "\na=");
  EXPECT_THAT(error_of<InvalidData>([&] { load_registries_conf(files.files()); }),
              HasSubstr("parse `" + path + "`: line 2: "));
}

TEST(RegistriesConf, FilesHaveACap) {
  const ConfFiles files;
  RegistriesFiles paths;
  paths.explicit_file =
      files.write("etc", "registries.conf", std::string(k_registries_conf_cap, '\n'));
  EXPECT_NO_THROW(load_registries_conf(paths));
  std::ofstream(*paths.explicit_file, std::ios::app) << '\n';
  EXPECT_THAT(error_of<InvalidData>([&] { load_registries_conf(paths); }),
              HasSubstr("larger than"));
}

TEST(RegistriesConf, APipeIsNotWaitedFor) {
  const ConfFiles files;
  files.write("etc", "registries.conf", "");
  RegistriesFiles paths;
  paths.explicit_file = files.path("etc/pipe.conf");
  ASSERT_EQ(::mkfifo(paths.explicit_file->c_str(), 0600), 0);
  EXPECT_THAT(error_of<InvalidData>([&] { load_registries_conf(paths); }),
              HasSubstr("not a regular file"));
}

struct Match {
  std::string_view prefix;
  std::string_view name;
  std::optional<std::size_t> covered;
};

TEST(MatchPrefix, Table) {
  const std::vector<Match> table{
      {"example.com", "example.com", 11},
      {"example.com", "example.com/foo:1", 11},
      {"example.com", "example.com:5000/foo", 11},  // as skopeo has it
      {"example.com:5000", "example.com:5000/foo", 16},
      {"example.com:5000", "example.com/foo", {}},
      {"example.com:500", "example.com:5000/foo", {}},
      {"example.com", "example.com.evil.org/foo", {}},
      {"example.com", "example.co/foo", {}},
      {"example.com", "sub.example.com/foo", {}},
      {"example.com", "Example.COM/foo", 11},
      {"example.com/foo", "example.com/foo", 15},
      {"example.com/foo", "EXAMPLE.com/foo/bar", 15},
      {"example.com/foo", "example.com/foobar", {}},
      {"example.com/foo", "example.com/fo", {}},
      {"example.com/foo", "example.com/foo:tag", 15},
      {"example.com/foo", "example.com/foo@sha256:00", 15},
      {"example.com/foo:tag", "example.com/foo:tag", 19},
      {"example.com/foo:tag", "example.com/foo:tag@sha256:00", 19},
      {"example.com/foo:tag", "example.com/foo:TAG", {}},
      {"example.com/foo:tag", "example.com/foo:tag2", {}},
      {"example.com/foo:tag", "example.com/foo", {}},
      {"[::1]", "[::1]:5000/foo", 5},
      {"*.example.com", "a.example.com/foo", 13},
      {"*.example.com", "a.b.example.com/foo:1", 15},
      {"*.example.com", "A.Example.Com:80/foo", 13},
      {"*.example.com", "example.com/foo", {}},
      {"*.example.com", "badexample.com/foo", {}},
      {"*.example.com", "a.example.com.evil.org/foo", {}},
      {"*.example.com", "evil.org/a.example.com", {}},
      {"*.example.com", "evil.org:5000/a.example.com/x", {}},
      {"*.example.com", "a.example.com.example.com/x", 25},
      {"a.*.com", "a.b.com/foo", {}},
  };
  for (const Match& row : table) {
    EXPECT_EQ(match_prefix(row.prefix, row.name), row.covered) << row.prefix << " on " << row.name;
  }
}

TEST(FindRule, TheLongestPrefixWins) {
  RegistriesConf conf;
  for (const std::string prefix : {"example.com", "example.com/foo", "example.com/foo/bar",
                                   "*.example.com", "*.com", "sub.example.com"}) {
    conf.rules.emplace(prefix, RegistryRule{.prefix = prefix, .location = {.name = prefix}});
  }
  const auto found = [&](std::string_view name) {
    const RegistryRule* rule = find_rule(conf, name);
    return rule == nullptr ? std::string("none") : rule->prefix;
  };
  EXPECT_EQ(found("example.com/x"), "example.com");
  EXPECT_EQ(found("example.com/foo/x"), "example.com/foo");
  EXPECT_EQ(found("example.com/foo/bar"), "example.com/foo/bar");
  EXPECT_EQ(found("example.com/foo/barn"), "example.com/foo");
  EXPECT_EQ(found("sub.example.com/foo"), "sub.example.com");
  EXPECT_EQ(found("other.example.com/foo"), "*.example.com");
  EXPECT_EQ(found("other.com/foo"), "*.com");
  EXPECT_EQ(found("other.org/foo"), "none");
}

}  // namespace
}  // namespace lade::registry
