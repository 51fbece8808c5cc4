#include "runner/make_spec.hpp"

#include "base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::runner {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ImageConfig image_with_command() {
  ImageConfig image;
  image.process.entrypoint = {"/entry"};
  image.process.cmd = {"default"};
  return image;
}

RunOptions options() {
  RunOptions options;
  options.container_id = "0123456789abcdef0123";
  return options;
}

template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

TEST(MakeSpec, EntrypointAndCommandFollowEachOther) {
  EXPECT_THAT(make_spec(image_with_command(), options()).process.args,
              ElementsAre("/entry", "default"));
}

TEST(MakeSpec, ArgumentsReplaceTheCommandOnly) {
  RunOptions run = options();
  run.args = {"a", "b"};
  EXPECT_THAT(make_spec(image_with_command(), run).process.args, ElementsAre("/entry", "a", "b"));
}

TEST(MakeSpec, AnEntrypointOfTheCallersDropsTheImagesCommand) {
  RunOptions run = options();
  run.entrypoint = std::vector<std::string>{"/mine"};
  EXPECT_THAT(make_spec(image_with_command(), run).process.args, ElementsAre("/mine"));
  run.args = {"x"};
  EXPECT_THAT(make_spec(image_with_command(), run).process.args, ElementsAre("/mine", "x"));
}

TEST(MakeSpec, AnEmptyEntrypointClearsTheImages) {
  RunOptions run = options();
  run.entrypoint = parse_entrypoint("");
  run.args = {"sh"};
  EXPECT_THAT(make_spec(image_with_command(), run).process.args, ElementsAre("sh"));
}

TEST(MakeSpec, NothingToRunIsAnError) {
  EXPECT_THAT(error_of([] { make_spec(ImageConfig{}, options()); }), HasSubstr("nothing to run"));
}

TEST(MakeSpec, LaterSettingsOfAVariableWin) {
  ImageConfig image = image_with_command();
  image.process.env = {"PATH=/image", "A=image", "container=mine"};
  RunOptions run = options();
  run.env = {parse_env_setting("A=caller"), parse_env_setting("B=")};
  EXPECT_THAT(
      make_spec(image, run).process.env,
      ElementsAre("PATH=/image", "container=mine", "HOSTNAME=0123456789ab", "A=caller", "B="));
}

TEST(MakeSpec, VariablesOfTheCallersAreTakenByNameAndPrefix) {
  RunOptions run = options();
  run.host_env = {"HTTP_PROXY=p", "LC_ALL=C", "LC_TIME=de", "L=1"};
  run.env = {parse_env_setting("LC_*"), parse_env_setting("L"), parse_env_setting("ABSENT")};
  const auto env = make_spec(image_with_command(), run).process.env;
  EXPECT_THAT(env, Contains("LC_ALL=C"));
  EXPECT_THAT(env, Contains("LC_TIME=de"));
  EXPECT_THAT(env, Contains("L=1"));
  EXPECT_THAT(env, Not(Contains(StartsWith("ABSENT"))));
  EXPECT_THAT(env, Not(Contains(StartsWith("HTTP_PROXY"))));
}

TEST(MakeSpec, TermComesWithATerminalOnly) {
  RunOptions run = options();
  EXPECT_THAT(make_spec(image_with_command(), run).process.env, Not(Contains(StartsWith("TERM="))));
  run.terminal = Terminal::yes;
  EXPECT_THAT(make_spec(image_with_command(), run).process.env, Contains("TERM=xterm"));
}

TEST(MakeSpec, TheHostNameIsTheIdsBeginningUnlessGiven) {
  RunOptions run = options();
  EXPECT_EQ(make_spec(image_with_command(), run).hostname, "0123456789ab");
  run.hostname = "web";
  EXPECT_EQ(make_spec(image_with_command(), run).hostname, "web");
  run.hostname = std::string(65, 'x');
  EXPECT_THAT(error_of([&] { make_spec(image_with_command(), run); }), HasSubstr("longer than 64"));
}

