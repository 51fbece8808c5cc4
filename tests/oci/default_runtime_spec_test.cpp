#include "oci/default_runtime_spec.hpp"

#include "oci/runtime_spec_json.hpp"

#include <gmock/gmock.h>

namespace lade {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(DefaultRuntimeSpec, IsOne) {
  const Spec spec = parse_runtime_spec(make_default_runtime_spec({}));
  EXPECT_EQ(spec.process.args, std::vector<std::string>{"sh"});
  EXPECT_TRUE(spec.process.terminal);
  EXPECT_TRUE(spec.process.no_new_privileges);
  EXPECT_TRUE(spec.readonly_rootfs);
  EXPECT_EQ(spec.namespaces.size(), 5U);
  EXPECT_EQ(spec.mounts.size(), 7U);
  EXPECT_EQ(spec.resources.devices.size(), 1U);
  EXPECT_TRUE(spec.uid_mappings.empty());
}

TEST(DefaultRuntimeSpec, OfAUserHasOneIdAndTheHostsNetwork) {
  const std::string text = make_default_runtime_spec(SpecUserIds{1000, 100, {}});
  const Spec spec = parse_runtime_spec(text);
  ASSERT_EQ(spec.uid_mappings.size(), 1U);
  EXPECT_EQ(spec.uid_mappings[0].host, 1000U);
  EXPECT_EQ(spec.gid_mappings[0].host, 100U);
  EXPECT_EQ(spec.gid_mappings[0].size, 1U);
  EXPECT_THAT(text, Not(HasSubstr("gid=5")));
  EXPECT_THAT(text, Not(HasSubstr("\"network\"")));
}

}  // namespace
}  // namespace lade
