// lade called as `skopeo`: its command line, words and exit codes.
#include "base/error.hpp"
#include "cli/log_line.hpp"
#include "cli/personality.hpp"

#include <gmock/gmock.h>

namespace lade::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Invocation parsed(const std::vector<std::string>& words) {
  return make_personality("/usr/bin/skopeo")->parse(words);
}

template <class Arguments>
Arguments arguments(const std::vector<std::string>& words) {
  return std::get<Arguments>(parsed(words).arguments);
}

std::string refusal(const std::vector<std::string>& words) {
  try {
    parsed(words);
  } catch (const UsageError& error) {
    return error.message();
  }
  return "none";
}

Report report(const std::exception_ptr& failure, const std::string& verb) {
  return make_personality("skopeo")->describe(failure, verb, Detail::one_line);
}

TEST(Personality, IsChosenByTheLastPartOfTheName) {
  const std::vector<std::string> version{"--version"};
  EXPECT_EQ(make_personality("skopeo")->parse(version).global.name, ProgramName::skopeo);
  EXPECT_EQ(make_personality("./x/skopeo")->parse(version).global.name, ProgramName::skopeo);
  EXPECT_EQ(make_personality("lade")->parse(version).global.name, ProgramName::lade);
  EXPECT_EQ(make_personality("/skopeo/x")->parse(version).global.name, ProgramName::lade);
  EXPECT_EQ(make_personality("")->parse(version).global.name, ProgramName::lade);
}

TEST(Skopeo, TakesItsOptionsBeforeAndAfterTheVerb) {
  const auto before = parsed({"--insecure-policy", "--debug", "--command-timeout", "1m30s",
                              "--user-agent-prefix", "p/1", "inspect", "dir:x"});
  EXPECT_TRUE(before.global.insecure_policy);
  EXPECT_TRUE(before.global.debug);
  EXPECT_EQ(before.global.command_timeout, std::chrono::seconds(90));
  EXPECT_EQ(before.global.user_agent_prefix, "p/1");
  const auto after = parsed({"copy", "--policy=/p", "dir:x", "--registries.d", "/d", "dir:y"});
  EXPECT_EQ(after.global.policy, "/p");
  EXPECT_EQ(after.global.registries_d, "/d");
  EXPECT_EQ(after.global.missing_policy, MissingPolicy::fails);
  EXPECT_EQ(std::get<CopyArguments>(after.arguments).destination, "dir:y");
}

TEST(Skopeo, OverridesThePlatform) {
  EXPECT_EQ(arguments<InspectArguments>({"--override-arch", "arm64", "inspect", "dir:x"}).platform,
            "linux/arm64");
  EXPECT_EQ(arguments<CopyArguments>({"copy", "--override-os=windows", "--override-arch=arm",
                                      "--override-variant=v7", "dir:x", "dir:y"})
                .platform,
            "windows/arm/v7");
  EXPECT_EQ(arguments<InspectArguments>({"inspect", "dir:x"}).platform, std::nullopt);
}

TEST(Skopeo, KeepsItsOldTlsOption) {
  const auto everywhere =
      arguments<CopyArguments>({"--tls-verify=false", "copy", "docker://a/b", "docker://c/d"});
  EXPECT_EQ(everywhere.source_registry.tls_verify, false);
  EXPECT_EQ(everywhere.destination_registry.tls_verify, false);
  const auto but_one = arguments<CopyArguments>(
      {"copy", "--tls-verify=false", "--dest-tls-verify", "docker://a/b", "docker://c/d"});
  EXPECT_EQ(but_one.source_registry.tls_verify, false);
  EXPECT_EQ(but_one.destination_registry.tls_verify, true);
}

TEST(Skopeo, TellsOfACopyOnStandardOutputUnlessTheImageGoesThere) {
  EXPECT_EQ(parsed({"copy", "dir:x", "dir:y"}).global.progress, ProgressStyle::skopeo);
  for (const std::string place : {"docker-archive:/dev/stdout", "oci-archive:/dev/stdout:x",
                                  "docker-archive:/proc/self/fd/1:a/b:c"}) {
    EXPECT_EQ(parsed({"copy", "dir:x", place}).global.progress, ProgressStyle::skopeo_on_stderr);
  }
}

TEST(Skopeo, SaysWhatIsWrongInItsWords) {
  EXPECT_EQ(refusal({}),
            "Missing command 'skopeo COMMAND'\nTry 'skopeo --help' for more information");
  EXPECT_EQ(refusal({"frobnicate"}),
            "Unrecognized command `skopeo frobnicate`\nTry 'skopeo --help' for more information");
  EXPECT_EQ(refusal({"inspct"}),
            "Unrecognized command `skopeo inspct`\n\nDid you mean this?\n\tinspect\n\n"
            "Try 'skopeo --help' for more information");
  EXPECT_EQ(refusal({"images"}),
            "Unrecognized command `skopeo images`\nTry 'skopeo --help' for more information");
  EXPECT_EQ(refusal({"inspect", "--nope=1", "x"}), "unknown flag: --nope");
  EXPECT_EQ(refusal({"inspect", "-x", "y"}), "unknown shorthand flag: 'x' in -x");
  EXPECT_EQ(refusal({"inspect", "--authfile"}), "flag needs an argument: --authfile");
  EXPECT_EQ(refusal({"inspect", "--tls-verify=maybe", "dir:x"}),
            "invalid argument \"maybe\" for \"--tls-verify\" flag: strconv.ParseBool: parsing "
            "\"maybe\": invalid syntax");
  EXPECT_EQ(refusal({"--command-timeout", "soon", "inspect", "dir:x"}),
            "invalid argument \"soon\" for \"--command-timeout\" flag: time: invalid duration "
            "\"soon\"");
  EXPECT_EQ(refusal({"--insecure-policy", "--require-signed", "inspect", "dir:x"}),
            "--insecure-policy and --require-signed are mutually exclusive");
}

