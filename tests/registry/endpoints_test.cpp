#include "registry/endpoints.hpp"

#include "base/text.hpp"
#include "tests/registry/conf_files.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace lade::registry {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string k_digest = "@sha256:" + std::string(64, 'a');

/// The endpoints' names in order, insecure ones with a `!`, mirrors with a `~`.
std::vector<std::string> names(const PullPlan& plan) {
  std::vector<std::string> names;
  for (const PullEndpoint& endpoint : plan.endpoints) {
    names.push_back(str(endpoint.kind == EndpointKind::mirror ? "~" : "",
                        endpoint.tls_verify == TlsVerify::no ? "!" : "",
                        endpoint.reference.text()));
  }
  return names;
}

std::vector<std::string> plan_names(const RegistriesConf& conf, std::string_view reference,
                                    Reading reading = Reading::image) {
  return names(plan_pull(conf, Reference::parse(reference), reading));
}

std::string refusal(const RegistriesConf& conf, std::string_view reference) {
  return error_of<Refused>([&] { plan_pull(conf, Reference::parse(reference)); });
}

TEST(Endpoints, WithoutARuleTheReferenceItself) {
  EXPECT_THAT(plan_names({}, "alpine"), ElementsAre("docker.io/library/alpine"));
  EXPECT_THAT(plan_names({}, "a.b/c:1" + k_digest), ElementsAre("a.b/c:1" + k_digest));
}

// The example of containers-registries.conf(5).
TEST(Endpoints, MirrorsInOrderTheRegistryLast) {
  const RegistriesConf conf = conf_of(
      "[[registry]]\nprefix='example.com/foo'\nlocation='internal.example.net/bar'\n"
      "[[registry.mirror]]\nlocation='mirror-0.local/for-foo'\n"
      "[[registry.mirror]]\nlocation='mirror-1.local/mirrors/foo'\ninsecure=true\n"
      "[[registry]]\nlocation='registry.com'\n"
      "[[registry.mirror]]\nlocation='mirror.registry.com'\n");
  EXPECT_THAT(plan_names(conf, "example.com/foo/image:latest"),
              ElementsAre("~mirror-0.local/for-foo/image:latest",
                          "~!mirror-1.local/mirrors/foo/image:latest",
                          "internal.example.net/bar/image:latest"));
  EXPECT_THAT(plan_names(conf, "registry.com/image:latest"),
              ElementsAre("~mirror.registry.com/image:latest", "registry.com/image:latest"));
  EXPECT_THAT(plan_names(conf, "example.com/other"), ElementsAre("example.com/other"));
}

// What skopeo 1.9.3 tried for each of these.
struct Rewriting {
  std::string_view prefix;
  std::string_view location;
  std::string_view reference;
  std::string_view there;
};

TEST(Endpoints, RewritesNames) {
  const std::vector<Rewriting> table{
      {"example.invalid/a", "localhost:5000", "example.invalid/a/debian:min",
       "localhost:5000/debian:min"},
      {"example.invalid/", "localhost:5000//", "example.invalid/debian:min",
       "localhost:5000/debian:min"},
      {"docker.io/library", "localhost:5000", "debian:min", "localhost:5000/debian:min"},
      {"docker.io", "m.local/hub", "debian", "m.local/hub/library/debian"},
      {"*.invalid", "localhost:5000", "a.b.invalid/debian:min", "localhost:5000/debian:min"},
      {"*.invalid", "", "a.b.invalid/debian:min", "a.b.invalid/debian:min"},
      {"127.0.0.1", "127.0.0.1", "127.0.0.1:5000/debian:min", "127.0.0.1:5000/debian:min"},
      {"a.b/repo", "c.d/other", "a.b/repo:1", "c.d/other:1"},
      // The page describes prefixes with a tag; the other tools never match them.
      {"a.b/repo:1", "c.d/other", "a.b/repo:1", "c.d/other:1"},
      {"a.b/repo:1", "c.d/other:2", "a.b/repo:1", "c.d/other:2"},
      {"a.b/repo:1", "a.b/repo:1", "a.b/repo:1", "a.b/repo:1"},
      {"a.b/repo:1", "c.d/other", "a.b/repo:2", "a.b/repo:2"},
  };
  for (const Rewriting& row : table) {
    const RegistriesConf conf =
        conf_of(str("[[registry]]\nprefix='", row.prefix, "'\nlocation='", row.location, "'\n"));
    EXPECT_THAT(plan_names(conf, row.reference), ElementsAre(std::string(row.there)))
        << row.prefix << " -> " << row.location;
  }
}

