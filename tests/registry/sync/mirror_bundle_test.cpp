#include "registry/sync/mirror_bundle.hpp"

#include "base/text.hpp"
#include "registry/sync/mirror_verify.hpp"
#include "registry/transports/layout_source.hpp"
#include "tests/contract/test_image.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace lade::registry {
namespace {

using test::make_image;
using test::put_image;
using test::TestImage;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::SizeIs;

std::string read_text(const std::string& path) {
  return read_file(path, std::size_t{64} << 20);
}

class BundleTest : public testing::Test {
 protected:
  BundleTest() { add(here(), "app:1", one_); }

  std::string here() const { return scratch_.path() + "/here"; }
  std::string there() const { return scratch_.path() + "/there"; }
  std::string file() const { return scratch_.path() + "/bundle.tar"; }

  void add(const std::string& path, const std::string& name, const TestImage& image) {
    MirrorDirectory mirror(path, {});
    MirrorSink sink(mirror, name, {"docker://q.io/" + name, image.manifest.digest, "all"});
    put_image(sink, image, name);
    sink.commit();
  }

  BundleHead bundle(const BundleBase& base = {}) {
    const OciLayout layout = OciLayout::open(here());
    BundleHead head = plan_bundle(layout, base);
    StringSink out;
    write_bundle(layout, head, out, job_);
    std::ofstream(file(), std::ios::binary) << out.text();
    return head;
  }

  BundleApplied apply() {
    return apply_bundle(ArchiveFile::open(file(), {.temporary_directory = scratch_.path()}),
                        there(), 2, job_);
  }

  static std::string state(const std::string& path) {
    return MirrorState::of(OciLayout::open(path)).text();
  }

  /// Everything below a directory, with its content.
  static std::map<std::string, std::string> tree(const std::string& path) {
    std::map<std::string, std::string> files;
    if (!std::filesystem::exists(path)) return files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.emplace(entry.path(), read_text(entry.path()));
    }
    return files;
  }

  Scratch scratch_;
  NullObserver observer_;
  Job job_{{}, observer_};
  TestImage one_ = make_image("one", {"shared", "first"});
  TestImage two_ = make_image("two", {"shared", "second"});
};

TEST_F(BundleTest, CarriesAWholeMirror) {
  bundle();
  const BundleApplied applied = apply();
  EXPECT_EQ(applied.blobs, 4U);
  EXPECT_EQ(state(there()), state(here()));
  EXPECT_TRUE(verify_layout(OciLayout::open(there()), {}, job_).is_whole());
}

TEST_F(BundleTest, HasOnlyWhatTheOtherSideLacks) {
  bundle();
  apply();
  const MirrorState before = MirrorState::of(OciLayout::open(here()));
  add(here(), "app:2", two_);
  const BundleHead head =
      bundle({MirrorState::parse(before.text(), "state"), BundleBase::Names::add_and_remove});
  EXPECT_THAT(head.contained, SizeIs(3));  // manifest, config, one layer
  EXPECT_FALSE(head.contained.contains(Digest::of("shared")));
  apply();
  EXPECT_EQ(state(there()), state(here()));
}

TEST_F(BundleTest, AppliesTwiceWithoutHarm) {
  bundle();
  apply();
  const auto before = tree(there());
  const BundleApplied again = apply();
  EXPECT_EQ(again.blobs, 0U);
  EXPECT_EQ(tree(there()), before);
}

TEST_F(BundleTest, TakesNamesAwayThatWentHere) {
  add(here(), "app:2", two_);
  bundle();
  apply();
  add(there(), "theirs:1", make_image("theirs", {"x"}));
  const MirrorState before = MirrorState::of(OciLayout::open(here()));
  MirrorDirectory(here(), {}).publish({.removed = {"app:2"}});
  bundle({before, BundleBase::Names::add_and_remove});
  EXPECT_EQ(apply().removed, 1U);
  const auto index = OciLayout::open(there()).read_index();
  EXPECT_EQ(index.find("app:2"), nullptr);
  EXPECT_NE(index.find("theirs:1"), nullptr);
}

