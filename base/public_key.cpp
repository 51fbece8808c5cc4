#include "base/public_key.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/provider.h>

#include <openssl/x509.h>

namespace lade {

namespace {

constexpr int k_shortest_rsa = 2048;  // bits

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// The DER of the first PEM block.
std::string read_pem(std::string_view pem, std::string_view what) {
  constexpr std::string_view k_begin = "-----BEGIN PUBLIC KEY-----";
  constexpr std::string_view k_end = "-----END PUBLIC KEY-----";
  const auto fail = [&] {
    return InvalidData(str("read ", what, ": it is not a PEM file with a `PUBLIC KEY`"));
  };
  const std::size_t begin = pem.find("-----BEGIN ");
  if (begin == std::string_view::npos || !pem.substr(begin).starts_with(k_begin)) throw fail();
  pem.remove_prefix(begin + k_begin.size());
  const std::size_t end = pem.find(k_end);
  if (end == std::string_view::npos) throw fail();
  std::string base64;
  for (const char c : pem.substr(0, end)) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') base64 += c;
  }
  auto der = base64_decode(base64);
  if (!der) throw fail();
  return *std::move(der);
}

/// Whether signatures by keys of this kind and size are taken.
bool is_accepted(EVP_PKEY* key) {
  const int kind = EVP_PKEY_get_base_id(key);
  if (kind == EVP_PKEY_ED25519) return true;
  if (kind == EVP_PKEY_RSA) return EVP_PKEY_get_bits(key) >= k_shortest_rsa;
  if (kind != EVP_PKEY_EC) return false;
  char group[64];
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group, sizeof group, &size) != 1) return false;
  const int curve = OBJ_sn2nid(std::string(group, size).c_str());
  return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1 || curve == NID_secp521r1;
}

}  // namespace

/// With a library context of its own: the host's openssl.cnf has no say in what is trusted, and how
/// the library is set up for everybody else is left to TLS.
struct PublicKey::Key {
  OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
  OSSL_PROVIDER* provider = OSSL_PROVIDER_load(library, "default");
  EVP_PKEY* handle = nullptr;
  Key() = default;
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() {
    EVP_PKEY_free(handle);
    if (provider != nullptr) OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(library);
  }
};

PublicKey::PublicKey(std::unique_ptr<Key> key) : key_(std::move(key)) {}
PublicKey::PublicKey(PublicKey&&) noexcept = default;
PublicKey& PublicKey::operator=(PublicKey&&) noexcept = default;
PublicKey::~PublicKey() = default;

PublicKey PublicKey::parse_pem(std::string_view pem, std::string_view what) {
  const std::string der = read_pem(pem, what);
  auto key = std::make_unique<Key>();
  if (key->library == nullptr || key->provider == nullptr) {
    throw Error(str("read ", what, ": OpenSSL has no provider"));
  }
  const unsigned char* at = bytes_of(der);
  key->handle = d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(der.size()), key->library, nullptr);
  if (key->handle == nullptr || at != bytes_of(der) + der.size()) {
    throw InvalidData(str("read ", what, ": it is not a public key"));
  }
  if (!is_accepted(key->handle)) {
    throw InvalidData(str("read ", what, ": it is not an ECDSA key (P-256, P-384, P-521), an RSA ",
                          "key of ", k_shortest_rsa, " bits or more, or an Ed25519 key"));
  }
  return PublicKey(std::move(key));
}

bool PublicKey::verify(std::string_view data, std::string_view signature) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  const bool hashes_itself = EVP_PKEY_get_base_id(key_->handle) == EVP_PKEY_ED25519;
  const char* hash = hashes_itself ? nullptr : "SHA256";
  if (!context || EVP_DigestVerifyInit_ex(context.get(), nullptr, hash, key_->library, nullptr,
                                          key_->handle, nullptr) != 1) {
    throw Error("verify a signature: OpenSSL refused to begin");
  }
  return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(data),
                          data.size()) == 1;
}

}  // namespace lade
