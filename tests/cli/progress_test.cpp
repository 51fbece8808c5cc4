#include "cli/progress.hpp"

#include <gmock/gmock.h>

namespace lade::cli {
namespace {

const RunningTask k_half{1, TaskKind::fetch, "4abc12345678", 4096, 2048};

TEST(BarLine, ShowsHowFarItIs) {
  EXPECT_EQ(bar_line(k_half, 80),
            "fetch 4abc12345678 [====================                    ] 2.0 KiB / 4.0 KiB");
}

TEST(BarLine, FitsEveryWidth) {
  for (std::size_t width = 1; width < 200; ++width) {
    EXPECT_LE(bar_line(k_half, width).size(), width);
  }
}

TEST(BarLine, NarrowTerminalsLoseTheBarThenHaveAPercentage) {
  EXPECT_EQ(bar_line(k_half, 45), "fetch 4abc12345678  2.0 KiB / 4.0 KiB");
  EXPECT_EQ(bar_line(k_half, 30), "fetch 4abc12345678  50%");
  EXPECT_EQ(bar_line(k_half, 18), "fetch 4abc12345678");
}

TEST(BarLine, SurvivesOddTotals) {
  RunningTask task = k_half;
  task.total = 0;
  EXPECT_NE(bar_line(task, 80).find("0 B"), std::string::npos);
  task.total = 100;
  task.done = 1000;
  EXPECT_LE(bar_line(task, 80).size(), 80u);
  task.total.reset();
  EXPECT_LE(bar_line(task, 10).size(), 10u);
}

TEST(BarLine, LabelsCannotDriveTheTerminal) {
  RunningTask task = k_half;
  task.label = "\x1b[2J";
  EXPECT_EQ(bar_line(task, 80).find('\x1b'), std::string::npos);
}

const std::string k_digest = "sha256:" + std::string(64, 'a');

struct Lines {
  std::string text;
  LineSink sink() {
    return [this](std::string_view line) { text += line; };
  }
};

/// A layer, a configuration that is there already, and the commit.
void transfer(Observer& observer) {
  const TaskId config = observer.begin(TaskKind::fetch, "config " + k_digest, 20);
  const TaskId layer = observer.begin(TaskKind::fetch, k_digest, 100);
  observer.advance(layer, 60);
  observer.advance(layer, 40);
  observer.end(config, Outcome::reused);
  observer.end(layer, Outcome::done);
  const TaskId commit = observer.begin(TaskKind::commit, "image", std::nullopt);
  observer.end(commit, Outcome::done);
}

TEST(JsonProgress, IsOneObjectALine) {
  Lines lines;
  {
    const auto progress = make_json_progress(lines.sink(), std::chrono::milliseconds(0));
    transfer(*progress);
    progress->note(NoteLevel::warning, "a \"b\"\x1b");
  }
  const std::string of_config = R"("task":1,"kind":"fetch","label":"config )" + k_digest + R"(")";
  const std::string of_layer = R"("task":2,"kind":"fetch","label":")" + k_digest + R"(")";
  const std::string expected =
      R"({"event":"begin",)" + of_config + R"(,"done":0,"total":20})" + "\n" +
      R"({"event":"begin",)" + of_layer + R"(,"done":0,"total":100})" + "\n" +
      R"({"event":"advance",)" + of_layer + R"(,"done":60,"total":100})" + "\n" +
      R"({"event":"advance",)" + of_layer + R"(,"done":100,"total":100})" + "\n" +
      R"({"event":"end",)" + of_config + R"(,"done":0,"total":20,"outcome":"reused"})" + "\n" +
      R"({"event":"end",)" + of_layer + R"(,"done":100,"total":100,"outcome":"done"})" + "\n" +
      R"({"event":"begin","task":3,"kind":"commit","label":"image","done":0,"total":null})" + "\n" +
      R"({"event":"end","task":3,"kind":"commit","label":"image","done":0,"total":null,)" +
      R"("outcome":"done"})" + "\n" +
      R"({"event":"note","level":"warning","text":"a \"b\"\u001b"})" + "\n";
  EXPECT_THAT(lines.text, testing::StartsWith(expected));
  const std::string last = lines.text.substr(std::min(expected.size(), lines.text.size()));
  EXPECT_THAT(last, testing::MatchesRegex(
                        R"(\{"event":"summary","images":1,"blobs_copied":1,"blobs_reused":1,)"
                        R"("bytes":100,"seconds":[0-9]+\.[0-9]+,"failed":0\}.)"));
}