TEST_F(BundleTest, LeavesANameThatMeansSomethingElseThere) {
  add(here(), "app:2", two_);
  const MirrorState before = MirrorState::of(OciLayout::open(here()));
  bundle();
  apply();
  MirrorDirectory(here(), {}).publish({.removed = {"app:2"}});
  add(there(), "app:2", make_image("theirs", {"x"}));
  bundle({before, BundleBase::Names::add_and_remove});
  EXPECT_EQ(apply().removed, 0U);
  EXPECT_NE(OciLayout::open(there()).read_index().find("app:2"), nullptr);
}

TEST_F(BundleTest, NamesTheBlobsThatItBuildsUponAndAreNotThere) {
  const MirrorState before = MirrorState::of(OciLayout::open(here()));
  add(here(), "app:2", two_);
  bundle({before});
  const auto error = error_of<NotFound>([&] { apply(); });
  EXPECT_THAT(error.what(), HasSubstr(Digest::of("shared").text()));
  EXPECT_FALSE(std::filesystem::exists(there()));
}

TEST_F(BundleTest, RefusesEveryChangedByteAndWritesNothing) {
  add(there(), "theirs:1", make_image("theirs", {"x"}));
  bundle();
  const std::string whole = read_text(file());
  const auto before = tree(there());
  for (std::size_t at = 0; at < whole.size(); at += 211) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    std::ofstream(file(), std::ios::binary) << changed;
    try {
      apply();
    } catch (const InvalidData&) {
      ASSERT_EQ(tree(there()), before) << "byte " << at;
      continue;
    }
    // Padding of the archive means nothing: then everything is as it should be.
    ASSERT_TRUE(verify_layout(OciLayout::open(there()), {}, job_).is_whole()) << "byte " << at;
    std::filesystem::remove_all(there());
    add(there(), "theirs:1", make_image("theirs", {"x"}));
  }
}

TEST_F(BundleTest, RefusesAListOfContentsOfWhichOneByteWasChanged) {
  const std::string text = plan_bundle(OciLayout::open(here()), {}).text();
  EXPECT_EQ(BundleHead::parse(text).text(), text);
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_THROW(BundleHead::parse(changed), InvalidData) << "byte " << at;
  }
}

TEST_F(BundleTest, RefusesWhatIsCutShortAndWritesNothing) {
  bundle();
  const std::string whole = read_text(file());
  // The zeros at the end mean nothing.
  const std::size_t end = whole.find_last_not_of('\0');
  for (std::size_t size = 0; size < end; size += 301) {
    std::ofstream(file(), std::ios::binary) << whole.substr(0, size);
    EXPECT_THROW(apply(), InvalidData) << size;
    EXPECT_FALSE(std::filesystem::exists(there())) << size;
  }
}

TEST_F(BundleTest, RefusesAListOfContentsThatForgetsSomething) {
  BundleHead head = plan_bundle(OciLayout::open(here()), {});
  head.contained.erase(Digest::of("first"));
  StringSink out;
  write_bundle(OciLayout::open(here()), head, out, job_);
  std::ofstream(file(), std::ios::binary) << out.text();
  const auto error = error_of<InvalidData>([&] { apply(); });
  EXPECT_THAT(error.what(), HasSubstr("not whole"));
  EXPECT_FALSE(std::filesystem::exists(there()));
}

TEST_F(BundleTest, StatesAreReadBackAsTheyWereWritten) {
  const MirrorState now = MirrorState::of(OciLayout::open(here()));
  EXPECT_EQ(MirrorState::parse(now.text(), "state").text(), now.text());
  for (const char* wrong : {"", "image", "# lade mirror state 1\nblob x 1",
                            "# lade mirror state 1\nfrob", "# lade mirror state 1\nimage a b c"}) {
    EXPECT_THROW(MirrorState::parse(wrong, "state"), InvalidData) << wrong;
  }
}

