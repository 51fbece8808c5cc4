#include "base/error.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace lade {
namespace {

TEST(Error, RendersContextsFromTheOutermostIn) {
  try {
    in_context([] { return std::string("pull `alpine`"); },
               [] {
                 in_context([] { return std::string("fetch layer"); },
                            [] { throw NotFound("no such blob"); });
               });
    FAIL();
  } catch (const NotFound& error) {
    EXPECT_STREQ(error.what(), "pull `alpine`: fetch layer: no such blob");
    EXPECT_EQ(error.message(), "no such blob");
    EXPECT_EQ(error.context(), (std::vector<std::string>{"fetch layer", "pull `alpine`"}));
  }
}

TEST(Error, ContextIsEvaluatedOnlyOnFailure) {
  bool evaluated = false;
  const int result = in_context(
      [&] {
        evaluated = true;
        return std::string();
      },
      [] { return 7; });
  EXPECT_EQ(result, 7);
  EXPECT_FALSE(evaluated);
}

TEST(Error, ContextReturnsReferences) {
  int value = 0;
  in_context([] { return std::string(); }, [&]() -> int& { return value; }) = 5;
  EXPECT_EQ(value, 5);
}

TEST(Error, TheDeepestHintStays) {
  NotFound error("x");
  EXPECT_EQ(error.hint(), "");
  error.set_hint("deep");
  error.set_hint("outer");
  EXPECT_EQ(error.hint(), "deep");
}

TEST(Error, CancelledPassesContextsUntouched) {
  EXPECT_THROW(in_context([] { return std::string("x"); }, [] { throw Cancelled(); }), Cancelled);
  EXPECT_FALSE((std::is_base_of_v<Error, Cancelled>));
}

TEST(Error, CheckSyscallTakesErrno) {
  EXPECT_EQ(check_syscall(3, [] { return "x"; }), 3);
  try {
    errno = ENOSPC;
    check_syscall(-1, [] {
      errno = 0;  // what() may call anything
      return "write `f`";
    });
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.code(), ENOSPC);
    EXPECT_STREQ(error.what(), "write `f`: No space left on device");
  }
}

TEST(Error, HttpErrorTellsWhatCanBeDone) {
  const HttpError refused({.status = 403}, "GET `u`: 403");
  EXPECT_TRUE(refused.unauthorized());
  EXPECT_FALSE(refused.retryable());
  const HttpError busy({.status = 429,
                        .retryable = true,
                        .retry_after = std::chrono::seconds(5),
                        .code = "TOOMANYREQUESTS"},
                       "GET `u`: 429");
  EXPECT_FALSE(busy.unauthorized());
  EXPECT_EQ(busy.retry_after(), std::chrono::seconds(5));
  EXPECT_EQ(busy.code(), "TOOMANYREQUESTS");
}

}  // namespace
}  // namespace lade
