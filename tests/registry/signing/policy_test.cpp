#include "registry/signing/policy.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lade::registry {
namespace {

const std::string k_sha = "sha256:817a12c32a39bbe394944ba49de563e085f1d3c5266eb8e9723256bc4448680e";

Policy parse(const std::string& text) {
  return parse_policy(text, "`policy.json`");
}

std::string refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const InvalidData& error) {
    return error.what();
  }
  return "taken";
}

/// A policy whose default is this one requirement.
std::string only(const std::string& requirement) {
  return str("{\"default\":[", requirement, "]}");
}

std::string signed_by(const std::string& members) {
  return only(str(R"({"type":"signedBy","keyType":"GPGKeys",)", members, "}"));
}

std::string identity(const std::string& members) {
  return signed_by(str(R"("keyPath":"/k","signedIdentity":{)", members, "}"));
}

bool is_rejected(const Requirements& requirements) {
  return std::holds_alternative<Reject>(requirements.front());
}

TEST(PolicyFile, ReadsAllRequirements) {
  const Policy policy = parse(R"({
    "default": [{"type":"reject"}],
    "transports": {
      "docker": {
        "example.com/a": [{"type":"insecureAcceptAnything"}],
        "example.com/b": [
          {"type":"signedBy","keyType":"GPGKeys","keyPaths":["/a","/b"]},
          {"type":"signedBy","keyType":"GPGKeys","keyData":"YWJj",
           "signedIdentity":{"type":"remapIdentity","prefix":"a.example:5000","signedPrefix":"docker.io/x"}},
          {"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"matchRepository"}},
          {"type":"sigstoreSigned","keyDatas":["YQ==","Yg=="]}
        ]
      },
      "unheard-of": {"whatever it is": [{"type":"reject"}]},
      "dir": {"": [{"type":"insecureAcceptAnything"}]}
    }})");
  EXPECT_TRUE(is_rejected(policy.fallback));
  const Requirements& all = policy.transports.at("docker").at("example.com/b");
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(std::get<SignedBy>(all[0]).keys.paths, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_TRUE(
      std::holds_alternative<MatchRepositoryDigestOrExact>(std::get<SignedBy>(all[0]).identity));
  EXPECT_EQ(std::get<SignedBy>(all[1]).keys.data, std::vector<std::string>{"abc"});
  EXPECT_EQ(std::get<RemapIdentity>(std::get<SignedBy>(all[1]).identity).signed_prefix,
            "docker.io/x");
  EXPECT_TRUE(std::holds_alternative<MatchRepository>(std::get<SigstoreSigned>(all[2]).identity));
  EXPECT_EQ(std::get<SigstoreSigned>(all[3]).keys.data, (std::vector<std::string>{"a", "b"}));
}

TEST(PolicyFile, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refusal(R"({"default":[{"type":"reject"}],"defaults":1})"),
            "invalid `policy.json`: it has the unknown member `defaults`");
  EXPECT_EQ(refusal(R"({"default":[{"type":"reject"}],"default":[{"type":"reject"}]})"),
            "invalid `policy.json`: the member `default` comes twice");
  EXPECT_EQ(refusal("{}"), "invalid `policy.json`: it lacks `default`");
  EXPECT_EQ(refusal(R"({"default":[]})"),
            "invalid `policy.json`: `default` is empty: it needs at least one requirement");
  EXPECT_EQ(refusal(only(R"({"type":"accept"})")),
            "invalid `policy.json`: `default[0]` has the unknown type `accept`");
  EXPECT_EQ(refusal(only(R"({"type":"reject","keyPath":"/k"})")),
            "invalid `policy.json`: `default[0]` has the unknown member `keyPath`");
  for (
      const std::string& text : {
          std::string(R"({"default":[{"type":"reject"}],"transports":{"docker":{"a":[]}}})"),
          std::string(
              R"({"default":[{"type":"reject"}],"transports":{"docker":{"a":[{"type":"reject"}],"a":[{"type":"reject"}]}}})"),
          std::string(R"({"default":[{"type":"reject"}],"transports":[]})"),
          std::string(R"({"default":[{"type":"reject"}],"transports":null})"),
          std::string(R"({"default":{"type":"reject"}})"),
          only("{}"),
          only(R"({"type":"signedBy","keyPath":"/k"})"),
          only(R"({"type":"signedBy","keyType":"gpgkeys","keyPath":"/k"})"),
          signed_by(R"("unknown":1,"keyPath":"/k")"),
          signed_by(R"("signedIdentity":{"type":"matchExact"})"),
          signed_by(R"("keyPath":"/k","keyData":"YQ==")"),
          signed_by(R"("keyPath":"/k","keyPaths":["/k"])"),
          signed_by(R"("keyPath":"")"),
          signed_by(R"("keyPath":null)"),
          signed_by(R"("keyPaths":[])"),
          signed_by(R"("keyPaths":[""])"),
          signed_by(R"("keyData":"%")"),
          signed_by(R"("keyDatas":["YQ=="])"),
          only(R"({"type":"sigstoreSigned"})"),
          only(R"({"type":"sigstoreSigned","keyPath":"/k","keyType":"GPGKeys"})"),
          only(R"({"type":"sigstoreSigned","keyDatas":[]})"),
          identity(R"("type":"unknown")"),
          identity(R"("type":"matchExact","more":1)"),
          identity(R"("type":"exactReference","dockerReference":"busybox")"),
          identity(R"("type":"exactReference","dockerReference":"UPPER:1")"),
          identity(R"("type":"exactReference")"),
          identity(R"("type":"exactRepository","dockerReference":"busybox")"),
          identity(R"("type":"remapIdentity","prefix":"short","signedPrefix":"a.example")"),
          identity(R"("type":"remapIdentity","prefix":"a.example","signedPrefix":"a.example/b:1")"),
          identity(R"("type":"remapIdentity","prefix":"a.example/","signedPrefix":"a.example")"),
          identity(R"("type":"remapIdentity","prefix":"","signedPrefix":"a.example")"),
      }) {
    EXPECT_NE(refusal(text), "taken") << text;
  }
  EXPECT_EQ(refusal(identity(R"("type":"exactReference","dockerReference":"busybox:1")")), "taken");
}

