#include "base/hash.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace lade {

struct Hasher::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(md); }
};

Hasher::Hasher(HashAlgorithm algorithm) : context_(std::make_unique<Context>()) {
  // The host's openssl.cnf has no say in how images are hashed, and reading it costs a start.
  // The names of all ciphers and digests are not looked up either.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
                          OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
                      nullptr);
  const EVP_MD* md = algorithm == HashAlgorithm::sha256 ? EVP_sha256() : EVP_sha512();
  if (context_->md == nullptr || EVP_DigestInit_ex(context_->md, md, nullptr) != 1) {
    throw Error("initialise a digest: OpenSSL refused");
  }
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> data) {
  if (EVP_DigestUpdate(context_->md, data.data(), data.size()) != 1) {
    throw Error("update a digest: OpenSSL refused");
  }
}

std::string Hasher::finish_hex() {
  unsigned char value[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context_->md, value, &size) != 1) {
    throw Error("finish a digest: OpenSSL refused");
  }
  return to_hex({reinterpret_cast<const char*>(value), size});
}

}  // namespace lade
