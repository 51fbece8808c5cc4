#include "registry/auth/credentials.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string entry(const std::string& key, const std::string& user) {
  return str('"', key, R"(":{"auth":")", base64_encode(user + ":pass:word"), R"("})");
}

class AuthFile : public testing::Test {
 protected:
  CredentialLookup look_up(const std::string& content, std::string_view domain,
                           std::string_view repository, const std::string& name = "auth.json") {
    const std::string path = scratch_.write(name, content);
    return find_credentials({{path}}, domain, repository);
  }
  std::string user(const std::string& content, std::string_view domain,
                   std::string_view repository) {
    const auto lookup = look_up(content, domain, repository);
    return lookup.credentials ? lookup.credentials->username : "none";
  }

  Scratch scratch_;
};

TEST_F(AuthFile, TheMostSpecificKeyWins) {
  const std::string content =
      str(R"({"auths":{)", entry("reg:5000", "host"), ",", entry("reg:5000/team", "team"), ",",
          entry("reg:5000/team/app", "app"), "}}");
  EXPECT_EQ(user(content, "reg:5000", "team/app"), "app");
  EXPECT_EQ(user(content, "reg:5000", "team/other"), "team");
  EXPECT_EQ(user(content, "reg:5000", "teams/other"), "host");
  EXPECT_EQ(user(content, "reg:5000", ""), "host");
  EXPECT_EQ(user(content, "reg", "team/app"), "none");
}

TEST_F(AuthFile, KeepsColonsOfThePasswordAndSaysWhereItIsFrom) {
  const auto lookup = look_up(str(R"({"auths":{)", entry("reg", "u"), "}}"), "reg", "a");
  ASSERT_TRUE(lookup.credentials);
  EXPECT_EQ(lookup.credentials->password, "pass:word");
  EXPECT_EQ(lookup.credentials->origin, scratch_.path() + "/auth.json");
}

TEST_F(AuthFile, KnowsDockersOldNames) {
  EXPECT_EQ(user(str(R"({"auths":{)", entry("https://index.docker.io/v1/", "hub"), "}}"),
                 "docker.io", "library/alpine"),
            "hub");
  EXPECT_EQ(
      user(str(R"({"auths":{)", entry("https://reg.example/v2/", "old"), "}}"), "reg.example", "a"),
      "old");
}

TEST_F(AuthFile, ANamespaceOfAnotherRepositoryIsNotThisRegistry) {
  EXPECT_EQ(user(str(R"({"auths":{)", entry("reg/private", "p"), "}}"), "reg", "public"), "none");
}

TEST_F(AuthFile, ReadsDockercfg) {
  const auto lookup = look_up(str("{", entry("https://index.docker.io/v1/", "old"), "}"),
                              "docker.io", "x", ".dockercfg");
  ASSERT_TRUE(lookup.credentials);
  EXPECT_EQ(lookup.credentials->username, "old");
}

TEST_F(AuthFile, EarlierFilesWinAndMissingOnesAreSkipped) {
  const std::string first = scratch_.write("1", str(R"({"auths":{)", entry("a", "one"), "}}"));
  const std::string second =
      scratch_.write("2", str(R"({"auths":{)", entry("a", "two"), ",", entry("b", "two"), "}}"));
  const std::string empty = scratch_.write("3", "");
  const AuthFiles files{{scratch_.path() + "/none", empty, first, second}};
  EXPECT_EQ(find_credentials(files, "a", "x").credentials->username, "one");
  EXPECT_EQ(find_credentials(files, "b", "x").credentials->username, "two");
}

TEST_F(AuthFile, AnIdentityTokenComesWithOrWithoutAPassword) {
  const auto both =
      look_up(R"({"auths":{"reg":{"auth":"dTpw","identitytoken":"token"}}})", "reg", "a");
  ASSERT_TRUE(both.credentials);
  EXPECT_EQ(both.credentials->identity_token, "token");
  EXPECT_EQ(both.credentials->username, "u");
  EXPECT_TRUE(both.credentials->has_password());
  const auto alone = look_up(R"({"auths":{"reg":{"identitytoken":"token"}}})", "reg", "a");
  ASSERT_TRUE(alone.credentials);
  EXPECT_FALSE(alone.credentials->has_password());
  // Azure's: a user without a password.
  const auto azure = look_up(R"({"auths":{"reg":{"auth":"MDA6","identitytoken":"t"}}})", "reg", "");
  EXPECT_FALSE(azure.credentials.value().has_password());
}

TEST_F(AuthFile, AHelperThatCannotBeRunIsNamed) {
  const auto helper = look_up(R"({"credHelpers":{"reg":"pass"}})", "reg", "a");
  EXPECT_THAT(helper.refusal, HasSubstr("`docker-credential-pass`: not found in PATH"));
  EXPECT_EQ(look_up(R"({"credHelpers":{"reg":"pass"}})", "other", "a").refusal, "");
}

TEST_F(AuthFile, ACredentialStoreMattersOnlyWithoutAnEntry) {
  const std::string content =
      str(R"({"credsStore":"desktop","auths":{"b":{},)", entry("a", "one"), "}}");
  const auto known = look_up(content, "a", "x");
  ASSERT_TRUE(known.credentials);
  EXPECT_EQ(known.refusal, "");
  const auto unknown = look_up(content, "b", "x");
  EXPECT_FALSE(unknown.credentials);
  EXPECT_THAT(unknown.refusal, HasSubstr("`docker-credential-desktop`"));
}

TEST_F(AuthFile, AMalformedFileIsNamedButNotShown) {
  for (const char* content :
       {"{\"auths\": geheim", "[\"geheim\"]", R"({"auths":"geheim"})",
        R"({"auths":{"reg":{"auth":"geheim!"}}})", R"({"auths":{"reg":{"auth":"Z2VoZWlt"}}})",
        R"({"auths":{"reg":"geheim"}})", R"({"credHelpers":["geheim"]})"}) {
    const auto error = error_of<InvalidData>([&] { look_up(content, "reg", "a"); });
    EXPECT_THAT(error.what(), HasSubstr(scratch_.path() + "/auth.json")) << content;
    EXPECT_THAT(error.what(), Not(HasSubstr("geheim"))) << content;
    EXPECT_THAT(error.what(), Not(HasSubstr("Z2VoZWlt"))) << content;
  }
}

TEST(Credentials, AreParsedFromAnOption) {
  const auto both = parse_credentials("user:pass:word", "--creds");
  EXPECT_EQ(both.username, "user");
  EXPECT_EQ(both.password, "pass:word");
  EXPECT_EQ(parse_credentials("user", "--creds").password, "");
  EXPECT_THROW(parse_credentials(":pass", "--creds"), UsageError);
  EXPECT_THROW(parse_credentials("", "--creds"), UsageError);
}

}  // namespace
}  // namespace lade::registry
