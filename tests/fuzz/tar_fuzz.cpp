#include "base/error.hpp"
#include "base/tar_index.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/sealed_tar.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace lade::fuzz {

namespace {

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
  index(sealed_tar(std::string(input)));
}

}  // namespace lade::fuzz
