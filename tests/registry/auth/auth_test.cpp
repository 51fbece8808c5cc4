#include "registry/auth/auth.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "registry/session.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace lade::registry {
namespace {

using std::chrono::seconds;
using test::error_reply;
using test::FakeAuth;
using test::FakeRegistry;
using test::HttpReply;
using testing::HasSubstr;
using testing::Not;

class AuthTest : public testing::Test {
 protected:
  AuthTest() { fake_.add_image("lib/app", "1", "{}", {"layer"}); }

  Repository repository(ConnectionOptions options) {
    return Repository(fake_.reference("lib/app"), std::move(options));
  }
  HttpError failure(ConnectionOptions options) {
    return error_of<HttpError>([&] { repository(std::move(options)).manifest("1"); });
  }

  FakeRegistry fake_;
  Scratch scratch_;
};

TEST_F(AuthTest, SendsNoCredentialsUnasked) {
  repository(options_for("alice", "secret")).manifest("1");
  for (const auto& request : fake_.requests()) EXPECT_EQ(request.header("authorization"), "");
}

TEST_F(AuthTest, ATokenThatIsGivenIsSentAsItIs) {
  fake_.require(FakeAuth::token);
  fake_.accept_token("given");
  ConnectionOptions options = fake_options();
  options.bearer_token = "given";
  repository(options).manifest("1");
  EXPECT_TRUE(fake_.requests_for("/token").empty());
  for (const auto& request : fake_.requests_for("/manifests/")) {
    EXPECT_EQ(request.header("authorization"), "Bearer given");
  }
  const std::size_t before = fake_.requests_for("/manifests/").size();
  options.bearer_token = "stale";
  EXPECT_EQ(failure(options).status(), 401);
  EXPECT_EQ(fake_.requests_for("/manifests/").size(), before + 1) << "once refused is refused";
  EXPECT_TRUE(fake_.requests_for("/token").empty()) << "nothing else is tried";
}

TEST_F(AuthTest, AnonymousToken) {
  fake_.require(FakeAuth::token);
  repository(fake_options()).manifest("1");
  const auto asked = fake_.requests_for("/token");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].target, "/token?service=fake&scope=repository%3Alib%2Fapp%3Apull");
  EXPECT_EQ(asked[0].header("authorization"), "");
}

TEST_F(AuthTest, TokenForAUser) {
  fake_.require(FakeAuth::token);
  fake_.refuse_anonymous();
  repository(options_for("alice", "secret")).manifest("1");
  const auto asked = fake_.requests_for("/token");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_THAT(asked[0].target, HasSubstr("&account=alice"));
  EXPECT_EQ(asked[0].header("authorization"), "Basic " + base64_encode("alice:secret"));
  for (const auto& request : fake_.requests_for("/v2/")) {
    EXPECT_THAT(request.header("authorization"), Not(HasSubstr("Basic")));
  }
}

TEST_F(AuthTest, OneTokenServesManyRequests) {
  fake_.require(FakeAuth::token);
  fake_.set_tags("lib/app", {"1"});
  Repository repo = repository(fake_options());
  repo.manifest("1");
  repo.tags();
  fetch(repo, fake_.add_blob("x"));
  EXPECT_EQ(fake_.requests_for("/token").size(), 1u);
}

TEST_F(AuthTest, ATokenThatSeveralWantIsFetchedOnce) {
  fake_.require(FakeAuth::token);
  Repository repo = repository(fake_options());
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { repo.manifest("1"); });
  threads.clear();
  EXPECT_EQ(fake_.requests_for("/token").size(), 1u);
}

TEST_F(AuthTest, AnExpiredTokenIsRenewed) {
  fake_.require(FakeAuth::token);
  fake_.limit_token_uses(2);
  Repository repo = repository(fake_options());
  for (int i = 0; i < 6; ++i) repo.manifest("1");
  EXPECT_EQ(fake_.requests_for("/token").size(), 3u);
}

TEST_F(AuthTest, ATokenThatIsNeverGoodEnoughEndsInAnError) {
  fake_.require(FakeAuth::token);
  fake_.limit_token_uses(0);
  const HttpError error = failure(fake_options());
  EXPECT_EQ(error.status(), 401);
  EXPECT_EQ(fake_.requests_for("/token").size(), 1u) << "a fresh token is not asked for again";
}

