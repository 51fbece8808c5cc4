#include "registry/auth/auth_file.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "registry/auth/login.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

namespace lade::registry {
namespace {

using testing::HasSubstr;

const Credentials k_alice{"alice", "secret", "test"};

TEST(AuthFileText, IsWhatSkopeoWrites) {
  // Taken from skopeo 1.9.3.
  EXPECT_EQ(with_auth_entry("", "127.0.0.1:15877", k_alice),
            "{\n\t\"auths\": {\n\t\t\"127.0.0.1:15877\": {\n\t\t\t\"auth\": "
            "\"YWxpY2U6c2VjcmV0\"\n\t\t}\n\t}\n}");
  EXPECT_EQ(without_auth_entries(with_auth_entry("{}", "reg", k_alice)), "{\n\t\"auths\": {}\n}");
}

TEST(AuthFileText, KeepsWhatItDoesNotKnow) {
  const std::string text = with_auth_entry(
      R"({"psFormat":"x","HttpHeaders":{"b":1,"a":2.5},"credHelpers":{"z":"pass"},
          "auths":{"z":{"auth":"YTpi","email":"e"},"b":{}}})",
      "c", k_alice);
  EXPECT_EQ(text, R"({
	"auths": {
		"b": {},
		"c": {
			"auth": "YWxpY2U6c2VjcmV0"
		},
		"z": {
			"auth": "YTpi",
			"email": "e"
		}
	},
	"credHelpers": {
		"z": "pass"
	},
	"psFormat": "x",
	"HttpHeaders": {
		"b": 1,
		"a": 2.5
	}
})");
  for (const char* bad : {"{", "[]", R"({"auths":[]})", "\xff", R"("x")"}) {
    EXPECT_THROW(with_auth_entry(bad, "c", k_alice), InvalidData) << bad;
    EXPECT_THROW(without_auth_entry(bad, "c"), InvalidData) << bad;
  }
}

TEST(AuthFileText, ARegistryIsForgottenInAllItsSpellings) {
  const std::string text =
      R"({"auths":{"reg":{},"reg/team":{},"https://reg/v1/":{},"docker.io":{},
         "https://index.docker.io/v1/":{},"other":{}}})";
  const auto gone = [&](const std::string& key) {
    const AuthRemoval removal = without_auth_entry(text, key);
    std::string lost;
    for (const char* name : {"\"reg\"", "reg/team", "https://reg", "docker.io"}) {
      lost += removal.text.find(name) == std::string::npos ? '1' : '0';
    }
    return str(removal.found ? "found " : "absent ", lost);
  };
  EXPECT_EQ(gone("reg"), "found 1010");
  EXPECT_EQ(gone("reg/team"), "found 0100");
  EXPECT_EQ(gone("docker.io"), "found 0001");
  EXPECT_EQ(gone("reg/other"), "absent 0000");
}

class AuthStoreTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return scratch_.path() + "/" + name; }
  AuthStore store(const std::string& name) { return {path(name), {scratch_.path(), {}}, {}}; }
  std::string user(const std::string& name, const std::string& domain) {
    const auto found = find_credentials({{path(name)}}, domain, "").credentials;
    return found ? found->username : "none";
  }
  static mode_t mode_of(const std::string& path) {
    struct stat about {};
    EXPECT_EQ(::lstat(path.c_str(), &about), 0) << path;
    return about.st_mode;
  }

  Scratch scratch_;
};

TEST_F(AuthStoreTest, MakesAPrivateFileAndDirectory) {
  EXPECT_EQ(store("new/auth.json").store("reg", k_alice), path("new/auth.json"));
  EXPECT_EQ(mode_of(path("new")) & 07777, 0700u);
  EXPECT_EQ(mode_of(path("new/auth.json")) & 07777, 0600u);
  EXPECT_EQ(user("new/auth.json", "reg"), "alice");
  EXPECT_EQ(Directory::open(path("new")).list(), std::vector<std::string>{"auth.json"});
}

TEST_F(AuthStoreTest, WhatOthersCouldReadTheyCannotAfterwards) {
  scratch_.write("auth.json", "{}");
  ::chmod(path("auth.json").c_str(), 0644);
  store("auth.json").store("reg", k_alice);
  EXPECT_EQ(mode_of(path("auth.json")) & 07777, 0600u);
}

TEST_F(AuthStoreTest, ALinkStaysALink) {
  scratch_.write("real.json", "{}");
  ASSERT_EQ(::symlink("real.json", path("link.json").c_str()), 0);
  store("link.json").store("reg", k_alice);
  EXPECT_TRUE(S_ISLNK(mode_of(path("link.json"))));
  EXPECT_EQ(user("real.json", "reg"), "alice");
}

