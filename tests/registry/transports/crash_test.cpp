// Writers that are killed at every system call that changes a name or makes something durable:
// what was there stays whole, what is new is whole or not there, and the next writer succeeds.
#include "base/error.hpp"
#include "registry/transports/directory_sink.hpp"
#include "registry/transports/directory_source.hpp"
#include "registry/transports/docker_archive_sink.hpp"
#include "registry/transports/docker_archive_source.hpp"
#include "registry/transports/layout_archive_sink.hpp"
#include "registry/transports/layout_deletion.hpp"
#include "registry/transports/layout_sink.hpp"
#include "registry/transports/layout_source.hpp"
#include "tests/base/scratch.hpp"
#include "tests/contract/test_image.hpp"
#include "tests/support/killed_at.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

#if defined(__x86_64__)

using test::make_image;
using test::put_image;
using test::TestImage;

const std::set<long> k_calls = {SYS_renameat, SYS_renameat2, SYS_rename,
                                SYS_unlinkat, SYS_mkdirat,   SYS_syncfs,
                                SYS_fsync,    SYS_linkat,    SYS_copy_file_range};

void expect_whole(ImageSource& source, const ManifestKey& key) {
  const Manifest manifest = parse_manifest(source.manifest(key).bytes);
  EXPECT_EQ(Digest::of(test::blob_text(source, manifest.config)), manifest.config.digest);
  for (const Descriptor& layer : manifest.layers) {
    EXPECT_EQ(Digest::of(test::blob_text(source, layer)), layer.digest);
  }
}

void put(ImageSink& sink, const TestImage& image, const std::string& name) {
  put_image(sink, image, name);
  sink.commit();
}

class TransportCrash : public testing::Test {
 protected:
  /// Prepares a place, kills `operation` on it at every point, and looks at what is left.
  template <class Prepare, class Operation, class Check>
  std::size_t sweep(Prepare&& prepare, Operation&& operation, Check&& check) {
    for (std::size_t nth = 0;; ++nth) {
      // In memory where there is such a place: what a kill leaves is the same, and syncing is fast.
      const ScratchDirectory scratch(::access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                                                     : testing::TempDir());
      const std::string place = scratch.path() + "/place";
      prepare(place);
      if (!test::killed_at(nth, k_calls, [&] { operation(place); })) return nth;
      SCOPED_TRACE(str("killed at call ", nth));
      check(place);
      if (testing::Test::HasFailure()) return nth;
    }
  }

  const TestImage old_ = make_image("old", {"base", "old"});
  const TestImage new_ = make_image("new", {"base", "new"});
};

TEST_F(TransportCrash, ADirectoryHoldsTheOldImageOrTheNew) {
  const auto write = [](const std::string& place, const TestImage& image) {
    DirectorySink sink(place);
    put_image(sink, image, "");
    sink.put_signatures(image.manifest.digest, {"signature of " + image.manifest.digest.text()});
    sink.commit();
  };
  const std::size_t points =
      sweep([&](const std::string& place) { write(place, old_); },
            [&](const std::string& place) { write(place, new_); },
            [&](const std::string& place) {
              DirectorySource source(place);
              expect_whole(source, std::string());
              const Digest digest = source.manifest(std::string()).digest;
              for (const std::string& signature : source.signatures(digest)) {
                EXPECT_EQ(signature, "signature of " + digest.text());
              }
              write(place, new_);
              EXPECT_EQ(Directory::open(place).list().size(), 6u);
            });
  EXPECT_GT(points, 15u);
}

TEST_F(TransportCrash, ALayoutLosesNothing) {
  const auto write = [](const std::string& place, const TestImage& image, const char* name) {
    OciLayoutSink sink(OciLayout::ensure(place));
    put(sink, image, name);
  };
  sweep([&](const std::string& place) { write(place, old_, "old"); },
        [&](const std::string& place) { write(place, new_, "new"); },
        [&](const std::string& place) {
          OciLayoutSource source(OciLayout::open(place));
          expect_whole(source, "old");
          if (OciLayout::open(place).read_index().entries().size() > 1) {
            expect_whole(source, "new");
          }
          write(place, new_, "new");
          expect_whole(source, "new");
        });
}

TEST_F(TransportCrash, ADeletionTakesNothingOfOthers) {
  sweep(
      [&](const std::string& place) {
        OciLayoutSink sink(OciLayout::ensure(place));
        put_image(sink, old_, "old");
        put(sink, new_, "new");
      },
      [&](const std::string& place) { delete_layout_image(OciLayout::open(place), "old", {}); },
      [&](const std::string& place) {
        OciLayoutSource source(OciLayout::open(place));
        expect_whole(source, "new");
        if (OciLayout::open(place).read_index().entries().size() > 1) expect_whole(source, "old");
      });
}

TEST_F(TransportCrash, AnOciArchiveLosesNothing) {
  const auto write = [](const std::string& place, const TestImage& image, const char* name) {
    LayoutArchiveSink sink(place);
    put(sink, image, name);
  };
  const auto open = [](const std::string& place) {
    return LayoutArchiveSource(LayoutArchive(ArchiveFile::open(place, {})));
  };
  sweep([&](const std::string& place) { write(place, old_, "old"); },
        [&](const std::string& place) { write(place, new_, "new"); },
        [&](const std::string& place) {
          auto source = open(place);
          expect_whole(source, "old");
          if (source.index().entries().size() > 1) expect_whole(source, "new");
          write(place, new_, "new");
          auto again = open(place);
          expect_whole(again, "new");
        });
}

TEST_F(TransportCrash, ADockerArchiveIsThereWholeOrNotAtAll) {
  const auto write = [this](const std::string& place) {
    DockerArchiveSink sink(place);
    put(sink, new_, "new:1");
  };
  sweep([](const std::string&) {}, write,
        [&](const std::string& place) {
          const bool is_there = Directory::open(place.substr(0, place.rfind('/'))).exists("place");
          if (!is_there) write(place);
          DockerArchiveSource source(ArchiveFile::open(place, {}));
          expect_whole(source, std::string());
        });
}

#endif

}  // namespace
}  // namespace lade::registry
