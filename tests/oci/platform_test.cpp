#include "oci/platform.hpp"

#include "base/error.hpp"
#include "oci/descriptor.hpp"
#include "oci/media_type.hpp"

#include <gtest/gtest.h>
#include <sys/utsname.h>

namespace lade {
namespace {

TEST(Platform, ParsesAndPrints) {
  EXPECT_EQ(parse_platform("linux/amd64"), (Platform{"linux", "amd64", "", ""}));
  EXPECT_EQ(parse_platform("linux/arm64/v8"), (Platform{"linux", "arm64", "v8", ""}));
  for (const char* text : {"linux/amd64", "linux/arm/v7", "windows/amd64", "linux/ppc64le"}) {
    EXPECT_EQ(to_string(parse_platform(text)), text);
  }
  EXPECT_EQ(to_string(parse_platform("linux/x86_64")), "linux/amd64");
  EXPECT_EQ(to_string(parse_platform("linux/aarch64")), "linux/arm64");
  EXPECT_EQ(to_string(parse_platform("linux/armhf")), "linux/arm/v7");
  EXPECT_EQ(to_string(parse_platform("linux/armv7l/v6")), "linux/arm/v6");
  EXPECT_EQ(to_string(parse_platform("linux/i686")), "linux/386");
  for (const char* bad : {"", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux//v7",
                          "Linux/amd64", "linux/am d64", "linux/amd64/"}) {
    EXPECT_THROW(parse_platform(bad), UsageError) << bad;
  }
}

TEST(Platform, OfThisHost) {
  const Platform host = host_platform();
  EXPECT_EQ(host.os, "linux");
  utsname system{};
  ASSERT_EQ(::uname(&system), 0);
  if (std::string_view(system.machine) == "x86_64") {
    EXPECT_EQ(to_string(host), "linux/amd64");
  }
  EXPECT_EQ(parse_platform(to_string(host)), host);
}

/// Entries of an index, by platform; the digest tells which one it is.
std::vector<Descriptor> entries(const std::vector<Platform>& platforms) {
  std::vector<Descriptor> manifests;
  for (const Platform& platform : platforms) {
    manifests.push_back({.media_type = "m", .digest = Digest::of(""), .platform = platform});
  }
  return manifests;
}

/// The platform that is chosen for `wanted`; `-` if there is none.
std::string chosen(const std::vector<std::string>& offered, const Platform& wanted) {
  std::vector<Platform> platforms;
  for (const std::string& each : offered) platforms.push_back(parse_platform(each));
  const auto manifests = entries(platforms);
  const Descriptor* found = find_platform(manifests, wanted);
  return found == nullptr ? "-" : to_string(*found->platform);
}

TEST(FindPlatform, TakesTheExactOne) {
  const std::vector<std::string> offered = {"unknown/unknown", "windows/amd64", "linux/386",
                                            "linux/arm64/v8", "linux/amd64"};
  EXPECT_EQ(chosen(offered, {"linux", "amd64"}), "linux/amd64");
  EXPECT_EQ(chosen(offered, {"windows", "amd64"}), "windows/amd64");
  EXPECT_EQ(chosen(offered, {"linux", "s390x"}), "-");
  EXPECT_EQ(chosen({}, {"linux", "amd64"}), "-");
}

TEST(FindPlatform, NeverAnUnknownOne) {
  const std::vector<std::string> offered = {"unknown/unknown"};
  EXPECT_EQ(chosen(offered, {"linux", "amd64"}), "-");
  EXPECT_EQ(chosen(offered, {"unknown", "unknown"}), "-");
}

TEST(FindPlatform, ArmVariantsDownwards) {
  const std::vector<std::string> offered = {"linux/arm/v5", "linux/arm", "linux/arm/v7",
                                            "linux/arm/v6"};
  EXPECT_EQ(chosen(offered, {"linux", "arm", "v8"}), "linux/arm/v7");
  EXPECT_EQ(chosen(offered, {"linux", "arm", "v7"}), "linux/arm/v7");
  EXPECT_EQ(chosen(offered, {"linux", "arm", "v6"}), "linux/arm/v6");
  EXPECT_EQ(chosen(offered, {"linux", "arm", "v5"}), "linux/arm/v5");
  EXPECT_EQ(chosen(offered, {"linux", "arm", ""}), "linux/arm");
  EXPECT_EQ(chosen({"linux/arm/v7"}, {"linux", "arm", "v6"}), "-");
  EXPECT_EQ(chosen({"linux/arm"}, {"linux", "arm", "v6"}), "linux/arm");
  EXPECT_EQ(chosen({"linux/arm"}, {"linux", "arm", "vx"}), "linux/arm");
  EXPECT_EQ(chosen({"linux/arm/v5", "linux/arm/v7"}, {"linux", "arm", ""}), "linux/arm/v7");
}

TEST(FindPlatform, Arm64WithAndWithoutV8IsTheSame) {
  EXPECT_EQ(chosen({"linux/arm64/v8"}, {"linux", "arm64", ""}), "linux/arm64/v8");
  EXPECT_EQ(chosen({"linux/arm64"}, {"linux", "arm64", "v8"}), "linux/arm64");
  EXPECT_EQ(chosen({"linux/arm64/v9"}, {"linux", "arm64", ""}), "-");
  EXPECT_EQ(chosen({"linux/arm64", "linux/arm64/v9"}, {"linux", "arm64", "v9"}), "linux/arm64/v9");
  EXPECT_EQ(chosen({"linux/arm64/v8"}, {"linux", "arm64", "v9"}), "linux/arm64/v8");
}

TEST(FindPlatform, Amd64LevelsIncludeLowerOnes) {
  const std::vector<std::string> offered = {"linux/amd64/v2", "linux/amd64", "linux/amd64/v3"};
  EXPECT_EQ(chosen(offered, {"linux", "amd64", ""}), "linux/amd64");
  EXPECT_EQ(chosen(offered, {"linux", "amd64", "v1"}), "linux/amd64");
  EXPECT_EQ(chosen(offered, {"linux", "amd64", "v4"}), "linux/amd64/v3");
  EXPECT_EQ(chosen({"linux/amd64/v3"}, {"linux", "amd64", ""}), "-");
}

TEST(FindPlatform, TheFirstOfEquals) {
  auto manifests = entries({{"linux", "amd64"}, {"linux", "amd64"}});
  manifests[0].size = 1;
  EXPECT_EQ(find_platform(manifests, {"linux", "amd64"}), manifests.data());
}

TEST(FindPlatform, WindowsVersionsMustAgreeWhenAskedFor) {
  const auto manifests =
      entries({{"windows", "amd64", "", "10.0.17763"}, {"windows", "amd64", "", "10.0.20348"}});
  EXPECT_EQ(find_platform(manifests, {"windows", "amd64", "", "10.0.20348"}), &manifests[1]);
  EXPECT_EQ(find_platform(manifests, {"windows", "amd64"}), manifests.data());
}

TEST(FindPlatform, AnImageWithoutPlatformIsTheLastResort) {
  const std::string image(media_type::oci_manifest);
  std::vector<Descriptor> manifests = {
      {.media_type = image, .digest = Digest::of(""), .artifact_type = "application/spdx"},
      {.media_type = std::string(media_type::oci_index), .digest = Digest::of("")},
      {.media_type = image, .digest = Digest::of("")},
  };
  EXPECT_EQ(find_platform(manifests, {"linux", "amd64"}), &manifests[2]);
  manifests.push_back({.media_type = image,
                       .digest = Digest::of(""),
                       .platform = Platform{"linux", "amd64", "", ""}});
  EXPECT_EQ(find_platform(manifests, {"linux", "amd64"}), &manifests[3]);
}

}  // namespace
}  // namespace lade
