#include "base/hash.hpp"

#include "base/fd.hpp"

#include <gtest/gtest.h>

namespace lade {
namespace {

std::string hash(HashAlgorithm algorithm, std::string_view text) {
  Hasher hasher(algorithm);
  hasher.update(as_bytes(text));
  return hasher.finish_hex();
}

// FIPS 180-2, appendices B and C.
TEST(Hasher, Sha256Vectors) {
  EXPECT_EQ(hash(HashAlgorithm::sha256, ""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash(HashAlgorithm::sha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash(HashAlgorithm::sha256, std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hasher, Sha512Vectors) {
  EXPECT_EQ(hash(HashAlgorithm::sha512, "abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Hasher, TakesPiecesAndMoves) {
  Hasher first(HashAlgorithm::sha256);
  first.update(as_bytes("a"));
  Hasher hasher(std::move(first));
  hasher.update({});
  hasher.update(as_bytes("bc"));
  EXPECT_EQ(hasher.finish_hex(), hash(HashAlgorithm::sha256, "abc"));
}

}  // namespace
}  // namespace lade