TEST(Endpoints, KeepsDigestsWhenRewriting) {
  const RegistriesConf conf = conf_of("[[registry]]\nprefix='a.b'\nlocation='c.d/e'\n");
  EXPECT_THAT(plan_names(conf, "a.b/x" + k_digest), ElementsAre("c.d/e/x" + k_digest));
  EXPECT_THAT(plan_names(conf, "a.b/x:1" + k_digest), ElementsAre("c.d/e/x:1" + k_digest));
}

TEST(Endpoints, LocationsThatMakeNoReferenceAreNamed) {
  for (const Rewriting& row : std::vector<Rewriting>{
           {"*.invalid", "localhost:5000", "a.invalid:77/debian", "invalid reference"},
           {"example.invalid", "mirror", "example.invalid/debian", "registry host"},
           {"example.invalid", "m.local/UPPER", "example.invalid/debian", "lower case"},
           {"a.b", "c.d/repo:1", "a.b/x", "invalid reference"}}) {
    const RegistriesConf conf =
        conf_of(str("[[registry]]\nprefix='", row.prefix, "'\nlocation='", row.location, "'\n"));
    EXPECT_THAT(error_of<InvalidData>([&] { plan_pull(conf, Reference::parse(row.reference)); }),
                AllOf(HasSubstr(str("location `", row.location, "` in `")),
                      HasSubstr("registries.conf`: "), HasSubstr(std::string(row.there))));
  }
}

TEST(Endpoints, MirrorsForDigestsAndForTags) {
  const RegistriesConf conf = conf_of(
      "[[registry]]\nlocation='a.b'\n"
      "[[registry.mirror]]\nlocation='m1.x'\npull-from-mirror='digest-only'\n"
      "[[registry.mirror]]\nlocation='m2.x'\npull-from-mirror='tag-only'\n"
      "[[registry.mirror]]\nlocation='m3.x'\npull-from-mirror='all'\n");
  EXPECT_THAT(plan_names(conf, "a.b/c:1"), ElementsAre("~m2.x/c:1", "~m3.x/c:1", "a.b/c:1"));
  EXPECT_THAT(plan_names(conf, "a.b/c"), ElementsAre("~m2.x/c", "~m3.x/c", "a.b/c"));
  const std::string by_digest = "c" + k_digest;
  EXPECT_THAT(plan_names(conf, "a.b/" + by_digest),
              ElementsAre("~m1.x/" + by_digest, "~m3.x/" + by_digest, "a.b/" + by_digest));
  const std::string by_both = "c:1" + k_digest;
  EXPECT_THAT(plan_names(conf, "a.b/" + by_both),
              ElementsAre("~m1.x/" + by_both, "~m3.x/" + by_both, "a.b/" + by_both));
}

TEST(Endpoints, MirrorByDigestOnly) {
  const RegistriesConf conf = conf_of(
      "[[registry]]\nlocation='a.b'\nmirror-by-digest-only=true\n"
      "[[registry.mirror]]\nlocation='m1.x'\n[[registry.mirror]]\nlocation='m2.x'\n");
  EXPECT_THAT(plan_names(conf, "a.b/c:1"), ElementsAre("a.b/c:1"));
  EXPECT_THAT(plan_names(conf, "a.b/c" + k_digest),
              ElementsAre("~m1.x/c" + k_digest, "~m2.x/c" + k_digest, "a.b/c" + k_digest));
}

