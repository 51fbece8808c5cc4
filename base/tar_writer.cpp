#include "base/tar_writer.hpp"

#include "base/error.hpp"
#include "base/tar_format.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace lade {

namespace {

using tar::Field;

constexpr std::string_view k_magic_text{"ustar\00000", 8};
constexpr char k_extended = 'x';

/// One header under construction.
class Header {
 public:
  void put(Field field, std::string_view text) {
    std::memcpy(block_.data() + field.offset, text.data(), std::min(text.size(), field.size));
  }

  /// Octal digits that end in a NUL; zero if it does not fit, and then a PAX record says it.
  void put(Field field, std::uint64_t number) {
    if (!fits(field, number)) number = 0;
    for (std::size_t i = field.size - 1; i-- > 0; number /= 8) {
      block_[field.offset + i] = static_cast<char>('0' + number % 8);
    }
  }

  static bool fits(Field field, std::uint64_t number) {
    return number >> (3 * (field.size - 1)) == 0;
  }

  /// The whole with its checksum, which counts its own place as blanks.
  std::span<const std::byte> sealed() {
    put(tar::k_checksum, std::string_view("        "));
    std::uint64_t sum = 0;
    for (const char c : block_) sum += static_cast<unsigned char>(c);
    // Six digits, a NUL and a blank.
    put({tar::k_checksum.offset, tar::k_checksum.size - 1}, sum);
    block_[tar::k_checksum.offset + tar::k_checksum.size - 2] = '\0';
    return std::as_bytes(std::span(block_));
  }

