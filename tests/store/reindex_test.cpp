// The index rebuilt from the files, whatever has become of it.
#include "store/reindex.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "oci/media_type.hpp"
#include "store/database.hpp"
#include "store/layer_description.hpp"
#include "store/name_journal.hpp"
#include "tests/store/filled_store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace lade::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Images whose manifests and configs are real, so that they can be found by their files.
class ReindexTest : public StoreTest {
 protected:
  static Descriptor as(Descriptor descriptor, std::string_view type) {
    descriptor.media_type = type;
    return descriptor;
  }

  static StoredLayer described_layer(Store& store, const std::string& text) {
    StoredLayer layer = StoreTest::layer(store, text);
    const Directory directory = store.layers().child(layer.key);
    directory.ensure_child("tree", 0700);
    directory.write_file(k_layer_description, layer_description(layer), 0600);
    return layer;
  }

  static std::string descriptor_json(const Descriptor& each) {
    return str(R"({"mediaType":")", each.media_type, R"(","digest":")", each.digest.text(),
               R"(","size":)", each.size, "}");
  }

  static NewImage real_image(Store& store, const std::string& name,
                             const std::vector<std::string>& layers,
                             const std::string& annotation = "") {
    NewImage result{.id = Digest::of(""), .manifest = {"", Digest::of(""), 0}};
    std::string diff_ids;
    std::string list;
    for (const std::string& each : layers) {
      const char* comma = diff_ids.empty() ? "" : ",";
      result.layers.push_back(described_layer(store, each));
      diff_ids += str(comma, '"', result.layers.back().diff_id.digest.text(), '"');
      result.blobs.push_back(as(put(store, "blob " + each), media_type::oci_layer));
      list += comma + descriptor_json(result.blobs.back());
      result.size += result.layers.back().tar_size;
    }
    const std::string config = str(
        R"({"created":"2024-05-01T10:00:00Z","author":")", name,
        R"(","config":{},"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[)",
        diff_ids, "]}}");
    const Descriptor config_blob = as(put(store, config), media_type::oci_config);
    const std::string manifest =
        str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_manifest, R"(","config":)",
            descriptor_json(config_blob), R"(,"layers":[)", list, R"(],"annotations":{"a":")",
            annotation, "\"}}");
    result.id = config_blob.digest;
    result.manifest = as(put(store, manifest), media_type::oci_manifest);
    result.created = Timestamp{1714557600, 0};
    result.platform = {"linux", "amd64", "", {}};
    result.size += config_blob.size + result.manifest.size;
    result.blobs.push_back(config_blob);
    result.blobs.push_back(result.manifest);
    result.names = {Reference::parse(name).with_default_tag()};
    result.digests = {Reference::parse(name).with_digest(result.manifest.digest)};
    return result;
  }

  /// Two images that share a layer, one of them with two names.
  void fill() {
    Store store = Store::open(root());
    commit(store, real_image(store, "one", {"base", "own"}));
    const Digest two = commit(store, real_image(store, "two", {"base"}));
    store.tag(two, Reference::parse("two:again"));
  }

  /// All that the index says, as text.
  std::string described() const {
    const Store store = Store::open(root());
    std::string text;
    for (const StoredImage& image : store.list_images()) {
      text += str(image.id.text(), ' ', image.manifest.digest.text(), ' ',
                  image.manifest.media_type, ' ', image.manifest.size, ' ', image.size, ' ',
                  image.created ? image.created->seconds : 0, ' ', image.platform.architecture);
      for (const Reference& name : image.names) text += ' ' + name.text();
      for (const Reference& name : image.digests) text += ' ' + name.text();
      for (const StoredLayer& layer : store.layers_of(image.id)) {
        text += str(' ', layer.key, ' ', layer.tar_size, layer.self_contained ? " yes" : " no");
      }
      for (const Digest& blob : store.blobs_of(image.id)) text += ' ' + blob.text();
      text += '\n';
    }
    const Contents contents = store.contents();
    return text + str(contents.blobs.size(), ' ', contents.layers.size());
  }

  Directory directory() const { return scratch_->child("store"); }
  void remove_index() const {
    for (const char* name : {"index.db", "index.db-wal", "index.db-shm"}) {
      directory().remove_tree(name);
    }
  }
  ReindexReport rebuild() const { return reindex(root(), {}); }

  /// Damages a filled store, which must then be refused with the hint; a rebuilding mends it.
  void expect_rebuilt(const std::function<void()>& damage, NameSource source) {
    fill();
    const std::string before = described();
    damage();
    try {
      static_cast<void>(Store::open(root()).list_images());
      ADD_FAILURE() << "a damaged index was accepted";
    } catch (const InvalidData& error) {
      EXPECT_THAT(error.hint(), HasSubstr("lade reindex")) << error.what();
    }
    const ReindexReport report = rebuild();
    EXPECT_EQ(report.images, 2U);
    EXPECT_EQ(report.names, 3U);
    EXPECT_EQ(report.layers, 2U);
    EXPECT_EQ(report.source, source);
    EXPECT_THAT(report.incomplete, IsEmpty());
    EXPECT_THAT(report.lost_names, IsEmpty());
    EXPECT_EQ(described(), before);
    EXPECT_THAT(Store::open(root()).check_index(), IsEmpty());
    EXPECT_THAT(directory().list(), testing::Not(testing::Contains(HasSubstr(".new"))));
  }
};

