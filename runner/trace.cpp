#include "runner/trace.hpp"

#include "base/error.hpp"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <new>

namespace lade::runner {

namespace {

std::uint64_t monotonic() noexcept {
  struct timespec now {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

struct Entry {
  std::uint64_t nanoseconds;
  TraceSide side;
  std::uint32_t size;
  std::array<char, 64> text;
};

}  // namespace

/// The shared memory.
struct Trace::Page {
  std::uint64_t begin = 0;
  std::atomic<std::uint32_t> count{0};
  std::array<Entry, 256> entries{};
};

Trace::Trace() {
  void* memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) throw SystemError(errno, "get memory for a trace");
  page_ = new (memory) Page;
  page_->begin = monotonic();
}

Trace::~Trace() {
  ::munmap(page_, sizeof(Page));
}

void Trace::note(TraceSide side, std::string_view what) noexcept {
  const std::uint32_t index = page_->count.fetch_add(1);
  if (index >= page_->entries.size()) return;
  Entry& entry = page_->entries[index];
  entry.nanoseconds = monotonic() - page_->begin;
  entry.side = side;
  entry.size = static_cast<std::uint32_t>(std::min(what.size(), entry.text.size()));
  std::copy_n(what.begin(), entry.size, entry.text.begin());
}

std::vector<Trace::Note> Trace::notes() const {
  std::vector<Note> notes;
  const std::size_t count = std::min<std::size_t>(page_->count, page_->entries.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Entry& entry = page_->entries.at(i);
    notes.push_back({entry.nanoseconds, entry.side, std::string(entry.text.data(), entry.size)});
  }
  return notes;
}

}  // namespace lade::runner
