// A registry as all sessions with it share it: where it is, and the client whose connections are
// kept for the next request, of whatever repository.
#pragma once

#include "registry/connection.hpp"
#include "registry/http.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace lade::registry {

/// One registry. Connects when it is asked for the first time. THREADS: all functions.
class Host {
 public:
  /// `domain` as in a reference: `docker.io`, `localhost:5000`.
  Host(std::string domain, const ConnectionOptions& options, std::stop_token stop)
      : domain_(std::move(domain)), options_(options), stop_(std::move(stop)) {}

  /// The URL of its root. May ask whether it speaks TLS. Throws TransportError.
  const Url& base();
  /// REQUIRES: base() returned before.
  HttpClient& client() const noexcept { return *client_; }
  /// What its root answered, without the body, if finding it took asking; else null. REQUIRES: the
  /// same.
  const Response* answer() const noexcept { return answer_ ? &*answer_ : nullptr; }

 private:
  Url find_base();

  std::string domain_;
  ConnectionOptions options_;
  std::stop_token stop_;
  std::mutex connecting_;
  std::unique_ptr<HttpClient> client_;
  std::optional<Url> base_;
  std::optional<Response> answer_;
};

/// The hosts of a run: connections are kept for all repositories of a host. THREADS: all functions.
class HostPool {
 public:
  /// The host of that name that is reached in this way (TLS rule, certificates, proxy), which is
  /// the same for all who ask.
  std::shared_ptr<Host> get(const std::string& domain, const ConnectionOptions& options,
                            const std::stop_token& stop);

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Host>> hosts_;
};

}  // namespace lade::registry
