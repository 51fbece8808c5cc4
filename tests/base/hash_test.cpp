#include "base/hash.hpp"

#include "base/fd.hpp"
#include "base/patient_hasher.hpp"

#include <gtest/gtest.h>

#include <random>

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

// Two at once give what each gives alone, wherever in a block the pieces begin and end.
TEST(Hasher, TwoAtOnce) {
  std::mt19937 random(7);
  std::string text(70'000, '\0');
  for (char& c : text) c = static_cast<char>(random());
  const auto piece = [&] {
    const std::size_t size = random() % 3 == 0 ? random() % 100 : random() % 9000;
    return std::string_view(text).substr(random() % 60'000, size);
  };
  for (int round = 0; round < 300; ++round) {
    const HashAlgorithm other = round % 10 == 0 ? HashAlgorithm::sha512 : HashAlgorithm::sha256;
    Hasher a(HashAlgorithm::sha256);
    Hasher b(other);
    std::string all_a;
    std::string all_b;
    for (int i = 0; i < 5; ++i) {
      const std::string_view to_a = piece();
      const std::string_view to_b = piece();
      Hasher::update_both(a, as_bytes(to_a), b, as_bytes(to_b));
      all_a += to_a;
      all_b += to_b;
    }
    ASSERT_EQ(a.finish_hex(), hash(HashAlgorithm::sha256, all_a)) << round;
    ASSERT_EQ(b.finish_hex(), hash(other, all_b)) << round;
  }
}

// Whatever waits, and however long, is hashed in its order.
TEST(Hasher, OneThatWaitsForCompany) {
  std::mt19937 random(11);
  std::string text(1'000'000, '\0');
  for (char& c : text) c = static_cast<char>(random());
  for (int round = 0; round < 12; ++round) {
    PatientHasher patient(HashAlgorithm::sha256);
    Hasher other(HashAlgorithm::sha256);
    std::string all;
    std::string all_of_other;
    for (int i = 0; i < 12; ++i) {
      if (i == round % 12) patient.be_patient();
      const std::size_t size = random() % (random() % 3 == 0 ? 700'000 : 9000);
      const std::string_view piece = std::string_view(text).substr(random() % 300'000, size);
      if (random() % 2 == 0) {
        patient.update(as_bytes(piece));
        all += piece;
      } else {
        patient.update_beside(other, as_bytes(piece));
        all_of_other += piece;
      }
    }
    ASSERT_EQ(patient.finish_hex(), hash(HashAlgorithm::sha256, all)) << round;
    patient.update_beside(other, as_bytes(text));
    ASSERT_EQ(other.finish_hex(), hash(HashAlgorithm::sha256, all_of_other + text)) << round;
  }
}

// Beyond 512 MiB the length's lower half overflows.
TEST(Hasher, TwoAtOnceCountTheirLength) {
  const std::string piece(std::size_t{4} << 20U, 'x');
  Hasher both(HashAlgorithm::sha256);
  Hasher other(HashAlgorithm::sha256);
  for (int i = 0; i < 127; ++i) both.update(as_bytes(piece));
  for (int i = 0; i < 2; ++i) Hasher::update_both(both, as_bytes(piece), other, as_bytes(piece));
  EXPECT_EQ(both.finish_hex(), "dded2e7309053188ac2f6e0dab1e5f25a37642fb65d081a1026497ae4f5c87be");
}

}  // namespace
}  // namespace lade