TEST_F(AuthTest, AMissingScopeIsAddedOnce) {
  fake_.require(FakeAuth::token);
  Repository repo = repository(fake_options());
  repo.manifest("1");
  fake_.script(
      "/manifests/",
      HttpReply{.status = 401}.header(
          "WWW-Authenticate", str("Bearer realm=\"", fake_.url(),
                                  "/token\",service=\"fake\",scope=\"repository:lib/app:pull aws\","
                                  "error=\"insufficient_scope\"")));
  repo.manifest("1");
  const auto asked = fake_.requests_for("/token");
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_THAT(asked[1].target,
              HasSubstr("?service=fake&scope=aws&scope=repository%3Alib%2Fapp%3Apull"))
      << "what was lacking comes first";
}

TEST_F(AuthTest, AWiderScopeReplacesTheNarrowOne) {
  fake_.require(FakeAuth::token);
  Repository repo = repository(fake_options());
  repo.manifest("1");
  fake_.script("/manifests/",
               HttpReply{.status = 401}.header(
                   "WWW-Authenticate", str("Bearer realm=\"", fake_.url(),
                                           "/token\",service=\"fake\",error=\"insufficient_scope\","
                                           "scope=\"repository:lib/app:pull,push\"")));
  repo.manifest("1");
  const auto asked = fake_.requests_for("/token");
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[1].target, "/token?service=fake&scope=repository%3Alib%2Fapp%3Apull%2Cpush");
}

TEST_F(AuthTest, AServerThatIsNeverContentIsAskedOnceMore) {
  fake_.require(FakeAuth::token);
  fake_.set_challenges({str("Bearer realm=\"", fake_.url(),
                            "/token\",service=\"fake\",error=\"insufficient_scope\","
                            "scope=\"repository:lib/app:pull,push\"")});
  fake_.limit_token_uses(0);
  EXPECT_EQ(failure(fake_options()).status(), 401);
  EXPECT_EQ(fake_.requests_for("/token").size(), 2u) << "for what was wanted, then for more";
}

TEST_F(AuthTest, ATokenThatEndsInTheMiddleIsRenewedAndTheRestFetched) {
  fake_.require(FakeAuth::token);
  fake_.limit_token_uses(2);
  const Descriptor blob = fake_.add_blob("0123456789");
  Session session(fake_.authority(), "lib/app", fake_options(), {});
  const std::string scope = "repository:lib/app:pull";
  const std::string target = "/v2/lib/app/blobs/" + blob.digest.text();
  session.request(Method::get, "/v2/lib/app/manifests/1", {}, scope);
  fake_.alter("/blobs/", [](HttpReply& reply) { reply.cut_after = 4; });
  Response first = session.request(Method::get, target, {}, scope);
  EXPECT_THROW(read_all(*first.body, 100, "blob"), HttpError);
  Headers range;
  range.add("Range", "bytes=4-");
  Response rest = session.request(Method::get, target, range, scope);
  EXPECT_EQ(rest.status, 206);
  EXPECT_EQ(read_all(*rest.body, 100, "blob"), "456789");
  EXPECT_EQ(fake_.requests_for("/token").size(), 2u);
  const auto asked = fake_.requests_for("/blobs/");
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[1].header("authorization"), asked[0].header("authorization"));
  EXPECT_EQ(asked[2].header("range"), "bytes=4-");
}

ConnectionOptions options_with_identity(const std::string& password = "") {
  ConnectionOptions options = fake_options();
  options.credentials =
      Credentials{password.empty() ? "" : "alice", password, "config.json", "geheim/identity"};
  return options;
}

TEST_F(AuthTest, AnIdentityTokenIsExchanged) {
  fake_.require(FakeAuth::token);
  fake_.refuse_anonymous();
  fake_.accept_refresh_token("geheim/identity");
  repository(options_with_identity()).manifest("1");
  const auto asked = fake_.requests_for("/token");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].method, "POST");
  EXPECT_EQ(asked[0].target, "/token");
  EXPECT_EQ(asked[0].header("authorization"), "");
  EXPECT_EQ(asked[0].header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(asked[0].body,
            "grant_type=refresh_token&client_id=lade&refresh_token=geheim%2Fidentity&service=fake"
            "&scope=repository%3Alib%2Fapp%3Apull");
}

