#include "registry/signing/policy_check.hpp"

#include "registry/signing/manifest_digest.hpp"
#include "registry/signing/simple_signing.hpp"
#include "tests/registry/signing/gpg_fixture.hpp"
#include "tests/registry/signing/vectors.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lade::registry {
namespace {

using vectors::k_manifest;
using vectors::stored;

/// What the policy says of an image with these signatures; empty if it may be used.
std::string verdict(const Requirements& requirements, const std::vector<std::string>& signatures,
                    const std::string& image = "registry.example/app:1", const GpgProgram& gpg = {},
                    const std::string& manifest = k_manifest) {
  const PolicyCheck check({.fallback = requirements}, gpg);
  try {
    check.admit(docker_scope(Reference::parse(image)), manifest, [&] { return signatures; });
    return "";
  } catch (const Refused& error) {
    return error.what();
  }
}

Requirements sigstore(const std::vector<std::string>& keys,
                      const SignedIdentity& identity = MatchRepository{}) {
  return {SigstoreSigned{.keys = {.data = keys}, .identity = identity}};
}

bool says(const std::string& verdict, const std::string& text) {
  return verdict.starts_with("Source image rejected: ") && verdict.find(text) != std::string::npos;
}

TEST(PolicyCheck, AcceptsAndRejectsWithoutAskingForSignatures) {
  const auto image = docker_scope(Reference::parse("registry.example/app:1"));
  const auto never = []() -> std::vector<std::string> {
    throw std::runtime_error("nobody needs signatures");
  };
  PolicyCheck(Policy::accept_anything(), {}).admit(image, k_manifest, never);
  const PolicyCheck reject({.fallback = {AcceptAnything{}, Reject{}}}, {});
  EXPECT_EQ(error_of<Refused>([&] { reject.admit(image, k_manifest, never); }).what(),
            std::string("Source image rejected: Running image docker://registry.example/app:1 is "
                        "rejected by policy."));
  const PolicyCheck unsupported({.fallback = {Unsupported{"`x`"}}}, {});
  EXPECT_THROW(unsupported.admit(image, k_manifest, never), Refused);
  const PolicyCheck signed_only(Policy::accept_anything(), {}, RequireSigned::always);
  EXPECT_THROW(signed_only.admit(image, k_manifest, never), Refused);
}

TEST(PolicyCheck, SigstoreSigned) {
  const std::string good = stored(vectors::k_payload, vectors::k_p256_signature);
  EXPECT_EQ(verdict(sigstore({vectors::k_p256_key}), {good}), "");
  EXPECT_EQ(verdict(sigstore({vectors::k_other_key, vectors::k_p256_key}), {good}), "");
  EXPECT_EQ(verdict(sigstore({vectors::k_ed25519_key}),
                    {good, stored(vectors::k_payload, vectors::k_ed25519_signature)}),
            "");
  EXPECT_TRUE(says(verdict(sigstore({vectors::k_p256_key}), {}),
                   "A signature was required, but no signature exists"));
  EXPECT_TRUE(says(verdict(sigstore({vectors::k_other_key}), {good}),
                   "cryptographic signature verification failed"));
  EXPECT_TRUE(says(verdict(sigstore({vectors::k_p256_key}, MatchRepositoryDigestOrExact{}), {good}),
                   "Signature for identity `registry.example/app` is not accepted"));
  EXPECT_TRUE(says(verdict(sigstore({vectors::k_p256_key}), {good}, "registry.example/other:1"),
                   "is not accepted"));
  EXPECT_TRUE(says(verdict(sigstore({vectors::k_p256_key}), {good}, "registry.example/app:1", {},
                           k_manifest + " "),
                   "does not match"));
  // Two keys that are both asked for.
  Requirements both = sigstore({vectors::k_p256_key});
  both.push_back(sigstore({vectors::k_ed25519_key}).front());
  EXPECT_TRUE(says(verdict(both, {good}), "cryptographic signature verification failed"));
  EXPECT_EQ(verdict(both, {stored(vectors::k_payload, vectors::k_ed25519_signature), good}), "");
}

TEST(PolicyCheck, SigstoreSignaturesThatAreNotOnes) {
  const Requirements rule = sigstore({vectors::k_p256_key});
  // Signed by the right key, but meant as something else.
  EXPECT_TRUE(
      says(verdict(rule, {stored(vectors::k_simple_payload, vectors::k_simple_payload_signature)}),
           "critical.type"));
  EXPECT_TRUE(says(verdict(rule, {stored(vectors::k_payload, "%")}), "is not base64"));
  EXPECT_TRUE(says(
      verdict(rule, {to_bytes(SigstoreSignature{.media_type = std::string(k_sigstore_media_type),
                                                .payload = vectors::k_payload})}),
      "missing dev.cosignproject.cosign/signature annotation"));
  // An attestation is no signature, and neither is an OpenPGP message.
  EXPECT_TRUE(says(verdict(rule, {to_bytes(SigstoreSignature{
                                      .media_type = "application/vnd.dsse.envelope.v1+json",
                                      .payload = vectors::k_payload,
                                      .annotations = {{std::string(k_sigstore_annotation),
                                                       vectors::k_p256_signature}}}),
                                  "\x90 message"}),
                   "no signature exists"));
  EXPECT_TRUE(says(verdict(rule, {"x", ""}), "None of the signatures were accepted, reasons: "));
  // A key that cannot be read is said even if another would do.
  EXPECT_THROW(
      PolicyCheck({.fallback = sigstore({vectors::k_p256_key, "no key"})}, {})
          .admit(docker_scope(Reference::parse("registry.example/app")), k_manifest,
                 [] { return std::vector{stored(vectors::k_payload, vectors::k_p256_signature)}; }),
      InvalidData);
}

class SignedByPolicy : public testing::Test {
 protected:
  void SetUp() override {
    if (!GpgUser::is_installed()) GTEST_SKIP() << "gpg is not installed";
    alice_ = user_.make_key("alice");
    bob_ = user_.make_key("bob");
  }
  std::string sign(const std::string& key, const std::string& name,
                   const std::string& manifest = k_manifest) const {
    return sign_manifest(user_.program(), {.fingerprint = key, .passphrase = {}}, manifest, name);
  }
  /// The message of a payload of one's own.
  std::string sign_text(const std::string& text) const {
    return sign_message(user_.program(), {.fingerprint = alice_, .passphrase = {}}, text);
  }
  Requirements by(const std::vector<std::string>& keys,
                  const SignedIdentity& identity = MatchRepositoryDigestOrExact{}) const {
    SignedBy rule{.identity = identity};
    for (const std::string& key : keys) rule.keys.data.push_back(user_.export_key(key));
    return {rule};
  }
  std::string verdict_on(const Requirements& rule, const std::vector<std::string>& signatures,
                         const std::string& image = "registry.example/app:1") const {
    return verdict(rule, signatures, image, user_.program());
  }

