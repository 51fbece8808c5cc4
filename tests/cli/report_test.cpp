#include "cli/report.hpp"

#include "base/error.hpp"
#include "runner/cannot_run.hpp"

#include <gtest/gtest.h>

namespace lade::cli {
namespace {

template <class Thrown>
Report report_of(const Thrown& thrown, const std::string& verb = "pull",
                 Detail detail = Detail::one_line) {
  return describe(std::make_exception_ptr(thrown), verb, detail);
}

TEST(Report, ExitCodesAreTheContractsOwn) {
  EXPECT_EQ(report_of(Error("x")).exit_code, 1);
  EXPECT_EQ(report_of(SystemError(ENOSPC, "write")).exit_code, 1);
  EXPECT_EQ(report_of(InvalidData("x")).exit_code, 1);
  EXPECT_EQ(report_of(NotFound("x")).exit_code, 2);
  EXPECT_EQ(report_of(HttpError({.status = 401}, "x")).exit_code, 3);
  EXPECT_EQ(report_of(HttpError({.status = 403}, "x")).exit_code, 3);
  EXPECT_EQ(report_of(HttpError({.status = 500}, "x")).exit_code, 1);
  EXPECT_EQ(report_of(Refused("x")).exit_code, 4);
  EXPECT_EQ(report_of(UsageError("x")).exit_code, 64);
  EXPECT_EQ(report_of(Cancelled()).exit_code, 130);
}

TEST(Report, RunHasItsOwnCodes) {
  EXPECT_EQ(report_of(NotFound("x"), "run").exit_code, 125);
  EXPECT_EQ(report_of(UsageError("x"), "run").exit_code, 125);
  EXPECT_EQ(report_of(runner::CannotRun(127, "x"), "run").exit_code, 127);
  EXPECT_EQ(report_of(runner::CannotRun(126, "x"), "run").exit_code, 126);
  EXPECT_EQ(report_of(Cancelled(), "run").exit_code, 130);
}

TEST(Report, OneLineAndTheHint) {
  NotFound error("manifest unknown");
  error.add_context("pull `x`");
  error.set_hint("look elsewhere");
  EXPECT_EQ(report_of(error).text, "lade: pull `x`: manifest unknown\nhint: look elsewhere\n");
  EXPECT_EQ(report_of(error, "pull", Detail::contexts).text,
            "lade: pull `x`:\n  manifest unknown\nhint: look elsewhere\n");
}

TEST(Report, AnUnforeseenExceptionIsStillOneLine) {
  const Report report = report_of(std::runtime_error("a\nb"));
  EXPECT_EQ(report.text, "lade: internal error: a\\x0ab\n");
  EXPECT_EQ(report.exit_code, 1);
}

}  // namespace
}  // namespace lade::cli
