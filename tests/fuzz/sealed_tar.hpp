// Makes the headers of a damaged tar pass for whole, which no fuzzer finds by itself.
#pragma once

#include "base/tar_format.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace lade::fuzz {

/// Makes the checksum of every block right, as if it were a header.
inline std::string sealed_tar(std::string archive) {
  for (std::size_t block = 0; block + tar::k_block <= archive.size(); block += tar::k_block) {
    char* header = archive.data() + block;
    if (std::all_of(header, header + tar::k_block, [](char c) { return c == '\0'; })) continue;
    std::memset(header + tar::k_checksum.offset, ' ', tar::k_checksum.size);
    unsigned sum = 0;
    for (std::size_t i = 0; i < tar::k_block; ++i) sum += static_cast<unsigned char>(header[i]);
    for (std::size_t i = 6; i-- > 0; sum /= 8) {
      header[tar::k_checksum.offset + i] = static_cast<char>('0' + sum % 8);
    }
    header[tar::k_checksum.offset + 6] = '\0';
  }
  return archive;
}

}  // namespace lade::fuzz
