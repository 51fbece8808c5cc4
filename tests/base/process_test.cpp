#include "base/process.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace lade {
namespace {

ProgramCall shell(const std::string& script) {
  return {.path = "/bin/sh", .arguments = {"-c", script}, .environment = {"PATH=/usr/bin:/bin"}};
}

TEST(CallProgram, GivesInputAndTakesBothOutputs) {
  ProgramCall call = shell("cat; echo trouble >&2; exit 7");
  call.input = std::string(300'000, 'x');
  const ProgramResult result = call_program(call);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, call.input);
  EXPECT_EQ(result.errors, "trouble\n");
}

TEST(CallProgram, SurvivesWhoDoesNotRead) {
  ProgramCall call = shell("exit 0");
  call.input = std::string(1'000'000, 'x');
  EXPECT_EQ(call_program(call).exit_code, 0);
}

TEST(CallProgram, PassesOnlyTheGivenEnvironment) {
  ProgramCall call = shell("env | grep -v -e ^PWD -e ^_ -e ^SHLVL -e ^OLDPWD | sort");
  call.environment.push_back("A=b");
  EXPECT_EQ(call_program(call).output, "A=b\nPATH=/usr/bin:/bin\n");
}

TEST(CallProgram, ASignalIsAnExitCode) {
  EXPECT_EQ(call_program(shell("kill -KILL $$")).exit_code, 137);
}

TEST(CallProgram, TooMuchOutputIsRefused) {
  ProgramCall call = shell("exec cat /dev/zero");
  call.output_cap = 1000;
  EXPECT_THROW(call_program(call), InvalidData);
}

TEST(CallProgram, EndsWithItsTime) {
  ProgramCall call = shell("exec sleep 1000");
  call.timeout = std::chrono::milliseconds(20);
  EXPECT_THROW(call_program(call), Error);
  ProgramCall silent = shell("exec sleep 1000 >/dev/null 2>&1");
  silent.timeout = std::chrono::milliseconds(20);
  EXPECT_THROW(call_program(silent), Error) << "closed pipes are not the end";
}

TEST(CallProgram, CanBeStopped) {
  std::stop_source source;
  ProgramCall call = shell("exec sleep 1000");
  call.stop = source.get_token();
  const std::jthread stopper([&] { source.request_stop(); });
  EXPECT_THROW(call_program(call), Cancelled);
}

TEST(CallProgram, DoesNotWaitForWhatItLeavesBehind) {
  const ProgramResult result = call_program(shell("sleep 5 & echo done"));
  EXPECT_EQ(result.output, "done\n");
}

TEST(CallProgram, AMissingOneIsASystemError) {
  EXPECT_THROW(call_program({.path = "/no/such/program"}), SystemError);
}

TEST(FindProgram, LooksIntoAbsoluteDirectoriesOnly) {
  EXPECT_EQ(find_program("bin:.::/nowhere:/bin", "sh"), "/bin/sh");
  EXPECT_EQ(find_program("/bin", "../bin/sh"), std::nullopt);
  EXPECT_EQ(find_program("/bin", ""), std::nullopt);
  EXPECT_EQ(find_program("/", "bin"), std::nullopt) << "a directory";
  EXPECT_EQ(find_program("/etc", "passwd"), std::nullopt) << "not executable";
}

}  // namespace
}  // namespace lade
