// Helpers as docker-credential-helpers describes them, played by shell scripts.
#include "registry/auth/credential_helper.hpp"

#include "base/text.hpp"
#include "registry/auth/credentials.hpp"
#include "tests/registry/fixture.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

namespace lade::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class HelperTest : public testing::Test {
 protected:
  /// Puts docker-credential-NAME into the search path.
  void put(const std::string& name, const std::string& script) {
    const std::string path =
        scratch_.write("docker-credential-" + name, str("#!/bin/sh\n", script, '\n'));
    ::chmod(path.c_str(), 0755);
  }
  HelperPrograms programs() const {
    return {str("relative:", scratch_.path(), ":/usr/bin:/bin"),
            {"HELPER_HOME=" + scratch_.path(), "PATH=/usr/bin:/bin"}};
  }
  CredentialHelper helper(const std::string& name) { return {programs(), name, {}}; }
  CredentialLookup look_up(const std::string& config, std::string_view domain) {
    return find_credentials_in(config, "/home/u/config.json", programs(), domain, "lib/app");
  }
  std::string text_of(const std::string& name) const {
    return read_file(scratch_.path() + "/" + name, 1 << 20);
  }

  Scratch scratch_;
};

const char* const k_keeper = R"sh(
case $1 in
  get) read -r server || true
    if [ -f "$HELPER_HOME/kept" ] && [ "$server" = "$(cat "$HELPER_HOME/kept")" ]; then
      echo '{"ServerURL":"'"$server"'","Username":"alice","Secret":"secret"}'
    else echo "credentials not found in native keychain"; exit 1; fi ;;
  store) cat >"$HELPER_HOME/stored" ;;
  erase) cat >"$HELPER_HOME/erased" ;;
  list) echo '{"b.example":"alice","a.example":"bob"}' ;;
esac)sh";

TEST_F(HelperTest, SpeaksTheProtocol) {
  put("keeper", k_keeper);
  scratch_.write("kept", "reg.example:5000");
  const CredentialHelper keeper = helper("keeper");
  const auto found = keeper.find("reg.example:5000");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->username, "alice");
  EXPECT_EQ(found->secret, "secret");
  EXPECT_FALSE(keeper.find("other.example"));
  keeper.store("reg", {"alice", "qu\"ote"});
  EXPECT_EQ(text_of("stored"), R"({"Secret":"qu\"ote","ServerURL":"reg","Username":"alice"})");
  EXPECT_TRUE(keeper.erase("reg"));
  EXPECT_EQ(text_of("erased"), "reg");
  EXPECT_THAT(keeper.servers(), ElementsAre("a.example", "b.example"));
}

TEST_F(HelperTest, IsNoPath) {
  scratch_.write("evil", "");
  for (const char* name : {"", "../evil", "a/b", "a b", "a\n", "a;b"}) {
    EXPECT_THROW(helper(name), InvalidData) << name;
  }
  EXPECT_THROW(helper("absent"), NotFound);
  scratch_.write("docker-credential-plain", "not executable");
  EXPECT_THROW(helper("plain"), NotFound);
}

TEST_F(HelperTest, FailsWithoutShowingSecrets) {
  put("sad", "echo 'no keyring here' >&2; exit 3");
  const auto sad = error_of<Error>([&] { helper("sad").find("reg"); });
  EXPECT_THAT(sad.what(), HasSubstr("`docker-credential-sad` get: exit code 3: no keyring here"));
  put("leaky", "echo '{\"Secret\":\"geheim\"}'; exit 1");
  EXPECT_THAT(error_of<Error>([&] { helper("leaky").find("reg"); }).what(),
              Not(HasSubstr("geheim")));
  put("echo", "cat; exit 1");
  EXPECT_THAT(error_of<Error>([&] {
                helper("echo").store("reg", {"u", "geheim"});
              }).what(),
              Not(HasSubstr("geheim")));
  put("odd", "echo 'geheim'");
  EXPECT_THAT(error_of<InvalidData>([&] { helper("odd").find("reg"); }).what(),
              Not(HasSubstr("geheim")));
}

TEST_F(HelperTest, IsBoundedAndCanBeStopped) {
  put("endless", "exec cat /dev/zero");
  EXPECT_THAT(error_of<InvalidData>([&] { helper("endless").find("reg"); }).what(),
              HasSubstr("1.0 MiB"));
  put("slow", "echo $$ >\"$HELPER_HOME/started\"; exec sleep 1000");
  std::stop_source source;
  const CredentialHelper slow(programs(), "slow", source.get_token());
  std::jthread stopper([&] {
    while (::access((scratch_.path() + "/started").c_str(), F_OK) != 0) std::this_thread::yield();
    source.request_stop();
  });
  EXPECT_THROW(slow.find("reg"), Cancelled);
}

TEST_F(HelperTest, InheritsThreeDescriptorsOnly) {
  const Fd secret = open_file("/dev/null", O_RDONLY);
  ASSERT_EQ(::fcntl(secret.get(), F_SETFD, 0), 0);
  put("fds", "ls /proc/self/fd | tr '\\n' ' ' >\"$HELPER_HOME/fds\"; echo '{}'");
  EXPECT_FALSE(helper("fds").find("reg"));
  EXPECT_EQ(text_of("fds"), "0 1 2 3 ") << "3 is the directory that ls reads";
}

TEST_F(HelperTest, OfOneRegistryGoesBeforeEntriesAndTheStoreAfter) {
  put("keeper", k_keeper);
  scratch_.write("kept", "reg");
  const std::string entry = R"("auths":{"reg":{"auth":"Ym9iOnB3"}})";
  const auto user = [&](const std::string& config) {
    const auto lookup = look_up(config, "reg");
    return lookup.credentials ? lookup.credentials->username : "none";
  };
  EXPECT_EQ(user(str(R"({"credHelpers":{"reg":"keeper"},)", entry, '}')), "alice");
  EXPECT_EQ(user(str(R"({"credsStore":"keeper",)", entry, '}')), "bob");
  EXPECT_EQ(user(R"({"credsStore":"keeper","auths":{"reg":{}}})"), "alice");
  EXPECT_EQ(user(R"({"credHelpers":{"other":"keeper"}})"), "none");
  scratch_.write("kept", "something else");
  EXPECT_EQ(user(str(R"({"credHelpers":{"reg":"keeper"},)", entry, '}')), "bob");
  EXPECT_EQ(look_up(R"({"credsStore":"keeper"})", "reg").refusal, "");
}

TEST_F(HelperTest, KeepsDockerHubUnderItsOldName) {
  put("keeper", k_keeper);
  for (const char* kept : {"https://index.docker.io/v1/", "docker.io", "index.docker.io"}) {
    scratch_.write("kept", kept);
    EXPECT_TRUE(look_up(R"({"credsStore":"keeper"})", "docker.io").credentials) << kept;
    EXPECT_TRUE(
        look_up(str(R"({"credHelpers":{")", kept, R"(":"keeper"}})"), "docker.io").credentials)
        << kept;
  }
}

TEST_F(HelperTest, TheUserTokenMeansAnIdentityToken) {
  put("azure", "echo '{\"ServerURL\":\"reg\",\"Username\":\"<token>\",\"Secret\":\"identity\"}'");
  const auto lookup = look_up(R"({"credsStore":"azure"})", "reg");
  ASSERT_TRUE(lookup.credentials);
  EXPECT_EQ(lookup.credentials->identity_token, "identity");
  EXPECT_FALSE(lookup.credentials->has_password());
  EXPECT_EQ(lookup.credentials->origin, "docker-credential-azure");
}

}  // namespace
}  // namespace lade::registry
