#include "base/sha256_pair.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#include <array>
#endif

namespace lade {

#if defined(__x86_64__)

namespace {

#define LADE_SHA __attribute__((target("sha,sse4.1,ssse3"), always_inline)) inline

// FIPS 180-4, 4.2.2.
alignas(16) constexpr std::array<std::uint32_t, 64> k_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// The eight words as the instructions want them.
struct Words {
  __m128i abef;
  __m128i cdgh;
};

LADE_SHA Words load(const std::uint32_t* state) {
  const auto* words = reinterpret_cast<const __m128i*>(state);
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);
  return {_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0)};
}

LADE_SHA void store(std::uint32_t* state, const Words& words) {
  const __m128i feba = _mm_shuffle_epi32(words.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(words.cdgh, 0xb1);
  auto* out = reinterpret_cast<__m128i*>(state);
  _mm_storeu_si128(out, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(out + 1, _mm_alignr_epi8(dchg, feba, 8));
}

/// The sixteen words of the message schedule that the rounds at hand need.
struct Schedule {
  __m128i words[4];
};

LADE_SHA Schedule load(const std::byte* block) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const auto* from = reinterpret_cast<const __m128i*>(block);
  Schedule schedule;
  for (int i = 0; i < 4; ++i) {
    schedule.words[i] = _mm_shuffle_epi8(_mm_loadu_si128(from + i), big_endian);
  }
  return schedule;
}

/// Four rounds, and the schedule's words for the four that come sixteen later.
LADE_SHA void four_rounds(Words& words, Schedule& schedule, int step) {
  const auto* constants = reinterpret_cast<const __m128i*>(k_constants.data());
  __m128i& now = schedule.words[step & 3];
  const __m128i sums = _mm_add_epi32(now, _mm_load_si128(constants + step));
  words.cdgh = _mm_sha256rnds2_epu32(words.cdgh, words.abef, sums);
  words.abef = _mm_sha256rnds2_epu32(words.abef, words.cdgh, _mm_shuffle_epi32(sums, 0x0e));
  if (step >= 12) return;
  const __m128i& last = schedule.words[(step + 3) & 3];
  const __m128i middle = _mm_alignr_epi8(last, schedule.words[(step + 2) & 3], 4);
  const __m128i begun = _mm_sha256msg1_epu32(now, schedule.words[(step + 1) & 3]);
  now = _mm_sha256msg2_epu32(_mm_add_epi32(begun, middle), last);
}

LADE_SHA void add(Words& words, const Words& before) {
  words.abef = _mm_add_epi32(words.abef, before.abef);
  words.cdgh = _mm_add_epi32(words.cdgh, before.cdgh);
}

__attribute__((target("sha,sse4.1,ssse3"))) void take_blocks(const Sha256Lane& a,
                                                             const Sha256Lane& b,
                                                             std::size_t count) {
  Words words_a = load(a.state);
  Words words_b = load(b.state);
  for (std::size_t i = 0; i < count; ++i) {
    const Words before_a = words_a;
    const Words before_b = words_b;
    Schedule schedule_a = load(a.blocks + i * 64);
    Schedule schedule_b = load(b.blocks + i * 64);
#pragma GCC unroll 16
    for (int step = 0; step < 16; ++step) {
      four_rounds(words_a, schedule_a, step);
      four_rounds(words_b, schedule_b, step);
    }
    add(words_a, before_a);
    add(words_b, before_b);
  }
  store(a.state, words_a);
  store(b.state, words_b);
}

bool has_sha_instructions() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned sha = 1U << 29U;
  const bool has_sha = (b & sha) != 0;
  return has_sha && __builtin_cpu_supports("sse4.1") != 0 && __builtin_cpu_supports("ssse3") != 0;
}

}  // namespace

bool sha256_pair(const Sha256Lane& a, const Sha256Lane& b, std::size_t count) {
  static const bool can = has_sha_instructions();
  if (can) take_blocks(a, b, count);
  return can;
}

#else

bool sha256_pair(const Sha256Lane&, const Sha256Lane&, std::size_t) {
  return false;
}

#endif

}  // namespace lade
