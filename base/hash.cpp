// OpenSSL's own functions for each digest, deprecated in favour of EVP: they need no provider,
// whose set-up costs a start 0.2 to 0.9 ms, and leave it to TLS how the library is initialised
// (whatever touches it first decides for the process what it knows).
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <openssl/sha.h>

#include <array>
#include <variant>

namespace lade {

namespace {

template <class State, auto init, auto update_state, auto finish, std::size_t size>
struct Digester {
  State state;

  Digester() { check(init(&state)); }
  void update(std::span<const std::byte> data) {
    check(update_state(&state, data.data(), data.size()));
  }
  std::string finish_hex() {
    std::array<unsigned char, size> value;
    check(finish(value.data(), &state));
    return to_hex({reinterpret_cast<const char*>(value.data()), value.size()});
  }
  static void check(int is_done) {
    if (is_done != 1) throw Error("compute a digest: OpenSSL refused");
  }
};

using Sha256 = Digester<SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final, SHA256_DIGEST_LENGTH>;
using Sha512 = Digester<SHA512_CTX, SHA512_Init, SHA512_Update, SHA512_Final, SHA512_DIGEST_LENGTH>;

}  // namespace

struct Hasher::Context {
  std::variant<Sha256, Sha512> digester;
};

Hasher::Hasher(HashAlgorithm algorithm) : context_(std::make_unique<Context>()) {
  if (algorithm == HashAlgorithm::sha512) context_->digester.emplace<Sha512>();
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> data) {
  std::visit([&](auto& digester) { digester.update(data); }, context_->digester);
}

std::string Hasher::finish_hex() {
  return std::visit([](auto& digester) { return digester.finish_hex(); }, context_->digester);
}

}  // namespace lade