TEST_F(AuthTest, SeveralScopesAreOneTextInAForm) {
  fake_.require(FakeAuth::token);
  fake_.accept_refresh_token("geheim/identity");
  Session session(fake_.authority(), "lib/app", options_with_identity(), {});
  session.request(Method::get, "/v2/lib/app/manifests/1", {}, "repository:lib/app:pull aws");
  const auto asked = fake_.requests_for("/token");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_THAT(asked[0].body, HasSubstr("&scope=repository%3Alib%2Fapp%3Apull%20aws"));
}

TEST_F(AuthTest, AServerWithoutOAuthIsAskedTheOldWay) {
  fake_.require(FakeAuth::token);
  fake_.refuse_anonymous();
  for (const int status : {404, 405}) {
    fake_.script("/token", {.status = status});
    repository(options_with_identity("secret")).manifest("1");
    const auto asked = fake_.requests_for("/token");
    EXPECT_EQ(asked.back().method, "GET");
    EXPECT_EQ(asked.back().header("authorization"), "Basic " + base64_encode("alice:secret"));
    // Without a password there is nothing else to try.
    fake_.script("/token", {.status = status});
    const HttpError error = failure(options_with_identity());
    EXPECT_EQ(error.status(), status);
    EXPECT_THAT(error.hint(), HasSubstr("does not take identity tokens"));
  }
}

TEST_F(AuthTest, AnIdentityTokenThatIsNotTakenIsNotShown) {
  fake_.require(FakeAuth::token);
  fake_.refuse_anonymous();
  const HttpError error = failure(options_with_identity("secret"));
  EXPECT_EQ(error.status(), 401);
  EXPECT_EQ(fake_.requests_for("/token").size(), 1u) << "the password is not tried instead";
  fake_.script("/token", {.status = 400, .body = R"({"error":"invalid_grant"})"});
  const HttpError expired = failure(options_with_identity());
  EXPECT_EQ(expired.status(), 401);
  EXPECT_THAT(expired.what(), HasSubstr("invalid_grant"));
  EXPECT_THAT(error.hint(), HasSubstr("log in again"));
  EXPECT_THAT(str(error.what(), error.hint()), Not(HasSubstr("geheim")));
}

TEST_F(AuthTest, ARefreshTokenOfAnAnswerIsUsedForTheNext) {
  fake_.require(FakeAuth::token);
  fake_.refuse_anonymous();
  fake_.limit_token_uses(1);
  fake_.give_refresh_token("renewing");
  Repository repo = repository(options_for("alice", "secret"));
  for (int i = 0; i < 3; ++i) repo.manifest("1");
  auto asked = fake_.requests_for("/token");
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].method, "GET");
  EXPECT_THAT(asked[1].body, HasSubstr("refresh_token=renewing&"));
  EXPECT_EQ(asked[1].header("authorization"), "");
  // One that is not taken any more is forgotten.
  fake_.script("/token", {.status = 400, .body = R"({"error":"invalid_grant"})"});
  fake_.give_refresh_token("");
  repo.manifest("1");
  repo.manifest("1");
  asked = fake_.requests_for("/token");
  ASSERT_EQ(asked.size(), 6u);
  EXPECT_EQ(asked[3].method, "POST");
  EXPECT_EQ(asked[4].method, "GET");
  EXPECT_EQ(asked[5].method, "GET");
}

TEST_F(AuthTest, ATokenServerCannotSendTheRefreshTokenElsewhere) {
  fake_.require(FakeAuth::token);
  FakeRegistry stranger;
  fake_.script("/token", HttpReply{.status = 307}.header("Location", stranger.url() + "/token"));
  EXPECT_EQ(failure(options_with_identity()).status(), 307);
  EXPECT_TRUE(stranger.requests().empty());
}

TEST_F(AuthTest, BasicForAUser) {
  fake_.require(FakeAuth::basic);
  repository(options_for("alice", "secret")).manifest("1");
}

TEST_F(AuthTest, BearerGoesBeforeBasic) {
  fake_.require(FakeAuth::token);
  fake_.set_challenges({"Negotiate", str("Basic realm=\"x\", Bearer realm=\"", fake_.url(),
                                         "/token\",service=\"fake\"")});
  repository(options_for("alice", "secret")).manifest("1");
  EXPECT_EQ(fake_.requests_for("/token").size(), 1u);
}

TEST_F(AuthTest, A401WithoutAChallengeMakesUsAskTheRoot) {
  fake_.require(FakeAuth::token);
  fake_.script("GET /v2/", {.status = 200});  // the question what the port speaks
  fake_.script("/manifests/", {.status = 401});
  repository(fake_options()).manifest("1");
  EXPECT_EQ(fake_.requests_for("/manifests/").size(), 2u);
}

