// Damage of every kind is found, and named; what is only left over is told apart from it.
#include "snapshot/verify.hpp"

#include "base/concurrency.hpp"
#include "snapshot/layer_record.hpp"
#include "snapshot/staged_layer.hpp"
#include "store/database.hpp"
#include "store/layer_description.hpp"
#include "tests/snapshot/harness.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <utility>

namespace lade::test {
namespace {

using snapshot::VerifyReport;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Sums up what the tasks tell.
class CountingObserver final : public Observer {
 public:
  struct Told {
    TaskKind kind;
    std::string label;
    std::uint64_t total = 0;
    std::uint64_t done = 0;
    bool ended = false;
  };

  TaskId begin(TaskKind kind, std::string_view label,
               std::optional<std::uint64_t> total) noexcept override {
    auto all = tasks.lock();
    all->push_back({kind, std::string(label), total.value_or(0)});
    return all->size() - 1;
  }
  void advance(TaskId id, std::uint64_t bytes) noexcept override {
    tasks.lock()->at(id).done += bytes;
  }
  void end(TaskId id, Outcome outcome) noexcept override {
    tasks.lock()->at(id).ended = outcome == Outcome::done;
  }
  void note(NoteLevel, std::string_view) noexcept override {}
  Sync<std::vector<Told>> tasks;
};

class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    LADE_NEEDS_ROOT();
    store_.emplace(store::Store::open(scratch_.path() + "/store"));
    image_.emplace(TestImage({TarBuilder().directory("a", 0711).file("a/one", "first").bytes(),
                              TarBuilder().directory("", 0755).file("two", "second").bytes()}));
    id_ = pull(*store_, *image_).id.text();
  }

  store::Store& store() { return *store_; }
  VerifyReport verify() {
    NullObserver nobody;
    return snapshot::verify_store(store(), 2, {{}, nobody});
  }
  std::string key(std::size_t i) const { return Digest::of(image_->tars[i]).hex(); }
  Directory layer(std::size_t i) { return store().layers().child(key(i)); }
  Directory tree(std::size_t i) { return layer(i).child("tree"); }
  void execute(const std::string& sql) {
    store::Database::open(scratch_.path() + "/store/index.db").execute(sql);
  }

  /// That one thing is said of `object`, and that the image needs it.
  void expect_found(const std::string& object, const std::string& problem) {
    const VerifyReport report = verify();
    bool found = false;
    for (const snapshot::Finding& finding : report.findings) {
      EXPECT_EQ(finding.object, object);
      found = found || finding.problem.find(problem) != std::string::npos;
    }
    EXPECT_TRUE(found) << problem;
    EXPECT_THAT(report.damaged_images, testing::SizeIs(1));
  }
  /// The same for something in the first layer, which is then put right again.
  void expect_layer_damage(const std::function<void()>& damage, const std::string& problem) {
    damage();
    expect_found("layer " + key(0), problem);
    store().layers().remove_tree(key(0));
    pull_layer_again();
    EXPECT_THAT(verify().findings, IsEmpty());
  }
  void pull_layer_again() {
    VerifyReport report = verify();
    snapshot::discard_damaged(store(), report);
    pull(store(), *image_);
  }

  StoreScratch scratch_;
  std::optional<store::Store> store_;
  std::optional<TestImage> image_;
  std::string id_;
};

TEST_F(VerifyTest, AWholeStoreIsWhole) {
  const VerifyReport report = verify();
  EXPECT_EQ(report.blobs, 4U);
  EXPECT_EQ(report.layers, 2U);
  EXPECT_EQ(report.unrecorded, 0U);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.strays, IsEmpty());
}

TEST_F(VerifyTest, EachChangeOfALayerIsFound) {
  const auto one = [&] { return tree(0).path_of("a/one"); };
  expect_layer_damage([&] { write_all(open_file(one(), O_WRONLY), as_bytes("F"), "one"); },
                      "has other content");
  expect_layer_damage([&] { ASSERT_EQ(::truncate(one().c_str(), 0), 0); }, "has 0 bytes, not 5");
  expect_layer_damage([&] { ASSERT_EQ(::unlink(one().c_str()), 0); }, "`a/one` is missing");
  expect_layer_damage([&] { tree(0).child("a").write_file("new", "x", 0600); },
                      "`a/new` was not there");
  expect_layer_damage([&] { ASSERT_EQ(::chmod(one().c_str(), 04644), 0); }, "has another mode");
  expect_layer_damage([&] { ASSERT_EQ(::chown(one().c_str(), 1, 0), 0); }, "has another owner");
  expect_layer_damage([&] { ASSERT_EQ(::setxattr(one().c_str(), "trusted.x", "1", 1, 0), 0); },
                      "has other extended attributes");
  expect_layer_damage(
      [&] {
        const timespec times[2] = {{.tv_sec = 5, .tv_nsec = 0}, {.tv_sec = 5, .tv_nsec = 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, one().c_str(), times, 0), 0);
      },
      "has another time");
  expect_layer_damage(
      [&] {
        ASSERT_EQ(::unlink(one().c_str()), 0);
        ASSERT_EQ(::symlink("elsewhere", one().c_str()), 0);
      },
      "is of another type");
  expect_layer_damage([&] { layer(0).remove_tree("tree"); }, "its files are missing");
  expect_layer_damage([&] { store().layers().remove_tree(key(0)); }, "is missing");
  expect_layer_damage([&] { layer(0).remove_file(store::k_layer_description); },
                      "its description is missing or damaged");
}

TEST_F(VerifyTest, TheDirectoryOfTheTreeItselfIsCompared) {
  ASSERT_EQ(::chmod(tree(1).path().c_str(), 0777), 0);
  expect_found("layer " + key(1), "`.` has another mode");
}

