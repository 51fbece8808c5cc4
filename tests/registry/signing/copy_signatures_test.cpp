// A copy between directories: which images are taken, which signatures go along, which are made.
#include "registry/copy.hpp"
#include "registry/transports/directory_sink.hpp"
#include "registry/transports/directory_source.hpp"
#include "registry/transports/layout_sink.hpp"
#include "tests/contract/test_image.hpp"
#include "tests/registry/signing/gpg_fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lade::registry {
namespace {

using Signatures = std::vector<std::string>;

class CopySigned : public testing::Test {
 protected:
  void SetUp() override { make_source({"\x90 one", "\x90 two"}); }

  void make_source(const Signatures& signatures) const {
    DirectorySink sink(path("source"));
    test::put_image(sink, image_, "");
    if (!signatures.empty()) sink.put_signatures(image_.manifest.digest, signatures);
    sink.commit();
  }
  std::string path(const std::string& name) const { return scratch_.path() + "/" + name; }

  CopyResult copy_to(ImageSink& sink, const CopySignatures& signatures,
                     const Changes& changes = {}) const {
    DirectorySource source(path("source"));
    NullObserver observer;
    const CopyTarget target{sink, "", "", Reference::parse("registry.example/app:1")};
    auto outcomes = copy_image_to_all(
        source, {&target, 1},
        {.source_key = "", .sink_key = "", .changes = changes, .signatures = signatures},
        OnFailure::stop, {{}, observer});
    if (outcomes.front().failure) std::rethrow_exception(outcomes.front().failure);
    return outcomes.front().result;
  }
  Signatures copy(const CopySignatures& signatures, const Changes& changes = {}) const {
    DirectorySink sink(path("copy"));
    const CopyResult result = copy_to(sink, signatures, changes);
    return DirectorySource(path("copy")).signatures(result.manifest.digest);
  }

  test::TestImage image_ = test::make_image("a", {"layer"});
  Scratch scratch_;
};

TEST_F(CopySigned, SignaturesGoAlongIfTheyAreToo) {
  EXPECT_EQ(copy({}), Signatures{});
  EXPECT_EQ(copy({.of_images = SourceSignatures::copy}), (Signatures{"\x90 one", "\x90 two"}));
}

TEST_F(CopySigned, APlaceWithoutSignaturesIsNotGivenAny) {
  OciLayoutSink sink(OciLayout::ensure(path("layout")), {});
  EXPECT_EQ(error_of<Error>([&] { copy_to(sink, {.of_images = SourceSignatures::copy}); }).hint(),
            "`--remove-signatures` copies without them");
  make_source({});
  copy_to(sink, {.of_images = SourceSignatures::copy});
}

TEST_F(CopySigned, AManifestWithSignaturesIsNotChanged) {
  const Changes converted{.format = ManifestFormat::v2s2};
  EXPECT_NE(std::string(error_of<Error>([&] {
                          copy({.of_images = SourceSignatures::copy}, converted);
                        }).what())
                .find("would invalidate its signatures"),
            std::string::npos);
  EXPECT_EQ(copy({}, converted), Signatures{});
}

TEST_F(CopySigned, ThePolicyIsAskedBeforeAnythingIsCopied) {
  const PolicyCheck check({.fallback = {Reject{}}}, {});
  const PolicyGate gate(check, path_scope("dir", path("source")));
  DirectorySink sink(path("copy"));
  EXPECT_THROW(copy_to(sink, {.gate = &gate}), Refused);
  EXPECT_FALSE(sink.has_blob(image_.blobs.front().descriptor));
}

TEST_F(CopySigned, WhatIsSignedIsWhatIsWritten) {
  if (!GpgUser::is_installed()) GTEST_SKIP() << "gpg is not installed";
  const GpgUser user;
  const std::string alice = user.make_key("alice");
  const ImageSigner signer(user.program(), {.fingerprint = alice, .passphrase = {}});
  const auto keyring = make_keyring(user.program(), {user.export_key(alice)});
  const auto verify = [&](const std::string& name) {
    const std::string manifest = read_file(path("copy/manifest.json"), 1 << 20);
    const std::string signature = read_file(path("copy/signature-1"), 1 << 20);
    return verify_manifest(*keyring, {alice}, manifest, name, signature).digest;
  };
  copy({.signer = &signer});
  EXPECT_EQ(verify("registry.example/app:1"), image_.manifest.digest);
  const Signatures all = copy({.of_images = SourceSignatures::copy, .signer = &signer});
  EXPECT_EQ(all.size(), 3U);
  copy({.signer = &signer, .identity = Reference::parse("other.example/x:2")},
       {.format = ManifestFormat::v2s2});
  EXPECT_NE(verify("other.example/x:2"), image_.manifest.digest);
}

TEST_F(CopySigned, ANameIsNeededToSign) {
  const ImageSigner signer({}, {.fingerprint = "0", .passphrase = {}});
  DirectorySource source(path("source"));
  DirectorySink sink(path("copy"));
  NullObserver observer;
  EXPECT_THROW(copy_image(source, sink,
                          {.source_key = "", .sink_key = "", .signatures = {.signer = &signer}},
                          {{}, observer}),
               UsageError);
}

}  // namespace
}  // namespace lade::registry
