#include "base/shared_library.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <cstddef>

namespace lade {
namespace {

TEST(SharedLibrary, FindsFunctions) {
  const auto library = SharedLibrary::find("libc.so.6");
  ASSERT_NE(library, nullptr);
  auto* length = library->function<std::size_t(const char*)>("strlen");
  EXPECT_EQ(length("four"), 4u);
  EXPECT_THROW(library->function<void()>("no_such_function"), Error);
}

TEST(SharedLibrary, NotInstalledIsNoError) {
  EXPECT_EQ(SharedLibrary::find("libnonexistent-lade.so.1"), nullptr);
}

}  // namespace
}  // namespace lade
