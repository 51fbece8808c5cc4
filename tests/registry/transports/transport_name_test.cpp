#include "registry/transports/transport_name.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::registry {
namespace {

using testing::HasSubstr;

LayoutImageName layout(std::string_view text) {
  return std::get<LayoutImageName>(parse_image_name(text));
}

std::string error_of(std::string_view text) {
  try {
    parse_image_name(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

TEST(TransportName, NamesAnImageAtARegistry) {
  const auto reference = [](std::string_view text) {
    return std::get<RegistryImageName>(parse_image_name(text)).reference.text();
  };
  EXPECT_EQ(reference("docker://alpine"), "docker.io/library/alpine:latest");
  EXPECT_EQ(reference("docker://localhost:5000/a/b:1"), "localhost:5000/a/b:1");
}

TEST(TransportName, APathEndsAtTheFirstColon) {
  EXPECT_EQ(layout("oci:some/dir").path, "some/dir");
  EXPECT_EQ(layout("oci:some/dir").key, ManifestKey(std::string()));
  EXPECT_EQ(layout("oci:/abs:team/app:1.2").path, "/abs");
  EXPECT_EQ(layout("oci:/abs:team/app:1.2").key, ManifestKey(std::string("team/app:1.2")));
  EXPECT_EQ(layout("oci:a@b").path, "a@b");
}

TEST(TransportName, KnowsDigestsAndPositions) {
  const Digest digest = Digest::of("x");
  EXPECT_EQ(layout(str("oci:p:", digest.text())).key, ManifestKey(digest));
  EXPECT_EQ(layout("oci:p:sha256:abc").key, ManifestKey(std::string("sha256:abc")));
  EXPECT_EQ(layout("oci:p:@0").position, 0u);
  EXPECT_EQ(layout("oci:p:@12").position, 12u);
  EXPECT_FALSE(layout("oci:p:x").position);
}

TEST(TransportName, ADirectoryIsAllOfTheRest) {
  const auto path = [](std::string_view text) {
    return std::get<DirectoryImageName>(parse_image_name(text)).path;
  };
  EXPECT_EQ(path("dir:some/dir"), "some/dir");
  EXPECT_EQ(path("dir:/with:colon@x"), "/with:colon@x");
}

TEST(TransportName, NamesAnImageInTheStore) {
  EXPECT_EQ(std::get<StoreImageName>(parse_image_name("store:alpine:3")).name, "alpine:3");
}

TEST(TransportName, NamesAnImageInADockerArchive) {
  const auto archive = [](std::string_view text) {
    return std::get<DockerArchiveImageName>(parse_image_name(text));
  };
  EXPECT_EQ(archive("docker-archive:/dev/stdin").path, "/dev/stdin");
  EXPECT_FALSE(archive("docker-archive:a.tar").reference);
  EXPECT_EQ(archive("docker-archive:a.tar:app").reference->text(), "docker.io/library/app:latest");
  EXPECT_EQ(archive("docker-archive:a.tar:h:5000/app:1").reference->text(), "h:5000/app:1");
  EXPECT_EQ(archive("docker-archive:a.tar:@3").position, 3u);
  EXPECT_FALSE(archive("docker-archive:a.tar:@3").reference);
}

TEST(TransportName, NamesAnImageInAnOciArchive) {
  const auto archive = [](std::string_view text) {
    return std::get<LayoutArchiveImageName>(parse_image_name(text)).name;
  };
  EXPECT_EQ(archive("oci-archive:a.tar").path, "a.tar");
  EXPECT_EQ(archive("oci-archive:a.tar:app:1").key, ManifestKey(std::string("app:1")));
  EXPECT_EQ(archive("oci-archive:a.tar:@2").position, 2u);
}

TEST(TransportName, RefusesByName) {
  EXPECT_THAT(error_of("docker-archive:"), HasSubstr("no path"));
  EXPECT_THAT(error_of("docker-archive:a:@x"), HasSubstr("not @ and a number"));
  EXPECT_THAT(error_of(str("docker-archive:a:b@", Digest::of("").text())), HasSubstr("no digest"));
  EXPECT_THAT(error_of("oci-archive::x"), HasSubstr("no path"));
  EXPECT_THAT(error_of("dir:"), HasSubstr("no path"));
  EXPECT_THAT(error_of("store:"), HasSubstr("no name"));
  EXPECT_THAT(error_of("alpine"), HasSubstr("no transport"));
  EXPECT_THAT(error_of("alpine:3"), HasSubstr("no transport"));
  EXPECT_THAT(error_of(""), HasSubstr("no transport"));
  EXPECT_THAT(error_of("docker:alpine"), HasSubstr("`//`"));
  EXPECT_THAT(error_of(str("docker://a:1@", Digest::of("").text())), HasSubstr("both"));
  EXPECT_THAT(error_of("oci:"), HasSubstr("no path"));
  EXPECT_THAT(error_of("oci::x"), HasSubstr("no path"));
  EXPECT_THAT(error_of("oci:p:"), HasSubstr("not a valid name"));
  EXPECT_THAT(error_of("oci:p:a b"), HasSubstr("not a valid name"));
  EXPECT_THAT(error_of("oci:p:@x"), HasSubstr("not @ and a number"));
  EXPECT_THAT(error_of("oci:p:@-1"), HasSubstr("not @ and a number"));
  for (const std::string transport :
       {"atomic", "tarball", "ostree", "docker-daemon", "containers-storage", "sif"}) {
    EXPECT_THAT(error_of(transport + ":x"), HasSubstr(str("transport `", transport, ":`")));
  }
}

}  // namespace
}  // namespace lade::registry