TEST(Skopeo, CountsArguments) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"copy"}, {"copy", "dir:x"}, {"copy", "dir:x", "dir:y", "dir:z"}}) {
    EXPECT_EQ(refusal(words), "Exactly two arguments expected");
  }
  EXPECT_EQ(refusal({"inspect", "dir:x", "dir:y"}), "Exactly one argument expected");
  EXPECT_EQ(refusal({"delete"}), "Usage: delete imageReference");
  EXPECT_EQ(refusal({"list-tags"}), "Exactly one non-option argument expected");
  EXPECT_EQ(refusal({"login", "a", "b"}), "login accepts only one registry to log in to");
}

TEST(Skopeo, ChecksNames) {
  EXPECT_EQ(refusal({"inspect", "alpine"}),
            "Error parsing image name \"alpine\": Invalid image name \"alpine\", expected "
            "colon-separated transport:reference");
  EXPECT_EQ(refusal({"copy", "foo:x", "dir:y"}),
            "Invalid source name foo:x: Invalid image name \"foo:x\", unknown transport \"foo\"");
  EXPECT_EQ(refusal({"copy", "dir:x", "docker://UPPER"}),
            "Invalid destination name docker://UPPER: invalid reference format: repository name "
            "must be lowercase");
  EXPECT_EQ(refusal({"delete", "dir:x"}), "Deleting images not implemented for dir: images");
  EXPECT_EQ(refusal({"list-tags", "docker://a/b:1"}), "No tag or digest allowed in reference");
}

TEST(Skopeo, HelpAndVersion) {
  EXPECT_EQ(arguments<HelpArguments>({"--help"}).verb, std::vector<std::string>{"skopeo"});
  EXPECT_EQ(arguments<HelpArguments>({"copy", "--help"}).verb, std::vector<std::string>{"copy"});
  EXPECT_EQ(arguments<HelpArguments>({"help", "sync"}).verb, std::vector<std::string>{"sync"});
  EXPECT_EQ(parsed({"-v"}).verb, "version");
}

TEST(Skopeo, EndsWithTwoOnlyForAnImageThatIsNotThere) {
  const auto missing = std::make_exception_ptr(NotFound("404 MANIFEST_UNKNOWN: no"));
  EXPECT_EQ(report(missing, "inspect").exit_code, 2);
  EXPECT_EQ(report(missing, "copy").exit_code, 2);
  EXPECT_EQ(report(missing, "list-tags").exit_code, 1);
  EXPECT_THAT(report(missing, "copy").text,
              HasSubstr("404 MANIFEST_UNKNOWN: no: manifest unknown"));
  for (const auto& failure :
       {std::make_exception_ptr(UsageError("x")), std::make_exception_ptr(Refused("x")),
        std::make_exception_ptr(HttpError({.status = 401}, "x"))}) {
    EXPECT_EQ(report(failure, "inspect").exit_code, 1);
  }
  EXPECT_EQ(report(std::make_exception_ptr(Cancelled()), "copy").exit_code, 130);
}

TEST(LogLine, IsLogrusForm) {
  const LogStyle plain{.is_terminal = false, .time = {{1669619193, 0}, 0}};
  EXPECT_EQ(log_line(LogLevel::fatal, "a \"b\"\nc", plain),
            "time=\"2022-11-28T07:06:33Z\" level=fatal msg=\"a \\\"b\\\"\\nc\"\n");
  EXPECT_EQ(log_line(LogLevel::warning, "one-word", plain),
            "time=\"2022-11-28T07:06:33Z\" level=warning msg=one-word\n");
  const LogStyle zone{.is_terminal = false, .time = {{1669619193, 0}, 3600}};
  EXPECT_THAT(log_line(LogLevel::info, "x", zone),
              StartsWith("time=\"2022-11-28T08:06:33+01:00\""));
}

TEST(LogLine, CannotDriveATerminal) {
  const LogStyle terminal{.is_terminal = true, .time = {}};
  EXPECT_THAT(log_line(LogLevel::fatal, "x\x1b[2J", terminal),
              StartsWith("\x1b[31mFATA\x1b[0m[0000] x\\x1b[2J"));
  const LogStyle plain{.is_terminal = false, .time = {}};
  EXPECT_EQ(log_line(LogLevel::fatal, "x\x1b[2J", plain).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace lade::cli
