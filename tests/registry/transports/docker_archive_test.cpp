// docker-archives: the exact documents, several images, names and positions, compression, pipes,
// what is refused, and archives that somebody made to do harm.
#include "base/error.hpp"
#include "base/process.hpp"
#include "base/tar_writer.hpp"
#include "registry/recompression.hpp"
#include "registry/transports/docker_archive_sink.hpp"
#include "registry/transports/docker_archive_source.hpp"
#include "tests/base/scratch.hpp"
#include "tests/contract/test_image.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>
#include <zlib.h>

#include <functional>
#include <thread>

namespace lade::registry {
namespace {

using test::make_blob;
using test::make_image;
using test::put_image;
using test::TestBlob;
using test::TestImage;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Members = std::vector<std::pair<std::string, std::string>>;

std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class DockerArchiveTest : public testing::Test {
 protected:
  std::string write_members(const Members& members, const std::string& name = "made.tar") {
    StringSink out;
    TarWriter writer(out);
    for (const auto& [file, content] : members) writer.add({.name = file}, content);
    writer.finish();
    return write_bytes(out.text(), name);
  }

  std::string write_bytes(const std::string& bytes, const std::string& name = "made.tar") {
    scratch_->write_file(name, bytes, 0644);
    return scratch_->path_of(name);
  }

  void write_image(const TestImage& image, const std::string& name) {
    DockerArchiveSink sink(path_);
    put_image(sink, image, name);
    sink.commit();
  }

  DockerArchiveSource open(const std::string& path) const {
    return DockerArchiveSource(ArchiveFile::open(path, {.temporary_directory = scratch_.path()}));
  }

  std::string error_of(const std::function<void()>& action) const {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  std::string manifest_error(const std::string& path) const {
    return error_of([&] { open(path).manifest(std::string()); });
  }

  /// The members of an archive with one image of a plain layer, whose manifest.json is given.
  Members members_with(const std::string& manifest) const {
    return {{"config.json", image_.blobs[0].bytes},
            {"layer.tar", image_.blobs[1].bytes},
            {"manifest.json", manifest}};
  }

  std::string member_of(const std::string& path, const std::string& name) const {
    const ArchiveFile archive = ArchiveFile::open(path, {});
    return archive.read(archive.get(name), 1 << 20);
  }

  ScratchDirectory scratch_;
  std::string path_ = scratch_->path_of("a.tar");
  TestImage image_ = make_image("a", {"layer"});
  std::string usual_ = R"([{"Config":"config.json","RepoTags":["app:1"],"Layers":["layer.tar"]}])";
};

TEST_F(DockerArchiveTest, WritesTheDocumentsThatSkopeoWrites) {
  const TestImage image = make_image("a", {"first", "second"});
  {
    DockerArchiveSink sink(path_, {.additional_tags = {Reference::parse("other/app")}});
    put_image(sink, image, "app:1");
    sink.commit();
  }
  const std::string config = image.blobs[0].descriptor.digest.hex();
  const std::string first = image.blobs[1].descriptor.digest.hex();
  const std::string second = image.blobs[2].descriptor.digest.hex();
  EXPECT_EQ(member_of(path_, "manifest.json"),
            str(R"([{"Config":")", config,
                R"(.json","RepoTags":["docker.io/library/app:1","docker.io/other/app:latest"],)",
                R"("Layers":[")", first, R"(.tar",")", second, R"(.tar"]}])"));
  const ArchiveFile archive = ArchiveFile::open(path_, {});
  std::vector<std::string> names;
  for (const TarEntry& entry : archive.index().entries()) names.push_back(entry.name);
  ASSERT_EQ(names.size(), 11u);
  EXPECT_EQ(names[0], first + ".tar");
  EXPECT_EQ(names[1], second + ".tar");
  EXPECT_EQ(names[2], config + ".json");
  EXPECT_THAT(names[3], testing::EndsWith("/layer.tar"));
  EXPECT_EQ(archive.index().entries()[3].link, "../" + first + ".tar");
  EXPECT_EQ(archive.read(archive.get(names[4]), 10), "1.0");
  EXPECT_EQ(names[9], "manifest.json");
  EXPECT_EQ(names[10], "repositories");
}

TEST_F(DockerArchiveTest, KeepsLegacyJsonAsItWasWritten) {
  const DockerArchiveImage image{
      .config = Digest::of("x"),
      .config_bytes =
          "{\"os\" : \"linux\", \"config\": {\"Cmd\": [\"a < b\", \"\\\"\"], \"A\":1 } }",
      .layers = {DiffId{Digest::of("1")}},
      .tags = {}};
  const auto legacy = legacy_layers(image);
  ASSERT_EQ(legacy.size(), 1u);
  EXPECT_EQ(legacy[0].json,
            str(R"({"architecture":null,"config":{"Cmd":["a \u003c b","\""],"A":1},)",
                R"("container":null,"container_config":null,"created":null,"docker_version":null,)",
                R"("id":")", legacy[0].id, R"(","os":"linux"})"));
}