TEST_F(AuthTest, AWrongPasswordSaysWhereItIsFrom) {
  const std::string file =
      scratch_.write("auth.json", str(R"({"auths":{")", fake_.authority(), R"(":{"auth":")",
                                      base64_encode("alice:wrong-geheim"), R"("}}})"));
  for (const FakeAuth auth : {FakeAuth::basic, FakeAuth::token}) {
    fake_.require(auth);
    ConnectionOptions options = fake_options();
    options.auth_files.paths = {file};
    const HttpError error = failure(std::move(options));
    EXPECT_EQ(error.status(), 401);
    EXPECT_THAT(error.what(), HasSubstr(fake_.authority()));
    EXPECT_THAT(error.what(), HasSubstr("`alice` (credentials from `" + file + "`)"));
    EXPECT_THAT(error.hint(), HasSubstr("wrong user name or password"));
    EXPECT_THAT(str(error.what(), error.hint()), Not(HasSubstr("geheim")));
  }
}

TEST_F(AuthTest, WithoutCredentialsTheHintSaysSo) {
  fake_.require(FakeAuth::basic);
  EXPECT_THAT(failure(fake_options()).hint(), HasSubstr("no credentials for"));
  fake_.require(FakeAuth::token);
  fake_.refuse_anonymous();
  EXPECT_THAT(failure(fake_options()).hint(), HasSubstr("no credentials for"));
}

TEST_F(AuthTest, AHelperMattersOnlyWhereNobodyElseGetsIn) {
  const std::string file = scratch_.write("config.json", R"({"credsStore":"desktop"})");
  ConnectionOptions options = fake_options();
  options.auth_files.paths = {file};
  fake_.require(FakeAuth::token);
  repository(options).manifest("1");
  fake_.refuse_anonymous();
  EXPECT_THAT(failure(options).hint(), HasSubstr("`docker-credential-desktop`"));
}

TEST_F(AuthTest, AMalformedFileMattersOnlyIfCredentialsAreWanted) {
  ConnectionOptions options = fake_options();
  options.auth_files.paths = {scratch_.write("auth.json", "{")};
  repository(options).manifest("1");
  fake_.require(FakeAuth::token);
  EXPECT_THROW(repository(options).manifest("1"), InvalidData);
}

TEST_F(AuthTest, ATokenServerThatMayNotBeAskedIsNot) {
  fake_.require(FakeAuth::token);
  for (const char* realm : {"http://169.254.169.254/token", "ftp://x/", "http://u:p@x/"}) {
    fake_.set_challenges({str("Bearer realm=\"", realm, "\",service=\"fake\"")});
    EXPECT_THROW(repository(options_for("alice", "secret")).manifest("1"), Refused) << realm;
  }
}

TEST_F(AuthTest, ATokenServersTroubleIsRetriedAndNamed) {
  fake_.require(FakeAuth::token);
  fake_.script("/token", error_reply(503, "UNAVAILABLE", "x"), 2);
  repository(fake_options()).manifest("1");
  fake_.script("/token", error_reply(503, "UNAVAILABLE", "x"), 20);
  EXPECT_THAT(failure(fake_options()).what(), HasSubstr("get a token for `127.0.0.1"));
}

TEST_F(AuthTest, HostileTokenAnswersAreRefused) {
  fake_.require(FakeAuth::token);
  for (const std::string& body :
       {std::string("not json"), std::string("{}"), std::string(R"({"token":1})"),
        std::string(R"({"token":"x\r\nX-Injected: 1"})"), std::string(2 << 20, ' ')}) {
    fake_.set_token_answer({.body = body});
    EXPECT_THROW(repository(fake_options()).manifest("1"), InvalidData) << body.substr(0, 40);
  }
}

TEST(Token, IsReadInAllItsForms) {
  EXPECT_EQ(parse_token(R"({"token":"a","access_token":"b"})", {}).value, "a");
  EXPECT_EQ(parse_token(R"({"access_token":"b"})", {}).value, "b");
  EXPECT_EQ(parse_token(R"({"token":"","access_token":"b"})", {}).value, "b");
  EXPECT_EQ(parse_token(R"({"token":"a","refresh_token":"r"})", {}).refresh_token, "r");
  EXPECT_THROW(parse_token("[]", {}), InvalidData);
}

