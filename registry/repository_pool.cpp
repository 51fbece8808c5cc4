#include "registry/repository_pool.hpp"

#include "base/text.hpp"

namespace lade::registry {

Repository RepositoryPool::get(const Reference& reference, const ConnectionOptions& options,
                               const std::stop_token& stop) {
  const std::string key = str(reference.repository(), '\n',
                              options.tls_verify == TlsVerify::yes ? "verify" : "trust", '\n',
                              options.cert_dir.value_or(""), '\n', options.proxy.value_or(""), '\n',
                              options.credentials ? options.credentials->username : "");
  const std::lock_guard lock(mutex_);
  auto found = repositories_.find(key);
  if (found == repositories_.end()) {
    found = repositories_.emplace(key, Repository(reference, options, stop)).first;
  }
  return found->second.again();
}

}  // namespace lade::registry