TEST(PolicyFile, WhatIsNotVerifiedBarsOnlyWhatNeedsIt) {
  for (const char* requirement : {
           R"({"type":"signedBaseLayer","baseLayerIdentity":{"type":"matchExact"}})",
           R"({"type":"signedBy","keyType":"X509Certificates","keyPath":"/k"})",
           R"({"type":"sigstoreSigned","fulcio":{},"rekorPublicKeyPath":"/r"})",
           R"({"type":"sigstoreSigned","keyPath":"/k","rekorPublicKeyData":"YQ=="})",
           R"({"type":"sigstoreSigned","pki":{}})",
       }) {
    const Policy policy = parse(only(requirement));
    EXPECT_TRUE(std::holds_alternative<Unsupported>(policy.fallback.front())) << requirement;
  }
}

TEST(PolicyFile, RefusesScopesThatATransportCannotHave) {
  const auto scope = [](const std::string& transport, const std::string& text) {
    return refusal(str(R"({"default":[{"type":"reject"}],"transports":{")", transport, R"(":{")",
                       text, R"(":[{"type":"reject"}]}}})"));
  };
  for (const char* transport : {"dir", "oci", "oci-archive"}) {
    EXPECT_EQ(scope(transport, "/a/b"), "taken");
    EXPECT_EQ(scope(transport, ""), "taken");
    for (const char* text : {"a", "/", "/a/", "/a//b", "/a/../b", "/a/./b", "//a"}) {
      EXPECT_NE(scope(transport, text), "taken") << transport << text;
    }
  }
  EXPECT_NE(scope("docker-archive", "/a"), "taken");
  EXPECT_EQ(scope("docker-archive", ""), "taken");
}