TEST(MakeSpec, OnlyAnImagesWorkingDirectoryIsMade) {
  ImageConfig image = image_with_command();
  image.process.working_dir = "/srv";
  EXPECT_EQ(make_spec(image, options()).process.cwd, "/srv");
  EXPECT_TRUE(make_spec(image, options()).process.create_cwd);
  RunOptions run = options();
  run.workdir = "/other";
  EXPECT_EQ(make_spec(image, run).process.cwd, "/other");
  EXPECT_FALSE(make_spec(image, run).process.create_cwd);
  run.workdir = "relative";
  EXPECT_THAT(error_of([&] { make_spec(image, run); }), HasSubstr("not an absolute path"));
}

TEST(MakeSpec, TheHostsNetworkComesWithItsNames) {
  RunOptions run = options();
  run.network = NetworkMode::host;
  run.host_hosts = "10.0.0.1 gateway";
  run.host_resolv_conf = "nameserver 10.0.0.1\n";
  const Spec spec = make_spec(image_with_command(), run);
  EXPECT_THAT(spec.namespaces,
              Not(Contains(testing::Field(&SpecNamespace::kind, NamespaceKind::network))));
  EXPECT_TRUE(spec.sysctl.empty());
  ASSERT_EQ(spec.files.size(), 3U);
  EXPECT_EQ(spec.files[1].content, "nameserver 10.0.0.1\n");
  EXPECT_EQ(spec.files[2].content, "10.0.0.1 gateway\n127.0.0.1\t0123456789ab\n");
}

TEST(MakeSpec, AVolumeOverAGeneratedFileReplacesIt) {
  RunOptions run = options();
  run.volumes = {parse_volume("/my/hosts:/etc/hosts")};
  const Spec spec = make_spec(image_with_command(), run);
  ASSERT_EQ(spec.files.size(), 1U);
  EXPECT_EQ(spec.files[0].path, "/etc/hostname");
}

TEST(ParseVolume, TakesSourceDestinationAndOptions) {
  const VolumeMount volume = parse_volume("/src:/a/./b/../c/:ro,noexec,Z");
  EXPECT_EQ(volume.source, "/src");
  EXPECT_EQ(volume.destination, "/a/c");
  EXPECT_THAT(volume.options, ElementsAre("ro", "noexec"));
}

TEST(ParseVolume, RefusesWhatItCannotMean) {
  const auto refusal = [](const char* text) { return error_of([&] { parse_volume(text); }); };
  EXPECT_THAT(refusal("data:/x"), HasSubstr("named volumes are not supported yet"));
  EXPECT_THAT(refusal("/only"), HasSubstr("SOURCE:DESTINATION"));
  EXPECT_THAT(refusal("/a:b"), HasSubstr("not an absolute path"));
  EXPECT_THAT(refusal("/a:/b/.."), HasSubstr("hide the whole container"));
  EXPECT_THAT(refusal("/a:/b:bogus"), HasSubstr("unknown volume option `bogus`"));
  EXPECT_THAT(refusal("/a:/b:U"), HasSubstr("not supported yet"));
  EXPECT_THAT(refusal("/a:/b:ro:x"), HasSubstr("SOURCE:DESTINATION"));
}

TEST(ParseEntrypoint, IsAJsonArrayOrOneWord) {
  EXPECT_THAT(parse_entrypoint("/bin/sh -c"), ElementsAre("/bin/sh -c"));
  EXPECT_THAT(parse_entrypoint(R"(["sh", "-c"])"), ElementsAre("sh", "-c"));
  EXPECT_THAT(parse_entrypoint("[broken"), ElementsAre("[broken"));
  EXPECT_THAT(parse_entrypoint("[1]"), ElementsAre("[1]"));
  EXPECT_TRUE(parse_entrypoint("").empty());
}

TEST(ParseNetwork, KnowsTheModesThatAreThere) {
  EXPECT_EQ(parse_network("none"), NetworkMode::none);
  EXPECT_EQ(parse_network("host"), NetworkMode::host);
  EXPECT_THAT(error_of([] { parse_network("bridge"); }), HasSubstr("not supported yet"));
}

TEST(ParseEnvSetting, NeedsAName) {
  EXPECT_THAT(error_of([] { parse_env_setting("=x"); }), HasSubstr("has no name"));
  EXPECT_EQ(parse_env_setting("A=b=c").value, "b=c");
}

}  // namespace
}  // namespace lade::runner