TEST_F(AuthStoreTest, AFileThatIsNotUnderstoodIsLeftAlone) {
  scratch_.write("auth.json", "{\"auths\": geheim");
  const auto error = error_of<InvalidData>([&] { store("auth.json").store("reg", k_alice); });
  EXPECT_THAT(error.what(), HasSubstr(path("auth.json")));
  EXPECT_EQ(read_file(path("auth.json"), 1000), "{\"auths\": geheim");
}

TEST_F(AuthStoreTest, LoginsAtTheSameTimeAllCount) {
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] { store("auth.json").store(str("reg", i), k_alice); });
    }
  }
  for (int i = 0; i < 8; ++i) EXPECT_EQ(user("auth.json", str("reg", i)), "alice") << i;
}

TEST_F(AuthStoreTest, ErasesOneOrAll) {
  const AuthStore file = store("auth.json");
  EXPECT_FALSE(file.erase("reg"));
  for (const char* key : {"reg", "reg/team", "other"}) file.store(key, k_alice);
  EXPECT_TRUE(file.erase("reg"));
  EXPECT_FALSE(file.erase("reg"));
  EXPECT_TRUE(file.erase("reg/team"));
  EXPECT_EQ(user("auth.json", "other"), "alice");
  file.erase_all();
  EXPECT_EQ(user("auth.json", "other"), "none");
}

TEST_F(AuthStoreTest, AHelperKeepsWhatTheFileSaysItKeeps) {
  const std::string script =
      scratch_.write("docker-credential-test", str(R"(#!/bin/sh
cd )",
                                                   scratch_.path(), R"( || exit 9
echo "$1" >>calls
case $1 in
  store) /bin/cat >kept ;;
  get) if [ -f kept ]; then /bin/cat kept; else echo "credentials not found in native keychain"; exit 1; fi ;;
  erase) /bin/rm kept ;;
esac
)"));
  ::chmod(script.c_str(), 0755);
  for (const char* config :
       {R"({"credHelpers":{"reg":"test"},"auths":{"reg":{"auth":"b2xkOm9sZA=="}}})",
        R"({"credsStore":"test","auths":{"reg":{"auth":"b2xkOm9sZA=="}}})"}) {
    scratch_.write("auth.json", config);
    EXPECT_EQ(store("auth.json").store("reg", k_alice), "docker-credential-test");
    EXPECT_THAT(read_file(path("kept"), 1000), HasSubstr(R"("Secret":"secret")"));
    EXPECT_EQ(read_file(path("auth.json"), 1000).find("secret"), std::string::npos);
    EXPECT_THROW(store("auth.json").store("reg/team", k_alice), UsageError);
    const auto found =
        find_credentials({{path("auth.json")}, {scratch_.path(), {}}}, "reg", "app").credentials;
    ASSERT_TRUE(found);
    EXPECT_EQ(found->username, "alice") << "the old entry is gone";
    EXPECT_TRUE(store("auth.json").erase("reg"));
    EXPECT_FALSE(store("auth.json").erase("reg"));
  }
}

TEST(LoginTarget, IsARegistryOrANamespace) {
  const auto key = [](const char* text) { return parse_login_target(text).key; };
  EXPECT_EQ(key("quay.io"), "quay.io");
  EXPECT_EQ(key("localhost:5000"), "localhost:5000");
  EXPECT_EQ(key("https://quay.io/v2/"), "quay.io");
  EXPECT_EQ(key("quay.io/team/app"), "quay.io/team/app");
  EXPECT_EQ(key("docker.io"), "docker.io");
  EXPECT_EQ(key("index.docker.io"), "docker.io");
  EXPECT_EQ(key("https://index.docker.io/v1/"), "docker.io");
  EXPECT_EQ(key("docker.io/alice"), "docker.io/alice");
  EXPECT_EQ(parse_login_target("quay.io/team/app").repository, "team/app");
  for (const char* bad :
       {"", "https://", "a b", "quay.io/a:tag", "quay.io/A", "foo/bar", "u@h", "-x\x1b.io"}) {
    EXPECT_THROW(parse_login_target(bad), UsageError) << bad;
  }
}

TEST(CheckCredentials, AsksTheRegistry) {
  test::FakeRegistry fake;
  const LoginTarget target{fake.authority(), fake.authority(), ""};
  for (const auto auth : {test::FakeAuth::basic, test::FakeAuth::token}) {
    fake.require(auth);
    fake.refuse_anonymous();
    check_credentials(target, k_alice, fake_options(), {});
    const auto error = error_of<HttpError>([&] {
      check_credentials(target, {"alice", "guess", "x"}, fake_options(), {});
    });
    EXPECT_TRUE(error.unauthorized());
  }
}

}  // namespace
}  // namespace lade::registry