TEST(PolicyScopes, OfAnImageAtARegistry) {
  EXPECT_EQ(
      docker_scope(Reference::parse("busybox")).scopes,
      (std::vector<std::string>{"docker.io/library/busybox:latest", "docker.io/library/busybox",
                                "docker.io/library", "docker.io", "*.io"}));
  EXPECT_EQ(docker_scope(Reference::parse("a.b.example:5000/n/x:1")).scopes,
            (std::vector<std::string>{"a.b.example:5000/n/x:1", "a.b.example:5000/n/x",
                                      "a.b.example:5000/n", "a.b.example:5000", "*.b.example",
                                      "*.example"}));
  EXPECT_EQ(docker_scope(Reference::parse("localhost/x@" + k_sha)).scopes,
            (std::vector<std::string>{"localhost/x@" + k_sha, "localhost/x", "localhost"}));
  EXPECT_EQ(docker_scope(Reference::parse("localhost/x:1@" + k_sha)).scopes.front(),
            "localhost/x@" + k_sha);
}

TEST(PolicyScopes, OfAPath) {
  EXPECT_EQ(path_scope("dir", "/a/b/c").scopes, (std::vector<std::string>{"/a/b/c", "/a/b", "/a"}));
  EXPECT_EQ(path_scope("dir", "not/there").scopes, (std::vector<std::string>{"not/there", "not"}));
  EXPECT_TRUE(plain_scope("docker-archive", "x.tar", std::nullopt).scopes.empty());
}

TEST(PolicyScopes, TheNearestOneCounts) {
  const auto lookup = [](const std::vector<std::string>& scopes, const std::string& image) {
    Policy policy{.fallback = {AcceptAnything{}}};
    auto& docker = policy.transports["docker"];
    // Each scope accepts but the expected one, which is the first.
    for (const std::string& scope : scopes) docker[scope] = {AcceptAnything{}};
    docker[scopes.front()] = {Reject{}};
    return is_rejected(find_requirements(policy, docker_scope(Reference::parse(image))));
  };
  EXPECT_TRUE(lookup({"a.example/n/x:1", "a.example/n/x", "a.example", ""}, "a.example/n/x:1"));
  EXPECT_TRUE(lookup({"a.example/n/x", "a.example/n/x:2", "a.example/n", ""}, "a.example/n/x:1"));
  EXPECT_TRUE(
      lookup({"a.example/n", "a.example/n/y", "a.example", "*.example"}, "a.example/n/x:1"));
  EXPECT_TRUE(lookup({"a.example", "a.example:5000", "*.example", ""}, "a.example/n/x:1"));
  EXPECT_TRUE(lookup({"*.example", "example", "*.a.example", ""}, "a.example:5000/n/x:1"));
  EXPECT_TRUE(lookup({"", "a.example/n/x:2", "a.example:5000"}, "a.example/n/x:1"));
  // A prefix of a name is no scope of it.
  EXPECT_FALSE(lookup({"a.example/n/xx", "a.example/n/x"}, "a.example/n/x:1"));
  EXPECT_FALSE(lookup({"a.example/n/", "a.example/n/x"}, "a.example/n/x:1"));
  // Another transport's scopes are nobody's, the fallback is everybody's.
  Policy policy{.fallback = {Reject{}}};
  policy.transports["docker"][""] = {AcceptAnything{}};
  EXPECT_TRUE(is_rejected(find_requirements(policy, path_scope("dir", "/a"))));
  policy.transports["dir"]["/b"] = {AcceptAnything{}};
  EXPECT_TRUE(is_rejected(find_requirements(policy, path_scope("dir", "/a"))));
  EXPECT_FALSE(is_rejected(find_requirements(policy, path_scope("dir", "/b/c"))));
}

/// Whether an image of that name may carry a signature for that other one.
bool accepts(const SignedIdentity& rule, const std::string& image, const std::string& found) {
  return matches(rule, docker_scope(Reference::parse(image)).reference, found);
}

