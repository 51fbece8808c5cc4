// Where the time of a start goes.
#include "runner/trace.hpp"

#include "tests/runner/container.hpp"

#include <gmock/gmock.h>

namespace lade::runner::testing {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> texts_of(const Trace& trace) {
  std::vector<std::string> texts;
  for (const Trace::Note& note : trace.notes()) {
    texts.push_back(str(note.side == TraceSide::lade ? "lade " : "container ", note.what));
  }
  return texts;
}

TEST(Trace, HasWhatAClonedProcessNotes) {
  Trace trace;
  trace.note(TraceSide::lade, "clone");
  const pid_t pid = ::fork();
  if (pid == 0) {
    trace.note(TraceSide::container, "mount /proc");
    ::_exit(0);
  }
  ::waitpid(pid, nullptr, 0);
  trace.note(TraceSide::lade, "wait");
  EXPECT_THAT(texts_of(trace), ElementsAre("lade clone", "container mount /proc", "lade wait"));
}

TEST(Trace, TimeDoesNotRunBackwards) {
  Trace trace;
  for (int i = 0; i < 100; ++i) trace.note(TraceSide::lade, "step");
  std::uint64_t before = 0;
  for (const Trace::Note& note : trace.notes()) {
    EXPECT_GE(note.nanoseconds, before);
    before = note.nanoseconds;
  }
}

TEST(Trace, CutsLongTextsAndDropsWhatIsTooMuch) {
  Trace trace;
  const std::string longest(64, 'x');
  for (int i = 0; i < 1000; ++i) trace.note(TraceSide::lade, longest + "cut");
  const std::vector<std::string> texts = texts_of(trace);
  EXPECT_EQ(texts.size(), 256U);
  EXPECT_EQ(texts.back(), "lade " + longest);
}

}  // namespace
}  // namespace lade::runner::testing
