#include "base/public_key.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lade {
namespace {

/// A key, and its signature of the text `payload`, made with openssl(1).
struct Vector {
  const char* name;
  const char* base64_key;
  const char* base64_signature;
};

const Vector k_accepted[] = {
    {"p256",
     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFu+b89PlBtiem0fvImO674hl7Tr5gDzddViWxrUh2O8QcDD/"
     "D8Aznbik9V0uLoxsL9gAFC20Zxn+VVqU0v5srA==",
     "MEQCIFtu3Wlmcp/kK6IBFwZXilZx8pSZRfdnDR4L/SUfN49LAiBNJ+kCddQspSqyAmxU7wqnFGXFWF1fuzKj"
     "u+rL/AMRww=="},
    {"p384",
     "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEY09F5SMD/3mLBKRSOFbOAV9+L5QbQZtmEQGq2R2W/tuxOxbCZYGt"
     "9Rfi9XbbDFZ7nChaWWgydk+McZTmdjNJz6co+yYGvcGFz+NsA1q1YmHytOQcpTUhX0EFKe3o8YVq",
     "MGYCMQD1540bIvZ814Bvb1GbLNXXJEs9Yzo8MCZOS6Jbat3aI9VzFRidkfEi1i34UxVPXM8CMQDWh+8W9JZM"
     "Sczlx3LRaY+D7agaZq9zVallQ0q66RfLQnvdgNaphnpx4PZgslAPDp0="},
    {"p521",
     "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBuCzgC0hthCVhoJR+PHFkymvuz8AfklwpG3fMItYKGX4RjKy3"
     "owWSPQ/EiO4UFknI3Adxv6d/2fCXvchvTvXSFVgA9wIaloTKBRSf4mc5osGGXvNgqdBBgf9yLEFPh8yLwnuZ"
     "jfXwE5au4cnWctkFR9F6GZUBGDJAOyxvE+irXyKEqyM=",
     "MIGHAkIB5oUCI2Nyu0yw/ZuncQJTJhvEr9Dy5XPg19WpRJuPi2L+Q5dMZrdlTC3nJiqG+u7h0pf6Mtc7QLB4"
     "1cItRcSZfuMCQUs7UbSV6fIGhAKMuYe8cFcXeBWclx19San6paDTDtMPb3IaikMok0ypzYPUB1Jpttsjx5Gt"
     "EGOd49G9WZzV+Dwc"},
    {"rsa2048",
     "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwLLohy38HaPI/gv31mylrz0+Kgn2hXS8bdteYYwg"
     "OXSd7sADKzTYPuUZeqVpAtLQZTc9VN77nXKyxFIm75/dE/R+VpNk0WoHZUMrKte6qewrjM6Xe4uL0skFZXaC"
     "sNqLNa+9tzk0PxdvSsmbW8yOJnAgb7FZBjbXypDSE8S/C0FI2X9+KuXPj33I6SX91qZSWoPpZDcZ1uaFBsFJ"
     "mVeeR4jenx07ctvZIDSYsftaFci+loE+MeBg334TLU3WtNzZLmNcR5rK4xRC/AN2V/gzljH4O5Ty6Lau8T9q"
     "ga5URzhhNCQfZxynganX6ik70jJoOE0i2vxM0RphlnsCAasB1wIDAQAB",
     "NU0mqFH4Gyv2wkTVmBN6rj7QT9T5h4z2vuCaWecpwuzRb02jatNB9mrkGJTJS/gMzFE2+JlWwUtxlTABfNDO"
     "CXHq/8O8u9dwrP9+HXh2NyRNGhnQDSQq6RTDPaMqd5zL/W4fNwG0O/y1Gjz0lVbO2XEkkwI404cQpDvV6VmO"
     "48JaoICSLqvxOfSyxeZN1ZQchxi80GvOy6wqEQ4zQAkr9CpWBYGop9Js2E5aT42AeXd7Ew1d+lu7nNF9q/K0"
     "JcQavcVycHrWPLBifbO0GtJpAMRXspx8UwMbLIBH89s8FGoTmLiuKmttu/WRyDwwXp27zqnwaxrPnCPjax0s"
     "uvMtHA=="},
    {"ed25519", "MCowBQYDK2VwAyEAr7hwAQivb/mfN5tG3eNtUb+nKv3k8AD2muBz17kLQS0=",
     "mwG3K5Ol3XYfH+tkamZyDZhFts/WlForhSKcOpp/jn/eURC+a/zUzgULq2AWF0gBxARNI0BU9HsmMgKDOZ71"
     "CA=="},
};

const Vector k_refused[] = {
    {"k256",
     "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEXoMHc5KboJ2BgbvmXhI6JBMtZ+PkUfC31ryFwrmP5mtEGDC8lM6l"
     "HyC2gQ9gRmaOoaP3bEU2Rgl15y6wqUeiQg==",
     ""},
    {"rsa1024",
     "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC0n8ieCUjnqZjQh2iVO0ng0ycpSA2wwWfReKqMnjR/gnKK"
     "2iAIvcX8rZkRvF9FzGjviRs1c4+nCQFObcrG/jEFoMJJCkv0LxCw3oThx8jzHMBk0aAOg5k8PRqMwBfzHKoY"
     "reEgG7XmVklP4C2CRxiCIY/5aoJXfFWbg4aQ5kvwJwIDAQAB",
     ""},
};

std::string pem(const std::string& base64) {
  return str("-----BEGIN PUBLIC KEY-----\n", base64, "\n-----END PUBLIC KEY-----\n");
}

TEST(PublicKey, VerifiesItsOwnersSignatures) {
  for (const Vector& vector : k_accepted) {
    SCOPED_TRACE(vector.name);
    const PublicKey key = PublicKey::parse_pem(pem(vector.base64_key), "key");
    const std::string signature = base64_decode(vector.base64_signature).value();
    EXPECT_TRUE(key.verify("payload", signature));
    EXPECT_FALSE(key.verify("payloaD", signature));
    EXPECT_FALSE(key.verify("payload", signature.substr(1)));
    EXPECT_FALSE(key.verify("payload", ""));
    std::string changed = signature;
    changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
    EXPECT_FALSE(key.verify("payload", changed));
    for (const Vector& other : k_accepted) {
      if (&other == &vector) continue;
      EXPECT_FALSE(key.verify("payload", base64_decode(other.base64_signature).value()));
    }
  }
}

TEST(PublicKey, RefusesOtherAndShortKeys) {
  for (const Vector& vector : k_refused) {
    SCOPED_TRACE(vector.name);
    EXPECT_THROW(PublicKey::parse_pem(pem(vector.base64_key), "key"), InvalidData);
  }
}

TEST(PublicKey, RefusesWhatIsNoKey) {
  const std::string good = k_accepted[0].base64_key;
  EXPECT_NO_THROW(PublicKey::parse_pem("a comment\r\n" + pem(good), "key"));
  for (const std::string& text :
       {std::string(), std::string("x"), good, pem(""), pem("%"), pem(good.substr(4)),
        pem(good + "AAAA"), pem(good).substr(0, 60),
        str("-----BEGIN PRIVATE KEY-----\n", good, "\n-----END PRIVATE KEY-----\n", pem(good))}) {
    EXPECT_THROW(PublicKey::parse_pem(text, "key"), InvalidData) << text;
  }
}

}  // namespace
}  // namespace lade