TEST(SignedIdentity, MatchExact) {
  const MatchExact rule;
  EXPECT_TRUE(accepts(rule, "a.example/x:1", "a.example/x:1"));
  EXPECT_TRUE(accepts(rule, "busybox", "docker.io/library/busybox:latest"));
  EXPECT_TRUE(accepts(rule, "docker.io/library/busybox:1", "busybox:1"));
  EXPECT_FALSE(accepts(rule, "a.example/x:1", "a.example/x:2"));
  EXPECT_FALSE(accepts(rule, "a.example/x:1", "a.example/y:1"));
  EXPECT_FALSE(accepts(rule, "a.example/x", "a.example/x"));
  EXPECT_FALSE(accepts(rule, "a.example/x@" + k_sha, "a.example/x:1"));
  EXPECT_FALSE(accepts(rule, "a.example/x:1", "NOT A REFERENCE"));
  EXPECT_FALSE(matches(rule, std::nullopt, "a.example/x:1"));
}

TEST(SignedIdentity, MatchRepositoryDigestOrExact) {
  const MatchRepositoryDigestOrExact rule;
  EXPECT_TRUE(accepts(rule, "a.example/x:1", "a.example/x:1"));
  EXPECT_FALSE(accepts(rule, "a.example/x:1", "a.example/x:2"));
  EXPECT_TRUE(accepts(rule, "a.example/x@" + k_sha, "a.example/x:1"));
  EXPECT_TRUE(accepts(rule, "a.example/x@" + k_sha, "a.example/x@" + k_sha));
  EXPECT_FALSE(accepts(rule, "a.example/x@" + k_sha, "a.example/y:1"));
  EXPECT_FALSE(accepts(rule, "a.example/x@" + k_sha, "a.example/x"));
  // By both: the tag counts too.
  EXPECT_TRUE(accepts(rule, "a.example/x:1@" + k_sha, "a.example/x:1"));
  EXPECT_FALSE(accepts(rule, "a.example/x:1@" + k_sha, "a.example/x:2"));
  EXPECT_FALSE(matches(rule, std::nullopt, "a.example/x:1"));
}

TEST(SignedIdentity, MatchRepository) {
  const MatchRepository rule;
  EXPECT_TRUE(accepts(rule, "a.example/x:1", "a.example/x:2"));
  EXPECT_TRUE(accepts(rule, "a.example/x:1", "a.example/x"));
  EXPECT_FALSE(accepts(rule, "a.example/x:1", "b.example/x:1"));
  EXPECT_FALSE(matches(rule, std::nullopt, "a.example/x"));
}

TEST(SignedIdentity, ExactOnesDoNotAskTheImage) {
  const ExactReference reference{Reference::parse("a.example/x:1")};
  EXPECT_TRUE(accepts(reference, "b.example/y:2", "a.example/x:1"));
  EXPECT_TRUE(matches(reference, std::nullopt, "a.example/x:1"));
  EXPECT_FALSE(accepts(reference, "a.example/x:2", "a.example/x:2"));
  const ExactRepository repository{Reference::parse("a.example/x")};
  EXPECT_TRUE(matches(repository, std::nullopt, "a.example/x:7"));
  EXPECT_FALSE(matches(repository, std::nullopt, "a.example/y:7"));
}

TEST(SignedIdentity, RemapIdentity) {
  const RemapIdentity rule{.prefix = "mirror.example:5000/m", .signed_prefix = "vendor.example"};
  EXPECT_TRUE(accepts(rule, "mirror.example:5000/m/x:1", "vendor.example/x:1"));
  EXPECT_FALSE(accepts(rule, "mirror.example:5000/m/x:1", "mirror.example:5000/m/x:1"));
  EXPECT_FALSE(accepts(rule, "mirror.example:5000/m/x:1", "vendor.example/x:2"));
  EXPECT_TRUE(accepts(rule, "mirror.example:5000/m/x@" + k_sha, "vendor.example/x:2"));
  // What has another prefix stays as it is.
  EXPECT_TRUE(accepts(rule, "mirror.example:5000/mm/x:1", "mirror.example:5000/mm/x:1"));
  EXPECT_FALSE(accepts(rule, "mirror.example:5000/mm/x:1", "vendor.examplem/x:1"));
  EXPECT_FALSE(matches(rule, std::nullopt, "vendor.example/x:1"));
  const RemapIdentity whole{.prefix = "a.example/x", .signed_prefix = "b.example/y"};
  EXPECT_TRUE(accepts(whole, "a.example/x:1", "b.example/y:1"));
}

}  // namespace
}  // namespace lade::registry
