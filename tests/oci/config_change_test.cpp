#include "oci/config_change.hpp"

#include "base/error.hpp"
#include "oci/new_image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lade {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

ProcessConfig changed(std::initializer_list<const char*> changes) {
  ProcessConfig config;
  for (const char* change : changes) EXPECT_EQ(change_config(config, change), ConfigChange::made);
  return config;
}

std::string refusal(std::string_view change) {
  ProcessConfig config;
  try {
    change_config(config, change);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ConfigChange, CommandsAreJsonListsOrLinesForTheShell) {
  EXPECT_THAT(changed({R"(CMD ["/bin/sh","-c","x y"])"}).cmd, ElementsAre("/bin/sh", "-c", "x y"));
  EXPECT_THAT(changed({R"(cmd echo "a b")"}).cmd, ElementsAre("/bin/sh", "-c", R"(echo "a b")"));
  EXPECT_THAT(changed({"CMD=/bin/sh"}).cmd, ElementsAre("/bin/sh", "-c", "/bin/sh"));
  EXPECT_THAT(changed({"CMD [bad json"}).cmd, ElementsAre("/bin/sh", "-c", "[bad json"));
  EXPECT_THAT(changed({"CMD ['a','b']"}).cmd, ElementsAre("/bin/sh", "-c", "['a','b']"));
  EXPECT_THAT(changed({"CMD [1]"}).cmd, ElementsAre("/bin/sh", "-c", "[1]"));
  EXPECT_THAT(changed({"CMD "}).cmd, ElementsAre("/bin/sh", "-c"));
  EXPECT_THAT(changed({"CMD a", "CMD []"}).cmd, IsEmpty());
  EXPECT_THAT(changed({R"(ENTRYPOINT ["a"])"}).entrypoint, ElementsAre("a"));
  EXPECT_THAT(changed({"ENTRYPOINT a b"}).entrypoint, ElementsAre("/bin/sh", "-c", "a b"));
  EXPECT_THAT(changed({"ENTRYPOINT a", "ENTRYPOINT "}).entrypoint, IsEmpty());
}

TEST(ConfigChange, EnvTakesKeysAndValuesInBothForms) {
  EXPECT_THAT(*changed({"ENV A=1 B=2"}).env, ElementsAre("A=1 B=2"));
  EXPECT_THAT(*changed({"ENV A=1", "ENV A=2"}).env, ElementsAre("A=1", "A=2"));
  EXPECT_THAT(*changed({R"(ENV A="x y")"}).env, ElementsAre("A=x y"));
  EXPECT_THAT(*changed({R"(ENV "A"="x")"}).env, ElementsAre("A=x"));
  EXPECT_THAT(*changed({R"(ENV C "x y")"}).env, ElementsAre("C=x y"));
  EXPECT_THAT(*changed({"ENV A 1 2"}).env, ElementsAre("A=1 2"));
  EXPECT_THAT(*changed({"ENV A"}).env, ElementsAre("A="));
  EXPECT_THAT(*changed({"ENV=A=1"}).env, ElementsAre("A=1"));
  EXPECT_THAT(*changed({"ENV A=b=c"}).env, ElementsAre("A=b=c"));
  EXPECT_THAT(refusal("ENV =1"), HasSubstr("there is no key"));
}

TEST(ConfigChange, LabelsNeedAValue) {
  EXPECT_THAT(*changed({"LABEL a=b c=d"}).labels, ElementsAre(Pair("a", "b c=d")));
  EXPECT_THAT(*changed({R"(LABEL "a b"="c d")"}).labels, ElementsAre(Pair("a b", "c d")));
  EXPECT_THAT(*changed({"LABEL a b c"}).labels, ElementsAre(Pair("a", "b c")));
  EXPECT_THAT(*changed({"LABEL a=1", "LABEL a="}).labels, ElementsAre(Pair("a", "")));
  EXPECT_THAT(refusal("LABEL a"), HasSubstr("KEY=VALUE"));
}

TEST(ConfigChange, PortsAndVolumesAreSets) {
  EXPECT_THAT(changed({"EXPOSE 80"}).exposed_ports, ElementsAre("80/tcp"));
  EXPECT_THAT(changed({"EXPOSE 80 53/UDP", "EXPOSE 80/tcp"}).exposed_ports,
              ElementsAre("53/udp", "80/tcp"));
  for (const char* wrong : {"0", "65536", "abc", "80-82", "80/xyz", "80/", "-1"}) {
    EXPECT_THAT(refusal(std::string("EXPOSE ") + wrong), HasSubstr("port")) << wrong;
  }
  EXPECT_THAT(changed({"VOLUME /b  /a"}).volumes, ElementsAre("/a", "/b"));
  EXPECT_THAT(changed({R"(VOLUME ["/a b","/c"])"}).volumes, ElementsAre("/a b", "/c"));
  EXPECT_THAT(refusal(R"(VOLUME [""])"), HasSubstr("a volume is a path"));
}

TEST(ConfigChange, SignalsBecomeNumbers) {
  EXPECT_EQ(changed({"STOPSIGNAL SIGTERM"}).stop_signal, "15");
  EXPECT_EQ(changed({"STOPSIGNAL kill"}).stop_signal, "9");
  EXPECT_EQ(changed({"STOPSIGNAL 3"}).stop_signal, "3");
  EXPECT_EQ(changed({"STOPSIGNAL SIGRTMIN+3"}).stop_signal, "37");
  EXPECT_EQ(changed({"STOPSIGNAL RTMAX-1"}).stop_signal, "63");
  for (const char* wrong : {"bogus", "0", "65", "SIG", "RTMIN+31", "RTMIN-1"}) {
    EXPECT_THAT(refusal(std::string("STOPSIGNAL ") + wrong), HasSubstr("no signal")) << wrong;
  }
}

TEST(ConfigChange, TextsStayAsTheyAre) {
  EXPECT_EQ(changed({"USER a:b"}).user, "a:b");
  EXPECT_EQ(changed({"WORKDIR  /x y "}).working_dir, "/x y");
}

TEST(ConfigChange, RefusesByName) {
  EXPECT_THAT(refusal("FOO bar"), HasSubstr("unknown instruction `FOO`, expected CMD, ENTRYPOINT"));
  for (const char* wrong : {"", "CMD", "USER"}) {
    EXPECT_THAT(refusal(wrong), HasSubstr("INSTRUCTION VALUE")) << wrong;
  }
  for (const char* wrong : {"USER ", "WORKDIR ", "ENV ", "LABEL ", "EXPOSE ", "VOLUME "}) {
    EXPECT_THAT(refusal(wrong), HasSubstr("there is nothing after it")) << wrong;
  }
  EXPECT_THAT(refusal("F\nOO bar"), testing::Not(HasSubstr("\n")));
}

TEST(ConfigChange, LeavesOutWhatOnlyDockerHas) {
  ProcessConfig config;
  EXPECT_EQ(change_config(config, "ONBUILD RUN x"), ConfigChange::left_out);
}

// The bytes that podman 4.3.1 makes of the same: `podman import -m … -c …`, saved as an OCI layout.
TEST(NewImage, WritesTheBytesThatPodmanWrites) {
  const auto diff_id = Digest::parse("sha256:" + std::string(64, 'a'));
  ImageConfig config{
      .created = "2026-11-22T04:31:01.016764556Z",
      .platform = {.os = "freebsd", .architecture = "arm64", .variant = "v8"},
      .process = changed({"EXPOSE 80", "ENV A=<1>", "CMD [\"x\"]", "LABEL k=v", "VOLUME /a",
                          "USER u", "WORKDIR /w", "STOPSIGNAL 9", "ENTRYPOINT [\"e\"]"}),
      .diff_ids = {DiffId{diff_id}},
      .history = {{.created = "2026-11-22T04:31:01.016764556Z",
                   .created_by = "ADD",
                   .comment = "a message"}}};
  EXPECT_EQ(write_image_config(config),
            R"({"created":"2026-11-22T04:31:01.016764556Z","architecture":"arm64","variant":"v8",)"
            R"("os":"freebsd","config":{"User":"u","ExposedPorts":{"80/tcp":{}},)"
            R"("Env":["A=\u003c1\u003e"],"Entrypoint":["e"],"Cmd":["x"],"Volumes":{"/a":{}},)"
            R"("WorkingDir":"/w","Labels":{"k":"v"},"StopSignal":"9"},)"
            R"("rootfs":{"type":"layers","diff_ids":["sha256:)" +
                std::string(64, 'a') +
                R"("]},"history":[{"created":"2026-11-22T04:31:01.016764556Z","created_by":"ADD",)"
                R"("comment":"a message"}]})");
  const ImageConfig again = parse_image_config(write_image_config(config));
  EXPECT_EQ(again.diff_ids, config.diff_ids);
  EXPECT_EQ(again.process.volumes, config.process.volumes);
}

TEST(NewImage, WritesAManifestThatParses) {
  const Descriptor blob{std::string(media_type::oci_layer_gzip), Digest::of("x"), 1};
  const RawManifest manifest = write_manifest({.config = blob, .layers = {blob, blob}});
  EXPECT_EQ(manifest.kind(), ManifestKind::image);
  EXPECT_EQ(manifest.digest, Digest::of(manifest.bytes));
  const Manifest parsed = parse_manifest(manifest.bytes);
  EXPECT_THAT(parsed.layers, ElementsAre(blob, blob));
  EXPECT_EQ(parsed.config, blob);
}

}  // namespace
}  // namespace lade
