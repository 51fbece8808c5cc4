#include "cli/image_names.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

namespace lade::cli {
namespace {

store::StoredImage image_called(const std::vector<std::string>& names) {
  const Digest id = Digest::of("config");
  store::StoredImage image{.id = id, .manifest = {"text/plain", id, 6, {}, {}, {}, {}}};
  for (const std::string& name : names) image.names.push_back(Reference::parse(name));
  return image;
}

std::string meant(const store::StoredImage& image, const std::string& text) {
  const auto name = find_name_meant(image, text);
  return name ? name->text() : "none";
}

TEST(ImageNames, OneOfSeveralRegistriesIsThatOne) {
  const auto image = image_called({"a.example/team/app:1", "b.example/team/app:1"});
  EXPECT_EQ(meant(image, "b.example/team/app:1"), "b.example/team/app:1");
  EXPECT_EQ(meant(image, "a.example/team/app:1"), "a.example/team/app:1");
  EXPECT_EQ(meant(image, "c.example/team/app:1"), "none");
  EXPECT_EQ(meant(image, "team/app:1"), "a.example/team/app:1") << "which registry is not said";
}

TEST(ImageNames, ShortOnesAreThisHostsFirst) {
  const auto image = image_called({"a.example/library/app:latest", "localhost/app:latest"});
  EXPECT_EQ(meant(image, "app"), "localhost/app:latest");
  EXPECT_EQ(meant(image, "docker.io/library/app"), "none");
  EXPECT_EQ(meant(image_called({"docker.io/library/app:latest", "localhost/app:latest"}), "app"),
            "docker.io/library/app:latest");
}

TEST(ImageNames, IdsAreNone) {
  const auto image = image_called({"a.example/app:1"});
  EXPECT_TRUE(is_id_of(image, image.id.hex().substr(0, 12)));
  EXPECT_TRUE(is_id_of(image, image.id.text()));
  EXPECT_EQ(meant(image, image.id.hex()), "none");
}

TEST(ImageNames, NewOnesAreLocal) {
  EXPECT_EQ(local_name("app").text(), "localhost/app:latest");
  EXPECT_EQ(local_name("docker.io/app:1").text(), "docker.io/library/app:1");
  EXPECT_THROW(local_name("app@" + Digest::of("x").text()), UsageError);
}

}  // namespace
}  // namespace lade::cli