TEST(JsonProgress, SparesTheReaderMostSteps) {
  Lines lines;
  const auto progress = make_json_progress(lines.sink(), std::chrono::hours(1));
  const TaskId task = progress->begin(TaskKind::fetch, "x", 1000);
  for (int i = 0; i < 1000; ++i) progress->advance(task, 1);
  EXPECT_EQ(lines.text.find("advance"), std::string::npos);
  progress->end(task, Outcome::done);
  EXPECT_THAT(lines.text, testing::HasSubstr("\"done\":1000,\"total\":1000,\"outcome\":\"done\""));
}

TEST(JsonProgress, SumsUpFailuresAndNothingElse) {
  Lines lines;
  {
    const auto progress = make_json_progress(lines.sink(), std::chrono::hours(1));
    const TaskId task = progress->begin(TaskKind::push, "x", 10);
    progress->advance(task, 4);
    progress->end(task, Outcome::failed);
  }
  EXPECT_THAT(lines.text, testing::HasSubstr("\"blobs_copied\":0,\"blobs_reused\":0,\"bytes\":4"));
  EXPECT_THAT(lines.text, testing::HasSubstr("\"failed\":1}"));
  Lines none;
  {
    const auto progress = make_json_progress(none.sink(), std::chrono::hours(1));
    progress->end(progress->begin(TaskKind::resolve, "x", std::nullopt), Outcome::done);
  }
  EXPECT_EQ(none.text.find("summary"), std::string::npos);
}

TEST(SkopeoProgress, HasItsLinesInItsOrder) {
  Lines lines;
  Lines log;
  const auto progress = make_skopeo_progress(lines.sink(), log.sink());
  transfer(*progress);
  progress->note(NoteLevel::info, "not said");
  progress->note(NoteLevel::warning, "careful");
  EXPECT_EQ(lines.text, "Getting image source signatures\nCopying blob " + k_digest +
                            "\nCopying config " + k_digest +
                            "\nWriting manifest to image destination\n");
  EXPECT_THAT(log.text, testing::HasSubstr("careful"));
  EXPECT_EQ(log.text.find("not said"), std::string::npos);
}

TEST(Summary, CountsWhatWasDone) {
  EXPECT_EQ(summary_text({.images = 1,
                          .blobs_copied = 2,
                          .blobs_reused = 3,
                          .failed = 0,
                          .bytes = 2048,
                          .time = std::chrono::milliseconds(1234)}),
            "1 image, 2 blobs copied, 2.0 KiB in 1.2 s; 3 already there");
  EXPECT_EQ(summary_text({.images = 0,
                          .blobs_copied = 1,
                          .blobs_reused = 0,
                          .failed = 1,
                          .bytes = 5,
                          .time = std::chrono::milliseconds(10)}),
            "1 blob copied, 5 B in 0.0 s; 1 failed");
}

TEST(Label, IsShortForPeople) {
  EXPECT_EQ(short_label(k_digest), "aaaaaaaaaaaa");
  EXPECT_EQ(short_label("config " + k_digest), "config aaaaaaaaaaaa");
  EXPECT_EQ(short_label("image"), "image");
  EXPECT_EQ(short_label("sha256:ab"), "ab");
}

}  // namespace
}  // namespace lade::cli
