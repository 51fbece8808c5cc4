#include "registry/signing/payload.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/signing/manifest_digest.hpp"
#include "registry/signing/stored_signature.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lade::registry {
namespace {

const std::string k_digest =
    "sha256:817a12c32a39bbe394944ba49de563e085f1d3c5266eb8e9723256bc4448680e";

std::string with(std::string_view critical, std::string_view optional = "{}") {
  return str("{\"critical\":", critical, ",\"optional\":", optional, "}");
}

std::string critical(std::string_view more = "", std::string_view digest = k_digest) {
  return str(R"({"type":"atomic container signature","image":{"docker-manifest-digest":")", digest,
             R"("},"identity":{"docker-reference":"example.com/x:1"})", more, "}");
}

TEST(Payload, IsWrittenAsSkopeoWritesIt) {
  const SignedClaim claim{.docker_reference = "docker.io/library/busybox:latest",
                          .manifest = Digest::parse(k_digest),
                          .creator = "lade <1>",
                          .timestamp = 1483228800};
  EXPECT_EQ(
      write_payload(claim, PayloadType::simple),
      str(R"({"critical":{"identity":{"docker-reference":"docker.io/library/busybox:latest"},)",
          R"("image":{"docker-manifest-digest":")", k_digest,
          R"("},"type":"atomic container signature"},)",
          R"("optional":{"creator":"lade \u003c1\u003e","timestamp":1483228800}})"));
  const SignedClaim bare{.docker_reference = "x", .manifest = Digest::parse(k_digest)};
  const std::string text = write_payload(bare, PayloadType::sigstore);
  EXPECT_NE(text.find(R"("type":"cosign container image signature"},"optional":{}})"),
            std::string::npos);
  EXPECT_EQ(parse_payload(text, PayloadType::sigstore).docker_reference, "x");
}

TEST(Payload, IsReadWithWhatIsOptional) {
  const SignedClaim claim =
      parse_payload(with(critical(), R"({"creator":"c","timestamp":7,"other":{"a":[1.5]}})"),
                    PayloadType::simple);
  EXPECT_EQ(claim.docker_reference, "example.com/x:1");
  EXPECT_EQ(claim.manifest.text(), k_digest);
  EXPECT_EQ(claim.creator, "c");
  EXPECT_EQ(claim.timestamp, 7);
}

TEST(Payload, IsReadStrictly) {
  for (const std::string& text : {
           std::string("{}"),
           std::string("[]"),
           with(critical()) + "x",
           with(critical(R"(,"more":1)")),
           with(critical(R"(,"type":"atomic container signature")")),
           with(critical("", "sha256:12")),
           with(critical("", "md5:d41d8cd98f00b204e9800998ecf8427e")),
           with(critical(), "null"),
           with(critical(), "[]"),
           with(critical(), R"({"creator":1})"),
           with(critical(), R"({"creator":null})"),
           with(critical(), R"({"timestamp":"1"})"),
           with(critical(), R"({"timestamp":1.5})"),
           with(critical(), R"({"creator":"a","creator":"b"})"),
           str("{\"critical\":", critical(), "}"),
           str("{\"critical\":", critical(), ",\"optional\":{},\"more\":{}}"),
           with(R"({"type":"atomic container signature","image":{}})"),
           with(R"({"type":"atomic container signature","image":{"docker-manifest-digest":")" +
                k_digest + R"("},"identity":{}})"),
           with(R"({"type":"atomic container signature","image":{"docker-manifest-digest":")" +
                k_digest + R"(","x":1},"identity":{"docker-reference":"a"}})"),
           with(R"({"type":"atomic container signature","image":{"docker-manifest-digest":")" +
                k_digest + R"("},"identity":{"docker-reference":"a","x":1}})"),
           with(R"({"type":"atomic container signature","image":{"docker-manifest-digest":")" +
                k_digest + R"("},"identity":{"docker-reference":1}})"),
       }) {
    EXPECT_THROW(parse_payload(text, PayloadType::simple), InvalidData) << text;
  }
  EXPECT_NO_THROW(parse_payload(with(critical()), PayloadType::simple));
}

