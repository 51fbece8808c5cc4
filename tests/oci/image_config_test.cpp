#include "oci/image_config.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade {
namespace {

// Written by umoci 0.4.7.
constexpr std::string_view k_umoci_config =
    R"({"created":"2026-11-21T22:22:32.206213399Z","author":"me","architecture":"amd64","os":"linux","config":{"ExposedPorts":{"80/tcp":{}},"Env":["A=B"],"Cmd":["/x"],"Volumes":{"/v":{}},"Labels":{"k":"v"}},"rootfs":{"type":"layers","diff_ids":["sha256:c62a4b0fe2dc9ddeb45d3c79dadcb2647d161909d960c362e5dd4a53efd20fad"]},"history":[{"created":"2026-11-21T22:22:32.21270768Z","created_by":"umoci repack"},{"created":"2026-11-21T22:22:32.216709502Z","created_by":"umoci config","author":"me","empty_layer":true}]})";
// Written by buildah 1.28.2 in Docker's format.
constexpr std::string_view k_docker_config =
    R"({"created":"2022-11-21T22:22:45.946084072Z","container":"745ba278fb2dbce85b3771ba6bab50ad6ef0a123670135b7a427cb118aadd440","container_config":{"Hostname":"9f3f40ef9fe6","Domainname":"","User":"","AttachStdin":false,"Tty":false,"Env":["P=/bin"],"Cmd":[],"Image":"","Volumes":{},"WorkingDir":"","Entrypoint":["/hello"],"OnBuild":[],"Labels":{"io.buildah.version":"1.28.2"}},"config":{"Hostname":"9f3f40ef9fe6","Domainname":"","User":"app:app","AttachStdin":false,"Tty":false,"Env":["PATH=/bin","P=/bin"],"Cmd":[],"Healthcheck":{"Test":["CMD-SHELL","true"]},"Image":"","Volumes":{},"WorkingDir":"/w","Entrypoint":["/hello"],"OnBuild":[],"Labels":{"io.buildah.version":"1.28.2"},"StopSignal":"SIGQUIT"},"docker_version":"20.10.24","architecture":"arm64","variant":"v8","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:684ed455b56e9613efd20c906eb5ed79cc8eb0bd61b02e7198c65a301445617e"]},"history":[]})";

std::string refusal(const std::string& text) {
  try {
    parse_image_config(text);
  } catch (const InvalidData& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ParseImageConfig, OfUmoci) {
  const ImageConfig config = parse_image_config(k_umoci_config);
  EXPECT_EQ(config.created, "2026-11-21T22:22:32.206213399Z");
  EXPECT_EQ(config.author, "me");
  EXPECT_EQ(to_string(config.platform), "linux/amd64");
  EXPECT_EQ(config.process.env, (std::vector<std::string>{"A=B"}));
  EXPECT_EQ(config.process.cmd, (std::vector<std::string>{"/x"}));
  EXPECT_TRUE(config.process.entrypoint.empty());
  EXPECT_EQ(config.process.exposed_ports, (std::vector<std::string>{"80/tcp"}));
  EXPECT_EQ(config.process.volumes, (std::vector<std::string>{"/v"}));
  EXPECT_EQ(config.process.labels->at("k"), "v");
  ASSERT_EQ(config.diff_ids.size(), 1u);
  EXPECT_EQ(config.diff_ids[0].digest.short_hex(), "c62a4b0fe2dc");
  ASSERT_EQ(config.history.size(), 2u);
  EXPECT_FALSE(config.history[0].empty_layer);
  EXPECT_TRUE(config.history[1].empty_layer);
  EXPECT_EQ(config.history[1].created_by, "umoci config");
  EXPECT_EQ(config.history[1].author, "me");
}

TEST(ParseImageConfig, OfDocker) {
  const ImageConfig config = parse_image_config(k_docker_config);
  EXPECT_EQ(config.docker_version, "20.10.24");
  EXPECT_EQ(to_string(config.platform), "linux/arm64/v8");
  EXPECT_EQ(config.process.user, "app:app");
  EXPECT_EQ(config.process.working_dir, "/w");
  EXPECT_EQ(config.process.stop_signal, "SIGQUIT");
  EXPECT_EQ(config.process.entrypoint, (std::vector<std::string>{"/hello"}));
  EXPECT_TRUE(config.process.cmd.empty());
  EXPECT_TRUE(config.history.empty());
}

TEST(ParseImageConfig, AcceptsNullAndAbsentMembers) {
  const ImageConfig minimal = parse_image_config(R"({"rootfs":{"type":"layers"}})");
  EXPECT_EQ(minimal.created, std::nullopt);
  EXPECT_EQ(minimal.process.env, std::nullopt);
  EXPECT_EQ(minimal.process.labels, std::nullopt);
  EXPECT_TRUE(minimal.diff_ids.empty());

  const ImageConfig nulls = parse_image_config(
      R"({"created":null,"history":null,"rootfs":{"type":"layers","diff_ids":null},
          "config":{"User":null,"Env":null,"Entrypoint":null,"Cmd":null,"Labels":null,
                    "Volumes":null,"ExposedPorts":null,"WorkingDir":null}})");
  EXPECT_EQ(nulls.process.env, std::nullopt);
  EXPECT_TRUE(nulls.process.cmd.empty());
  EXPECT_EQ(parse_image_config(R"({"rootfs":{"type":"layers"},"config":null})").process.user, "");

  const ImageConfig empty =
      parse_image_config(R"({"rootfs":{"type":"layers"},"config":{"Env":[],"Labels":{}}})");
  EXPECT_TRUE(empty.process.env->empty()) << "empty is not absent";
  EXPECT_TRUE(empty.process.labels->empty());
}

TEST(ParseImageConfig, NamesTheMemberThatIsWrong) {
  const auto with = [](std::string_view members) {
    return str(R"({"rootfs":{"type":"layers","diff_ids":[]},)", members, "}");
  };
  EXPECT_EQ(refusal("{}"), "invalid image config: it lacks `rootfs`");
  EXPECT_EQ(refusal(R"({"rootfs":{}})"), "invalid image config: `rootfs` lacks `type`");
  EXPECT_EQ(refusal(R"({"rootfs":{"type":"layers+base"}})"),
            "invalid image config: `rootfs.type` is not `layers`");
  EXPECT_EQ(refusal(R"({"rootfs":{"type":"layers","diff_ids":["sha256:x"]}})"),
            "invalid image config: `rootfs.diff_ids[0]` is not a digest: `sha256:x`");
  EXPECT_EQ(refusal(with(R"("config":[])")), "invalid image config: `config` is not an object");
  EXPECT_EQ(refusal(with(R"("config":{"Env":["A=B",5]})")),
            "invalid image config: `config.Env[1]` is not a string");
  EXPECT_EQ(refusal(with(R"("config":{"Cmd":"/bin/sh"})")),
            "invalid image config: `config.Cmd` is not an array");
  EXPECT_EQ(refusal(with(R"("config":{"Cmd":["a\u0000b"]})")),
            "invalid image config: `config.Cmd[0]` contains a NUL character");
  EXPECT_EQ(refusal(with(R"("config":{"Volumes":["/v"]})")),
            "invalid image config: `config.Volumes` is not an object");
  EXPECT_EQ(refusal(with(R"("config":{"Volumes":{"/v\u0000":{}}})")),
            "invalid image config: `config.Volumes` has a member whose name contains a NUL "
            "character");
  EXPECT_EQ(refusal(with(R"("config":{"Labels":{"a":null}})")), "accepted");
  EXPECT_EQ(refusal(with(R"("history":[{"empty_layer":"yes"}])")),
            "invalid image config: `history[0].empty_layer` is not true or false");
  EXPECT_EQ(refusal(with(R"("created":5)")), "invalid image config: `created` is not a string");
  EXPECT_THAT(refusal(std::string(10'000, '[')), testing::HasSubstr("nested deeper"));
  EXPECT_THAT(refusal("{\"author\":\"\xc3\x28\"}"), testing::HasSubstr("not JSON at byte"));
}

}  // namespace
}  // namespace lade