TEST(Token, LivesAsLongAsItSays) {
  const auto lifetime = [](const char* members, const std::optional<std::string>& date = {}) {
    return parse_token(str(R"({"token":"a")", members, "}"), date).lifetime;
  };
  EXPECT_EQ(lifetime(""), seconds(60));
  EXPECT_EQ(lifetime(R"(,"expires_in":2)"), seconds(60));
  EXPECT_EQ(lifetime(R"(,"expires_in":300)"), seconds(300));
  EXPECT_EQ(lifetime(R"(,"expires_in":9223372036854775807)"), seconds(24 * 3600));
  const char* issued = R"(,"expires_in":300,"issued_at":"2015-10-21T07:26:00Z")";
  EXPECT_EQ(lifetime(issued, "Wed, 21 Oct 2015 07:28:00 GMT"), seconds(180));
  EXPECT_EQ(lifetime(issued, "Wed, 21 Oct 2015 08:28:00 GMT"), seconds(0));
  EXPECT_EQ(lifetime(issued, "Wed, 21 Oct 2015 07:20:00 GMT"), seconds(300));
  EXPECT_EQ(lifetime(issued), seconds(300));
}

/// Answers from a table; for hosts that no test may reach.
class ScriptedClient final : public HttpClient {
 public:
  Response send(const Request& request) override {
    asked.push_back(request.url.text());
    return {.url = request.url, .status = 200, .body = std::make_unique<StringSource>(body)};
  }
  std::string body = "{}";
  std::vector<std::string> asked;
};

TEST(Token, IsRenewedBeforeALongTransferIfThatHelps) {
  ScriptedClient client;
  client.body = R"({"token":"t","expires_in":100})";
  auto now = std::chrono::steady_clock::now();
  Authenticator authenticator(client, {.registry = "r",
                                       .base = *Url::parse("https://r.example/"),
                                       .find_credentials = [] { return CredentialLookup(); },
                                       .now = [&] { return now; }});
  Response response{.url = *Url::parse("https://r.example/"), .status = 401, .peer = "1.2.3.4"};
  response.headers.add("WWW-Authenticate", R"(Bearer realm="https://auth.example/token")");
  ASSERT_TRUE(authenticator.learn(response, "a b", std::nullopt));
  const auto is_new = [&](seconds lasting) {
    return authenticator.authorize("a b", lasting).value().fresh;
  };
  EXPECT_TRUE(is_new(seconds(0)));
  EXPECT_THAT(client.asked.front(), HasSubstr("?scope=a&scope=b"));
  now += seconds(30);
  EXPECT_FALSE(is_new(seconds(0)));
  EXPECT_FALSE(is_new(seconds(50)));
  EXPECT_FALSE(is_new(seconds(3600))) << "a new one would not last that long either";
  now += seconds(20);
  EXPECT_FALSE(is_new(seconds(30)));
  EXPECT_TRUE(is_new(seconds(60)));
  EXPECT_FALSE(is_new(seconds(60)));
  now += seconds(91);
  EXPECT_TRUE(is_new(seconds(0))) << "a tenth before its end";
}

bool learns(const std::string& base, const std::string& peer, const std::string& challenge) {
  ScriptedClient client;
  Authenticator authenticator(client, {.registry = "r", .base = *Url::parse(base)});
  Response response{.url = *Url::parse(base), .status = 401, .peer = peer};
  response.headers.add("WWW-Authenticate", challenge);
  return authenticator.learn(response, "repository:a:pull", std::nullopt);
}

TEST(Realm, IsCheckedBeforeCredentialsGoThere) {
  const std::string base = "https://registry.example/";
  EXPECT_TRUE(learns(base, "1.2.3.4", R"(Bearer realm="https://auth.example/token")"));
  EXPECT_TRUE(learns(base, "1.2.3.4", R"(Bearer realm="/oauth2/token")"));
  EXPECT_TRUE(learns(base, "10.0.0.1", R"(Bearer realm="https://10.0.0.2/token")"));
  EXPECT_THROW(learns(base, "1.2.3.4", R"(Bearer realm="http://auth.example/token")"), Refused);
  EXPECT_THROW(learns(base, "1.2.3.4", R"(Bearer realm="https://10.0.0.2/token")"), Refused);
  EXPECT_THROW(learns(base, "1.2.3.4", R"(Bearer realm="https://127.0.0.1/token")"), Refused);
  EXPECT_FALSE(learns(base, "1.2.3.4", "Negotiate"));
}

}  // namespace
}  // namespace lade::registry