TEST_F(ReindexTest, AWholeIndexIsRebuiltAsItWas) {
  fill();
  const std::string before = described();
  EXPECT_EQ(rebuild().source, NameSource::index);
  EXPECT_EQ(described(), before);
}

TEST_F(ReindexTest, AnIndexThatIsGone) {
  expect_rebuilt([&] { remove_index(); }, NameSource::journal);
}

TEST_F(ReindexTest, AnIndexThatIsGarbage) {
  expect_rebuilt(
      [&] {
        remove_index();
        directory().write_file("index.db", std::string(8192, 'x'), 0600);
      },
      NameSource::journal);
}

TEST_F(ReindexTest, AnEmptyIndex) {
  expect_rebuilt(
      [&] {
        remove_index();
        directory().write_file("index.db", "", 0600);
      },
      NameSource::journal);
}

TEST_F(ReindexTest, AnIndexWithoutItsTables) {
  expect_rebuilt(
      [&] {
        Database database = Database::open(root() + "/index.db");
        database.execute("PRAGMA foreign_keys = OFF; DROP TABLE images");
      },
      NameSource::journal);
}

TEST_F(ReindexTest, AnIndexThatIsALinkAPipeOrADirectory) {
  const std::string target = scratch_.path() + "/target";
  for (int kind = 0; kind < 3; ++kind) {
    scratch_->remove_tree("store");
    const std::string path = root() + "/index.db";
    expect_rebuilt(
        [&] {
          remove_index();
          const int made = kind == 0   ? ::symlink(target.c_str(), path.c_str())
                           : kind == 1 ? ::mkfifo(path.c_str(), 0600)
                                       : ::mkdir(path.c_str(), 0700);
          ASSERT_EQ(made, 0);
        },
        NameSource::journal);
    EXPECT_FALSE(scratch_->exists("target")) << "the link was followed";
  }
}

TEST_F(ReindexTest, ATruncatedIndexAtAnyLength) {
  fill();
  const std::string before = described();
  { Database::open(root() + "/index.db").execute("PRAGMA wal_checkpoint(TRUNCATE)"); }
  const std::string whole = read_file(root() + "/index.db", 1 << 20);
  for (std::size_t size = 1; size < whole.size(); size += 4096 + 512 * 3) {
    SCOPED_TRACE(size);
    remove_index();
    directory().write_file("index.db", whole.substr(0, size), 0600);
    try {
      // What is cut off may be a page without a row.
      const bool is_sound = Store::open(root()).check_index().empty();
      EXPECT_TRUE(!is_sound || described() == before);
    } catch (const InvalidData& error) {
      EXPECT_THAT(error.hint(), HasSubstr("lade reindex")) << error.what();
    }
    rebuild();
    EXPECT_EQ(described(), before);
  }
}

TEST_F(ReindexTest, WithoutAnyRecordOfNamesTheImagesComeBackAll) {
  fill();
  remove_index();
  directory().remove_file("names");
  const ReindexReport report = rebuild();
  EXPECT_EQ(report.source, NameSource::none);
  EXPECT_EQ(report.images, 2U);
  EXPECT_EQ(report.names, 0U);
}