class VerifyTest : public BundleTest {
 protected:
  std::string blob(const Digest& digest) const {
    return str(here(), "/blobs/sha256/", digest.hex());
  }
  MirrorCheck check(VerifyOptions options = {}) {
    return verify_layout(OciLayout::open(here()), options, job_);
  }
};

TEST_F(VerifyTest, FindsEveryKindOfDamage) {
  add(here(), "app:2", two_);
  EXPECT_TRUE(check().is_whole());
  EXPECT_THAT(check().names, SizeIs(2));
  EXPECT_EQ(check().blobs, 7U);

  std::filesystem::remove(blob(Digest::of("first")));
  auto found = check();
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_EQ(found.problems[0].kind, MirrorProblem::Kind::missing);
  EXPECT_THAT(found.broken_names(), testing::ElementsAre("app:1"));

  std::ofstream(blob(Digest::of("shared"))) << "sharee";
  found = check();
  ASSERT_THAT(found.problems, SizeIs(2));
  EXPECT_THAT(found.broken_names(), testing::ElementsAre("app:1", "app:2"));

  std::ofstream(blob(two_.manifest.digest)) << "{}";
  EXPECT_THAT(check().problems, SizeIs(3));
}

TEST_F(VerifyTest, UnpacksLayersWhenAsked) {
  const std::string config =
      str(R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers",)", R"("diff_ids":[")",
          Digest::of("other").text(), R"("]}})");
  TestImage image = make_image("x", {"plain"});
  image.blobs.front() = test::make_blob(config, media_type::oci_config);
  const auto describe = [](const Descriptor& part) {
    return str("{\"mediaType\":\"", part.media_type, "\",\"digest\":\"", part.digest.text(),
               "\",\"size\":", part.size, "}");
  };
  image.manifest =
      RawManifest::make(str("{\"schemaVersion\":2,\"config\":", describe(image.blobs[0].descriptor),
                            ",\"layers\":[", describe(image.blobs[1].descriptor), "]}"),
                        std::string(media_type::oci_manifest));
  add(here(), "liar:1", image);
  EXPECT_TRUE(check().is_whole());
  const auto found = check({.diff_ids = VerifyOptions::DiffIds::check});
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_EQ(found.problems[0].kind, MirrorProblem::Kind::diff_id);
}

TEST_F(VerifyTest, MendsFromWhereImagesCameFrom) {
  add(scratch_.path() + "/origin", "app:1", one_);
  std::filesystem::remove(blob(Digest::of("first")));
  std::ofstream(blob(Digest::of("shared"))) << "sharee";
  std::filesystem::remove(blob(one_.manifest.digest));
  std::vector<std::string> asked;
  const auto open = [&](const std::string& origin) {
    asked.push_back(origin);
    return std::make_unique<OciLayoutSource>(OciLayout::open(scratch_.path() + "/origin"));
  };
  MirrorDirectory mirror(here(), {});
  const MirrorRepair repair = repair_mirror(mirror, check(), "", open, {}, job_);
  EXPECT_TRUE(repair.after.is_whole());
  EXPECT_EQ(repair.fetched, 3U);
  EXPECT_THAT(asked, testing::ElementsAre("docker://q.io/app:1"));
}

TEST_F(VerifyTest, TellsWhatItCannotMend) {
  std::filesystem::remove(blob(Digest::of("first")));
  const auto open = [](const std::string&) -> std::unique_ptr<ImageSource> {
    throw HttpError({}, "gone");
  };
  MirrorDirectory mirror(here(), {});
  const MirrorRepair repair = repair_mirror(mirror, check(), "", open, {}, job_);
  EXPECT_FALSE(repair.after.is_whole());
  EXPECT_THAT(repair.failures, SizeIs(1));
}

}  // namespace
}  // namespace lade::registry
