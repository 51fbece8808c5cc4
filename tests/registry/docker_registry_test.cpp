// Reading from Debian's docker-registry: plain, with passwords, with TLS and client certificates.
#include "tests/registry/docker_registry.hpp"

#include "registry/copy.hpp"
#include "registry/http.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DockerRegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* program : {"docker-registry", "openssl", "htpasswd"}) {
      if (!is_installed(program)) GTEST_SKIP() << program << " is not installed";
    }
  }

  /// A key and a self-signed certificate for some names: NAME.key, NAME.cert.
  void make_certificate(const std::string& name,
                        const std::string& names = "DNS:localhost,IP:127.0.0.1") const {
    const std::string command =
        str("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 ",
            "-subj /CN=lade-test -addext 'subjectAltName=", names, "' -keyout ",
            file(name + ".key"), " -out ", file(name + ".cert"), " 2>/dev/null");
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  std::string tls(const std::string& more = "") const {
    return str(", tls: {certificate: ", file("server.cert"), ", key: ", file("server.key"), more,
               "}");
  }
  std::string file(const std::string& name) const { return str(scratch_.path(), '/', name); }
  /// Makes ROOT/AUTHORITY with the server's certificate as a CA; ROOT.
  std::string trust_server(const std::string& authority) const {
    const std::string root = file("certs.d");
    std::filesystem::create_directories(str(root, '/', authority));
    std::filesystem::copy_file(file("server.cert"), str(root, '/', authority, "/ca.crt"));
    return root;
  }

  Scratch scratch_;
};

void expect_whole_image(Repository& repository) {
  const ResolvedImage image = resolve_image(repository, "1", host_platform());
  EXPECT_EQ(repository.manifest(image.raw.digest).bytes, image.raw.bytes);
  NullObserver observer;
  EXPECT_EQ(read_blob(repository, image.manifest.config, 100, {{}, observer}), "{}");
  ASSERT_EQ(image.manifest.layers.size(), 1u);
  EXPECT_EQ(fetch(repository, image.manifest.layers[0]), DockerRegistry::layer());
  EXPECT_THAT(repository.tags(), ElementsAre("1"));
}

TEST_F(DockerRegistryTest, PlainOnlyWhenAllowed) {
  const DockerRegistry server;
  Repository allowed(server.reference(), fake_options());
  expect_whole_image(allowed);
  EXPECT_THROW(allowed.manifest("absent"), NotFound);

  Repository strict(server.reference(), ConnectionOptions());
  const auto error = error_of<HttpError>([&] { strict.manifest("1"); });
  EXPECT_THAT(error.hint(), HasSubstr("--tls-verify=false"));
}

TEST_F(DockerRegistryTest, Passwords) {
  ASSERT_EQ(std::system(str("htpasswd -Bbn alice secret > ", file("htpasswd")).c_str()), 0);
  const DockerRegistry server("",
                              str("auth: {htpasswd: {realm: test, path: ", file("htpasswd"), "}}"));
  Repository repository(server.reference(), options_for("alice", "secret"));
  expect_whole_image(repository);
  Repository wrong(server.reference(), options_for("alice", "wrong"));
  EXPECT_EQ(error_of<HttpError>([&] { wrong.manifest("1"); }).status(), 401);
  Repository nobody(server.reference(), fake_options());
  EXPECT_EQ(error_of<HttpError>([&] { nobody.manifest("1"); }).status(), 401);
}

TEST_F(DockerRegistryTest, ACertificateMustVerify) {
  make_certificate("server");
  const DockerRegistry server(tls());
  const std::string root = trust_server(server.authority());

  Repository untrusting(server.reference(), {.cert_roots = {"/etc/containers/certs.d"}});
  const auto error = error_of<HttpError>([&] { untrusting.manifest("1"); });
  EXPECT_THAT(error.what(), HasSubstr("certificate"));
  EXPECT_THAT(error.hint(),
              HasSubstr(str("/etc/containers/certs.d/", server.authority(), "/ca.crt")));

  Repository by_root(server.reference(), {.cert_roots = {root}});
  expect_whole_image(by_root);
  Repository by_directory(server.reference(), {.cert_dir = str(root, '/', server.authority())});
  expect_whole_image(by_directory);
  Repository careless(server.reference(), fake_options());
  expect_whole_image(careless);
}

TEST_F(DockerRegistryTest, ACertificateForAnotherNameIsRefused) {
  make_certificate("server", "DNS:other.example");
  const DockerRegistry server(tls());
  const std::string root = trust_server(server.authority());
  Repository repository(server.reference(), {.cert_roots = {root}});
  const auto error = error_of<TransportError>([&] { repository.manifest("1"); });
  EXPECT_EQ(error.fault(), Fault::certificate);
}

TEST_F(DockerRegistryTest, ClientCertificates) {
  make_certificate("server");
  make_certificate("client");
  const DockerRegistry server(tls(str(", clientcas: [", file("client.cert"), "]")));
  const std::string root = trust_server(server.authority());
  Repository nobody(server.reference(), {.cert_roots = {root}});
  const auto error = error_of<TransportError>([&] { nobody.manifest("1"); });
  EXPECT_EQ(error.fault(), Fault::client_certificate);
  EXPECT_FALSE(error.retryable());
  EXPECT_THAT(error.what(), HasSubstr("the server wants a client certificate"));
  EXPECT_THAT(error.hint(), HasSubstr(str(server.authority(), "/ca.crt")));
  EXPECT_THAT(error.hint(), HasSubstr("client.cert"));
  for (const char* name : {"client.cert", "client.key"}) {
    std::filesystem::copy_file(file(name), str(root, '/', server.authority(), '/', name));
  }
  Repository known(server.reference(), {.cert_roots = {root}});
  expect_whole_image(known);
}

}  // namespace
}  // namespace lade::registry