TEST_F(DockerArchiveTest, HoldsSeveralImagesThatShareLayers) {
  const TestImage one = make_image("one", {"base", "one"});
  const TestImage two = make_image("two", {"base", "two"});
  {
    DockerArchiveSink sink(path_);
    put_image(sink, one, "app:1");
    put_image(sink, two, "app:2");
    put_image(sink, one, "app:latest");
    sink.commit();
  }
  const ArchiveFile archive = ArchiveFile::open(path_, {});
  const auto items = parse_docker_archive(archive.read(archive.get("manifest.json"), 1 << 20));
  ASSERT_EQ(items.size(), 2u);
  EXPECT_THAT(docker_archive_names(items),
              ElementsAre("docker.io/library/app:1", "docker.io/library/app:latest",
                          "docker.io/library/app:2"));
  EXPECT_EQ(items[0].layers[0], items[1].layers[0]);
  DockerArchiveSource source = open(path_);
  EXPECT_EQ(source.manifest(std::string("app")).digest, source.manifest_at(0).digest);
  EXPECT_EQ(source.manifest(std::string("app:2")).digest, source.manifest_at(1).digest);
  EXPECT_THAT(error_of([&] { source.manifest(std::string()); }), HasSubstr("is not said"));
  EXPECT_THROW(source.manifest_at(2), NotFound);
  EXPECT_THAT(error_of([&] { source.manifest(std::string("app:3")); }),
              HasSubstr("it holds docker.io/library/app:1, "));
}

TEST_F(DockerArchiveTest, NamesImagesWithoutATagByTheirPosition) {
  const auto items = parse_docker_archive(
      R"([{"Config":"a","RepoTags":null,"Layers":null},{"Config":"b","RepoTags":["x:1"]}])");
  EXPECT_THAT(docker_archive_names(items), ElementsAre("@0", "x:1"));
}

TEST_F(DockerArchiveTest, UnpacksCompressedLayers) {
  TestImage image = make_image("a", {"first"});
  const TestBlob packed = make_blob(gzipped("first"), media_type::oci_layer_gzip);
  image.blobs[1] = packed;
  image.manifest = RawManifest::make(
      str(R"({"schemaVersion":2,"config":{"mediaType":")", media_type::oci_config,
          R"(","digest":")", image.blobs[0].descriptor.digest.text(), R"(","size":)",
          image.blobs[0].bytes.size(), R"(},"layers":[{"mediaType":")", media_type::oci_layer_gzip,
          R"(","digest":")", packed.descriptor.digest.text(), R"(","size":)", packed.bytes.size(),
          "}]}"),
      std::string(media_type::oci_manifest));
  write_image(image, "");
  EXPECT_EQ(member_of(path_, Digest::of("first").hex() + ".tar"), "first");
}

TEST_F(DockerArchiveTest, RefusesALayerThatIsNotTheConfigurations) {
  TestImage image = make_image("a", {"first"});
  const TestImage other = make_image("a", {"other"});
  image.blobs[0] = other.blobs[0];
  image.manifest = RawManifest::make(
      str(R"({"schemaVersion":2,"config":{"mediaType":")", media_type::oci_config,
          R"(","digest":")", image.blobs[0].descriptor.digest.text(), R"(","size":)",
          image.blobs[0].bytes.size(), R"(},"layers":[{"mediaType":")", media_type::oci_layer,
          R"(","digest":")", image.blobs[1].descriptor.digest.text(), R"(","size":5}]})"),
      std::string(media_type::oci_manifest));
  DockerArchiveSink sink(path_);
  EXPECT_THROW(put_image(sink, image, "app:1"), Refused);
}

