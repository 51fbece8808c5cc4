#include "registry/certificates.hpp"

#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace lade::registry {
namespace {

using testing::HasSubstr;

class CertificatesTest : public testing::Test {
 protected:
  void make(const std::string& directory) {
    ASSERT_EQ(::mkdir((scratch_.path() + "/" + directory).c_str(), 0700), 0);
  }
  Certificates find(const std::string& authority) {
    return find_certificates({.cert_roots = {scratch_.path() + "/none", scratch_.path()}},
                             authority);
  }

  Scratch scratch_;
};

TEST_F(CertificatesTest, AreFoundByHostAndPort) {
  make("reg:5000");
  scratch_.write("reg:5000/b.crt", "B");
  scratch_.write("reg:5000/a.crt", "A");
  scratch_.write("reg:5000/me.cert", "C");
  scratch_.write("reg:5000/me.key", "K");
  scratch_.write("reg:5000/notes.txt", "no");
  const Certificates found = find("reg:5000");
  EXPECT_EQ(found.ca_pem, "A\nB\n");
  ASSERT_TRUE(found.client);
  EXPECT_EQ(found.client->certificate_path, scratch_.path() + "/reg:5000/me.cert");
  EXPECT_EQ(found.client->key_path, scratch_.path() + "/reg:5000/me.key");
  EXPECT_EQ(find("reg").ca_pem, "");
}

TEST_F(CertificatesTest, HalfAPairIsAnError) {
  make("one");
  scratch_.write("one/me.cert", "C");
  EXPECT_THAT(error_of<Error>([&] { find("one"); }).what(), HasSubstr("`me.key`"));
  make("two");
  scratch_.write("two/me.key", "K");
  EXPECT_THAT(error_of<Error>([&] { find("two"); }).what(), HasSubstr("`me.cert`"));
}

TEST_F(CertificatesTest, AnExplicitDirectoryIsTheOnlyOne) {
  make("reg");
  scratch_.write("reg/ca.crt", "A");
  scratch_.write("own.crt", "O");
  const ConnectionOptions options{.cert_dir = scratch_.path(), .cert_roots = {scratch_.path()}};
  EXPECT_EQ(find_certificates(options, "reg").ca_pem, "O\n");
  EXPECT_THROW(find_certificates({.cert_dir = scratch_.path() + "/none"}, "reg"), SystemError);
}

}  // namespace
}  // namespace lade::registry
