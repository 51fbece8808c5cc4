// An HTTP/1.1 server on 127.0.0.1 for tests, one thread per connection, that can also misbehave:
// cut a body short, reset the connection, or fall silent.
#pragma once

#include "base/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace lade::test {

/// A request as it came.
struct HttpRequest {
  std::string method;
  std::string target;                          ///< path and query
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  std::string path() const { return target.substr(0, target.find('?')); }
  /// A header's value, or empty.
  std::string header(const std::string& lower_name) const;
};

/// An answer, and how to spoil it.
struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// Close the connection after this many bytes of the body, whose whole length was announced.
  std::optional<std::size_t> cut_after;
  /// Say nothing more (after `cut_after` bytes, else instead of the answer) until the server ends.
  bool stall = false;
  /// Reset the connection instead of answering.
  bool reset = false;
  /// Announce no length; the end of the connection ends the body.
  bool without_length = false;

  HttpReply& header(std::string name, std::string value);
};

/// Serves until it is destroyed.
class HttpServer {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  /// Listens on a free port. `handler` is called from several threads.
  explicit HttpServer(Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  /// `127.0.0.1:PORT`.
  std::string authority() const;
  /// `http://127.0.0.1:PORT`.
  std::string url() const { return "http://" + authority(); }
  /// How many connections were accepted.
  std::size_t connections();

 private:
  void accept_all();
  void serve(int socket);

  Handler handler_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::list<Fd> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace lade::test