TEST(Endpoints, ListsOfTagsComeFromMirrorsThatServeTags) {
  const RegistriesConf conf = conf_of(
      "[[registry]]\nlocation='a.b'\n"
      "[[registry.mirror]]\nlocation='m1.x'\npull-from-mirror='digest-only'\n"
      "[[registry.mirror]]\nlocation='m2.x'\n"
      "[[registry]]\nprefix='a.b/c:1'\nlocation='z.x/c'\n");
  EXPECT_THAT(plan_names(conf, "a.b/c:1", Reading::tags), ElementsAre("~m2.x/c", "a.b/c"));
  EXPECT_THAT(plan_names(conf, "a.b/c" + k_digest, Reading::tags), ElementsAre("~m2.x/c", "a.b/c"));
}

TEST(Endpoints, SecurityIsEachPlacesOwn) {
  const RegistriesConf conf = conf_of(
      "[[registry]]\nprefix='a.b'\nlocation='c.d'\ninsecure=true\nproxy='http://p:1'\n"
      "[[registry.mirror]]\nlocation='m.x'\n");
  EXPECT_THAT(plan_names(conf, "a.b/c"), ElementsAre("~m.x/c", "!c.d/c"));
  const PullPlan plan = plan_pull(conf, Reference::parse("a.b/c"));
  EXPECT_EQ(plan.endpoints[0].proxy, std::nullopt);
  EXPECT_EQ(plan.endpoints[1].proxy, "http://p:1");
}

TEST(Endpoints, BlockedRegistriesAreRefused) {
  const RegistriesConf conf = conf_of(
      "[[registry]]\nlocation='a.b'\nblocked=true\n"
      "[[registry]]\nprefix='a.b/good'\nlocation='a.b/good'\n"
      "[[registry]]\nprefix='*.evil.org'\nblocked=true\n");
  EXPECT_THAT(refusal(conf, "a.b/c:1"),
              AllOf(HasSubstr("registry `a.b` is blocked in `"), HasSubstr("/registries.conf`")));
  EXPECT_NE(refusal(conf, "A.b/c"), "");
  EXPECT_NE(refusal(conf, "a.b:5000/c"), "");
  EXPECT_THAT(refusal(conf, "x.y.evil.org/c"), HasSubstr("registry `*.evil.org` is blocked"));
  EXPECT_THAT(plan_names(conf, "a.b/good/c"), ElementsAre("a.b/good/c"));
}

// skopeo 1.9.3 pulls through this one, against its page: it looks at the new name only.
TEST(Endpoints, BlockedNamesAreRefusedWhereverTheyLead) {
  const RegistriesConf conf = conf_of("[[registry]]\nprefix='a.b'\nlocation='c.d'\nblocked=true\n");
  EXPECT_THAT(refusal(conf, "a.b/c"), HasSubstr("registry `a.b` is blocked"));
}

TEST(Endpoints, BlockedPlacesAreRefusedUnderOtherNames) {
  const RegistriesConf conf = conf_of(
      "[[registry]]\nprefix='a.b'\nlocation='c.d'\n[[registry.mirror]]\nlocation='e.f/x'\n"
      "[[registry]]\nprefix='c.d'\nlocation='g.h'\nblocked=true\n"
      "[[registry]]\nlocation='e.f'\nblocked=true\n");
  EXPECT_THAT(refusal(conf, "a.b/c"), AllOf(HasSubstr("registry `e.f` is blocked"),
                                            HasSubstr("; registry `c.d` is blocked")));
}

// As OpenShift writes "never contact the source".
TEST(Endpoints, MirrorsOfABlockedRegistryAreUsed) {
  const RegistriesConf conf = conf_of(
      "[[registry]]\nlocation='a.b'\nblocked=true\n"
      "[[registry.mirror]]\nlocation='m.x'\npull-from-mirror='digest-only'\n");
  const PullPlan plan = plan_pull(conf, Reference::parse("a.b/c" + k_digest));
  EXPECT_THAT(names(plan), ElementsAre("~m.x/c" + k_digest));
  EXPECT_THAT(plan.refusals, ElementsAre(HasSubstr("registry `a.b` is blocked in `")));
  EXPECT_NE(refusal(conf, "a.b/c:1"), "");
}