TEST(Payload, OfOneTypeIsNoneOfTheOther) {
  EXPECT_THROW(parse_payload(with(critical()), PayloadType::sigstore), InvalidData);
  const std::string cosign =
      with(str(R"({"identity":{"docker-reference":"a"},"image":)", R"({"docker-manifest-digest":")",
               k_digest, R"("},"type":"cosign container image signature"})"),
           "null");
  EXPECT_NO_THROW(parse_payload(cosign, PayloadType::sigstore));
  EXPECT_THROW(parse_payload(cosign, PayloadType::simple), InvalidData);
}

TEST(StoredSignature, SaysWhatItIsByItsFirstBytes) {
  for (const int first : {0xa3, 0xc8, 0x90, 0xc4, 0x88, 0x89, 0xc2}) {
    const std::string bytes(1, static_cast<char>(first));
    EXPECT_EQ(std::get<SimpleSignature>(parse_signature(bytes)).message, bytes);
    EXPECT_EQ(to_bytes(parse_signature(bytes)), bytes);
  }
  const std::string named("\0simple-signing\nabc", 19);
  EXPECT_EQ(std::get<SimpleSignature>(parse_signature(named)).message, "abc");
  // An unsigned message (a literal data packet), armour, and what nobody writes.
  for (const std::string& bytes :
       {std::string(), std::string("\xcb\x01"), std::string("\xac\x01"), std::string("-----BEGIN"),
        std::string("\0sigstore-json", 14), std::string("\0other\nabc", 10)}) {
    EXPECT_THROW(parse_signature(bytes), InvalidData) << printable(bytes);
  }
}

TEST(StoredSignature, OfSigstoreIsJson) {
  const SigstoreSignature signature{.media_type = std::string(k_sigstore_media_type),
                                    .payload = "{}",
                                    .annotations = {{"b", "<"}, {"a", "1"}}};
  const std::string bytes = to_bytes(signature);
  EXPECT_EQ(bytes, std::string("\0sigstore-json\n", 15) +
                       R"({"mimeType":"application/vnd.dev.cosign.simplesigning.v1+json",)"
                       R"("payload":"e30=","annotations":{"a":"1","b":"\u003c"}})");
  EXPECT_EQ(std::get<SigstoreSignature>(parse_signature(bytes)), signature);
}

TEST(ManifestDigest, IsOfTheBytes) {
  for (const std::string& text : {std::string("abc"), std::string("{\"schemaVersion\":2}"),
                                  std::string("{\"schemaVersion\":1}")}) {
    EXPECT_EQ(manifest_digest(text), Digest::of(text));
  }
  EXPECT_EQ(manifest_digest("abc", HashAlgorithm::sha512),
            Digest::of("abc", HashAlgorithm::sha512));
}

TEST(ManifestDigest, OfSchema1LeavesTheSignaturesOut) {
  // What is signed: `{"schemaVersion":1,"name":"a"\n}`; its tail is "\n}".
  const std::string header = "eyJmb3JtYXRMZW5ndGgiOjI3LCJmb3JtYXRUYWlsIjoiQ24wIn0";
  const std::string head = R"({"schemaVersion":1,"name":"a")";
  ASSERT_EQ(head.size(), 29U);
  // The header says 27, so the payload ends within the name.
  const std::string text =
      str(head, R"(,"signatures":[{"protected":")", header, R"(","signature":"x"}]})");
  EXPECT_EQ(manifest_payload(text), head.substr(0, 27) + "\n}");
  EXPECT_EQ(manifest_digest(text), Digest::of(head.substr(0, 27) + "\n}"));
  EXPECT_THROW(manifest_payload(str(head, R"(,"signatures":[]})")), InvalidData);
  EXPECT_THROW(manifest_payload(str(head, R"(,"signatures":[{"protected":"!"}]})")), InvalidData);
  // {"formatLength":9999,"formatTail":"Cn0"}
  EXPECT_THROW(
      manifest_payload(str(
          head,
          R"(,"signatures":[{"protected":"eyJmb3JtYXRMZW5ndGgiOjk5OTksImZvcm1hdFRhaWwiOiJDbjAifQ"}]})")),
      InvalidData);
}

}  // namespace
}  // namespace lade::registry
