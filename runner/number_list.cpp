#include "runner/number_list.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <climits>
#include <cstddef>

namespace lade::runner {

namespace {

constexpr std::size_t k_most = 8192;
constexpr std::size_t k_bits = sizeof(unsigned long) * CHAR_BIT;

void set_bit(BitMask& mask, std::size_t number) {
  if (mask.size() <= number / k_bits) mask.resize(number / k_bits + 1);
  mask[number / k_bits] |= 1UL << (number % k_bits);
}

}  // namespace

BitMask parse_number_list(std::string_view text) {
  BitMask mask;
  if (text.empty()) return mask;
  for (const std::string& range : split(text, ',')) {
    const auto dash = range.find('-');
    const auto first = parse_number<std::size_t>(std::string_view(range).substr(0, dash));
    const auto last = dash == std::string::npos
                          ? first
                          : parse_number<std::size_t>(std::string_view(range).substr(dash + 1));
    if (!first || !last || *first > *last || *last >= k_most) {
      throw InvalidData(str("list of numbers ", quoted(text), ": not of the form `0-3,7`"));
    }
    for (std::size_t number = *first; number <= *last; ++number) set_bit(mask, number);
  }
  return mask;
}

}  // namespace lade::runner
