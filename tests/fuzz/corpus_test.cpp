// Replays tests/fuzz/corpus/NAME, seeds and what fuzzers once found, through the target of that
// name.
#include "base/directory.hpp"
#include "tests/fuzz/targets.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace lade {
namespace {

void replay(const std::string& name, void (*target)(std::string_view)) {
  const Directory corpus = Directory::open(LADE_FUZZ_CORPUS "/" + name);
  const auto files = corpus.list();
  EXPECT_GE(files.size(), 5u) << "the corpus is there";
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    target(read_whole(corpus.open_file(file, O_RDONLY), 8 << 20, file));
  }
}

TEST(Corpus, Reference) {
  replay("reference", fuzz::fuzz_reference);
}
TEST(Corpus, Manifest) {
  replay("manifest", fuzz::fuzz_manifest);
}
TEST(Corpus, Decompress) {
  replay("decompress", fuzz::fuzz_decompress);
}

TEST(Corpus, RegistriesConf) {
  replay("registries_conf", fuzz::fuzz_registries_conf);
}
TEST(Corpus, Challenge) {
  replay("challenge", fuzz::fuzz_challenge);
}
TEST(Corpus, Link) {
  replay("link", fuzz::fuzz_link);
}
TEST(Corpus, AuthFile) {
  replay("auth_file", fuzz::fuzz_auth_file);
}
TEST(Corpus, Tar) {
  replay("tar", fuzz::fuzz_tar);
}
TEST(Corpus, Applier) {
  replay("applier", fuzz::fuzz_applier);
}
TEST(Corpus, DockerArchive) {
  replay("docker_archive", fuzz::fuzz_docker_archive);
}
TEST(Corpus, Policy) {
  replay("policy", fuzz::fuzz_policy);
}
TEST(Corpus, Signature) {
  replay("signature", fuzz::fuzz_signature);
}
TEST(Corpus, Yaml) {
  replay("yaml", fuzz::fuzz_yaml);
}

TEST(Corpus, SyncFile) {
  replay("sync_file", fuzz::fuzz_sync_file);
}
TEST(Corpus, SyncRecords) {
  replay("sync_records", fuzz::fuzz_sync_records);
}

TEST(Corpus, Template) {
  replay("template", fuzz::fuzz_template);
}
TEST(Corpus, RuntimeSpec) {
  replay("runtime_spec", fuzz::fuzz_runtime_spec);
}

}  // namespace
}  // namespace lade
