#include "registry/http.hpp"

#include "base/text.hpp"
#include "registry/curl.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

namespace lade::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::HttpReply;
using test::HttpRequest;
using test::HttpServer;
using testing::HasSubstr;
using testing::Not;

Request get(const std::string& url) {
  return {.url = *Url::parse(url)};
}

std::string body_of(Response& response) {
  return read_all(*response.body, 1 << 30, "body");
}

std::unique_ptr<HttpClient> client(std::stop_token stop = {}) {
  return make_curl_client(
      {.user_agent = "lade-test", .stall_timeout = seconds(1), .stop = std::move(stop)});
}

TEST(RetryAfter, TakesSecondsAndDates) {
  const auto now = *parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT");
  EXPECT_EQ(now.time_since_epoch().count(), 1445412480);
  EXPECT_EQ(parse_retry_after("120", now), seconds(120));
  EXPECT_EQ(parse_retry_after(" Wed, 21 Oct 2015 07:28:30 GMT ", now), seconds(30));
  EXPECT_EQ(parse_retry_after("Wed, 21 Oct 2015 07:00:00 GMT", now), seconds(0));
  for (const char* text : {"", "-1", "soon", "1.5", "Wed, 21 Oct 2015 07:28:30", "99999999999"}) {
    EXPECT_FALSE(parse_retry_after(text, now)) << text;
  }
}

TEST(Retry, WaitsAsThePolicyAndTheServerSay) {
  const RetryPolicy policy{.attempts = 3, .first_delay = milliseconds(100)};
  const HttpError plain({.status = 503, .retryable = true}, "x");
  const auto first = delay_before_retry(policy, 1, plain);
  ASSERT_TRUE(first);
  EXPECT_GE(*first, milliseconds(100));
  EXPECT_LE(*first, milliseconds(125));
  EXPECT_GE(delay_before_retry(policy, 2, plain), milliseconds(200));
  EXPECT_FALSE(delay_before_retry(policy, 3, plain));
  EXPECT_FALSE(delay_before_retry(policy, 1, HttpError({.status = 404}, "x")));
  const HttpError asks({.status = 429, .retryable = true, .retry_after = seconds(60)}, "x");
  EXPECT_EQ(delay_before_retry(policy, 1, asks), seconds(60));
  const HttpError asks_more({.status = 429, .retryable = true, .retry_after = seconds(61)}, "x");
  EXPECT_FALSE(delay_before_retry(policy, 1, asks_more));
}

TEST(Retry, AWaitEndsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(wait_for(seconds(1000), stop.get_token()), Cancelled);
}