 private:
  std::array<char, tar::k_block> block_{};
};

char type_flag(TarType type) {
  return static_cast<char>('0' + static_cast<int>(type));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string ascii_only(std::string_view text) {
  std::string result;
  std::copy_if(text.begin(), text.end(), std::back_inserter(result),
               [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return result;
}

/// A name in a ustar header: its directory goes to the prefix if it is too long alone.
struct UstarName {
  std::string_view prefix;
  std::string_view name;
};

std::optional<UstarName> find_ustar_name(std::string_view name) {
  if (!is_ascii(name)) return std::nullopt;
  if (name.size() <= tar::k_name.size) return UstarName{{}, name};
  std::size_t length = name.size();
  if (length > tar::k_prefix.size + 1) {
    length = tar::k_prefix.size + 1;
  } else if (name.ends_with('/')) {
    --length;
  }
  const std::size_t slash = name.substr(0, length).rfind('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  const UstarName split{name.substr(0, slash), name.substr(slash + 1)};
  if (split.name.empty() || split.name.size() > tar::k_name.size) return std::nullopt;
  return split;
}

std::string time_text(const Timestamp& time) {
  std::string text = std::to_string(time.seconds);
  if (time.nanoseconds == 0) return text;
  // -1.5 is the second -2 and half a second.
  std::int64_t seconds = time.seconds;
  std::int32_t nanoseconds = time.nanoseconds;
  const bool is_negative = seconds < 0;
  if (is_negative) {
    seconds = -seconds - 1;
    nanoseconds = 1'000'000'000 - nanoseconds;
  }
  std::string fraction = std::to_string(nanoseconds);
  fraction.insert(0, 9 - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return str(is_negative ? "-" : "", seconds, '.', fraction);
}

/// What a ustar header cannot hold of a member.
std::map<std::string, std::string> extended_records(const TarMember& member) {
  std::map<std::string, std::string> records = member.records;
  const auto add_number = [&](const char* key, Field field, std::uint64_t number) {
    if (!Header::fits(field, number)) records[key] = std::to_string(number);
  };
  const auto add_text = [&](const char* key, Field field, const std::string& text) {
    if (text.size() > field.size || !is_ascii(text)) records[key] = text;
  };
  if (!find_ustar_name(member.name)) records["path"] = member.name;
  add_text("linkpath", tar::k_link, member.link);
  add_text("uname", tar::k_user, member.user);
  add_text("gname", tar::k_group, member.group);
  add_number("size", tar::k_size, member.size);
  add_number("uid", tar::k_uid, member.uid);
  add_number("gid", tar::k_gid, member.gid);
  const bool is_plain_time =
      member.mtime.nanoseconds == 0 && member.mtime.seconds >= 0 &&
      Header::fits(tar::k_mtime,
                   static_cast<std::uint64_t>(std::max<std::int64_t>(member.mtime.seconds, 0)));
  if (!is_plain_time) records["mtime"] = time_text(member.mtime);
  return records;
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
std::string record_text(const std::string& key, const std::string& value) {
  const std::string rest = str(' ', key, '=', value, '\n');
  std::size_t length = rest.size();
  while (std::to_string(length).size() + rest.size() != length) {
    length = std::to_string(length).size() + rest.size();
  }
  return str(length, rest);
}

/// `a/b` is extended by `a/PaxHeaders.0/b`.
std::string extended_name(const std::string& name) {
  std::string_view path = name;
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  const bool is_alone = slash == std::string_view::npos;
  const std::string directory = is_alone ? std::string() : std::string(path.substr(0, slash + 1));
  const std::string full =
      str(directory, "PaxHeaders.0/", is_alone ? path : path.substr(slash + 1));
  return ascii_only(full).substr(0, tar::k_name.size);
}

void check_text(const std::string& text) {
  if (text.find('\0') == std::string::npos) return;
  throw InvalidData(str("tar member ", quoted(text), " has a NUL character in its header"));
}

}  // namespace

void TarWriter::write_extended(const TarMember& member,
                               const std::map<std::string, std::string>& records) {
  std::string content;
  for (const auto& [key, value] : records) content += record_text(key, value);
  Header header;
  header.put(tar::k_name, extended_name(member.name));
  header.put(tar::k_mode, 0);
  header.put(tar::k_uid, 0);
  header.put(tar::k_gid, 0);
  header.put(tar::k_size, content.size());
  header.put(tar::k_mtime, 0);
  header.put(tar::k_type, std::string_view(&k_extended, 1));
  header.put(tar::k_magic, k_magic_text);
  out_.write(header.sealed());
  content.append(tar::padding(content.size()), '\0');
  out_.write(as_bytes(content));
}

void TarWriter::begin(const TarMember& member) {
  end_member();
  for (const std::string* text : {&member.name, &member.link, &member.user, &member.group}) {
    check_text(*text);
  }
  const auto records = extended_records(member);
  if (!records.empty()) write_extended(member, records);

  Header header;
  if (const auto name = find_ustar_name(member.name)) {
    header.put(tar::k_prefix, name->prefix);
    header.put(tar::k_name, name->name);
  } else {
    header.put(tar::k_name, ascii_only(member.name));
  }
  header.put(tar::k_mode, std::uint64_t{member.mode});
  header.put(tar::k_uid, member.uid);
  header.put(tar::k_gid, member.gid);
  header.put(tar::k_size, member.size);
  header.put(tar::k_mtime,
             member.mtime.seconds < 0 ? 0 : static_cast<std::uint64_t>(member.mtime.seconds));
  const char flag = type_flag(member.type);
  header.put(tar::k_type, std::string_view(&flag, 1));
  header.put(tar::k_link, ascii_only(member.link));
  header.put(tar::k_magic, k_magic_text);
  header.put(tar::k_user, ascii_only(member.user));
  header.put(tar::k_group, ascii_only(member.group));
  header.put(tar::k_device_major, std::uint64_t{member.device_major});
  header.put(tar::k_device_minor, std::uint64_t{member.device_minor});
  out_.write(header.sealed());
  name_ = member.name;
  remaining_ = member.size;
  padding_ = tar::padding(member.size);
}

void TarWriter::take(std::uint64_t size) {
  if (size > remaining_) {
    throw Error(str("tar member ", quoted(name_), " is longer than its header says"));
  }
  remaining_ -= size;
}

void TarWriter::write(std::span<const std::byte> data) {
  take(data.size());
  out_.write(data);
}

void TarWriter::skip(std::uint64_t size) {
  take(size);
}

void TarWriter::end_member() {
  if (remaining_ > 0) {
    throw Error(str("tar member ", quoted(name_), " is shorter than its header says"));
  }
  const std::array<std::byte, tar::k_block> zeros{};
  out_.write(std::span(zeros).first(padding_));
  padding_ = 0;
}

void TarWriter::add(const TarMember& member, Source& bytes) {
  begin(member);
  std::vector<std::byte> buffer(k_copy_buffer);
  while (const std::size_t count = bytes.read(buffer)) write(std::span(buffer).first(count));
  end_member();
}

void TarWriter::add(TarMember member, std::string_view content) {
  member.size = content.size();
  begin(member);
  write(as_bytes(content));
}

void TarWriter::finish() {
  end_member();
  const std::array<std::byte, 2 * tar::k_block> zeros{};
  out_.write(zeros);
}

}  // namespace lade