TEST_F(DockerArchiveTest, ChangesNoArchive) {
  write_bytes("precious", "a.tar");
  EXPECT_THAT(error_of([&] { DockerArchiveSink sink(path_); }),
              HasSubstr("archives are not changed"));
  EXPECT_EQ(read_file(path_, 100), "precious");
}

TEST_F(DockerArchiveTest, ReplacesNoArchiveThatAppearedMeanwhile) {
  DockerArchiveSink sink(path_);
  put_image(sink, image_, "app:1");
  write_bytes("precious", "a.tar");
  EXPECT_THROW(sink.commit(), SystemError);
  EXPECT_EQ(read_file(path_, 100), "precious");
  EXPECT_THAT(scratch_->list(), ElementsAre("a.tar"));
}

TEST_F(DockerArchiveTest, TakesAnEmptyFileOver) {
  write_bytes("", "a.tar");
  write_image(image_, "app:1");
  EXPECT_EQ(open(path_).items().size(), 1u);
}

TEST_F(DockerArchiveTest, HoldsNoLists) {
  DockerArchiveSink sink(path_);
  const RawManifest index = RawManifest::make(R"({"schemaVersion":2,"manifests":[]})",
                                              std::string(media_type::oci_index));
  EXPECT_THAT(error_of([&] { sink.put_manifest(index, std::string("app:1")); }),
              HasSubstr("for one platform each"));
  EXPECT_THROW(sink.commit(), Error);
  EXPECT_THAT(scratch_->list(), IsEmpty());
}

TEST_F(DockerArchiveTest, HasTagsAndNoDigests) {
  DockerArchiveSink sink(path_);
  EXPECT_THROW(put_image(sink, image_, "app@" + Digest::of("x").text()), UsageError);
}

TEST_F(DockerArchiveTest, WritesToAPipe) {
  const std::string fifo = scratch_->path_of("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::string read;
  {
    std::jthread reader([&] {
      FdSource source(open_file(fifo, O_RDONLY), fifo);
      read = read_all(source, 1 << 20, "the archive");
    });
    DockerArchiveSink sink(fifo, {.temporary_directory = scratch_.path()});
    put_image(sink, image_, "app:1");
    sink.commit();
  }
  write_image(image_, "app:1");
  EXPECT_EQ(read, read_file(path_, 1 << 20));
  EXPECT_THAT(scratch_->list(), ElementsAre("a.tar", "fifo"));
}

TEST_F(DockerArchiveTest, WritesWhereALinkLeads) {
  write_bytes("", "real.tar");
  ASSERT_EQ(::symlinkat("real.tar", scratch_->fd(), "a.tar"), 0);
  write_image(image_, "app:1");
  EXPECT_TRUE(S_ISLNK(scratch_->find_stat("a.tar")->st_mode));
  EXPECT_EQ(open(scratch_->path_of("real.tar")).items().size(), 1u);
  EXPECT_THAT(error_of([&] { DockerArchiveSink sink(path_); }), HasSubstr("are not changed"));
}

TEST_F(DockerArchiveTest, ReadsFromAPipe) {
  write_image(image_, "app:1");
  const std::string fifo = scratch_->path_of("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const std::jthread writer([&] {
    const Fd out = open_file(fifo, O_WRONLY);
    write_all(out, as_bytes(read_file(path_, 1 << 20)), fifo);
  });
  DockerArchiveSource source = open(fifo);
  EXPECT_EQ(source.manifest(std::string()).digest, open(path_).manifest(std::string()).digest);
  EXPECT_EQ(test::blob_text(source, image_.blobs[1].descriptor), "layer");
}

TEST_F(DockerArchiveTest, ReadsCompressedArchives) {
  write_image(image_, "app:1");
  const std::string plain = read_file(path_, 1 << 20);
  const auto expect_same = [&](const std::string& path) {
    DockerArchiveSource source = open(path);
    EXPECT_EQ(source.manifest(std::string("app:1")).digest,
              open(path_).manifest(std::string()).digest);
    EXPECT_EQ(test::blob_text(source, image_.blobs[1].descriptor), "layer");
  };
  expect_same(write_bytes(gzipped(plain), "a.gz"));
  for (const std::string program : {"zstd", "xz"}) {
    const auto packed =
        call_program({.path = "/usr/bin/" + program, .arguments = {"--stdout"}, .input = plain});
    if (packed.exit_code != 0) GTEST_SKIP() << "no " << program;
    expect_same(write_bytes(packed.output, "a." + program));
  }
}

