#include "base/error.hpp"
#include "base/tar_format.hpp"
#include "base/tar_index.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace lade::fuzz {

namespace {

/// Makes the checksum of every block right, as if it were a header: the fuzzer cannot.
std::string sealed(std::string archive) {
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

void check_entry(const TarEntry& entry, std::uint64_t size) {
  check(entry.offset <= size && entry.size <= size - entry.offset, "contents are in the archive");
  check(!entry.name.empty() && entry.name.front() != '/', "names are relative");
  check(entry.name.find('\0') == std::string::npos, "names have no NUL");
  const std::string around = "/" + entry.name + "/";
  check(around.find("/../") == std::string::npos, "names do not lead out of the archive");
  check(around.find("//") == std::string::npos, "names are normal");
}

void index(std::string_view archive) {
  const ReadAt read_at = [&](std::uint64_t offset, std::span<std::byte> buffer) {
    const std::string_view rest = archive.substr(offset);
    const std::size_t count = std::min(rest.size(), buffer.size());
    std::memcpy(buffer.data(), rest.data(), count);
    return count;
  };
  try {
    const TarIndex members = TarIndex::read(read_at, archive.size(), "fuzz");
    for (const TarEntry& entry : members.entries()) {
      check_entry(entry, archive.size());
      try {
        const TarEntry* file = members.find_file(entry.name);
        check(file != nullptr && file->type == TarType::file, "a name stands for a file");
      } catch (const InvalidData&) {
        continue;  // a directory, a link to nowhere, or one of two
      }
    }
  } catch (const InvalidData& error) {
    const std::string_view line = error.what();
    check(line.find('\n') == std::string_view::npos, "messages are one line");
  }
}

}  // namespace

void fuzz_tar(std::string_view input) {
  index(input);
  index(sealed(std::string(input)));
}

}  // namespace lade::fuzz