TEST(DirectLocation, IsNeitherRewrittenNorMirrored) {
  const RegistriesConf conf = conf_of(
      "[[registry]]\nprefix='a.b'\nlocation='c.d'\ninsecure=true\nproxy='http://p:1'\n"
      "[[registry.mirror]]\nlocation='m.x'\n[[registry]]\nlocation='e.f'\nblocked=true\n");
  const Location there = direct_location(conf, "a.b/repo");
  EXPECT_EQ(there.name, "");
  EXPECT_EQ(there.tls_verify, TlsVerify::no);
  EXPECT_EQ(there.proxy, "http://p:1");
  EXPECT_EQ(direct_location(conf, "other.x").tls_verify, TlsVerify::yes);
  EXPECT_THAT(error_of<Refused>([&] { direct_location(conf, "e.f"); }),
              HasSubstr("registry `e.f` is blocked"));
}

class TryEndpoints : public ::testing::Test {
 protected:
  RegistriesConf conf_ = conf_of(
      "[[registry]]\nlocation='a.b'\n[[registry.mirror]]\nlocation='m1.x'\n"
      "[[registry.mirror]]\nlocation='m2.x'\n");
  PullPlan plan_ = plan_pull(conf_, Reference::parse("a.b/c:1"));
  std::vector<std::string> noted_;

  /// Tries all; those in `failing` throw NotFound.
  std::string run(const std::vector<std::string>& failing) {
    return try_endpoints(
        plan_,
        [&](const PullEndpoint& endpoint) {
          for (const std::string& domain : failing) {
            if (endpoint.reference.domain() == domain) throw NotFound("no " + domain);
          }
          return endpoint.reference.domain();
        },
        [&](const PullEndpoint& endpoint, const Error& error) {
          noted_.push_back(endpoint.reference.domain() + ": " + error.what());
        });
  }
};

TEST_F(TryEndpoints, TheFirstThatServesIsUsed) {
  EXPECT_EQ(run({}), "m1.x");
  EXPECT_EQ(run({"m1.x"}), "m2.x");
  EXPECT_EQ(run({"m1.x", "m2.x"}), "a.b");
  EXPECT_THAT(noted_, ElementsAre("m1.x: no m1.x", "m1.x: no m1.x", "m2.x: no m2.x"));
}

TEST_F(TryEndpoints, TheLastErrorIsThrownWithTheOthers) {
  EXPECT_EQ(error_of<NotFound>([&] {
              run({"m1.x", "m2.x", "a.b"});
            }),
            "after other endpoints (no m1.x; no m2.x): no a.b");
}

TEST_F(TryEndpoints, OneEndpointAddsNothing) {
  plan_ = plan_pull({}, Reference::parse("a.b/c:1"));
  EXPECT_EQ(error_of<NotFound>([&] { run({"a.b"}); }), "no a.b");
}

TEST_F(TryEndpoints, RefusalsAreTold) {
  conf_ =
      conf_of("[[registry]]\nlocation='a.b'\nblocked=true\n[[registry.mirror]]\nlocation='m1.x'\n");
  plan_ = plan_pull(conf_, Reference::parse("a.b/c:1"));
  EXPECT_THAT(error_of<NotFound>([&] { run({"m1.x"}); }),
              AllOf(HasSubstr("registry `a.b` is blocked in `"), HasSubstr("): no m1.x")));
}

TEST_F(TryEndpoints, AnInterruptEndsAll) {
  int calls = 0;
  EXPECT_THROW(try_endpoints(
                   plan_,
                   [&](const PullEndpoint&) -> int {
                     ++calls;
                     throw Cancelled();
                   },
                   [](const PullEndpoint&, const Error&) {}),
               Cancelled);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace lade::registry
