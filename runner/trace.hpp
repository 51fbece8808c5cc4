// Where the time of a start goes: what lade and the container's first process note as they get
// through their work, in memory that both share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// Who has noted something.
enum class TraceSide { lade, container };

/// Notes, in the order in which they were made. A process that was cloned notes into the same ones.
class Trace {
 public:
  struct Note {
    std::uint64_t nanoseconds = 0;  ///< since begin()
    TraceSide side = TraceSide::lade;
    std::string what;  ///< has just come to its end
  };

  /// Time begins. Throws SystemError.
  Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  ~Trace();

  /// Notes that something has just ended. Beyond a few hundred notes they are dropped, and long
  /// texts are cut.
  void note(TraceSide side, std::string_view what) noexcept;
  /// All notes so far.
  std::vector<Note> notes() const;

 private:
  struct Page;
  Page* page_;
};

}  // namespace lade::runner
