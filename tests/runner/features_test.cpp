#include "runner/features.hpp"

#include "oci/json.hpp"
#include "oci/runtime_spec_json.hpp"
#include "runner/plan.hpp"

#include <gmock/gmock.h>

namespace lade::runner {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

class FeaturesTest : public ::testing::Test {
 protected:
  JsonValue document_ = parse_json(make_features("1.2.3"), "features");
  JsonNode root_{document_, "features"};
};

TEST_F(FeaturesTest, SaysWhatItIs) {
  EXPECT_EQ(root_.get("ociVersionMin").text(), "1.0.0");
  EXPECT_EQ(root_.get("annotations").get("org.opencontainers.lade.version").text(), "1.2.3");
  EXPECT_THAT(root_.get("hooks").texts(), Contains("createContainer"));
}

TEST_F(FeaturesTest, NamesTheKernelsWords) {
  const JsonNode linux = root_.get("linux");
  EXPECT_THAT(linux.get("capabilities").texts(),
              IsSupersetOf({"CAP_CHOWN", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"}));
  EXPECT_THAT(linux.get("namespaces").texts(), IsSupersetOf({"time", "user", "cgroup"}));
  EXPECT_THAT(linux.get("seccomp").get("archs").texts(), Contains("SCMP_ARCH_X86_64"));
}

// What is promised is also planned: no option of the list is left to the file system.
TEST_F(FeaturesTest, KeepsItsWordOfMountOptions) {
  const std::vector<std::string> options = root_.get("mountOptions").texts();
  EXPECT_THAT(options, IsSupersetOf({"rro", "idmap", "nosymfollow", "rslave", "tmpcopyup"}));
  for (const std::string& option : options) {
    Spec spec;
    spec.process.args = {"sh"};
    SpecMount mount{"/mnt", "none", "/tmp", {"bind", option}, {}, {}};
    if (option.ends_with("idmap")) {
      mount.uid_mappings = mount.gid_mappings = {SpecIdMapping{0, 0, 1}};
    }
    spec.mounts = {mount};
    const Plan plan = make_plan(spec, RootDirectory{"/nowhere"});
    for (const std::string& warning : plan.warnings) {
      EXPECT_THAT(warning, ::testing::Not(HasSubstr("means nothing"))) << option;
    }
  }
}

}  // namespace
}  // namespace lade::runner
