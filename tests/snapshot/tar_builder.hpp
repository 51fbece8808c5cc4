// Writes small tars for tests, hostile ones too: ustar headers, with a pax header where one is
// needed.
#pragma once

#include "base/text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>

namespace lade::test {

/// What a tar entry says; the defaults are a file of root's.
struct TarEntry {
  char type = '0';
  std::uint32_t mode = 0644;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime = 1'000'000'000;
  std::string link = {};
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::map<std::string, std::string> pax = {};
};

class TarBuilder {
 public:
  TarBuilder& file(const std::string& path, const std::string& data, TarEntry entry = {}) {
    add(path, entry, data);
    return *this;
  }
  TarBuilder& directory(const std::string& path, std::uint32_t mode = 0755, TarEntry entry = {}) {
    entry.type = '5';
    entry.mode = mode;
    add(path.ends_with('/') ? path : path + "/", entry, "");
    return *this;
  }
  TarBuilder& symlink(const std::string& path, const std::string& target) {
    TarEntry entry{.type = '2', .mode = 0777, .link = target};
    add(path, entry, "");
    return *this;
  }
  TarBuilder& hardlink(const std::string& path, const std::string& target) {
    TarEntry entry{.type = '1', .link = target};
    add(path, entry, "");
    return *this;
  }
  TarBuilder& device(const std::string& path, char type, std::uint32_t major, std::uint32_t minor) {
    TarEntry entry{.type = type, .mode = 0600, .major = major, .minor = minor};
    add(path, entry, "");
    return *this;
  }
  TarBuilder& whiteout(const std::string& path) { return file(path, ""); }
  TarBuilder& raw(const std::string& bytes) {
    tar_ += bytes;
    return *this;
  }

  /// The whole, with the end-of-archive marker.
  std::string bytes() const { return tar_ + std::string(1024, '\0'); }

  void add(const std::string& path, TarEntry entry, const std::string& data) {
    auto pax = entry.pax;
    if (path.size() > 99) pax["path"] = path;
    if (entry.link.size() > 99) pax["linkpath"] = entry.link;
    if (entry.uid > 07777777) pax["uid"] = std::to_string(entry.uid);
    if (entry.gid > 07777777) pax["gid"] = std::to_string(entry.gid);
    if (!pax.empty()) {
      std::string records;
      for (const auto& [key, value] : pax) records += record(key, value);
      header("pax", {.type = 'x'}, records.size());
      body(records);
    }
    entry.uid &= 07777777;
    entry.gid &= 07777777;
    header(path, entry, data.size());
    body(data);
  }

 private:
  static std::string record(const std::string& key, const std::string& value) {
    std::size_t length = key.size() + value.size() + 3;
    while (std::to_string(length).size() + key.size() + value.size() + 3 != length) ++length;
    return str(length, ' ', key, '=', value, '\n');
  }

  /// `width` - 1 octal digits and a NUL.
  static void octal(char* field, std::size_t width, std::uint64_t value) {
    for (std::size_t i = width - 1; i-- > 0; value >>= 3U) {
      field[i] = static_cast<char>('0' + (value & 7U));
    }
    field[width - 1] = '\0';
  }

  void header(const std::string& path, const TarEntry& entry, std::size_t size) {
    char block[512] = {};
    std::memcpy(block, path.data(), std::min<std::size_t>(path.size(), 99));
    octal(block + 100, 8, entry.mode);
    octal(block + 108, 8, entry.uid);
    octal(block + 116, 8, entry.gid);
    octal(block + 124, 12, size);
    octal(block + 136, 12, static_cast<std::uint64_t>(entry.mtime));
    block[156] = entry.type;
    std::memcpy(block + 157, entry.link.data(), std::min<std::size_t>(entry.link.size(), 99));
    std::memcpy(block + 257,
                "ustar\0"
                "00",
                8);
    octal(block + 329, 8, entry.major);
    octal(block + 337, 8, entry.minor);
    std::memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    octal(block + 148, 7, sum);
    tar_.append(block, sizeof block);
  }

  void body(const std::string& data) {
    tar_ += data;
    tar_.append((512 - data.size() % 512) % 512, '\0');
  }

  std::string tar_;
};

}  // namespace lade::test