TEST_F(ReindexTest, OnlyWholeImagesComeBack) {
  const auto damages = std::vector<std::function<void(const Store&, const NewImage&)>>{
      [](const Store& store, const NewImage& image) { store.blobs().remove_file(image.id.hex()); },
      [](const Store& store, const NewImage& image) {
        const std::string name = image.blobs[1].digest.hex();  // the layer of its own
        ASSERT_EQ(::truncate(store.blobs().path_of(name).c_str(), 3), 0);
      },
      [](const Store& store, const NewImage& image) {
        store.blobs().remove_file(image.blobs[1].digest.hex());
      },
      [](const Store& store, const NewImage& image) {
        store.layers().remove_tree(image.layers[1].key);
      },
      [](const Store& store, const NewImage& image) {
        store.layers().child(image.layers[1].key).remove_tree("tree");
      },
      [](const Store& store, const NewImage& image) {
        store.layers().child(image.layers[1].key).remove_file(k_layer_description);
      },
      [](const Store& store, const NewImage& image) {
        const std::string path = store.blobs().path_of(image.id.hex());
        std::string text = read_file(path, 1 << 20);
        text[text.find("amd64")] = 'A';
        store.blobs().remove_file(image.id.hex());
        store.blobs().write_file(image.id.hex(), text, 0444);
      }};
  for (std::size_t i = 0; i < damages.size(); ++i) {
    SCOPED_TRACE(i);
    scratch_->remove_tree("store");
    fill();
    {
      Store store = Store::open(root());
      const NewImage image = real_image(store, "one", {"base", "own"});
      ASSERT_TRUE(store.find_image(image.id.text()));
      damages[i](store, image);
    }
    remove_index();
    const ReindexReport report = rebuild();
    EXPECT_EQ(report.images, 1U);
    EXPECT_THAT(report.incomplete, testing::SizeIs(1));
    EXPECT_THAT(report.lost_names, ElementsAre(Reference::parse("one:latest")));
    EXPECT_TRUE(Store::open(root()).find_image("two:again"));
    EXPECT_FALSE(Store::open(root()).find_image("one"));
  }
}

TEST_F(ReindexTest, AManifestThatWasChangedIsNoImage) {
  fill();
  {
    Store store = Store::open(root());
    const StoredImage image = store.get_image("one");
    const std::string name = image.manifest.digest.hex();
    std::string text = read_file(store.blobs().path_of(name), 1 << 20);
    text += ' ';
    store.blobs().remove_file(name);
    store.blobs().write_file(name, text, 0444);
  }
  EXPECT_EQ(rebuild().images, 1U);
}

TEST_F(ReindexTest, TheLastOfSeveralManifestsIsTheOneThatIsShown) {
  Store store = Store::open(root());
  const NewImage first = real_image(store, "app", {"l"}, "first");
  commit(store, first);
  const NewImage second = real_image(store, "app", {"l"}, "second");
  commit(store, second);
  ASSERT_EQ(first.id, second.id);
  const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
  ::utimensat(store.blobs().fd(), first.manifest.digest.hex().c_str(), times, 0);
  { const Store moved = std::move(store); }
  const std::string before = described();
  remove_index();
  EXPECT_EQ(rebuild().images, 1U);
  EXPECT_EQ(described(), before);
  EXPECT_EQ(Store::open(root()).get_image("app").manifest.digest, second.manifest.digest);
}

TEST_F(ReindexTest, WhatWasRemovedDoesNotComeBack) {
  fill();
  {
    Store store = Store::open(root());
    const NewImage gone = real_image(store, "gone", {"base"});
    commit(store, gone);
    store.remove_image(gone.id);
    real_image(store, "gone", {"base"});  // as a removal that was killed half way leaves it
    store.untag(Reference::parse("two:again"));
  }
  remove_index();
  const ReindexReport report = rebuild();
  EXPECT_EQ(report.images, 2U);
  EXPECT_THAT(report.lost_names, IsEmpty());
  EXPECT_FALSE(Store::open(root()).find_image("gone"));
  EXPECT_FALSE(Store::open(root()).find_image("two:again"));
}

