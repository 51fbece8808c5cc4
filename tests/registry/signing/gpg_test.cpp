#include "registry/signing/gpg.hpp"

#include "tests/registry/signing/gpg_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lade::registry {
namespace {

class Gpg : public testing::Test {
 protected:
  void SetUp() override {
    if (!GpgUser::is_installed()) GTEST_SKIP() << "gpg is not installed";
  }

  std::string sign(const std::string& key, const std::string& content) const {
    return sign_message(user_.program(), {.fingerprint = key, .passphrase = {}}, content);
  }
  std::unique_ptr<Keyring> keyring(const std::vector<std::string>& blobs) const {
    return make_keyring(user_.program(), blobs);
  }
  /// What is said about a message; empty if it is good.
  std::string refusal(const Keyring& keyring, const std::string& message) const {
    try {
      keyring.verify(message);
      return "";
    } catch (const Refused& error) {
      return error.what();
    }
  }

  GpgUser user_;
};

TEST_F(Gpg, VerifiesWhatAKnownKeySigned) {
  const std::string alice = user_.make_key("alice");
  const std::string bob = user_.make_key("bob");
  const std::string content("{\"a\":1}\n[GNUPG:] GOODSIG\n\0x", 27);
  const std::string message = sign(alice, content);

  const auto both = keyring({user_.export_key(bob), user_.export_key(alice)});
  EXPECT_EQ(both->fingerprints(), (std::vector<std::string>{bob, alice}));
  const SignedMessage verified = both->verify(message);
  EXPECT_EQ(verified.content, content);
  EXPECT_EQ(verified.fingerprint, alice);
  EXPECT_EQ(verified.primary_fingerprint, alice);

  EXPECT_NE(refusal(*keyring({user_.export_key(bob)}), message).find("is not known"),
            std::string::npos);
  EXPECT_EQ(open_user_keyring(user_.program())->verify(message).fingerprint, alice);
}

TEST_F(Gpg, TakesArmouredKeyrings) {
  const std::string alice = user_.make_key("alice");
  const auto armoured = keyring({user_.run({"--armor", "--export", alice})});
  EXPECT_EQ(armoured->fingerprints(), std::vector<std::string>{alice});
  EXPECT_THROW(keyring({"no key"}), InvalidData);
  EXPECT_THROW(keyring({user_.export_key(alice), ""}), InvalidData);
}

TEST_F(Gpg, RefusesWhatIsNotOneGoodSignature) {
  const std::string alice = user_.make_key("alice");
  const std::string bob = user_.make_key("bob");
  const auto both = keyring({user_.export_key(alice), user_.export_key(bob)});
  // Uncompressed, so that a byte can be changed that only the signature protects.
  std::string changed = user_.run({"-u", alice, "-z", "0", "--sign", "-o", "-"}, "content");
  ASSERT_EQ(refusal(*both, changed), "");
  changed[changed.find("content")] = 'C';
  EXPECT_NE(refusal(*both, changed).find("did not make it"), std::string::npos);
  EXPECT_NE(refusal(*both, user_.run({"-u", alice, "-u", bob, "--sign", "-o", "-"}, "content"))
                .find("2 valid signatures"),
            std::string::npos);
  EXPECT_NE(refusal(*both, user_.run({"--store", "-o", "-"}, "content")), "");
  EXPECT_NE(refusal(*both, user_.run({"-u", alice, "--detach-sign", "-o", "-"}, "content")), "");
  EXPECT_NE(refusal(*both, ""), "");
  EXPECT_NE(refusal(*both, "no message"), "");
  const std::string good = user_.run({"-u", alice, "-z", "0", "--sign", "-o", "-"}, "content");
  EXPECT_NE(refusal(*both, good + good), "");
  EXPECT_NE(refusal(*both, user_.run({"--store", "-z", "0", "-o", "-"}, "other") + good), "");
  EXPECT_NE(refusal(*both, good + user_.run({"--store", "-z", "0", "-o", "-"}, "other")), "");
  EXPECT_NE(refusal(*both, good.substr(0, good.size() - 10)), "");
}

TEST_F(Gpg, RefusesExpiredAndRevokedKeys) {
  const std::string old = user_.make_key("old", "seconds=3600", "20200101T000000!");
  const std::string by_old = user_.run(
      {"--faked-system-time", "20200101T000100!", "-u", old, "--sign", "-o", "-"}, "content");
  EXPECT_NE(refusal(*keyring({user_.export_key(old)}), by_old).find("has expired"),
            std::string::npos);

  const std::string alice = user_.make_key("alice", "never", "20200101T000000!");
  const std::string expired = user_.run({"--faked-system-time", "20200101T000100!", "-u", alice,
                                         "--default-sig-expire", "seconds=60", "--sign", "-o", "-"},
                                        "content");
  EXPECT_NE(refusal(*keyring({user_.export_key(alice)}), expired).find("has expired"),
            std::string::npos);

  const std::string message = sign(alice, "content");
  ASSERT_EQ(refusal(*keyring({user_.export_key(alice)}), message), "");
  std::string certificate =
      read_file(user_.scratch().path() + "/home/openpgp-revocs.d/" + alice + ".rev", 1 << 20);
  certificate.erase(certificate.find(":-----BEGIN"), 1);
  user_.run({"--import"}, certificate);
  EXPECT_NE(refusal(*keyring({user_.export_key(alice)}), message).find("is revoked"),
            std::string::npos);
}

TEST_F(Gpg, NamesBothTheSubkeyAndItsPrimary) {
  const std::string alice = user_.make_key("alice");
  user_.run({"--pinentry-mode", "loopback", "--passphrase", "", "--quick-add-key", alice, "ed25519",
             "sign", "never"});
  const SignedMessage verified = keyring({user_.export_key(alice)})
                                     ->verify(user_.run({"-u", "alice", "--sign", "-o", "-"}, "x"));
  EXPECT_NE(verified.fingerprint, alice);
  EXPECT_EQ(verified.primary_fingerprint, alice);
}

TEST_F(Gpg, SignsWithAPassphrase) {
  const std::string key = user_.make_key("locked", "never", "", "open sesame");
  const auto sign_with = [&](const std::string& passphrase) {
    return sign_message(user_.program(), {.fingerprint = key, .passphrase = passphrase}, "a\nb");
  };
  EXPECT_THROW(sign_with("wrong"), Error);
  EXPECT_THROW(sign_with("two\nlines"), UsageError);
  EXPECT_EQ(keyring({user_.export_key(key)})->verify(sign_with("open sesame")).content, "a\nb");
  EXPECT_THROW(sign("0000000000000000000000000000000000000000", "x"), Error);
}

TEST_F(Gpg, ReadsWhatIsNotVerified) {
  const std::string alice = user_.make_key("alice");
  const UntrustedMessage message = read_untrusted_message(user_.program(), sign(alice, "content"));
  EXPECT_EQ(message.content, "content");
  EXPECT_EQ(message.key_id, alice.substr(alice.size() - 16));
  EXPECT_THROW(read_untrusted_message(user_.program(), "x"), InvalidData);
}

TEST(GpgMissing, IsSaidWithAHint) {
  try {
    make_keyring({.search_path = "/nonexistent"}, {"x"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.hint(), "install the package gpg");
  }
}

}  // namespace
}  // namespace lade::registry
