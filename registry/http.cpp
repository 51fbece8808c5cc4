#include "registry/http.hpp"

#include "base/text.hpp"
#include "oci/json.hpp"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <random>

namespace lade::registry {

namespace {

constexpr int k_most_redirects = 10;
constexpr std::size_t k_small_body_cap = 64 * 1024;
constexpr std::size_t k_error_text_cap = 512;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_retryable(int status) {
  return status == 408 || status == 429 || status >= 500;
}

/// The start of a body, up to the cap; a fault while reading it does not hide the status.
std::string read_some_body(Source& body) {
  std::string text;
  std::vector<std::byte> buffer(8 * 1024);
  try {
    while (text.size() < k_small_body_cap) {
      const std::size_t count = body.read(buffer);
      if (count == 0) break;
      text += as_text(std::span(buffer).first(count));
    }
  } catch (const HttpError&) {
    // Whoever asks has the status already and can do without the rest.
  }
  return text;
}

struct ErrorBody {
  std::string code;
  std::string text;
};

/// The distribution API's `{"errors":[{"code","message"}]}`, or what token servers say.
ErrorBody read_error(const JsonNode& root) {
  if (const auto errors = root.find("errors")) {
    for (const JsonNode& error : errors->items()) {
      return {error.find_text("code"), error.find_text("message")};
    }
  }
  for (const char* name : {"details", "message", "error_description", "error"}) {
    if (std::string text = root.find_text(name); !text.empty()) return {"", std::move(text)};
  }
  return {};
}

/// Never fails: what is not JSON of a known shape is its own first line, unless it is HTML.
ErrorBody parse_error_body(const std::string& body) {
  try {
    const JsonValue document = parse_json(body, "error");
    return read_error(JsonNode(document, "error"));
  } catch (const InvalidData&) {
    const std::string_view line = trim(std::string_view(body).substr(0, body.find('\n')));
    return {"", line.starts_with('<') ? std::string() : std::string(line)};
  }
}

std::string status_text(int status) {
  switch (status) {
    case 400:
      return " bad request";
    case 401:
      return " unauthorized";
    case 403:
      return " forbidden";
    case 404:
      return " not found";
    case 405:
      return " method not allowed";
    case 408:
      return " request timeout";
    case 413:
      return " content too large";
    case 416:
      return " range not satisfiable";
    case 429:
      return " too many requests";
    case 500:
      return " internal server error";
    case 502:
      return " bad gateway";
    case 503:
      return " service unavailable";
    case 504:
      return " gateway timeout";
    default:
      return "";
  }
}

/// How long the server wants us to wait. `RateLimit-Reset` is seconds in the draft of the IETF and
/// a time since the epoch at GitLab.
std::optional<std::chrono::seconds> find_wait(const Response& response) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (const auto wait = response.headers.find("Retry-After")) return parse_retry_after(*wait, now);
  const auto reset = response.headers.find("RateLimit-Reset");
  if (response.status != 429 || !reset) return std::nullopt;
  const auto number = parse_number<std::uint32_t>(trim(*reset));
  if (!number) return std::nullopt;
  const std::chrono::seconds value(*number);
  constexpr std::chrono::seconds k_year(365 * 24 * 3600);
  if (value < k_year) return value;
  return std::max(value - now.time_since_epoch(), std::chrono::seconds(0));
}

bool is_retryable(Fault fault) {
  return fault == Fault::timeout || fault == Fault::interrupted;
}

}  // namespace

void Headers::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string_view name, std::optional<std::string> value) {
  std::erase_if(fields_, [&](const auto& field) { return ascii_iequals(field.first, name); });
  if (value) add(std::string(name), *std::move(value));
}

std::optional<std::string> Headers::find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (ascii_iequals(field, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::string> Headers::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [field, value] : fields_) {
    if (ascii_iequals(field, name)) values.push_back(value);
  }
  return values;
}

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::remove:
      return "DELETE";
  }
  return "";
}

std::string Response::what() const {
  return str(name_of(method), ' ', quoted(url.redacted()));
}

TransportError::TransportError(Fault fault, std::string message)
    : HttpError({.retryable = is_retryable(fault)}, std::move(message)), fault_(fault) {}

Response send_following(HttpClient& client, Request request) {
  const Url origin = request.url;
  for (int redirects = 0;; ++redirects) {
    Response response = client.send(request);
    if (!is_redirect(response.status)) return response;
    const std::string location = response.headers.find("Location").value_or("");
    if (redirects == k_most_redirects) {
      throw InvalidData(str(response.what(), ": more than ", k_most_redirects, " redirects"));
    }
    const auto target = request.url.resolve(location);
    if (!target) {
      throw InvalidData(str(response.what(), ": redirect without a usable Location"));
    }
    if (const auto objection = objection_to(request.url, response.peer, *target);
        !objection.empty()) {
      throw Refused(str(response.what(), ": redirect to ", quoted(target->redacted()),
                        " not followed: ", objection));
    }
    drain(response);
    request.url = *target;
    // Once gone, they do not come back: a chain that returns was chosen by a stranger.
    if (!target->same_origin(origin)) request.headers.set("Authorization", std::nullopt);
  }
}

void drain(Response& response) {
  if (response.body) read_some_body(*response.body);
  response.body.reset();
}

HttpError make_http_error(Response& response) {
  HttpError::Details details{.status = response.status, .retryable = is_retryable(response.status)};
  details.retry_after = find_wait(response);
  ErrorBody body;
  if (response.body) body = parse_error_body(read_some_body(*response.body));
  details.code = printable(body.code.substr(0, 64));

  std::string message = str(response.what(), ": ", response.status);
  message += details.code.empty() ? status_text(response.status) : str(' ', details.code);
  if (!body.text.empty()) message += str(": ", printable(body.text.substr(0, k_error_text_cap)));
  if (details.retry_after) {
    message += str(" (retry after ", details.retry_after->count(), " s)");
  }
  return HttpError(std::move(details), std::move(message));
}

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  // The C locale's names are the ones of the RFC; nothing here ever calls setlocale().
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::sys_seconds now) {
  value = trim(value);
  if (const auto seconds = parse_number<std::uint32_t>(value))
    return std::chrono::seconds(*seconds);
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  return std::max(*date - now, std::chrono::seconds(0));
}

std::optional<std::chrono::milliseconds> delay_before_retry(const RetryPolicy& policy, int attempt,
                                                            const HttpError& error) {
  if (!error.retryable() || attempt >= policy.attempts) return std::nullopt;
  if (const auto wait = error.retry_after()) {
    if (*wait > policy.longest_retry_after) return std::nullopt;
    if (wait->count() > 0) return *wait;
  }
  const int doublings = policy.backoff == Backoff::doubling ? std::min(attempt - 1, 6) : 0;
  const auto backoff = policy.first_delay * (1 << doublings);
  // Up to a quarter more, so that many clients that failed together do not come back together.
  std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<std::chrono::milliseconds::rep> jitter(0, backoff.count() / 4);
  return backoff + std::chrono::milliseconds(jitter(random));
}

void announce_wait(const RetryPolicy& policy, const HttpError& error) {
  const auto wait = error.retry_after();
  if (policy.on_wait && wait && wait->count() > 0) policy.on_wait(error, *wait);
}

void wait_for(std::chrono::milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  if (stop.stop_requested()) throw Cancelled();
}

}  // namespace lade::registry
