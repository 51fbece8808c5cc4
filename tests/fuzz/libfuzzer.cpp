// libFuzzer's entry point for the target that LADE_FUZZ_TARGET names.
#include "tests/fuzz/targets.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lade::fuzz::LADE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
