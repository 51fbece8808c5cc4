// lade called as `umoci`: its command line, words and exit codes.
#include "base/error.hpp"
#include "cli/layout_image.hpp"
#include "cli/personality.hpp"

#include <gmock/gmock.h>

namespace lade::cli {
namespace {

using testing::ElementsAre;

template <class Arguments>
Arguments parsed(const std::vector<std::string>& words) {
  return std::get<Arguments>(make_personality("/usr/bin/umoci")->parse(words).arguments);
}

Report report(const std::vector<std::string>& words) {
  const auto umoci = make_personality("umoci");
  try {
    umoci->parse(words);
  } catch (...) {
    return umoci->describe(std::current_exception(), umoci->verb_of(words), Detail::one_line);
  }
  return {"none", 0};
}

std::string line(const std::string& text) {
  std::string padded = text;
  if (padded.size() < 25) padded.resize(25, ' ');
  return "   \xe2\xa8\xaf " + padded + "\n";
}

TEST(Umoci, TakesItsVerbsAndOptions) {
  const auto unpack = parsed<UnpackArguments>(
      {"--log=info", "unpack", "-keep-dirlinks", "--image", "a:b", "--uid-map", "0:1:2", "bundle"});
  EXPECT_EQ(unpack.image, "a:b");
  EXPECT_EQ(unpack.target, "bundle");
  EXPECT_TRUE(unpack.keep_dirlinks);
  EXPECT_THAT(unpack.owners.uid_maps, ElementsAre("0:1:2"));
  EXPECT_EQ(parsed<RmArguments>({"remove", "--image", "a:b"}).image, "a:b");
  EXPECT_EQ(parsed<ListArguments>({"ls", "--layout", "a"}).layout, "a");
  EXPECT_EQ(parsed<RawConfigArguments>({"raw", "runtime-config", "--image", "a", "f"}).target, "f");
  EXPECT_EQ(parsed<TagArguments>({"tag", "--image", "a:b", "c"}).layout_image, "a:b");
  EXPECT_EQ(parsed<GcArguments>({"gc", "--layout", "a"}).layout, "a");
  EXPECT_EQ(parsed<ConfigArguments>({"config", "--image=a", "--os", "x"}).os, "x");
  EXPECT_EQ(make_personality("umoci")->parse({"-v"}).verb, "version");
}

TEST(Umoci, SaysWhatUmociSays) {
  const auto says = [](const std::vector<std::string>& words) { return report(words).text; };
  EXPECT_EQ(says({"unpack", "x"}), line("missing mandatory argument: --image"));
  EXPECT_EQ(says({"unpack", "--image", "a"}),
            line("invalid number of positional arguments: expected <bundle>"));
  EXPECT_EQ(says({"list", "--layout", "a", "b"}),
            line("invalid number of positional arguments: expected none"));
  EXPECT_EQ(says({"list", "--layout", "a:b"}),
            line("invalid --layout: path contains ':' character: \"a:b\""));
  EXPECT_EQ(says({"tag", "a", "b"}), line("missing mandatory argument: --image"));
  EXPECT_EQ(says({"gc"}), line("missing mandatory argument: --layout"));
  EXPECT_EQ(says({"--log", "loud", "gc"}), line("parsing log level: invalid level"));
  EXPECT_EQ(says({"unpack", "--frob", "x"}),
            "Incorrect Usage: flag provided but not defined: -frob\n");
  EXPECT_EQ(report({"unpack", "x"}).exit_code, 1);
  EXPECT_EQ(report({"frob"}).exit_code, 3);
  EXPECT_EQ(report({"frob"}).text, "No help topic for 'frob'\n");
}

TEST(Umoci, FailuresAreItsOwn) {
  const auto umoci = make_personality("umoci");
  const auto describe = [&](const auto& error, const std::string& verb) {
    return umoci->describe(std::make_exception_ptr(error), verb, Detail::one_line).text;
  };
  EXPECT_EQ(describe(TagNotFound("p", "t"), "unpack"), line("tag is not found: t"));
  EXPECT_EQ(describe(TagNotFound("p", "t"), "stat"), line("tag not found: t"));
  EXPECT_EQ(describe(NoLayout("no OCI layout at `x`"), "stat"),
            line("open CAS: validate: read oci-layout: invalid image detected"));
  EXPECT_EQ(describe(Error("`b/config.json` already exists"), "unpack"),
            line("create runtime bundle: config.json already exists in b"));
}

}  // namespace
}  // namespace lade::cli