TEST(Http, ReadsHeadersAndBody) {
  HttpServer server([](const HttpRequest& request) {
    HttpReply reply{.status = 203, .body = std::string(3'000'000, 'x') + request.target};
    return reply.header("X-One", " a ").header("x-one", "b");
  });
  const auto http = client();
  Response response = http->send(get(server.url() + "/path?q=1"));
  EXPECT_EQ(response.status, 203);
  EXPECT_EQ(response.headers.all("X-ONE"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(response.peer, "127.0.0.1");
  EXPECT_EQ(body_of(response), std::string(3'000'000, 'x') + "/path?q=1");
}

TEST(Http, SendsNothingThatWasNotAskedFor) {
  HttpRequest seen;
  HttpServer server([&](const HttpRequest& request) {
    seen = request;
    return HttpReply();
  });
  Request request = get(server.url() + "/");
  request.headers.add("Accept", "a, b");
  Response response = client()->send(request);
  EXPECT_EQ(body_of(response), "");
  EXPECT_EQ(seen.header("accept"), "a, b");
  EXPECT_EQ(seen.header("user-agent"), "lade-test");
  EXPECT_EQ(seen.headers.size(), 3u) << "Host, Accept and User-Agent";
}

TEST(Http, NeverInflates) {
  HttpServer server([](const HttpRequest&) {
    return HttpReply{.body = "\x1f\x8b not inflated"}.header("Content-Encoding", "gzip");
  });
  Response response = client()->send(get(server.url()));
  EXPECT_EQ(body_of(response), "\x1f\x8b not inflated");
}

TEST(Http, KeepsTheConnection) {
  HttpServer server([](const HttpRequest&) { return HttpReply{.body = "small"}; });
  const auto http = client();
  for (int i = 0; i < 5; ++i) {
    Response response = http->send(get(server.url()));
    drain(response);
  }
  EXPECT_EQ(server.connections(), 1u);
}

TEST(Http, ACutBodyIsAFaultThatMayPass) {
  HttpServer server([](const HttpRequest&) {
    return HttpReply{.body = std::string(100'000, 'x'), .cut_after = 50'000};
  });
  Response response = client()->send(get(server.url()));
  const auto error = error_of<TransportError>([&] { body_of(response); });
  EXPECT_EQ(error.fault(), Fault::interrupted);
  EXPECT_TRUE(error.retryable());
  EXPECT_EQ(error.status(), 0);
  EXPECT_THAT(error.what(), HasSubstr("GET `http://127.0.0.1"));
}

TEST(Http, AResetIsAFaultThatMayPass) {
  HttpServer server([](const HttpRequest&) { return HttpReply{.reset = true}; });
  const auto error = error_of<TransportError>([&] { client()->send(get(server.url())); });
  EXPECT_TRUE(error.retryable());
}

TEST(Http, SilenceEndsInATimeout) {
  HttpServer server([](const HttpRequest&) {
    return HttpReply{.body = std::string(1000, 'x'), .cut_after = 50, .stall = true};
  });
  Response response = client()->send(get(server.url()));
  const auto error = error_of<TransportError>([&] { body_of(response); });
  EXPECT_EQ(error.fault(), Fault::timeout);
  EXPECT_TRUE(error.retryable());
}

TEST(Http, AStopInterruptsSilence) {
  std::stop_source stop;
  HttpServer server([&](const HttpRequest&) {
    stop.request_stop();
    return HttpReply{.stall = true};
  });
  const auto http = make_curl_client({.stall_timeout = seconds(3600), .stop = stop.get_token()});
  EXPECT_THROW(http->send(get(server.url())), Cancelled);
}

TEST(Http, RefusesEndlessHeaders) {
  HttpServer server([](const HttpRequest&) {
    HttpReply reply;
    for (int i = 0; i < 100; ++i) reply.header("X-Long", std::string(10'000, 'x'));
    return reply;
  });
  EXPECT_THROW(client()->send(get(server.url())), InvalidData);
}

TEST(Http, SendsNoHeaderThatWouldBecomeTwo) {
  HttpServer server([](const HttpRequest&) { return HttpReply(); });
  Request request = get(server.url());
  request.headers.add("Authorization", "Bearer x\r\nX-Injected: 1");
  EXPECT_THROW(client()->send(request), InvalidData);
}

TEST(Http, NobodyListening) {
  std::string url;
  {
    url = HttpServer([](const HttpRequest&) { return HttpReply(); }).url();
  }
  const auto error = error_of<TransportError>([&] { client()->send(get(url)); });
  EXPECT_EQ(error.fault(), Fault::connect);
}

/// Redirects from / to `location`, and answers anything else with what Authorization it saw.
HttpReply redirecting(const HttpRequest& request, const std::string& location) {
  if (request.path() == "/") return HttpReply{.status = 307}.header("Location", location);
  return {.body = "authorization: " + request.header("authorization")};
}

std::string follow(const std::string& url) {
  Request request = get(url);
  request.headers.add("Authorization", "Basic secret");
  const auto http = client();
  Response response = send_following(*http, request);
  return body_of(response);
}

TEST(Redirect, CredentialsStayAtTheirOrigin) {
  HttpServer other([](const HttpRequest& request) { return redirecting(request, "/"); });
  HttpServer server(
      [&](const HttpRequest& request) { return redirecting(request, other.url() + "/blob"); });
  EXPECT_EQ(follow(server.url()), "authorization: ");
}

TEST(Redirect, CredentialsGoWithinTheOrigin) {
  HttpServer server([](const HttpRequest& request) { return redirecting(request, "/next"); });
  EXPECT_EQ(follow(server.url()), "authorization: Basic secret");
}

TEST(Redirect, CredentialsDoNotComeBack) {
  std::string home;
  HttpServer other(
      [&](const HttpRequest& request) { return redirecting(request, home + "/blob"); });
  HttpServer server([&](const HttpRequest& request) { return redirecting(request, other.url()); });
  home = server.url();
  EXPECT_EQ(follow(server.url()), "authorization: ");
}

TEST(Redirect, EndsSomewhere) {
  HttpServer server([](const HttpRequest& request) {
    return HttpReply{.status = 302}.header("Location", request.target + "x");
  });
  EXPECT_THROW(follow(server.url()), InvalidData);
}

TEST(Redirect, ToWhatIsNoHttpIsRefused) {
  for (const char* location : {"file:///etc/passwd", "", "https://u:p@host/"}) {
    HttpServer server(
        [&](const HttpRequest&) { return HttpReply{.status = 307}.header("Location", location); });
    EXPECT_THROW(client() && (follow(server.url()), true), InvalidData) << location;
  }
  HttpServer server(
      [](const HttpRequest& request) { return redirecting(request, "http://169.254.169.254/x"); });
  const auto error = error_of<Refused>([&] { follow(server.url()); });
  EXPECT_THAT(error.what(), HasSubstr("link-local"));
}

TEST(Redirect, DoesNotLeaveHttps) {
  struct Scripted final : HttpClient {
    Response send(const Request& request) override {
      EXPECT_TRUE(request.url.secure());
      Response response{.url = request.url, .status = 307};
      response.headers.add("Location", "http://registry.example/x?sig=geheim");
      return response;
    }
  } scripted;
  const auto error =
      error_of<Refused>([&] { send_following(scripted, get("https://registry.example/")); });
  EXPECT_THAT(error.what(), HasSubstr("leave https"));
  EXPECT_THAT(error.what(), Not(HasSubstr("geheim")));
}

HttpError error_from(HttpReply reply) {
  HttpServer server([&](const HttpRequest&) { return reply; });
  const auto http = client();
  Response response = http->send(get(server.url() + "/v2/"));
  return make_http_error(response);
}

TEST(HttpErrors, TellStatusCodeAndText) {
  auto reply = test::error_reply(429, "TOOMANYREQUESTS", "slow down");
  const HttpError error = error_from(reply.header("Retry-After", "7"));
  EXPECT_EQ(error.status(), 429);
  EXPECT_EQ(error.code(), "TOOMANYREQUESTS");
  EXPECT_EQ(error.retry_after(), seconds(7));
  EXPECT_TRUE(error.retryable());
  EXPECT_THAT(error.what(), HasSubstr("/v2/`: 429 TOOMANYREQUESTS: slow down (retry after 7 s)"));
}

TEST(HttpErrors, TakeAnyBody) {
  EXPECT_THAT(error_from({.status = 404, .body = "404 page not found\n"}).what(),
              HasSubstr("404 not found: 404 page not found"));
  EXPECT_THAT(error_from({.status = 401, .body = R"({"details":"wrong password"})"}).what(),
              HasSubstr("401 unauthorized: wrong password"));
  EXPECT_THAT(error_from({.status = 502, .body = "<html>\n<body>"}).what(),
              Not(HasSubstr("<html>")));
  EXPECT_THAT(error_from({.status = 500, .body = "a\x1b[31mb"}).what(), HasSubstr("\\x1b[31mb"));
  EXPECT_LT(
      std::string(error_from({.status = 500, .body = std::string(10 << 20, 'x')}).what()).size(),
      1000u);
  EXPECT_EQ(error_from({.status = 500, .body = "xyz", .cut_after = 1}).status(), 500);
}

TEST(HttpErrors, AreRetryableWhereItMayHelp) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    EXPECT_TRUE(error_from({.status = status}).retryable()) << status;
  }
  for (const int status : {400, 401, 403, 404, 416}) {
    EXPECT_FALSE(error_from({.status = status}).retryable()) << status;
  }
}

}  // namespace
}  // namespace lade::registry
