#include "registry/link.hpp"

#include <gtest/gtest.h>

namespace lade::registry {
namespace {

TEST(Link, FindsTheNextOne) {
  EXPECT_EQ(find_next_link({R"(</v2/a/tags/list?n=1&last=x>; rel="next")"}),
            "/v2/a/tags/list?n=1&last=x");
  EXPECT_EQ(find_next_link({"<https://h/x>;rel=next"}), "https://h/x");
  EXPECT_EQ(
      find_next_link({R"(</a>; rel="prev", </b>; title="x, <no>; rel=next"; REL="last NEXT")"}),
      "/b");
  EXPECT_EQ(find_next_link({R"(</a>; rel="prev")", R"(</b,c;d>; rel="next")"}), "/b,c;d");
}

TEST(Link, FindsNoneInOthers) {
  for (const char* field : {"", "<", "</a", "</a>", R"(</a>; rel="prev")", "/a; rel=next",
                            R"(</a>; title="rel=next")", R"(</a>; rel="nextish")"}) {
    EXPECT_FALSE(find_next_link({field})) << field;
  }
  EXPECT_FALSE(find_next_link({}));
}

}  // namespace
}  // namespace lade::registry
