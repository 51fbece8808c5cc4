// Modes as text.
#pragma once

#include <cstdint>
#include <string>

namespace lade::runner {

/// `0644`: octal digits with a leading zero.
inline std::string octal(std::uint32_t mode) {
  std::string digits;
  for (; mode != 0; mode /= 8) digits.insert(digits.begin(), static_cast<char>('0' + mode % 8));
  return "0" + digits;
}

}  // namespace lade::runner
