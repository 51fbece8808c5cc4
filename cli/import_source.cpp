#include "cli/import_source.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/curl.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>

namespace lade::cli {

namespace {

constexpr std::chrono::milliseconds k_look_for_stop{100};

/// A pipe whose other end may be silent for long: a stop is seen while nothing comes.
class PatientSource final : public Source {
 public:
  PatientSource(Fd fd, std::string name, std::stop_token stop)
      : fd_(std::move(fd)), name_(std::move(name)), stop_(std::move(stop)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    for (;;) {
      if (stop_.stop_requested()) throw Cancelled();
      const int ready = ::poll(&waiting, 1, static_cast<int>(k_look_for_stop.count()));
      if (ready > 0) return read_some(fd_, buffer, name_);
      if (ready < 0 && errno != EINTR) throw SystemError(errno, str("wait for ", quoted(name_)));
    }
  }

 private:
  Fd fd_;
  std::string name_;
  std::stop_token stop_;
};

/// The body of an answer, and the client that it comes by.
class AnswerSource final : public Source {
 public:
  AnswerSource(std::unique_ptr<registry::HttpClient> client, std::unique_ptr<Source> body)
      : client_(std::move(client)), body_(std::move(body)) {}
  std::size_t read(std::span<std::byte> buffer) override { return body_->read(buffer); }

 private:
  std::unique_ptr<registry::HttpClient> client_;
  std::unique_ptr<Source> body_;  // destroyed first
};

ImportSource fetch(const std::string& text, const std::stop_token& stop) {
  const auto url = registry::Url::parse(text);
  if (!url) throw UsageError(str("cannot read the URL ", quoted(text)));
  auto client = registry::make_curl_client({.user_agent = "lade/" LADE_VERSION, .stop = stop});
  registry::Response response = registry::send_following(*client, {.url = *url, .stop = stop});
  if (response.status == 404) throw NotFound(str(response.what(), ": it is not there"));
  if (response.status != 200) throw registry::make_http_error(response);
  ImportSource source;
  if (const auto length = response.headers.find("Content-Length")) {
    source.size = parse_number<std::uint64_t>(*length);
  }
  source.bytes = std::make_unique<AnswerSource>(std::move(client), std::move(response.body));
  return source;
}

Fd open_place(const std::string& place) {
  if (place == "-") {
    if (::isatty(STDIN_FILENO) == 0)
      return Fd(check_syscall(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0),
                              [] { return std::string("open standard input"); }));
    UsageError error("import: a tar is not read from a terminal");
    error.set_hint("name a file, or redirect standard input");
    throw error;
  }
  try {
    return open_file(place, O_RDONLY);
  } catch (const SystemError& error) {
    if (error.code() != ENOENT) throw;
    throw NotFound(str("no file at ", quoted(place)));
  }
}

}  // namespace

ImportSource open_import(const std::string& place, const std::stop_token& stop) {
  if (place.starts_with("http://") || place.starts_with("https://")) return fetch(place, stop);
  Fd fd = open_place(place);
  const std::string name = place == "-" ? "standard input" : place;
  const struct stat st = stat_of(fd, name);
  if (S_ISDIR(st.st_mode)) throw UsageError(str(quoted(place), " is a directory, not a tar"));
  ImportSource source;
  if (S_ISREG(st.st_mode)) {
    source.size = static_cast<std::uint64_t>(st.st_size);
    // Of standard input, too, it is not the image's: podman knows files by their names only.
    if (place != "-") {
      source.modified = Timestamp{st.st_mtim.tv_sec, static_cast<std::int32_t>(st.st_mtim.tv_nsec)};
    }
  }
  source.bytes = std::make_unique<PatientSource>(std::move(fd), name, stop);
  return source;
}

}  // namespace lade::cli
