// HTTP as values: requests, answers, and the errors they become. Knows no library and no registry.
#pragma once

#include "base/error.hpp"
#include "base/stream.hpp"
#include "registry/connection.hpp"
#include "registry/url.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::registry {

/// Header fields in their order; names compare without case, and one name may come several times.
class Headers {
 public:
  void add(std::string name, std::string value);
  /// Removes all fields of that name and, if there is a value, adds it.
  void set(std::string_view name, std::optional<std::string> value);
  /// The first field of that name.
  std::optional<std::string> find(std::string_view name) const;
  /// All fields of that name.
  std::vector<std::string> all(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const noexcept {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

enum class Method { get, head, post, put, patch, remove };

/// `GET`, for the wire (a C string literal) and for messages.
std::string_view name_of(Method method);

/// What a request carries: a text, which can be sent again, or a stream, which mostly cannot.
struct Body {
  std::string_view text;
  Source* stream = nullptr;  ///< read while the request is sent, never beyond `size`
  std::uint64_t size = 0;    ///< of the stream, in bytes
  /// Makes the stream begin anew; false if that cannot be done any more. May be empty.
  std::function<bool()> rewind;
};

/// One request.
struct Request {
  Method method = Method::get;
  Url url;
  Headers headers;
  Body body;  ///< of POST, PUT and PATCH; what it points to outlives the answer
  /// How long the answer may take, where that may be longer than a stall.
  std::optional<std::chrono::seconds> patience;
  std::stop_token stop;  ///< besides the client's own: ends this request and its body
};

/// An answer whose head has come; its body is still to be read.
struct Response {
  Method method = Method::get;
  Url url;  ///< where it came from in the end, after redirects
  int status = 0;
  Headers headers;
  std::string peer;              ///< the IP address that answered
  std::unique_ptr<Source> body;  ///< what is left unread when it is destroyed is dropped

  /// ``GET `https://…` `` for messages.
  std::string what() const;
};

/// What went wrong below HTTP.
enum class Fault {
  resolve,
  connect,
  tls_handshake,
  certificate,
  timeout,
  interrupted,
  client_certificate,
  other
};

/// No answer, or not all of it: an HttpError of status 0.
class TransportError final : public HttpError {
 public:
  TransportError(Fault fault, std::string message);
  Fault fault() const noexcept { return fault_; }

 private:
  Fault fault_;
};

/// Sends one request; follows nothing, adds nothing. THREADS: may be called from several at once.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Returns when the head of the answer has come. Throws TransportError, Cancelled.
  virtual Response send(const Request& request) = 0;
};

/// send() of GET or HEAD, following up to ten redirects. `Authorization` goes only to the
/// request's own origin. Throws Refused for a redirect that objection_to() objects to.
Response send_following(HttpClient& client, Request request);

/// Reads what is left of a small body, so that the connection can carry the next request; gives up
/// (and the connection with it) on a long one.
void drain(Response& response);

/// The error of an answer: its body (at most 64 KiB of it are read) gives code and text. How long
/// to wait is what `Retry-After` says, else the time at which a used-up rate limit is reset.
HttpError make_http_error(Response& response);

/// What `Retry-After` asks for: seconds, or an HTTP date compared with `now`.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::sys_seconds now);

/// An HTTP date (RFC 9110, 5.6.7, the preferred form).
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

/// How long to wait before attempt `attempt` + 1 (counted from 1), or nothing to give up.
std::optional<std::chrono::milliseconds> delay_before_retry(const RetryPolicy& policy, int attempt,
                                                            const HttpError& error);

/// Tells the policy's listener if it is the server that asked for the wait.
void announce_wait(const RetryPolicy& policy, const HttpError& error);

/// Sleeps; throws Cancelled as soon as `stop` is requested.
void wait_for(std::chrono::milliseconds duration, const std::stop_token& stop);

/// Runs `body`, again after a retryable HttpError as the policy allows.
template <class Body>
auto with_retries(const RetryPolicy& policy, const std::stop_token& stop, Body&& body) {
  for (int attempt = 1;; ++attempt) {
    std::optional<std::chrono::milliseconds> delay;
    try {
      return body();
    } catch (const HttpError& error) {
      delay = delay_before_retry(policy, attempt, error);
      if (!delay) throw;
      announce_wait(policy, error);
    }
    wait_for(*delay, stop);
  }
}

}  // namespace lade::registry