TEST_F(ReindexTest, WhileSomebodyUsesTheStoreItIsBusy) {
  fill();
  {
    const Store store = Store::open(root());
    try {
      rebuild();
      FAIL() << "the index was taken from under somebody";
    } catch (const Busy& error) {
      EXPECT_THAT(error.what(), HasSubstr("another process uses store"));
      EXPECT_FALSE(error.hint().empty());
    }
    store.let_go_of_index();
    EXPECT_EQ(rebuild().images, 2U) << "a container may run on";
  }
}

TEST_F(ReindexTest, ANewerIndexIsNotThrownAway) {
  fill();
  { Database::open(root() + "/index.db").execute("PRAGMA user_version = 999"); }
  EXPECT_THROW(rebuild(), InvalidData);
  EXPECT_THROW(Store::open(root()), InvalidData);
}

TEST_F(ReindexTest, WhereThereIsNoStoreNoneIsMade) {
  EXPECT_THROW(rebuild(), SystemError);
  EXPECT_FALSE(scratch_->exists("store"));
}

TEST_F(ReindexTest, AContainerWhoseImageDidNotComeBackIsTold) {
  fill();
  {
    const Store store = Store::open(root());
    const Directory container = store.containers().ensure_child("box", 0700);
    container.write_file("record", str("image ", Digest::of("gone").text(), "\nlifetime kept\n"),
                         0600);
  }
  EXPECT_THAT(rebuild().stranded_containers, ElementsAre("box"));
}

TEST(NameJournal, IsReplayedInOrder) {
  const Digest a = Digest::of("a");
  const Digest b = Digest::of("b");
  NameChanges changes;
  changes.set(Reference::parse("x:1"), a);
  changes.set(Reference::parse("x:1"), b);
  changes.set(Reference::parse("y:1"), a);
  changes.drop(Reference::parse("y:1"));
  changes.set(Reference::parse("z:1"), a);
  changes.forget(a);
  const NameHistory history = replay_names(changes.text());
  EXPECT_EQ(history.names, (NameTable{{Reference::parse("x:1"), b}}));
  EXPECT_THAT(history.forgotten, ElementsAre(a));
  changes.keep(a);
  EXPECT_THAT(replay_names(changes.text()).forgotten, IsEmpty());
}

TEST(NameJournal, WhatMakesNoSenseIsLeftOut) {
  NameChanges good;
  good.set(Reference::parse("x:1"), Digest::of("a"));
  for (const std::string& bad :
       {std::string("set x:2 sha256:12\n"),
        std::string("set UPPER ") + Digest::of("a").text() + "\n", std::string("\n"),
        std::string("set\n"), std::string("forget all\n"), std::string("drop\n"),
        std::string(5000, 'x') + "\n", std::string("\0\0\0\n", 4),
        // torn at the end: it could be another name's beginning
        "set x:23 " + Digest::of("a").text()}) {
    EXPECT_EQ(replay_names(good.text() + bad).names.size(), 1U) << bad;
  }
}

TEST(NameJournal, ATornLineDoesNotTakeTheNextOneWithIt) {
  const ScratchDirectory scratch;
  const Digest image = Digest::of("a");
  rewrite_name_journal(*scratch, {{Reference::parse("x:1"), image}});
  write_all(scratch->open_file("names", O_WRONLY | O_APPEND), as_bytes("set y:"), "names");
  NameChanges changes;
  changes.set(Reference::parse("z:1"), image);
  append_to_name_journal(*scratch, changes);
  EXPECT_EQ(read_name_journal(*scratch).names.size(), 2U);
}

TEST(LayerDescription, IsReadBackOrNotAtAll) {
  const StoredLayer layer{.key = Digest::of("k").hex(),
                          .diff_id = DiffId{Digest::of("d")},
                          .self_contained = false,
                          .root_entry = true,
                          .root_opaque = false,
                          .tar_size = 12};
  const std::string text = layer_description(layer);
  const auto found = parse_layer_description(text, layer.key);
  ASSERT_TRUE(found);
  EXPECT_EQ(layer_description(*found), text);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_layer_description(text.substr(0, size), layer.key)) << size;
  }
  StoredLayer other = layer;
  other.self_contained = true;
  EXPECT_FALSE(parse_layer_description(layer_description(other), layer.key))
      << "a layer for any chain is called by its DiffID";
  EXPECT_FALSE(parse_layer_description(text, "../../etc"));
}

}  // namespace
}  // namespace lade::store
