#include "cli/views.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lade::cli {
namespace {

const std::string k_hex(64, 'a');

std::string inspect_json(const InspectView& view) {
  return pretty_json(inspect_value(view));
}

std::string config_json(const std::string& config) {
  return pretty_json(config_value(config));
}

std::string config_with(const std::string& members) {
  return R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:)" +
         k_hex + R"("]})" + members + "}";
}

InspectView view_of(const std::string& config) {
  InspectView view{"docker.io/library/x",
                   Digest::parse("sha256:" + k_hex),
                   std::vector<std::string>{"1", "2"},
                   parse_image_config(config),
                   {.config = {"application/vnd.oci.image.config.v1+json",
                               Digest::parse("sha256:" + k_hex), 2}}};
  view.manifest.layers.push_back(
      {std::string(media_type::oci_layer_gzip), Digest::parse("sha256:" + k_hex), 5});
  return view;
}

TEST(InspectJson, HasSkopeosMembersInSkopeosOrder) {
  const auto text = inspect_json(
      view_of(config_with(R"(,"created":"2022-11-16T07:26:42.500Z","config":{"Env":["A=<b>&"]})")));
  EXPECT_EQ(text, R"({
    "Name": "docker.io/library/x",
    "Digest": "sha256:)" +
                      k_hex + R"(",
    "RepoTags": [
        "1",
        "2"
    ],
    "Created": "2022-11-16T07:26:42.5Z",
    "DockerVersion": "",
    "Labels": null,
    "Architecture": "amd64",
    "Os": "linux",
    "Layers": [
        "sha256:)" + k_hex +
                      R"("
    ],
    "LayersData": [
        {
            "MIMEType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "Digest": "sha256:)" +
                      k_hex + R"(",
            "Size": 5,
            "Annotations": null
        }
    ],
    "Env": [
        "A=\u003cb\u003e\u0026"
    ]
}
)");
}

TEST(InspectJson, AbsentIsNull) {
  const auto text = inspect_json(view_of(config_with("")));
  EXPECT_NE(text.find("\"Created\": null"), std::string::npos);
  EXPECT_NE(text.find("\"Env\": null"), std::string::npos);
}

TEST(InspectJson, TagsThatMayNotBeListedAreNull) {
  auto view = view_of(config_with(""));
  view.tags = std::vector<std::string>();
  EXPECT_NE(inspect_json(view).find("\"RepoTags\": []"), std::string::npos);
  view.tags.reset();
  EXPECT_NE(inspect_json(view).find("\"RepoTags\": null"), std::string::npos);
}

TEST(ConfigJson, DropsWhatTheSpecificationDoesNotKnow) {
  const auto text = config_json(config_with(
      R"(,"docker_version":"1","container":"x","config":{"Cmd":["sh"],"Image":"y","Labels":null})"));
  EXPECT_EQ(text, R"({
    "architecture": "amd64",
    "os": "linux",
    "config": {
        "Cmd": [
            "sh"
        ]
    },
    "rootfs": {
        "type": "layers",
        "diff_ids": [
            "sha256:)" +
                      k_hex + R"("
        ]
    }
}
)");
}

TEST(ListTagsJson, EscapesAsGoDoes) {
  EXPECT_EQ(
      list_tags_json("h/r", {"a\\b\xe2\x80\xa8"}),
      "{\n    \"Repository\": \"h/r\",\n    \"Tags\": [\n        \"a\\\\b\\u2028\"\n    ]\n}\n");
  EXPECT_EQ(list_tags_json("h/r", {}), "{\n    \"Repository\": \"h/r\",\n    \"Tags\": []\n}\n");
}

TEST(CatalogJson, IsTheRegistryAndItsRepositories) {
  EXPECT_EQ(pretty_json(catalog_value("h:1", {"a/b"})),
            "{\n    \"Registry\": \"h:1\",\n    \"Repositories\": [\n        \"a/b\"\n    ]\n}\n");
}

TEST(ReferrersJson, HasTheMembersOfOras) {
  const Digest digest = Digest::parse("sha256:" + k_hex);
  ReferrersView view{"h/r", {"m/i", digest, 5}, {{"m/t", digest, 7}}};
  view.referrers[0].artifact_type = "a/t";
  view.referrers[0].annotations.emplace().emplace("k", "v");
  const std::string named = R"("reference": "h/r@)" + digest.text() + "\"";
  EXPECT_EQ(pretty_json(referrers_value(view)), "{\n    " + named + R"(,
    "mediaType": "m/i",
    "digest": ")" + digest.text() +
                                                    R"(",
    "size": 5,
    "referrers": [
        {
            )" + named + R"(,
            "mediaType": "m/t",
            "digest": ")" + digest.text() +
                                                    R"(",
            "size": 7,
            "artifactType": "a/t",
            "annotations": {
                "k": "v"
            }
        }
    ]
}
)");
}

TEST(RateLimitJson, SaysNullForWhatIsNotStated) {
  EXPECT_EQ(pretty_json(rate_limit_value("h", {})),
            "{\n    \"Registry\": \"h\",\n    \"Limit\": null,\n    \"Remaining\": null,\n"
            "    \"Window\": null,\n    \"Source\": null\n}\n");
  EXPECT_EQ(pretty_json(rate_limit_value("h", {100, 76, std::chrono::seconds(21600), "192.0.2.1"})),
            "{\n    \"Registry\": \"h\",\n    \"Limit\": 100,\n    \"Remaining\": 76,\n"
            "    \"Window\": 21600,\n    \"Source\": \"192.0.2.1\"\n}\n");
}

TEST(PlatformsJson, HasDigestsAndSizes) {
  const Digest digest = Digest::parse("sha256:" + k_hex);
  PlatformsView view{"h/r", {"m/index", digest, 9}, {}};
  Manifest manifest{.config = {"c/t", digest, 2}};
  manifest.layers.push_back({"l/t", digest, 5});
  view.platforms.push_back({Platform{"linux", "arm64", "v8", ""}, {"m/t", digest, 7}, manifest});
  view.platforms.push_back({std::nullopt, {"x/y", digest, 8}, std::nullopt});
  const std::string text = pretty_json(platforms_value(view));
  for (const std::string part :
       {R"("Platform": "linux/arm64/v8")", R"("ManifestSize": 7)", R"("Size": 7,)",
        R"("ConfigDigest": "sha256:)", R"("ConfigDigest": null)", R"("Size": null)"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST(ConfigJson, KeepsTimesInTheirZone) {
  const auto text = config_json(config_with(
      R"(,"created":"2022-11-16T07:26:42.500+02:00","history":[{"created":"x","empty_layer":true}])"));
  EXPECT_NE(text.find(R"("created": "2022-11-16T07:26:42.5+02:00")"), std::string::npos);
  EXPECT_NE(text.find("\"empty_layer\": true"), std::string::npos);
}

}  // namespace
}  // namespace lade::cli
