#include "base/error.hpp"
#include "registry/sync/mirror_bundle.hpp"
#include "registry/sync/sync_lock.hpp"
#include "registry/sync/sync_state.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <string>

namespace lade::fuzz {

namespace {

/// What is understood is written, and understood again as the same.
template <class Parse, class Print>
void round_trip(std::string_view input, Parse&& parse, Print&& print) {
  std::string text;
  try {
    text = print(parse(input));
  } catch (const InvalidData&) {
    return;
  }
  try {
    check(print(parse(std::string_view(text))) == text, "what was written is read as the same");
  } catch (const InvalidData&) {
    check(false, "what was written can be read");
  }
}

}  // namespace

void fuzz_sync_records(std::string_view input) {
  using namespace registry;
  round_trip(
      input, [](std::string_view text) { return SyncState::parse(text, "state"); },
      [](const auto& entries) { return SyncState::print(entries); });
  round_trip(
      input, [](std::string_view text) { return SyncLock::parse(text, "lock"); },
      [](const SyncLock& lock) { return lock.text(); });
  round_trip(
      input, [](std::string_view text) { return MirrorState::parse(text, "mirror"); },
      [](const MirrorState& state) { return state.text(); });
  round_trip(
      input, [](std::string_view text) { return BundleHead::parse(text); },
      [](const BundleHead& head) { return head.text(); });
}

}  // namespace lade::fuzz
