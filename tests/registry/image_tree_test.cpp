#include "registry/image_tree.hpp"

#include "tests/registry/fixture.hpp"
#include "tests/registry/memory_places.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Which = Instances::Which;

const Platform k_amd64{"linux", "amd64", "", ""};

class ImageTreeTest : public testing::Test {
 protected:
  ImageTreeTest() {
    amd = maker_.add(source_, "amd", {"base", "amd"});
    arm = maker_.add(source_, "arm", {"base", "arm"});
    arm7 = maker_.add(source_, "arm7", {"base", "arm7"});
    arm6 = maker_.add(source_, "arm6", {"base", "arm6"});
    about_amd = maker_.add(source_, "about amd", {"attestation of amd"});
    about_arm = maker_.add(source_, "about arm", {"attestation of arm"});
    top = add_list(source_,
                   {list_entry(amd, "linux/amd64"), list_entry(arm, "linux/arm64/v8"),
                    list_entry(arm7, "linux/arm/v7"), list_entry(arm6, "linux/arm/v6"),
                    attestation(about_amd, amd), attestation(about_arm, arm)},
                   "app");
  }

  static std::string attestation(const Descriptor& manifest, const Descriptor& about) {
    return list_entry(
        manifest, "unknown/unknown",
        str(R"(,"annotations":{"vnd.docker.reference.digest":")", about.digest.text(), R"("})"));
  }

  ImageTree read(Instances instances, const std::string& name = "app") {
    return read_tree(source_, name, instances, k_amd64);
  }
  ImageTree subset(const std::vector<std::string>& platforms, const std::string& name = "app") {
    Instances instances{Which::subset};
    for (const std::string& text : platforms) instances.platforms.push_back(parse_platform(text));
    return read(instances, name);
  }
  static std::vector<Digest> digests(const ImageTree& tree) {
    std::vector<Digest> digests;
    for (const TreeNode& node : tree.nodes) digests.push_back(node.raw.digest);
    return digests;
  }

  ImageMaker maker_;
  MemorySource source_;
  Descriptor amd{"", Digest::of("")}, arm = amd, arm7 = amd, arm6 = amd, about_amd = amd,
                                      about_arm = amd, top = amd;
};

TEST_F(ImageTreeTest, TheSystemsImageAlone) {
  const ImageTree tree = read({Which::system});
  EXPECT_THAT(digests(tree), ElementsAre(amd.digest));
  EXPECT_EQ(tree.listed, 6u);
}

TEST_F(ImageTreeTest, TheSystemsImageWithItsLists) {
  const ImageTree tree = read({Which::with_lists});
  EXPECT_THAT(digests(tree), ElementsAre(amd.digest, top.digest));
  EXPECT_EQ(tree.nodes[1].extent, TreeNode::Extent::sparse);
}

TEST_F(ImageTreeTest, AllChildrenBeforeTheList) {
  const ImageTree tree = read({Which::all});
  EXPECT_THAT(digests(tree), ElementsAre(amd.digest, arm.digest, arm7.digest, arm6.digest,
                                         about_amd.digest, about_arm.digest, top.digest));
  EXPECT_EQ(tree.nodes.back().extent, TreeNode::Extent::whole);
}

TEST_F(ImageTreeTest, OnlyTheIndex) {
  const ImageTree tree = read({Which::index_only});
  EXPECT_THAT(digests(tree), ElementsAre(top.digest));
  EXPECT_EQ(tree.nodes.back().extent, TreeNode::Extent::sparse);
}

TEST_F(ImageTreeTest, WhatIsNoListIsTakenAsItIs) {
  maker_.add(source_, "single", {"x"}, "single");
  for (const Which which : {Which::system, Which::all, Which::subset, Which::index_only}) {
    Instances instances{which};
    if (which == Which::subset) instances.platforms = {k_amd64};
    EXPECT_EQ(read(instances, "single").nodes.size(), 1u);
  }
}

TEST_F(ImageTreeTest, ASubsetKeepsWhatIsSaidOfIt) {
  const ImageTree tree = subset({"linux/arm64"});
  EXPECT_THAT(digests(tree), ElementsAre(arm.digest, about_arm.digest, top.digest));
  EXPECT_EQ(tree.nodes.back().extent, TreeNode::Extent::stripped);
  ASSERT_EQ(tree.nodes.back().children.size(), 2u);
  EXPECT_EQ(tree.nodes.back().children[0].entry, 1u);
  EXPECT_EQ(tree.nodes.back().children[1].entry, 5u);
}

TEST_F(ImageTreeTest, APlatformWithoutVariantMeansAll) {
  EXPECT_THAT(digests(subset({"linux/arm"})), ElementsAre(arm7.digest, arm6.digest, top.digest));
  EXPECT_THAT(digests(subset({"linux/arm/v6"})), ElementsAre(arm6.digest, top.digest));
  // None has that very variant: the best that would run there.
  EXPECT_THAT(digests(subset({"linux/amd64/v3"})),
              ElementsAre(amd.digest, about_amd.digest, top.digest));
}

TEST_F(ImageTreeTest, ASubsetOfEverythingIsTheWholeList) {
  const ImageTree tree = subset({"linux/amd64", "linux/arm64", "linux/arm"});
  EXPECT_EQ(tree.nodes.size(), 7u);
  EXPECT_EQ(tree.nodes.back().extent, TreeNode::Extent::whole);
}

