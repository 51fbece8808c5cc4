#include "registry/url.hpp"

#include <gtest/gtest.h>

namespace lade::registry {
namespace {

std::string resolved(const std::string& base, const std::string& reference) {
  const auto url = Url::parse(base)->resolve(reference);
  return url ? url->text() : "none";
}

TEST(Url, ParsesAndPrints) {
  const auto url = Url::parse("HTTPS://Registry.Example.COM:5000/v2/?a=b#fragment");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "registry.example.com");
  EXPECT_EQ(url->port, 5000);
  EXPECT_EQ(url->text(), "https://registry.example.com:5000/v2/?a=b");
  EXPECT_EQ(Url::parse("https://h:443")->text(), "https://h/");
  EXPECT_EQ(Url::parse("http://[::1]:5000/x")->text(), "http://[::1]:5000/x");
  EXPECT_EQ(Url::parse("http://h?q=1")->text(), "http://h/?q=1");
  EXPECT_EQ(Url::parse("http://h/a/./b/../c")->text(), "http://h/a/c");
}

TEST(Url, RefusesWhatWouldBeReadDifferently) {
  for (const char* text :
       {"ftp://h/", "file:///etc/passwd", "https://user:secret@h/", "https://h@evil/",
        "https://h\\@evil/", "https:///path", "https://h:0/", "https://h:99999/", "https://h:/",
        "https://h /", "https://h\r\nX: y/", "https://h\xc3\xa9/", "https://[::1/", "//h/", "h/"}) {
    EXPECT_FALSE(Url::parse(text)) << text;
  }
}

TEST(Url, ResolvesReferences) {
  const std::string base = "https://h:5000/v2/a/tags/list?n=1";
  EXPECT_EQ(resolved(base, "/v2/x?y=z"), "https://h:5000/v2/x?y=z");
  EXPECT_EQ(resolved(base, "?n=2"), "https://h:5000/v2/a/tags/list?n=2");
  EXPECT_EQ(resolved(base, "other"), "https://h:5000/v2/a/tags/other");
  EXPECT_EQ(resolved(base, "../x"), "https://h:5000/v2/a/x");
  EXPECT_EQ(resolved(base, "//other/x"), "https://other/x");
  EXPECT_EQ(resolved(base, "http://other/x"), "http://other/x");
  EXPECT_EQ(resolved(base, "/redirect?to=http://other/x"),
            "https://h:5000/redirect?to=http://other/x");
  EXPECT_EQ(resolved(base, "ftp://other/x"), "none");
}

TEST(Url, HidesWhatMayBeASecret) {
  EXPECT_EQ(Url::parse("https://s3/b?X-Amz-Signature=abc&n=10&scope=r:a:pull&flag")->redacted(),
            "https://s3/b?X-Amz-Signature=***&n=10&scope=r:a:pull&***");
  EXPECT_EQ(Url::parse("https://h/v2/")->redacted(), "https://h/v2/");
}

TEST(Url, ComparesOrigins) {
  const auto base = *Url::parse("https://h/a");
  EXPECT_TRUE(base.same_origin(*Url::parse("https://H:443/b")));
  EXPECT_FALSE(base.same_origin(*Url::parse("http://h:443/a")));
  EXPECT_FALSE(base.same_origin(*Url::parse("https://h:8443/a")));
  EXPECT_FALSE(base.same_origin(*Url::parse("https://h.evil/a")));
}

TEST(Url, KnowsHowFarAddressesReach) {
  for (const char* host :
       {"10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "localhost", "2130706433", "0x7f.1",
        "[::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "100.64.0.1", "0.0.0.0"}) {
    EXPECT_EQ(address_scope(host), AddressScope::private_network) << host;
  }
  for (const char* host : {"169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]"}) {
    EXPECT_EQ(address_scope(host), AddressScope::link_local) << host;
  }
  for (const char* host :
       {"8.8.8.8", "172.32.0.1", "docker.io", "10.example.com", "[2001:db8::1]"}) {
    EXPECT_EQ(address_scope(host), AddressScope::public_or_name) << host;
  }
}

TEST(Url, ObjectsToDestinations) {
  const auto objection = [](const char* from, const char* peer, const char* to) {
    return objection_to(*Url::parse(from), peer, *Url::parse(to));
  };
  EXPECT_EQ(objection("https://docker.io/", "1.2.3.4", "https://cdn.example/"), "");
  EXPECT_NE(objection("https://docker.io/", "1.2.3.4", "http://docker.io/"), "");
  EXPECT_NE(objection("https://docker.io/", "1.2.3.4", "https://10.0.0.1/"), "");
  EXPECT_EQ(objection("https://registry.corp/", "10.0.0.2", "https://10.0.0.1/"), "");
  EXPECT_EQ(objection("http://10.0.0.2/", "", "http://10.0.0.1/"), "");
  EXPECT_NE(objection("https://registry.corp/", "10.0.0.2", "https://169.254.169.254/"), "");
  EXPECT_EQ(objection("http://169.254.1.1/", "", "http://169.254.1.1:8080/"), "");
}

}  // namespace
}  // namespace lade::registry
