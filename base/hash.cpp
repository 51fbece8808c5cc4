// OpenSSL's own functions for each digest, deprecated in favour of EVP: they need no provider,
// whose set-up costs a start 0.2 to 0.9 ms, and leave it to TLS how the library is initialised
// (whatever touches it first decides for the process what it knows).
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hash.hpp"

#include "base/error.hpp"
#include "base/sha256_pair.hpp"
#include "base/text.hpp"

#include <openssl/sha.h>

#include <algorithm>
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
constexpr std::size_t k_sha256_block = 64;

/// Feeds the first bytes of `data`, so many that the hash is at the beginning of a block.
void fill_block(Sha256& hash, std::span<const std::byte>& data) {
  if (hash.state.num == 0) return;
  const std::size_t count = std::min(data.size(), k_sha256_block - hash.state.num);
  hash.update(data.first(count));
  data = data.subspan(count);
}

/// What the hash knows of its length: bits, in two halves.
void add_length(Sha256& hash, std::size_t bytes) {
  const std::uint64_t bits =
      (std::uint64_t{hash.state.Nh} << 32U | hash.state.Nl) + std::uint64_t{bytes} * 8;
  hash.state.Nl = static_cast<SHA_LONG>(bits);
  hash.state.Nh = static_cast<SHA_LONG>(bits >> 32U);
}

/// Whole blocks of both, as many as there are of both; nothing where the processor cannot.
void take_together(Sha256& a, std::span<const std::byte>& a_data, Sha256& b,
                   std::span<const std::byte>& b_data) {
  fill_block(a, a_data);
  fill_block(b, b_data);
  const std::size_t blocks = std::min(a_data.size(), b_data.size()) / k_sha256_block;
  if (blocks == 0) return;
  if (!sha256_pair({a.state.h, a_data.data()}, {b.state.h, b_data.data()}, blocks)) return;
  const std::size_t bytes = blocks * k_sha256_block;
  add_length(a, bytes);
  add_length(b, bytes);
  a_data = a_data.subspan(bytes);
  b_data = b_data.subspan(bytes);
}

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

void Hasher::update_both(Hasher& a, std::span<const std::byte> a_data, Hasher& b,
                         std::span<const std::byte> b_data) {
  auto* sha_a = std::get_if<Sha256>(&a.context_->digester);
  auto* sha_b = std::get_if<Sha256>(&b.context_->digester);
  if (sha_a != nullptr && sha_b != nullptr) take_together(*sha_a, a_data, *sha_b, b_data);
  a.update(a_data);
  b.update(b_data);
}

std::string Hasher::finish_hex() {
  return std::visit([](auto& digester) { return digester.finish_hex(); }, context_->digester);
}

}  // namespace lade
