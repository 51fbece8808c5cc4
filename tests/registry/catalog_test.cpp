#include "registry/catalog.hpp"

#include "base/text.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using test::error_reply;
using test::FakeAuth;
using test::FakeRegistry;
using test::HttpReply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CatalogTest : public testing::Test {
 protected:
  std::vector<std::string> list() { return list_catalog(fake_.authority(), fake_options()); }

  FakeRegistry fake_;
};

TEST_F(CatalogTest, FollowsPages) {
  fake_.script("last=a", {.body = R"({"repositories":["a/b"]})"});
  fake_.script("/v2/_catalog?n=1000", HttpReply{.body = R"({"repositories":["b","a"]})"}.header(
                                          "Link", R"(</v2/_catalog?last=a&n=2>; rel="next")"));
  EXPECT_THAT(list(), ElementsAre("b", "a", "a/b"));
}

TEST_F(CatalogTest, MayBeEmptyOrNull) {
  for (const char* body : {R"({"repositories":[]})", R"({"repositories":null})", "{}"}) {
    fake_.script("/v2/_catalog", {.body = body});
    EXPECT_THAT(list(), IsEmpty());
  }
}

TEST_F(CatalogTest, AsksForTheScopeOfTheCatalogue) {
  fake_.require(FakeAuth::token);
  fake_.alter("/v2/_catalog",
              [](HttpReply& reply) { reply = {.body = R"({"repositories":["a"]})"}; });
  EXPECT_THAT(list(), ElementsAre("a"));
  ASSERT_EQ(fake_.requests_for("/token").size(), 1u);
  EXPECT_THAT(fake_.requests_for("/token")[0].target, HasSubstr("scope=registry%3Acatalog%3A%2A"));
}

TEST_F(CatalogTest, RegistriesWithoutOneAreNamed) {
  for (const int status : {404, 405}) {
    fake_.script("/v2/_catalog", error_reply(status, "UNSUPPORTED", "no"));
    const auto error = error_of<Error>([&] { list(); });
    EXPECT_THAT(error.what(),
                HasSubstr(str("registry `", fake_.authority(), "` offers no catalogue: GET `")));
  }
  for (const int status : {401, 403}) {
    fake_.script("/v2/_catalog", error_reply(status, "DENIED", "no"));
    const auto error = error_of<HttpError>([&] { list(); });
    EXPECT_THAT(error.what(), HasSubstr("offers no catalogue to us"));
    EXPECT_TRUE(error.unauthorized());
  }
}

TEST_F(CatalogTest, NamesThatWouldBreakALineAreRefused) {
  for (const char* name : {R"(a\nb)", R"(\u001b[31m)", "a b", ""}) {
    fake_.script("/v2/_catalog", {.body = str(R"({"repositories":[")", name, R"("]})")});
    EXPECT_THROW(list(), InvalidData) << name;
  }
}

}  // namespace
}  // namespace lade::registry
