#include "tests/support/http_server.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace lade::test {

namespace {

constexpr std::size_t k_request_cap = 64 * 1024;

bool send_all(int socket, std::string_view data) {
  while (!data.empty()) {
    const ssize_t sent = ::send(socket, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_some(int socket, std::string& text) {
  char buffer[16 * 1024];
  const ssize_t count = ::recv(socket, buffer, sizeof buffer, 0);
  if (count <= 0) return false;
  text.append(buffer, static_cast<std::size_t>(count));
  return true;
}

/// The next request; nothing at the end of the connection or on what is not HTTP (a TLS hello).
/// `pending` keeps what was read beyond it.
std::optional<HttpRequest> receive_request(int socket, std::string& pending) {
  std::size_t end = 0;
  while ((end = pending.find("\r\n\r\n")) == std::string::npos) {
    if (!pending.empty() && (pending[0] < 'A' || pending[0] > 'Z')) return std::nullopt;
    if (pending.size() > k_request_cap || !receive_some(socket, pending)) return std::nullopt;
  }
  HttpRequest request;
  const std::vector<std::string> lines = split(std::string_view(pending).substr(0, end), '\n');
  const std::vector<std::string> words = split(trim(lines[0]), ' ');
  if (words.size() != 3) return std::nullopt;
  request.method = words[0];
  request.target = words[1];
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string_view line = trim(lines[i]);
    const auto colon = std::min(line.find(':'), line.size() - 1);
    request.headers[ascii_lower(line.substr(0, colon))] = trim(line.substr(colon + 1));
  }
  pending.erase(0, end + 4);
  const auto length = parse_number<std::size_t>(request.header("content-length")).value_or(0);
  while (pending.size() < length) {
    if (!receive_some(socket, pending)) return std::nullopt;
  }
  request.body = pending.substr(0, length);
  pending.erase(0, length);
  return request;
}

void reset_at_close(int socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/// Waits until the other side, or our own destructor, ends the connection.
void stall(int socket) {
  std::string ignored;
  while (receive_some(socket, ignored)) ignored.clear();
}

/// Whether the connection can carry another request.
bool send_reply(int socket, const HttpRequest& request, const HttpReply& reply) {
  if (reply.reset) {
    reset_at_close(socket);
    return false;
  }
  if (reply.stall && !reply.cut_after) {
    stall(socket);
    return false;
  }
  std::string head = str("HTTP/1.1 ", reply.status, " Scripted\r\n");
  for (const auto& [name, value] : reply.headers) head += str(name, ": ", value, "\r\n");
  head += reply.without_length ? "Connection: close\r\n\r\n"
                               : str("Content-Length: ", reply.body.size(), "\r\n\r\n");
  if (!send_all(socket, head)) return false;
  if (request.method == "HEAD") return true;
  const std::size_t count =
      std::min(reply.cut_after.value_or(reply.body.size()), reply.body.size());
  if (!send_all(socket, std::string_view(reply.body).substr(0, count))) return false;
  if (reply.stall) stall(socket);
  return !reply.cut_after && !reply.without_length;
}

}  // namespace

std::string HttpRequest::header(const std::string& lower_name) const {
  const auto found = headers.find(lower_name);
  return found == headers.end() ? "" : found->second;
}

HttpReply& HttpReply::header(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {
  const auto what = [] { return std::string("listen on 127.0.0.1"); };
  listener_.reset(check_syscall(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), what));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  check_syscall(::bind(listener_.get(), generic, sizeof address), what);
  check_syscall(::listen(listener_.get(), 64), what);
  socklen_t length = sizeof address;
  check_syscall(::getsockname(listener_.get(), generic, &length), what);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard guard(mutex_);
    for (const Fd& socket : sockets_) {
      if (socket.valid()) ::shutdown(socket.get(), SHUT_RDWR);
    }
  }
  for (std::thread& thread : threads_) thread.join();
}

std::string HttpServer::authority() const {
  return str("127.0.0.1:", port_);
}

std::size_t HttpServer::connections() {
  const std::lock_guard guard(mutex_);
  return threads_.size();
}

void HttpServer::accept_all() {
  for (;;) {
    const int number = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (number == -1) return;
    const std::lock_guard guard(mutex_);
    Fd& socket = sockets_.emplace_back(number);
    threads_.emplace_back([this, &socket] {
      serve(socket.get());
      const std::lock_guard closing(mutex_);
      socket.reset();
    });
  }
}

void HttpServer::serve(int socket) {
  std::string pending;
  while (const auto request = receive_request(socket, pending)) {
    if (!send_reply(socket, *request, handler_(*request))) return;
  }
}

}  // namespace lade::test