TEST_F(ImageTreeTest, EveryPlatformOfASubsetMustBeThere) {
  const auto error = error_of<NotFound>([&] { subset({"linux/amd64", "linux/s390x"}); });
  EXPECT_THAT(error.what(), HasSubstr("no image for `linux/s390x`"));
  EXPECT_THAT(error.what(), HasSubstr("linux/amd64, linux/arm64/v8"));
}

TEST_F(ImageTreeTest, ListsInListsAreStrippedToo) {
  const Descriptor inner =
      add_list(source_, {list_entry(arm7, "linux/arm/v7"), list_entry(arm6, "linux/arm/v6")});
  const Descriptor useless = add_list(source_, {list_entry(arm, "linux/arm64")});
  add_list(source_,
           {list_entry(amd, "linux/amd64"), list_entry(inner, "linux/arm"),
            list_entry(useless, "linux/arm64")},
           "nested");
  const ImageTree tree = subset({"linux/arm/v6"}, "nested");
  EXPECT_THAT(digests(tree),
              ElementsAre(arm6.digest, inner.digest, source_.manifests.at("nested").digest));
  EXPECT_EQ(tree.nodes[1].extent, TreeNode::Extent::stripped);
  EXPECT_EQ(tree.nodes[2].extent, TreeNode::Extent::stripped);
  EXPECT_EQ(read({Which::all}, "nested").nodes.size(), 7u);
}

TEST_F(ImageTreeTest, AListWhoseOnlyListIsStrippedIsStrippedItself) {
  const Descriptor inner =
      add_list(source_, {list_entry(arm7, "linux/arm/v7"), list_entry(arm6, "linux/arm/v6")});
  add_list(source_, {list_entry(inner, "linux/arm")}, "nested");
  EXPECT_EQ(subset({"linux/arm/v6"}, "nested").nodes.back().extent, TreeNode::Extent::stripped);
}

TEST_F(ImageTreeTest, EachManifestOnce) {
  add_list(source_, {list_entry(amd, "linux/amd64"), list_entry(amd, "linux/386")}, "twice");
  const ImageTree tree = read({Which::all}, "twice");
  EXPECT_EQ(tree.nodes.size(), 2u);
  EXPECT_EQ(tree.nodes.back().children.size(), 2u);
}

TEST_F(ImageTreeTest, WhatIsNotWhatItsListSaysIsRefused) {
  Descriptor longer = amd;
  ++longer.size;
  add_list(source_, {list_entry(longer, "linux/amd64")}, "wrong");
  EXPECT_THROW(read({Which::all}, "wrong"), Refused);
  EXPECT_THROW(read({Which::system}, "wrong"), Refused);
  source_.manifests.insert_or_assign(amd.digest.text(), source_.manifests.at(arm.digest.text()));
  EXPECT_THROW(read({Which::all}), Refused);
}

TEST_F(ImageTreeTest, WhatIsMissingIsNamed) {
  source_.manifests.erase(arm6.digest.text());
  EXPECT_THAT(error_of<NotFound>([&] { read({Which::all}); }).what(),
              HasSubstr(arm6.digest.text()));
  EXPECT_EQ(subset({"linux/amd64"}).nodes.size(), 3u) << "what is not wanted need not be there";
}

TEST_F(ImageTreeTest, ListsDoNotNestForEver) {
  Descriptor inner = amd;
  for (int i = 0; i < 4; ++i) inner = add_list(source_, {list_entry(inner, "linux/amd64")});
  EXPECT_EQ(read({Which::all}, inner.digest.text()).nodes.size(), 5u);
  inner = add_list(source_, {list_entry(inner, "linux/amd64")});
  EXPECT_THROW(read({Which::all}, inner.digest.text()), InvalidData);
  EXPECT_THROW(read({Which::system}, inner.digest.text()), InvalidData);
}

TEST_F(ImageTreeTest, AListDoesNotHoldTooMuch) {
  std::vector<std::string> entries;
  for (int i = 0; i < 4096; ++i) {
    const Descriptor manifest =
        source_.add_manifest(str(R"({"schemaVersion":2,"config":{"mediaType":"c","digest":")",
                                 Digest::of("").text(), R"(","size":)", i, R"(},"layers":[]})"),
                             media_type::oci_manifest);
    entries.push_back(list_entry(manifest, "linux/amd64"));
  }
  add_list(source_, entries, "large");
  EXPECT_THAT(error_of<InvalidData>([&] { read({Which::all}, "large"); }).what(),
              HasSubstr("more than 4096 manifests"));
}

TEST_F(ImageTreeTest, ArtifactsAreNoImages) {
  require_image(read({Which::all}));
  source_.add_manifest(str(R"({"schemaVersion":2,"config":{"mediaType":"a/chart","digest":")",
                           Digest::of("").text(), R"(","size":0},"layers":[]})"),
                       media_type::oci_manifest, "chart");
  EXPECT_THAT(error_of<InvalidData>([&] { require_image(read({Which::all}, "chart")); }).what(),
              HasSubstr("artifact with type \"a/chart\""));
}

}  // namespace
}  // namespace lade::registry
