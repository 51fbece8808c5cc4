// Deleting at registries that allow it, in part, or not at all.
#include "registry/deletion.hpp"

#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "registry/referrers_tag.hpp"
#include "registry/repository_sink.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using test::error_reply;
using test::FakeRegistry;
using test::HttpReply;
using testing::HasSubstr;
using testing::IsEmpty;

class DeletionTest : public testing::Test {
 protected:
  DeletionTest() {
    image_ = fake_.add_image("app", "1", "{}", {"layer"});
    fake_.add_manifest("app", "2", fake_.find_manifest("app", "1")->bytes, image_.media_type);
  }
  bool has(const std::string& key) { return fake_.find_manifest("app", key).has_value(); }

  FakeRegistry fake_;
  Descriptor image_{"", Digest::of(""), 0};
  Repository repository_{fake_.reference("app"), fake_options()};
};

TEST_F(DeletionTest, AManifestGoesWithAllItsTags) {
  EXPECT_EQ(delete_manifest(repository_, "1"), image_.digest);
  EXPECT_FALSE(has("1"));
  EXPECT_FALSE(has("2"));
  EXPECT_FALSE(has(image_.digest.text()));
  EXPECT_THROW(delete_manifest(repository_, "1"), NotFound);
}

TEST_F(DeletionTest, IsSaidToBeNotAllowed) {
  fake_.set_rules({.deletes = false});
  const auto error = error_of<HttpError>([&] { delete_manifest(repository_, "1"); });
  EXPECT_THAT(error.what(), HasSubstr("405 UNSUPPORTED"));
  EXPECT_THAT(error.hint(), HasSubstr("does not allow deletion"));
  EXPECT_TRUE(has("1"));
}

TEST_F(DeletionTest, ATagGoesAloneWhereTheRegistryCanDoThat) {
  fake_.set_rules({.deletes_tags = true});
  delete_tag(repository_, "1");
  EXPECT_FALSE(has("1"));
  EXPECT_TRUE(has("2"));
  EXPECT_TRUE(has(image_.digest.text()));
  EXPECT_THAT(fake_.requests_for("PUT"), IsEmpty());
  EXPECT_THROW(delete_tag(repository_, "1"), NotFound);
}

TEST_F(DeletionTest, ATagGoesAloneWhereItCannot) {
  delete_tag(repository_, "1");
  EXPECT_FALSE(has("1"));
  EXPECT_EQ(fake_.find_manifest("app", "2")->digest, image_.digest);
  EXPECT_TRUE(has(image_.digest.text()));
  EXPECT_THROW(delete_tag(repository_, "absent"), NotFound);
}

TEST_F(DeletionTest, ATagStaysWhereNothingCanBeDeleted) {
  fake_.set_rules({.deletes = false});
  const auto error = error_of<HttpError>([&] { delete_tag(repository_, "1"); });
  EXPECT_THAT(error.hint(), HasSubstr("does not allow deletion"));
  EXPECT_EQ(fake_.find_manifest("app", "1")->digest, image_.digest);
  EXPECT_THAT(fake_.requests_for("PUT"), IsEmpty()) << "the tag was not touched";
}

TEST_F(DeletionTest, ATagIsMovedBackWhenTheDeletionFails) {
  // 400 for the tag, 404 for the manifest that is not there, and then no more.
  const auto fail_at_last = [count = 0](HttpReply& reply) mutable {
    if (++count == 3) reply = error_reply(403, "DENIED", "not you");
  };
  fake_.alter("DELETE /v2/app/manifests/", fail_at_last, 3);
  EXPECT_THROW(delete_tag(repository_, "1"), HttpError);
  EXPECT_EQ(fake_.find_manifest("app", "1")->digest, image_.digest);
}

TEST_F(DeletionTest, AReferrerIsTakenFromTheListOfItsSubject) {
  const auto referrer = [&](const std::string& name) {
    return RawManifest::make(
        str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_index,
            R"(","manifests":[],"annotations":{"name":")", name, R"("},"subject":{"mediaType":")",
            image_.media_type, R"(","digest":")", image_.digest.text(), R"(","size":)", image_.size,
            "}}"),
        std::string(media_type::oci_index));
  };
  RepositorySink sink(fake_.reference("app"), fake_options(), {}, {});
  for (const char* name : {"one", "two"}) {
    sink.put_manifest(referrer(name), referrer(name).digest);
  }
  delete_manifest(repository_, referrer("one").digest);
  const auto list = fake_.find_manifest("app", referrers_tag(image_.digest));
  ASSERT_TRUE(list);
  const Index index = parse_index(list->bytes);
  ASSERT_EQ(index.manifests.size(), 1u);
  EXPECT_EQ(index.manifests[0].digest, referrer("two").digest);
}

}  // namespace
}  // namespace lade::registry