TEST_F(DockerArchiveTest, RefusesBzip2ByName) {
  EXPECT_THAT(manifest_error(write_bytes("BZh91AY&SY" + std::string(600, 'x'))),
              HasSubstr("bzip2 is not supported"));
}

TEST_F(DockerArchiveTest, ReadsLayersThatAreCompressedInside) {
  DockerArchiveSource source = open(write_members({{"config.json", image_.blobs[0].bytes},
                                                   {"layer.tar", gzipped("layer")},
                                                   {"manifest.json", usual_}}));
  const Manifest manifest = parse_manifest(source.manifest(std::string("app:1")).bytes);
  EXPECT_EQ(manifest.layers.at(0).digest, Digest::of("layer"));
  EXPECT_EQ(manifest.layers.at(0).size, 5u);
  EXPECT_EQ(test::blob_text(source, manifest.layers.at(0)), "layer");
}

TEST_F(DockerArchiveTest, ReadsLayersThatAreLinks) {
  StringSink out;
  TarWriter writer(out);
  writer.add({.name = "config.json"}, image_.blobs[0].bytes);
  writer.add({.name = "blob"}, "layer");
  writer.begin({.name = "id/layer.tar", .type = TarType::symlink, .link = "../blob"});
  writer.begin({.name = "hard.tar", .type = TarType::hard_link, .link = "id/layer.tar"});
  writer.add({.name = "manifest.json"},
             R"([{"Config":"./config.json","RepoTags":["app:1"],"Layers":["hard.tar"]}])");
  writer.finish();
  DockerArchiveSource source = open(write_bytes(out.text()));
  EXPECT_EQ(source.manifest(std::string("app:1")).kind(), ManifestKind::image);
  EXPECT_EQ(test::blob_text(source, image_.blobs[1].descriptor), "layer");
}

TEST_F(DockerArchiveTest, ReadsNothingOutsideOfTheArchive) {
  scratch_->write_file("secret", "layer", 0644);
  for (const std::string target : {"../secret", "/etc/passwd", "../../../../etc/passwd"}) {
    StringSink out;
    TarWriter writer(out);
    writer.add({.name = "config.json"}, image_.blobs[0].bytes);
    writer.begin({.name = "layer.tar", .type = TarType::symlink, .link = target});
    writer.add({.name = "manifest.json"}, usual_);
    writer.finish();
    EXPECT_THAT(manifest_error(write_bytes(out.text())), HasSubstr("outside the archive"));
  }
  for (const std::string name : {"../secret", "/../secret", "a/../../secret"}) {
    const std::string manifest =
        str(R"([{"Config":"config.json","RepoTags":["app:1"],"Layers":[")", name, R"("]}])");
    EXPECT_THAT(manifest_error(write_members(members_with(manifest))),
                HasSubstr("leads out of the archive"));
  }
}

TEST_F(DockerArchiveTest, RefusesToChooseBetweenMembers) {
  for (const std::string name : {"manifest.json", "config.json", "layer.tar"}) {
    Members members = members_with(usual_);
    members.emplace_back(name, "another");
    EXPECT_THAT(manifest_error(write_members(members)), HasSubstr("two members called"));
  }
}

TEST_F(DockerArchiveTest, SaysWhatIsMissing) {
  EXPECT_THAT(manifest_error(scratch_->path_of("absent")), HasSubstr("no archive at"));
  EXPECT_THROW(open(scratch_->path_of("absent")), NotFound);
  EXPECT_THAT(manifest_error(write_members({{"config.json", "{}"}})),
              HasSubstr("has no `manifest.json`"));
  for (const std::size_t member : {0U, 1U}) {
    Members members = members_with(usual_);
    const std::string name = members[member].first;
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(member));
    EXPECT_THAT(manifest_error(write_members(members)), HasSubstr(str("no member `", name)));
  }
  EXPECT_THAT(manifest_error(write_members(members_with("[]"))), HasSubstr("it holds no image"));
}

