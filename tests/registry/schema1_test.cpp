#include "registry/schema1.hpp"

#include "base/text.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using testing::HasSubstr;

std::string escaped(const std::string& json) {
  std::string out;
  for (const char c : json) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// A manifest of steps, the newest first, each with its layer.
std::string manifest_of(const std::vector<std::pair<std::string, std::string>>& steps) {
  std::vector<std::string> layers;
  std::vector<std::string> history;
  for (const auto& [blob, json] : steps) {
    layers.push_back(str(R"({"blobSum":")", Digest::of(blob).text(), "\"}"));
    history.push_back(str(R"({"v1Compatibility":")", escaped(json), "\"}"));
  }
  return str(R"({"schemaVersion":1,"name":"a","tag":"1","architecture":"amd64","fsLayers":[)",
             join(layers, ","), R"(],"history":[)", join(history, ","), "]}");
}

const std::string k_base =
    R"({"id":"01","created":"2020-01-01T00:00:00.500Z","author":"me","container_config":{"Cmd":["ADD","x"]}})";
const std::string k_top =
    R"({"id":"02","parent":"01","os":"linux", "architecture":"amd64","throwaway":true,"created":"2020-01-02T00:00:00Z","config":{"Cmd": ["<sh>"]},"Size":3})";

KnownLayer layer_of(const std::string& blob) {
  return {{"", Digest::of(blob), blob.size()}, {Digest::of("plain " + blob)}};
}

// The configuration is what skopeo 1.9.3 makes of the same steps.
TEST(Schema1, BecomesSchema2) {
  const Schema1Image image = parse_schema1(manifest_of({{"empty", k_top}, {"base", k_base}}));
  ASSERT_EQ(image.steps.size(), 2u);
  EXPECT_EQ(image.steps[0].blob, Digest::of("base"));
  EXPECT_FALSE(image.steps[0].throwaway);
  EXPECT_TRUE(image.steps[1].throwaway);
  const Schema2Image converted = to_schema2(image, std::vector{layer_of("base")});
  EXPECT_EQ(
      converted.config,
      str(R"({"architecture":"amd64","config":{"Cmd":["\u003csh\u003e"]},)"
          R"("created":"2020-01-02T00:00:00Z","history":[{"created":"2020-01-01T00:00:00.5Z",)"
          R"("author":"me","created_by":"ADD x"},{"created":"2020-01-02T00:00:00Z",)"
          R"("empty_layer":true}],"os":"linux","rootfs":{"type":"layers","diff_ids":[")",
          Digest::of("plain base").text(), R"("]}})"));
  const Manifest manifest = parse_manifest(converted.manifest.bytes);
  EXPECT_EQ(converted.manifest.media_type, media_type::docker_manifest);
  EXPECT_EQ(manifest.config.digest, Digest::of(converted.config));
  ASSERT_EQ(manifest.layers.size(), 1u);
  EXPECT_EQ(manifest.layers[0].digest, Digest::of("base"));
  EXPECT_EQ(manifest.layers[0].size, 4u);
}

TEST(Schema1, AStepThatIsSaidTwiceCountsOnce) {
  const std::string middle = R"({"id":"02","parent":"01"})";
  const Schema1Image image =
      parse_schema1(manifest_of({{"b", middle}, {"b", middle}, {"a", R"({"id":"01"})"}}));
  EXPECT_EQ(image.steps.size(), 2u);
}

TEST(Schema1, StepsThatDoNotFollowEachOtherAreRefused) {
  const auto refusal = [](const std::string& manifest) {
    return std::string(error_of<InvalidData>([&] { parse_schema1(manifest); }).what());
  };
  EXPECT_THAT(refusal(manifest_of({{"b", R"({"id":"02","parent":"07"})"}, {"a", k_base}})),
              HasSubstr("step `02` stands on `07`, not on `01`"));
  EXPECT_THAT(refusal(manifest_of({{"a", R"({"id":"01","parent":"00"})"}})), HasSubstr("`00`"));
  EXPECT_THAT(refusal(R"({"schemaVersion":1,"fsLayers":[],"history":[]})"), HasSubstr("no layers"));
  EXPECT_THAT(refusal(str(R"({"schemaVersion":1,"fsLayers":[{"blobSum":")", Digest::of("").text(),
                          R"("}],"history":[]})")),
              HasSubstr("1 layers but a history of 0"));
  EXPECT_THAT(refusal(R"({"schemaVersion":1,"fsLayers":[{"blobSum":"../x"}],)"
                      R"("history":[{"v1Compatibility":"{}"}]})"),
              HasSubstr("is not a digest"));
  EXPECT_THROW(parse_schema1(manifest_of({{"a", "not JSON"}})), InvalidData);
}

}  // namespace
}  // namespace lade::registry
