// Layers that are small to send and dear to unpack: each must end, refused or applied, within
// bounded memory and time, and cost no more than in proportion to its entries.
#include "base/compress.hpp"
#include "snapshot/apply.hpp"
#include "tests/snapshot/attack.hpp"
#include "tests/snapshot/ways.hpp"

#include <gmock/gmock.h>
#include <sys/vfs.h>

namespace lade::test {
namespace {

using snapshot::ApplyOptions;

constexpr std::uint64_t k_gib = std::uint64_t{1} << 30U;
constexpr std::size_t k_few = 48;  // MiB
constexpr std::uint64_t k_memory = 16U << 20U;

std::string compressed(const std::string& plain, Compression format) {
  StringSource source(plain);
  const auto packed = compress(source, format);
  std::string bytes;
  std::vector<std::byte> buffer(65536);
  while (const std::size_t count = packed->read(buffer)) {
    bytes.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return bytes;
}

/// The header of an entry of `type` that says it has `size` bytes, and nothing of them.
std::string header_only(char type, std::uint64_t size) {
  TarBuilder tar;
  tar.add("entry", {.type = type}, "");
  std::string block = tar.bytes().substr(0, 512);
  std::string field(12, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    field[11 - i] = static_cast<char>(size >> (8 * i) & 0xffU);
  }
  field[0] = static_cast<char>('\x80');
  block.replace(124, 12, field);
  std::fill_n(block.begin() + 148, 8, ' ');
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  return block.replace(148, 7, std::string(text, 7));
}

class AttacksCostBase : public testing::Test {
 protected:
  void SetUp() override { LADE_NEEDS_ROOT(); }

  /// Of a single layer, or one on top of an empty one.
  void apply(Source& tar, const ApplyOptions& options = {}) {
    RecordingObserver observer;
    const Directory root = scratch_->ensure_child("root", 0755);
    const Job job{{}, observer};
    if (way() == Way::mounted) {
      snapshot::apply_layer(tar, root, options, job);
      return;
    }
    StringSource below("");
    snapshot::unpack_flat({&below, &tar}, root, {.limits = options.limits}, job);
  }
  void apply(const std::string& tar, const ApplyOptions& options = {}) {
    StringSource source(tar);
    apply(source, options);
  }

  virtual Way way() const = 0;

  /// In this process: to be called inside of bounded().
  void expect_refused(Source& tar, const std::string& part, const ApplyOptions& options = {}) {
    try {
      apply(tar, options);
      ADD_FAILURE() << "accepted; expected: " << part;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(part));
    }
  }

  StoreScratch scratch_;
};

class AttacksCost : public AttacksCostBase, public testing::WithParamInterface<Way> {
 protected:
  Way way() const override { return GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Ways, AttacksCost, testing::Values(Way::mounted, Way::flat),
                         [](const auto& each) { return name_of(each.param); });

// --- bombs ---------------------------------------------------------------------------------------

TEST_P(AttacksCost, CVE_2017_14992_bombs_end_at_the_limit) {
  const std::string zeros(8U << 20U, '\0');
  for (const Compression format : {Compression::gzip, Compression::zstd}) {
    bounded(k_few + 64, [&] {  // the compressor's own memory is in it
      const std::string head = compressed(header_only('0', 64 * k_gib), format);
      EndlessSource blob(head, compressed(zeros, format), k_gib);
      const auto tar = decompress(blob);
      expect_refused(*tar, "layer of more than 100000000 bytes",
                     {.limits = {.tar_size = 100'000'000}});
      EXPECT_LT(blob.served(), 2U << 20U);
    });
  }
}

TEST_P(AttacksCost, entries_end_at_the_limit) {
  bounded(k_few, [&] {
    const std::string entry = TarBuilder().file("f", "").bytes().substr(0, 512);
    EndlessSource tar("", entry, 1024 * k_gib);
    expect_refused(tar, "layer of more than 5000 entries", {.limits = {.entries = 5000}});
    EXPECT_LT(tar.served(), 4U << 20U);
  });
  EXPECT_LE(ApplyOptions{}.limits.entries, 10'000'000U);
}

TEST_P(AttacksCost, names_end_at_the_limit) {
  bounded(k_few, [&] {
    TarBuilder entry;
    entry.file(std::string(200, 'n') + "/" + std::string(200, 'm'), "");
    const std::string bytes = entry.bytes();
    EndlessSource tar("", bytes.substr(0, bytes.size() - 1024), 1024 * k_gib);
    expect_refused(tar, "bytes of names", {.limits = {.names = 100'000}});
  });
}

// --- headers -------------------------------------------------------------------------------------

TEST_P(AttacksCost, headers_of_a_gibibyte_are_not_read) {
  for (const char type : {'x', 'g', 'L', 'K'}) {
    bounded(k_few, [&] {
      EndlessSource tar(header_only(type, k_gib), "28 SCHILY.xattr.user.aa=bbb\n", 2 * k_gib);
      EXPECT_THROW(apply(tar), InvalidData) << type;
      EXPECT_LT(tar.served(), 8U << 20U) << type;
    });
  }
}

TEST_P(AttacksCost, headers_without_end_are_not_read) {
  for (const char type : {'x', 'g', 'L', 'K'}) {
    bounded(k_few, [&] {
      EndlessSource tar("", header_only(type, 512) + std::string(512, 'p'), 2 * k_gib);
      EXPECT_THROW(apply(tar), InvalidData) << type;
      EXPECT_LT(tar.served(), 8U << 20U) << type;
    });
  }
}

TEST_P(AttacksCost, attributes_of_every_size_and_number) {
  // Too long a value: the kernel's own limit, and the entry is named.
  bounded(k_few, [&] {
    const std::string tar =
        TarBuilder()
            .file("fat", "", {.pax = {{"SCHILY.xattr.user.k", std::string(65537, 'v')}}})
            .bytes();
    StringSource source(tar);
    expect_refused(source, "`fat`");
  });
  // Very many, and as many as fit.
  bounded(k_few, [&] {
    TarEntry entry;
    for (int i = 0; i < 20'000; ++i) entry.pax[str("SCHILY.xattr.user.", i)] = "v";
    try {
      apply(TarBuilder().file("many", "", entry).bytes());
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("many"));
    }
  });
}

TEST_P(AttacksCost, attributes_of_directories_are_held_in_bounded_memory) {
  bounded(64, [&] {
    TarBuilder directory;
    directory.directory("d", 0755, {.pax = {{"SCHILY.xattr.user.k", std::string(60'000, 'v')}}});
    const std::string bytes = directory.bytes();
    // The names differ in nothing but a counter, which is where the header has them.
    class Counting final : public Source {
     public:
      explicit Counting(std::string entry) : entry_(std::move(entry)) {}
      std::size_t read(std::span<std::byte> buffer) override {
        if (at_ == 0) rename();
        const std::size_t count = std::min(buffer.size(), entry_.size() - at_);
        std::memcpy(buffer.data(), entry_.data() + at_, count);
        at_ = (at_ + count) % entry_.size();
        return count;
      }

     private:
      void rename() {
        const std::string name = str(++number_, "/");
        char* header = entry_.data() + entry_.size() - 512;
        std::memset(header, 0, 100);
        std::memcpy(header, name.data(), name.size());
        std::memset(header + 148, ' ', 8);
        unsigned sum = 0;
        for (int i = 0; i < 512; ++i) sum += static_cast<unsigned char>(header[i]);
        std::snprintf(header + 148, 7, "%06o", sum);
      }
      std::string entry_;
      std::size_t at_ = 0;
      int number_ = 0;
    };
    Counting tar(bytes.substr(0, bytes.size() - 1024));
    expect_refused(tar, "directories need too much memory", {.limits = {.directories = k_memory}});
  });
}

// --- sparse files --------------------------------------------------------------------------------

TEST_P(AttacksCost, sparse_maps_without_end_are_not_read) {
  bounded(200, [&] {  // version 1.0: the map is in the data
    TarEntry sparse{.pax = {{"GNU.sparse.major", "1"},
                            {"GNU.sparse.minor", "0"},
                            {"GNU.sparse.name", "map"},
                            {"GNU.sparse.realsize", "1099511627776"}}};
    TarBuilder tar;
    tar.add("map", sparse, "");
    std::string head = tar.bytes();
    head.resize(head.size() - 1024);
    head.replace(head.size() - 512, 512, header_only('0', 16 * k_gib));
    EndlessSource endless(head + "99999999999\n", "0\n0\n", 16 * k_gib);
    EXPECT_THROW(apply(endless), InvalidData);
    EXPECT_LT(endless.served(), 8U << 20U);
  });
  bounded(200, [&] {  // GNU's old format: blocks that each announce another
    TarBuilder tar;
    tar.add("map", {.type = 'S'}, "");
    std::string head = tar.bytes().substr(0, 512);
    head.replace(257, 8, std::string("ustar  \0", 8));
    head[482] = '\1';
    std::fill_n(head.begin() + 148, 8, ' ');
    unsigned sum = 0;
    for (const char c : head) sum += static_cast<unsigned char>(c);
    char text[8];
    std::snprintf(text, sizeof text, "%06o", sum);
    head.replace(148, 7, std::string(text, 7));
    std::string block(512, '\0');
    for (std::size_t i = 0; i < 21; ++i) block.replace(i * 24, 24, "00000000001 00000000001 ");
    block[504] = '\1';
    EndlessSource endless(head, block, 16 * k_gib);
    EXPECT_THROW(apply(endless), InvalidData);
    EXPECT_LT(endless.served(), 8U << 20U);
  });
}

std::string sparse_file(const std::string& name, const std::string& size) {
  TarEntry sparse{.pax = {{"GNU.sparse.major", "1"},
                          {"GNU.sparse.minor", "0"},
                          {"GNU.sparse.name", name},
                          {"GNU.sparse.realsize", size}}};
  std::string map = "1\n0\n1\n";
  map.resize(512, '\0');
  TarBuilder tar;
  tar.file("x", map + "d", sparse);
  const std::string bytes = tar.bytes();
  return bytes.substr(0, bytes.size() - 1024);
}

TEST_P(AttacksCost, sparse_files_of_any_size_cost_no_time_to_read) {
  for (const char* size : {"1152921504606846976", "9223372036854775807", "9223372036854775808",
                           "99999999999999999999999", "-1"}) {
    bounded(k_few, [&] { EXPECT_THROW(apply(sparse_file("huge", size)), InvalidData) << size; });
  }
  bounded(k_few, [&] {
    std::string many;
    for (int i = 0; i < 100; ++i) many += sparse_file(str("f", i), std::to_string(k_gib));
    StringSource source(many);
    expect_refused(source, "bytes of holes");
  });
}

// --- depth and number ----------------------------------------------------------------------------

TEST_P(AttacksCost, a_path_of_100000_components_is_refused) {
  bounded(k_few, [&] {
    std::string path;
    for (int i = 0; i < 100'000; ++i) path += "d/";
    StringSource source(TarBuilder().file(path + "f", "").bytes());
    expect_refused(source, "too long");
  });
}

/// Links add up to depths that no path has.
TEST_P(AttacksCost, depth_by_links_is_refused_and_goes_away) {
  bounded(k_few, [&] {
    std::string deep;
    for (int i = 0; i < 1900; ++i) deep += "d/";
    TarBuilder tar;
    std::string at;
    for (int i = 0; i < 30; ++i) {
      tar.symlink(str("l", i), i == 0 ? deep : str("l", i - 1, "/", deep));
      tar.file(str("l", i, "/f"), "");
    }
    StringSource source(tar.bytes());
    expect_refused(source, "too long");
  });
  EXPECT_TRUE(scratch_->remove_tree("root"));
}

/// One long path implies as many directories as it has components.
TEST_P(AttacksCost, implied_directories_are_counted) {
  bounded(64, [&] {
    std::string deep;
    for (int i = 0; i < 1900; ++i) deep += "/d";
    TarBuilder tar;
    for (int i = 0; i < 12; ++i) tar.file(str(i, deep, "/f"), "");
    StringSource source(tar.bytes());
    expect_refused(source, "directories need too much memory",
                   {.limits = {.directories = k_memory}});
  });
}

/// A disk on which a file has at most 65000 names: in memory there is no limit to run into.
class AttacksLinks : public AttacksCost {
 protected:
  void SetUp() override {
    AttacksCost::SetUp();
    struct statfs info {};
    ASSERT_EQ(::statfs(disk_.path().c_str(), &info), 0);
    if (info.f_type != 0xef53) GTEST_SKIP() << "the temporary directory is not on ext4";
  }

  /// The root that the layer becomes.
  Directory unpack(const TarBuilder& tar, snapshot::ContentDigests* digests = nullptr) {
    StringSource source(tar.bytes());
    RecordingObserver observer;
    Directory root = disk_->ensure_child("root", 0755);
    if (way() == Way::mounted) {
      snapshot::apply_layer(source, root, {}, {{}, observer});
    } else {
      auto found = snapshot::unpack_flat({&source}, root, {}, {{}, observer});
      if (digests != nullptr) *digests = std::move(found);
    }
    return root;
  }

  static constexpr int k_links = 65'100;
  ScratchDirectory disk_;
};

INSTANTIATE_TEST_SUITE_P(Ways, AttacksLinks, testing::Values(Way::mounted, Way::flat),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(AttacksLinks, more_hard_links_than_a_file_may_have) {
  TarBuilder tar;
  tar.file("f", "content", {.mode = 04711, .uid = 3});
  for (int i = 0; i < k_links; ++i) tar.hardlink(str("l", i), "f");
  snapshot::ContentDigests digests;
  const Directory root = unpack(tar, &digests);
  // Of the files of which there are more in the end, none has the digest of another.
  for (const auto& [inode, digest] : digests) EXPECT_EQ(digest, Digest::of("content").hex());
  std::map<ino_t, int> inodes;
  for (int i = 0; i < k_links; ++i) ++inodes[root.find_stat(str("l", i))->st_ino];
  EXPECT_EQ(inodes.size(), 2U) << "one copy";
  EXPECT_EQ(describe(root, str("l", k_links - 1)), "file 4711 3:0 content");
}

TEST_P(AttacksLinks, a_file_in_the_inode_of_one_that_had_more_names_than_it_may) {
  TarBuilder tar;
  tar.file("d/f", "first");
  for (int i = 0; i < k_links; ++i) tar.hardlink(str("d/l", i), "d/f");
  // Every name goes, and the inode with the last one: ext4 gives it to the next file.
  tar.file("d", "second");
  for (int i = 0; i < k_links; ++i) tar.hardlink(str("m", i), "d");
  const Directory root = unpack(tar);
  EXPECT_EQ(describe(root, str("m", k_links - 1)), "file 0644 0:0 second");
}

TEST_P(AttacksLinks, a_copy_for_more_names_that_is_gone) {
  TarBuilder tar;
  tar.file("f", "content");
  for (int i = 0; i < k_links; ++i) tar.hardlink(str(i < 64'999 ? "l" : "d/l", i), "f");
  tar.file("d", "in place of all names of the copy").hardlink("late", "f");
  const Directory root = unpack(tar);
  EXPECT_EQ(describe(root, "late"), "file 0644 0:0 content");
}

// --- time that grows faster than the layer (GHSA-rp3h-jf77-q9p4)
// ----------------------------------

struct Growth {
  const char* name;
  std::function<std::string(int)> layer;
};

std::vector<Growth> growths() {
  return {
      {"opaque_markers_in_one_directory",
       [](int n) {
         TarBuilder tar;
         for (int i = 0; i < n; ++i) tar.file(str("d/", i), "").whiteout("d/.wh..wh..opq");
         return tar.bytes();
       }},
      {"opaque_markers_after_the_files_of_one_directory",
       [](int n) {
         TarBuilder tar;
         for (int i = 0; i < n; ++i) tar.file(str("d/", i), "");
         for (int i = 0; i < n; ++i) tar.whiteout("d/.wh..wh..opq");
         return tar.bytes();
       }},
      {"opaque_directories",
       [](int n) {
         TarBuilder tar;
         for (int i = 0; i < n; ++i) tar.whiteout(str("d/", i, "/.wh..wh..opq"));
         return tar.bytes();
       }},
      {"whiteouts_and_files_of_the_same_names",
       [](int n) {
         TarBuilder tar;
         for (int i = 0; i < n; ++i) tar.whiteout(str("d/.wh.", i)).file(str("d/", i), "");
         return tar.bytes();
       }},
      {"one_directory_hidden_again_and_again",
       [](int n) {
         TarBuilder tar;
         for (int i = 0; i < n; ++i) tar.file(str("d/", i), "").whiteout(".wh.d");
         return tar.bytes();
       }},
      {"directories_and_files_by_turns",
       [](int n) {
         TarBuilder tar;
         for (int i = 0; i < n; ++i)
           tar.file(str("d/", i % 10, "/x"), "").file(str("d/", i % 10), "");
         return tar.bytes();
       }},
      {"whiteouts_below_whiteouts",
       [](int n) {
         TarBuilder tar;
         for (int i = 0; i < n; ++i)
           tar.whiteout(str("d/", i, "/.wh.x")).whiteout(str("d/.wh.", i));
         return tar.bytes();
       }},
      {"forward_links",
       [](int n) {
         TarBuilder tar;
         for (int i = 0; i < n; ++i) tar.hardlink(str("l", i), "last");
         return tar.file("last", "").bytes();
       }},
  };
}

std::vector<std::size_t> growth_numbers() {
  std::vector<std::size_t> all(growths().size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

class AttacksGrowth : public AttacksCostBase,
                      public testing::WithParamInterface<std::tuple<std::size_t, Way>> {
 protected:
  Growth growth() const { return growths().at(std::get<0>(GetParam())); }
  Way way() const override { return std::get<1>(GetParam()); }
};

TEST_P(AttacksGrowth, TwiceTheEntriesAreTwiceTheWork) {
  const Growth growth = this->growth();
  const auto calls = [&](int n) {
    const std::string tar = growth.layer(n);
    const auto count = count_system_calls([&] { apply(tar); });
    scratch_->remove_tree("root");
    return count;
  };
  const auto once = calls(400);
  const auto twice = calls(800);
  if (!once) GTEST_SKIP() << "system calls cannot be counted here";
  EXPECT_LT(*twice, *once * 5 / 2) << "for 400 " << *once << ", for 800 " << *twice;
}

/// Of opaque markers as many as the advisory has. The bound is the minute of processor time that
/// bounded() allows.
TEST_P(AttacksGrowth, ThousandsAreDone) {
  const Growth growth = this->growth();
  const bool advisory = std::string_view(growth.name).starts_with("opaque");
  const int entries = advisory ? 50'000 : 5'000;
  const std::string tar = growth.layer(entries);
  bounded(200, [&] { apply(tar); });
}

INSTANTIATE_TEST_SUITE_P(Attacks, AttacksGrowth,
                         testing::Combine(testing::ValuesIn(growth_numbers()),
                                          testing::Values(Way::mounted, Way::flat)),
                         [](const auto& each) {
                           return str(growths().at(std::get<0>(each.param)).name, '_',
                                      name_of(std::get<1>(each.param)));
                         });

// --- damage (CVE-2021-20291: a damaged layer left locks behind)
// -----------------------------------

TEST(AttacksDamage, CVE_2021_20291_damaged_layers_leave_no_lock) {
  LADE_NEEDS_ROOT();
  const StoreScratch scratch;
  auto store = store::Store::open(scratch.path() + "/store");
  const std::string good = TarBuilder().file("f", std::string(100'000, 'f')).bytes();
  std::vector<std::string> blobs = {"",
                                    "garbage",
                                    good.substr(0, 5000),
                                    std::string("\x1f\x8b", 2) + "garbage that is no gzip",
                                    std::string("\x28\xb5\x2f\xfd", 4) + "garbage that is no zstd",
                                    std::string("\xfd\x37zXZ\0", 6) + "garbage that is no xz",
                                    "BZh9 is not supported"};
  for (const Compression format : {Compression::gzip, Compression::zstd}) {
    const std::string packed = compressed(good, format);
    blobs.push_back(packed.substr(0, packed.size() / 2));
    std::string flipped = packed;
    flipped[packed.size() / 2] = static_cast<char>(flipped[packed.size() / 2] ^ 0x55);
    blobs.push_back(flipped);
    blobs.push_back(packed.substr(0, packed.size() - 4) + "junk");
  }
  for (const std::string& blob : blobs) {
    SCOPED_TRACE(quoted(blob.substr(0, 20)));
    TestImage image({good});
    image.blobs[0] = blob;
    image.seal();
    EXPECT_THROW(pull(store, image), Error);
    EXPECT_THAT(leftovers(store), testing::IsEmpty());
  }
  EXPECT_NO_THROW(pull(store, TestImage({good})));
}

}  // namespace
}  // namespace lade::test
