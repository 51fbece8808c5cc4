#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "registry/host.hpp"
#include "registry/session.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using test::FakeRegistry;
using test::HttpReply;
using testing::IsEmpty;
using testing::SizeIs;

class HeadTest : public testing::Test {
 protected:
  HeadTest() { image_ = fake_.add_image("lib/app", "1", "{}", {"layer"}); }

  /// Takes the digest out of the next answer about the manifest.
  void hide_digest() {
    fake_.alter("HEAD /v2/lib/app/manifests/", [](HttpReply& reply) {
      std::erase_if(reply.headers, [](const auto& field) {
        return ascii_iequals(field.first, "Docker-Content-Digest");
      });
    });
  }

  FakeRegistry fake_;
  Descriptor image_{"", Digest::of(""), 0};
  Repository repository_{fake_.reference("lib/app:1"), fake_options()};
};

TEST_F(HeadTest, TellsWhatATagStandsForWithoutAPull) {
  const Descriptor head = repository_.head("1");
  EXPECT_EQ(head.digest, image_.digest);
  EXPECT_EQ(head.media_type, media_type::oci_manifest);
  EXPECT_EQ(head.size, image_.size);
  EXPECT_THAT(fake_.requests_for("GET /v2/lib/app/"), IsEmpty());
}

TEST_F(HeadTest, GetsTheManifestWhereTheAnswerLacksTheDigest) {
  hide_digest();
  EXPECT_EQ(repository_.head("1").digest, image_.digest);
  EXPECT_THAT(fake_.requests_for("GET /v2/lib/app/manifests/1"), SizeIs(1));
}

TEST_F(HeadTest, GetsTheManifestWhereHeadIsNotAllowed) {
  fake_.script("HEAD /v2/lib/app/", test::error_reply(405, "UNSUPPORTED", "no"));
  EXPECT_EQ(repository_.head("1").digest, image_.digest);
}

TEST_F(HeadTest, RefusesAnotherDigestThanWasAskedFor) {
  const Descriptor other = fake_.add_image("lib/app", "2", "{ }", {"other"});
  fake_.alter("HEAD /v2/lib/app/manifests/", [&](HttpReply& reply) {
    for (auto& [name, value] : reply.headers) {
      if (ascii_iequals(name, "Docker-Content-Digest")) value = other.digest.text();
    }
  });
  EXPECT_THROW(repository_.head(image_.digest), Refused);
}

TEST_F(HeadTest, SaysWhatIsNotThere) {
  EXPECT_THROW(repository_.head("none"), NotFound);
}

TEST_F(HeadTest, UsesOneConnectionForAllRepositoriesOfAPool) {
  ConnectionOptions options = fake_options();
  options.hosts = std::make_shared<HostPool>();
  for (int i = 0; i < 10; ++i) fake_.add_image(str("lib/app", i), "1", "{}", {"layer"});
  Repository first(fake_.reference("lib/app0:1"), options);
  first.head("1");
  const std::size_t before = fake_.connections();
  for (int i = 1; i < 10; ++i) {
    EXPECT_EQ(Repository(fake_.reference(str("lib/app", i, ":1")), options).head("1").size,
              image_.size);
  }
  EXPECT_EQ(fake_.connections(), before);
}

}  // namespace
}  // namespace lade::registry