TEST_F(DockerArchiveTest, RefusesMalformedDocuments) {
  for (const std::string manifest :
       {"", "{}", "[1]", R"([{"Layers":[]}])", R"([{"Config":1}])",
        R"([{"Config":"a","Layers":{}}])", R"([{"Config":"a","RepoTags":[1],"Layers":[]}])"}) {
    EXPECT_THAT(manifest_error(write_members(members_with(manifest))),
                HasSubstr("invalid manifest.json"))
        << manifest;
  }
  const std::string more =
      R"([{"Config":"config.json","RepoTags":["app:1"],"Layers":["layer.tar","layer.tar"]}])";
  EXPECT_THAT(manifest_error(write_members(members_with(more))), HasSubstr("2 layers"));
}

TEST_F(DockerArchiveTest, EscapesNamesInMessages) {
  const std::string manifest =
      R"([{"Config":"config.json","RepoTags":["evil\u001b[2J"],"Layers":["layer.tar"]}])";
  DockerArchiveSource source = open(write_members(members_with(manifest)));
  const std::string error = error_of([&] { source.manifest(std::string("app:1")); });
  EXPECT_EQ(error.find('\x1b'), std::string::npos) << error;
}

TEST_F(DockerArchiveTest, SaysThatAnArchiveIsTruncated) {
  write_image(make_image("a", {std::string(100'000, 'x')}), "app:1");
  const std::string whole = read_file(path_, 1 << 20);
  EXPECT_THAT(manifest_error(write_bytes(whole.substr(0, 50'000))),
              HasSubstr("ends in the middle"));
  EXPECT_THAT(manifest_error(write_bytes(gzipped(whole).substr(0, 500), "a.gz")),
              HasSubstr("ends before its end"));
  // Cut between two members.
  EXPECT_THAT(manifest_error(write_bytes(whole.substr(0, 512 + 100'352))),
              HasSubstr("has no `manifest.json`"));
}

TEST_F(DockerArchiveTest, RefusesABomb) {
  const std::string path = write_bytes(gzipped(std::string(16 << 20, '\0')), "bomb.gz");
  const ArchiveOptions options{.temporary_directory = scratch_.path(), .unpacked_freely = 1 << 20};
  EXPECT_THAT(error_of([&] { ArchiveFile::open(path, options); }), HasSubstr("200 times its size"));
  EXPECT_THAT(scratch_->list(), ElementsAre("bomb.gz"));
}

TEST_F(DockerArchiveTest, ReadsAFifoOrADirectoryAsNoArchive) {
  EXPECT_THAT(manifest_error(scratch_.path()), HasSubstr("is a directory"));
  EXPECT_THAT(manifest_error(write_bytes("")), HasSubstr("it is empty"));
  EXPECT_THAT(manifest_error(write_bytes("hello")), HasSubstr("not a valid tar archive"));
}

TEST_F(DockerArchiveTest, HasPlainLayersThatAreKnownAsSuch) {
  write_image(image_, "app:1");
  DockerArchiveSource source = open(path_);
  const RawManifest manifest = source.manifest(std::string());
  const Descriptor layer = parse_manifest(manifest.bytes).layers.at(0);
  EXPECT_EQ(layer.media_type, media_type::docker_layer_gzip);
  const DiffId diff_id{Digest::of("layer")};
  EXPECT_FALSE(is_recompressed(layer, diff_id, {.to = Compression::none}));
  EXPECT_TRUE(is_recompressed(layer, diff_id, {.which = Recompression::Which::uncompressed}));
  const auto written =
      registry::write_image(manifest, image_.blobs[0].bytes, ManifestFormat::oci, {});
  EXPECT_EQ(parse_manifest(written.manifest.bytes).layers.at(0).media_type, media_type::oci_layer);
}

TEST_F(DockerArchiveTest, GivesBlobsFromTheMiddle) {
  write_image(image_, "app:1");
  DockerArchiveSource source = open(path_);
  const BlobStream stream = source.open_blob(image_.blobs[1].descriptor, {.offset = 3});
  EXPECT_EQ(stream.offset, 3u);
  EXPECT_EQ(read_all(*stream.bytes, 100, "the blob"), "er");
}

}  // namespace
}  // namespace lade::registry
