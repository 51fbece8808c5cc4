#include "oci/digest.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace lade {
namespace {

const std::string k_hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Digest, OfBytes) {
  EXPECT_EQ(Digest::of("abc").text(), "sha256:" + k_hex);
  const Digest longer = Digest::of("abc", HashAlgorithm::sha512);
  EXPECT_EQ(longer.hex().size(), 128u);
  EXPECT_EQ(longer.algorithm_name(), "sha512");
  EXPECT_EQ(Digest::parse(longer.text()), longer);
}

TEST(Digest, ParsesItsOwnText) {
  const Digest digest = Digest::parse("sha256:" + k_hex);
  EXPECT_EQ(digest.algorithm(), HashAlgorithm::sha256);
  EXPECT_EQ(digest.hex(), k_hex);
  EXPECT_EQ(digest.short_hex(), "ba7816bf8f01");
  EXPECT_EQ(digest, Digest::of("abc"));
}

TEST(Digest, RefusesWhatMustNotBecomeAPath) {
  std::string upper = k_hex;
  upper[0] = 'B';
  std::string slash = k_hex;
  slash[2] = '/';
  std::string letter = k_hex;
  letter[63] = 'g';
  const std::vector<std::string> all_bad = {"",
                                            ":",
                                            "sha256",
                                            "sha256:",
                                            k_hex,
                                            ":" + k_hex,
                                            "sha256:" + k_hex.substr(1),
                                            "sha256:" + k_hex + "0",
                                            "sha256:" + upper,
                                            "sha256:" + slash,
                                            "sha256:" + letter,
                                            "SHA256:" + k_hex,
                                            "md5:" + k_hex.substr(32),
                                            "sha512:" + k_hex,
                                            "sha256:" + k_hex + k_hex,
                                            "sha384:" + k_hex,
                                            "sha256:sha256:" + k_hex,
                                            "sha256:../../../etc/passwd",
                                            "sha256:" + std::string(64, '.'),
                                            "../x:" + k_hex,
                                            "sha256:" + k_hex + "\n",
                                            " sha256:" + k_hex,
                                            "sha256+b64:" + k_hex,
                                            "sha256:" + std::string(63, '0') + '\0',
                                            "sha256:" + std::string(1000, '0')};
  for (const std::string& bad : all_bad) {
    EXPECT_EQ(Digest::try_parse(bad), std::nullopt) << bad;
    EXPECT_THROW(Digest::parse(bad), InvalidData) << bad;
  }
}

TEST(ChainId, FollowsTheSpecification) {
  const DiffId a{Digest::of("a")};
  const DiffId b{Digest::of("b")};
  const DiffId c{Digest::of("c")};
  EXPECT_EQ(chain_id(a).digest, a.digest);
  const ChainId ab = chain_id(chain_id(a), b);
  // printf 'sha256:ca978… sha256:3e23e…' | sha256sum, and so on.
  EXPECT_EQ(ab.digest.hex(), "51c0c8ace48498d6f5fee6b0592cc06f2da0f3cbe09c5a34a97dce85c3889676");
  EXPECT_EQ(chain_id(ab, c).digest.hex(),
            "2fce7f8ce91bcf0a1428b36e1024639fdbd9469eea762dba98aa749631885106");
}

}  // namespace
}  // namespace lade