  GpgUser user_;
  std::string alice_;
  std::string bob_;
};

TEST_F(SignedByPolicy, TakesOneGoodSignatureOfMany) {
  const std::string good = sign(alice_, "registry.example/app:1");
  const std::string other_tag = sign(alice_, "registry.example/app:2");
  const std::string other_image = sign(alice_, "registry.example/app:1", "{}");
  const std::string other_key = sign(bob_, "registry.example/app:1");
  EXPECT_EQ(verdict_on(by({alice_}), {good}), "");
  EXPECT_EQ(verdict_on(by({bob_, alice_}), {good}), "");
  EXPECT_EQ(verdict_on(by({alice_}), {other_tag, other_image, other_key, "\x90", good}), "");

  EXPECT_TRUE(says(verdict_on(by({alice_}), {}), "A signature was required"));
  EXPECT_TRUE(says(verdict_on(by({alice_}), {other_tag}),
                   "Signature for identity `registry.example/app:2` is not accepted"));
  EXPECT_TRUE(says(verdict_on(by({alice_}), {other_image}),
                   "Signature for digest " + Digest::of("{}").text() + " does not match"));
  EXPECT_TRUE(says(verdict_on(by({alice_}), {other_key}), "is not known"));
  EXPECT_TRUE(says(verdict_on(by({alice_}), {other_tag, other_key}),
                   "None of the signatures were accepted, reasons: "));
  // A signature by cosign is none of OpenPGP.
  EXPECT_TRUE(
      says(verdict_on(by({alice_}), {stored(vectors::k_payload, "")}), "no signature exists"));
}

TEST_F(SignedByPolicy, AsksForTheIdentity) {
  const std::string good = sign(alice_, "registry.example/app:1");
  EXPECT_EQ(verdict_on(by({alice_}, MatchRepository{}), {good}, "registry.example/app:7"), "");
  EXPECT_EQ(
      verdict_on(by({alice_}), {good}, "registry.example/app@" + Digest::of(k_manifest).text()),
      "");
  EXPECT_TRUE(says(verdict_on(by({alice_}, MatchExact{}), {good},
                              "registry.example/app@" + Digest::of(k_manifest).text()),
                   "is not accepted"));
}

TEST_F(SignedByPolicy, NeedsEveryRequirement) {
  Requirements both = by({alice_});
  both.push_back(by({bob_}).front());
  const std::string by_alice = sign(alice_, "registry.example/app:1");
  EXPECT_NE(verdict_on(both, {by_alice}), "");
  EXPECT_EQ(verdict_on(both, {by_alice, sign(bob_, "registry.example/app:1")}), "");
  EXPECT_EQ(verdict_on({AcceptAnything{}, by({alice_}).front()}, {by_alice}), "");
  EXPECT_NE(verdict_on({AcceptAnything{}, by({alice_}).front()}, {}), "");
}

TEST_F(SignedByPolicy, ReadsPayloadsStrictly) {
  const std::string digest = Digest::of(k_manifest).text();
  const auto payload = [&](const std::string& more) {
    return sign_text(
        str(R"({"critical":{"identity":{"docker-reference":"registry.example/app:1"},)",
            R"("image":{"docker-manifest-digest":")", digest, R"("},)",
            R"("type":"atomic container signature")", more, R"(},"optional":{}})"));
  };
  EXPECT_EQ(verdict_on(by({alice_}), {payload("")}), "");
  EXPECT_TRUE(says(verdict_on(by({alice_}), {payload(",\"more\":1")}), "unknown member"));
  EXPECT_TRUE(says(verdict_on(by({alice_}), {payload(R"(,"type":"atomic container signature")")}),
                   "comes twice"));
  EXPECT_NE(verdict_on(by({alice_}), {sign_text("not JSON")}), "");
}

TEST_F(SignedByPolicy, ReadsKeysFromFiles) {
  const std::string first = user_.scratch().write("first.gpg", user_.export_key(bob_));
  const std::string second = user_.scratch().write("second.gpg", user_.export_key(alice_));
  const Requirements rule{SignedBy{.keys = {.paths = {first, second}, .data = {}}, .identity = {}}};
  EXPECT_EQ(verdict_on(rule, {sign(alice_, "registry.example/app:1")}), "");
  const Requirements missing{
      SignedBy{.keys = {.paths = {"/nonexistent/key"}, .data = {}}, .identity = {}}};
  EXPECT_THROW(verdict_on(missing, {sign(alice_, "registry.example/app:1")}), SystemError);
}

TEST_F(SignedByPolicy, StandaloneVerifiesTheSame) {
  const std::string signature = sign(alice_, "registry.example/app:1");
  const auto keyring = make_keyring(user_.program(), {user_.export_key(alice_)});
  const auto verify = [&](const std::string& key, const std::string& manifest,
                          const std::string& name) {
    return verify_manifest(*keyring, {bob_, key}, manifest, name, signature);
  };
  const VerifiedManifest verified = verify(alice_, k_manifest, "registry.example/app:1");
  EXPECT_EQ(verified.fingerprint, alice_);
  EXPECT_EQ(verified.digest, Digest::of(k_manifest));
  EXPECT_THROW(verify(bob_, k_manifest, "registry.example/app:1"), Refused);
  EXPECT_THROW(verify(alice_, "{}", "registry.example/app:1"), Refused);
  EXPECT_THROW(verify(alice_, k_manifest, "registry.example/app:2"), Refused);
  EXPECT_THROW(verify(alice_, k_manifest, "registry.example/app"), Refused);
}

}  // namespace
}  // namespace lade::registry
