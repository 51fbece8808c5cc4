// Containers' directories: their overlay, their end, and those whose process died.
#include "snapshot/container.hpp"

#include "store/container_record.hpp"
#include "tests/snapshot/harness.hpp"

#include <gmock/gmock.h>
#include <signal.h>

namespace lade::test {
namespace {

using snapshot::ContainerDirectory;
using snapshot::Lifetime;
using testing::ElementsAre;
using testing::IsEmpty;

class ContainerTest : public testing::Test {
 protected:
  void SetUp() override {
    LADE_NEEDS_ROOT();
    store_.emplace(store::Store::open(scratch_.path() + "/store"));
    image_.emplace(pull(*store_, TestImage({TarBuilder()
                                                .directory("./", 0711, {.uid = 3, .gid = 4})
                                                .file("f", "image")
                                                .bytes()})));
  }

  StoreScratch scratch_;
  std::optional<store::Store> store_;
  std::optional<store::StoredImage> image_;
};

TEST_F(ContainerTest, WritesGoToItsOwnLayerAndAwayWithIt) {
  {
    const auto container = ContainerDirectory::create(*store_, *image_, "one", Lifetime::ephemeral);
    const Directory root(make_overlay_mount(container.overlay()), "merged");
    EXPECT_EQ(stat_of(root.handle(), "").st_mode & 07777U, 0711U);
    EXPECT_EQ(stat_of(root.handle(), "").st_uid, 3U);
    root.write_file("f", "changed", 0644);
    root.write_file("new", "new", 0644);
    EXPECT_THAT(container.directory().child("upper").list(), ElementsAre("f", "new"));
  }
  EXPECT_THAT(store_->containers().list(), IsEmpty());
  EXPECT_EQ(merged_view(*store_, *image_).at("f"), "file 0644 0:0 image");
}

TEST_F(ContainerTest, AKeptOneStaysUntilItIsRemoved) {
  { ContainerDirectory::create(*store_, *image_, "kept", Lifetime::kept); }
  { ContainerDirectory::create(*store_, *image_, "other", Lifetime::ephemeral); }
  EXPECT_THAT(store_->containers().list(), ElementsAre("kept"));
  EXPECT_THROW(ContainerDirectory::create(*store_, *image_, "kept", Lifetime::kept), Busy);
  const auto record = store::find_container_record(store_->containers().child("kept"), "kept");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->image, image_->id);
}

TEST_F(ContainerTest, WhatADeadProcessLeftIsSweptByTheNext) {
  const int status = in_child([&]() -> int {
    const auto container =
        ContainerDirectory::create(*store_, *image_, "dead", Lifetime::ephemeral);
    ::kill(::getpid(), SIGKILL);
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_THAT(store_->containers().list(), ElementsAre("dead"));
  const auto alive = ContainerDirectory::create(*store_, *image_, "alive", Lifetime::ephemeral);
  const auto next = ContainerDirectory::create(*store_, *image_, "next", Lifetime::ephemeral);
  EXPECT_THAT(store_->containers().list(), ElementsAre("alive", "next"));
}

TEST_F(ContainerTest, AnImageInUseIsNotRemovedUnlessForced) {
  auto container = ContainerDirectory::create(*store_, *image_, "user", Lifetime::ephemeral);
  try {
    store_->remove_image(image_->id);
    ADD_FAILURE() << "removed an image in use";
  } catch (const Busy& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("used by container `user`"));
  }
  container.remove();
  store_->remove_image(image_->id);
  EXPECT_THAT(leftovers(*store_), IsEmpty());
}

TEST_F(ContainerTest, AnImageThatWentMeanwhileIsNotFound) {
  store_->remove_image(image_->id);
  EXPECT_THROW(ContainerDirectory::create(*store_, *image_, "late", Lifetime::kept), NotFound);
  EXPECT_THAT(store_->containers().list(), IsEmpty());
}

TEST_F(ContainerTest, NamesThatAreNoFileNamesAreRefused) {
  for (const auto* id : {"", ".", "..", "a/b", "../x"}) {
    EXPECT_THROW(ContainerDirectory::create(*store_, *image_, id, Lifetime::kept), UsageError);
  }
}

}  // namespace
}  // namespace lade::test