TEST_F(VerifyTest, ARecordThatIsGoneOrEarlierIsNoDamage) {
  const std::string path = layer(1).path_of(snapshot::k_layer_record);
  const std::string record = read_file(path, 1 << 20);
  const auto lines = split(record, '\n');
  std::string earlier;
  for (const std::string& line : lines) {
    if (!line.empty() && !line.ends_with(" .")) earlier += line + "\n";
  }
  ASSERT_NE(earlier, record);
  layer(1).write_file(snapshot::k_layer_record, earlier, 0600);
  EXPECT_THAT(verify().findings, IsEmpty()) << "it says nothing of the top";
  layer(1).remove_file(snapshot::k_layer_record);
  EXPECT_EQ(verify().unrecorded, 1U);
  layer(1).write_file(snapshot::k_layer_record, "garbage", 0600);
  expect_found("layer " + key(1), "was not there");
}

TEST_F(VerifyTest, EachChangeOfABlobIsFound) {
  const Digest digest = image_->layers[0].digest;
  const std::string path = store().blobs().path_of(digest.hex());
  const std::string bytes = read_file(path, 1 << 20);
  const std::string object = "blob " + digest.text();
  std::string other = bytes;
  other[700] = static_cast<char>(other[700] ^ 1);
  store().blobs().write_file(digest.hex(), other, 0444);
  expect_found(object, "has another digest");
  store().blobs().write_file(digest.hex(), bytes.substr(0, 700), 0444);
  expect_found(object, str("has 700 bytes, not ", bytes.size()));
  store().blobs().remove_file(digest.hex());
  expect_found(object, "is missing");
  store().blobs().ensure_child(digest.hex(), 0700);
  expect_found(object, "is not a file");
}

TEST_F(VerifyTest, FilesWithoutARowAreStraysAndNoDamage) {
  const Digest stray = Digest::of("stray");
  store().blobs().write_file(stray.hex(), "stray", 0444);
  store().layers().ensure_child(stray.hex(), 0700);
  const VerifyReport report = verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.strays, ElementsAre("blob " + stray.text(), "layer " + stray.hex()));
  store().collect();
  EXPECT_THAT(verify().strays, IsEmpty());
}

TEST_F(VerifyTest, RowsOfAnotherLayerThanThatOnTheDiskAreFound) {
  execute("UPDATE layers SET root_opaque = 1");
  const VerifyReport report = verify();
  ASSERT_THAT(report.findings, testing::SizeIs(2));
  EXPECT_EQ(report.findings.front().object, "index");
  EXPECT_THAT(report.findings.front().problem, HasSubstr("is another one than the index says"));
}

TEST_F(VerifyTest, AnImageWhoseRowsMakeAnotherChainIsFound) {
  execute(str("PRAGMA foreign_keys = OFF; UPDATE images SET chain = '",
              chain_id(DiffId{Digest::of(image_->tars[0])}).digest.text(), "'"));
  const VerifyReport report = verify();
  ASSERT_THAT(report.findings, testing::SizeIs(1));
  EXPECT_THAT(report.findings.front().problem, HasSubstr("has other layers than its config says"));
}

TEST_F(VerifyTest, RowsThatReferToNoneAreFound) {
  execute("PRAGMA foreign_keys = OFF; INSERT INTO tags VALUES ('x.example/a:1', 'sha256:none')");
  const VerifyReport report = verify();
  ASSERT_THAT(report.findings, testing::SizeIs(1));
  EXPECT_THAT(report.findings.front().problem, HasSubstr("a row of tags refers to one of images"));
}

TEST_F(VerifyTest, TellsHowFarItIs) {
  CountingObserver observer;
  snapshot::verify_store(store(), 2, {{}, observer});
  const auto told = *observer.tasks.lock();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].label, "4 blobs");
  EXPECT_EQ(told[1].label, "2 layers");
  for (const auto& task : told) {
    EXPECT_EQ(task.kind, TaskKind::verify);
    EXPECT_GT(task.total, 0U);
    EXPECT_EQ(task.done, task.total);
    EXPECT_TRUE(task.ended);
  }
}

/// Removes an image, and what was moved away for it, as soon as something of its layers was read.
class RemovingObserver final : public Observer {
 public:
  RemovingObserver(store::Store& store, const Digest& image) : store_(store), image_(image) {}

  TaskId begin(TaskKind, std::string_view label, std::optional<std::uint64_t>) noexcept override {
    return label.ends_with(" layers") ? 1 : 0;
  }
  void advance(TaskId id, std::uint64_t) noexcept override {
    if (id == 1 && !std::exchange(is_removed, true)) store_.remove_image(image_);
  }
  void end(TaskId, Outcome) noexcept override {}
  void note(NoteLevel, std::string_view) noexcept override {}
  bool is_removed = false;

 private:
  store::Store& store_;
  Digest image_;
};

TEST_F(VerifyTest, WhatIsRemovedWhileItIsReadIsNoDamage) {
  store().remove_image(Digest::parse(id_));
  // Whichever directory is read first, the other one is gone then.
  const TestImage other({TarBuilder()
                             .directory("a", 0755)
                             .file("a/file", "1")
                             .directory("b", 0755)
                             .file("b/file", "2")
                             .bytes()});
  RemovingObserver observer(store(), pull(store(), other).id);
  const VerifyReport report = snapshot::verify_store(store(), 1, {{}, observer});
  EXPECT_TRUE(observer.is_removed);
  EXPECT_THAT(report.findings, IsEmpty());
}

TEST_F(VerifyTest, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  NullObserver nobody;
  EXPECT_THROW(snapshot::verify_store(store(), 2, {stop.get_token(), nobody}), Cancelled);
}

}  // namespace
}  // namespace lade::test
