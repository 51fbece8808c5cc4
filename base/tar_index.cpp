#include "base/tar_index.hpp"

#include "base/error.hpp"
#include "base/tar_format.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace lade {

namespace {

using tar::Field;
using Block = std::array<char, tar::k_block>;

constexpr std::size_t k_extended_cap = 1024 * 1024;
constexpr std::size_t k_longest_name = 4096;
constexpr std::size_t k_most_members = 1'000'000;
constexpr std::size_t k_most_links = 16;
constexpr std::size_t k_most_text = 64 * 1024 * 1024;  // of all names together
constexpr std::uint64_t k_largest = 0x7fffffffffffffff;

/// What the headers before a member say of it.
struct Extension {
  std::optional<std::string> name;
  std::optional<std::string> link;
  std::optional<std::uint64_t> size;
  bool is_sparse = false;
};

/// The path without `.` and empty components; nothing if it leads out of the archive. `start` is
/// where a relative path begins.
std::optional<std::string> find_normal(std::string_view start, std::string_view path) {
  std::vector<std::string> parts;
  for (const std::string_view piece : {start, path}) {
    for (std::string& part : split(piece, '/')) {
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.push_back(std::move(part));
        continue;
      }
      if (parts.empty()) return std::nullopt;
      parts.pop_back();
    }
  }
  return join(parts, "/");
}

std::string_view directory_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

/// Goes through an archive from header to header.
class Walker {
 public:
  Walker(const ReadAt& read_at, std::uint64_t size, std::string_view what)
      : read_at_(read_at), size_(size), what_(what) {}

  /// The next member that can be read; nothing at the end of the archive.
  std::optional<TarEntry> next() {
    for (;;) {
      Extension extension;
      if (!read_header(extension)) return std::nullopt;
      const std::uint64_t size = take_size(extension);
      const std::uint64_t offset = position_;
      skip(size);
      if (auto entry = find_entry(extension, offset, size)) return entry;
    }
  }

 private:
  [[noreturn]] void fail(std::string_view problem) const {
    throw InvalidData(
        str(quoted(what_), " is not a valid tar archive: ", problem, " at byte ", position_));
  }

  std::string_view text(Field field) const {
    const std::string_view all(header_.data() + field.offset, field.size);
    return all.substr(0, std::min(all.find('\0'), all.size()));
  }

  /// A number in octal, or in GNU's binary form for large ones.
  std::uint64_t number(Field field) const {
    const std::string_view all(header_.data() + field.offset, field.size);
    if ((static_cast<unsigned char>(all.front()) & 0x80) != 0) return binary_number(all);
    const std::string_view digits = trim(text(field));
    std::uint64_t value = 0;
    for (const char c : digits) {
      if (c < '0' || c > '7') fail("a number is not octal");
      value = value * 8 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
  }

  std::uint64_t binary_number(std::string_view bytes) const {
    std::uint64_t value = static_cast<unsigned char>(bytes.front()) & 0x7f;
    for (const char c : bytes.substr(1)) {
      if (value > k_largest >> 8) fail("a number is too large");
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }

  void check_sum() const {
    std::uint64_t sum = 0;
    std::int64_t signed_sum = 0;  // what some old programs wrote
    for (std::size_t i = 0; i < header_.size(); ++i) {
      const bool is_own =
          i >= tar::k_checksum.offset && i < tar::k_checksum.offset + tar::k_checksum.size;
      const char c = is_own ? ' ' : header_[i];
      sum += static_cast<unsigned char>(c);
      signed_sum += static_cast<signed char>(c);
    }
    const std::uint64_t stated = number(tar::k_checksum);
    if (stated != sum && static_cast<std::int64_t>(stated) != signed_sum) {
      fail("a header's checksum is wrong");
    }
  }

  void read_exactly(std::span<char> buffer) {
    std::span<std::byte> rest = std::as_writable_bytes(buffer);
    while (!rest.empty()) {
      const std::size_t count = read_at_(position_, rest);
      if (count == 0) fail("it ends in the middle");
      position_ += count;
      rest = rest.subspan(count);
    }
  }

  /// Reads the header of the next member and those that extend it; false at the end.
  bool read_header(Extension& extension) {
    for (;;) {
      if (position_ == size_) {
        if (position_ == 0) fail("it is empty");
        return false;
      }
      if (++headers_ > k_most_members) fail(str("it has more than ", k_most_members, " headers"));
      read_exactly(header_);
      if (std::all_of(header_.begin(), header_.end(), [](char c) { return c == '\0'; })) {
        return false;
      }
      check_sum();
      switch (type()) {
        case 'x':
          read_records(extension);
          break;
        case 'L':
          extension.name = long_text();
          break;
        case 'K':
          extension.link = long_text();
          break;
        case 'g':
          skip(number(tar::k_size));  // the same for all members: comments, mostly
          break;
        default:
          return true;
      }
    }
  }

  char type() const { return header_[tar::k_type.offset]; }

  /// The content of a header that extends the next.
  std::string extended_content() {
    const std::uint64_t size = number(tar::k_size);
    if (size > k_extended_cap) fail(str("an extended header has ", size, " bytes"));
    std::string content(static_cast<std::size_t>(size), '\0');
    read_exactly(content);
    skip_bytes(tar::padding(size));
    return content;
  }

  std::string long_text() {
    const std::string content = extended_content();
    return content.substr(0, content.find('\0'));
  }

  /// PAX: `LENGTH KEY=VALUE\n`, again and again.
  void read_records(Extension& extension) {
    const std::string content = extended_content();
    std::string_view rest = content;
    while (!rest.empty()) {
      const std::size_t blank = rest.find(' ');
      const auto length = parse_number<std::size_t>(rest.substr(0, blank));
      if (!length || *length > rest.size() || *length < blank + 2 || rest[*length - 1] != '\n') {
        fail("a PAX record is malformed");
      }
      const std::string_view record = rest.substr(blank + 1, *length - blank - 2);
      const std::size_t equals = record.find('=');
      if (equals == std::string_view::npos) fail("a PAX record is malformed");
      take_record(extension, record.substr(0, equals), record.substr(equals + 1));
      rest.remove_prefix(*length);
    }
  }

  void take_record(Extension& extension, std::string_view key, std::string_view value) const {
    if (key == "path") extension.name = value;
    if (key == "linkpath") extension.link = value;
    if (key.starts_with("GNU.sparse.")) extension.is_sparse = true;
    if (key == "size") {
      extension.size = parse_number<std::uint64_t>(value);
      if (!extension.size || *extension.size > k_largest) fail("a PAX record's size is wrong");
    }
  }

  /// The size of the content that follows the header; for sparse files after their map.
  std::uint64_t take_size(Extension& extension) {
    const std::uint64_t size = extension.size.value_or(number(tar::k_size));
    if (type() == 'S') skip_sparse_map(extension);
    switch (type()) {
      case '1':
      case '2':
        if (size > 0) fail("a link has content");
        return 0;
      case '3':
      case '4':
      case '5':
      case '6':
        return 0;
      default:
        return size;
    }
  }

  void skip_sparse_map(Extension& extension) {
    extension.is_sparse = true;
    bool has_more = header_[tar::k_gnu_sparse_more] != '\0';
    while (has_more) {
      if (++headers_ > k_most_members) fail("a sparse file's map is endless");
      Block map{};
      read_exactly(map);
      has_more = map[tar::k_gnu_map_more] != '\0';
    }
  }

  void skip(std::uint64_t size) {
    skip_bytes(size);
    // The padding of the last member may be missing; programs that read streams do not look at it.
    position_ += std::min<std::uint64_t>(tar::padding(size), size_ - position_);
  }

  void skip_bytes(std::uint64_t size) {
    if (size > size_ - position_) fail("it ends in the middle");
    position_ += size;
  }

  std::string stated_name() const {
    const std::string name(text(tar::k_name));
    // GNU's headers have other things where the prefix would be.
    const bool is_ustar =
        std::string_view(header_.data() + tar::k_magic.offset, 6) == std::string_view("ustar\0", 6);
    const std::string_view prefix = is_ustar ? text(tar::k_prefix) : std::string_view();
    return prefix.empty() ? name : str(prefix, '/', name);
  }

  /// The member as it is kept; nothing for what cannot be read by a name.
  std::optional<TarEntry> find_entry(const Extension& extension, std::uint64_t offset,
                                     std::uint64_t size) {
    const std::string raw = extension.name.value_or(stated_name());
    const std::string link = extension.link.value_or(std::string(text(tar::k_link)));
    text_ += raw.size() + link.size();
    if (text_ > k_most_text) fail("its names are too much");
    if (raw.size() > k_longest_name || link.size() > k_longest_name) fail("a name is too long");
    const auto name = find_normal({}, raw);
    const auto kind = find_type(raw);
    const bool has_nul = raw.find('\0') != std::string::npos;
    if (!name || name->empty() || !kind || extension.is_sparse || has_nul) return std::nullopt;
    return TarEntry{*name, *kind, offset, size, link};
  }

  std::optional<TarType> find_type(std::string_view name) const {
    switch (type()) {
      case '\0':
        return name.ends_with('/') ? TarType::directory : TarType::file;
      case '7':
        return TarType::file;
      default:
        if (type() < '0' || type() > '6') return std::nullopt;
        return static_cast<TarType>(type() - '0');
    }
  }

  const ReadAt& read_at_;
  std::uint64_t size_;
  std::string_view what_;
  std::uint64_t position_ = 0;
  std::size_t headers_ = 0;
  std::size_t text_ = 0;  // bytes of names and links so far
  Block header_{};
};

}  // namespace

TarIndex TarIndex::read(const ReadAt& read_at, std::uint64_t size, std::string_view what) {
  TarIndex index{std::string(what)};
  Walker walker(read_at, size, what);
  while (auto entry = walker.next()) {
    index.by_name_.emplace(entry->name, index.entries_.size());
    index.entries_.push_back(*std::move(entry));
  }
  return index;
}

const TarEntry* TarIndex::find(const std::string& name) const {
  const auto [first, last] = by_name_.equal_range(name);
  if (first == last) return nullptr;
  if (std::next(first) != last) {
    throw InvalidData(str(quoted(what_), " has two members called ", quoted(name)));
  }
  return &entries_[first->second];
}

const TarEntry* TarIndex::find_file(std::string_view name) const {
  const auto refuse = [&](std::string_view problem) {
    throw InvalidData(str("member ", quoted(name), " of ", quoted(what_), ' ', problem));
  };
  auto path = find_normal({}, name);
  if (!path) refuse("leads out of the archive");
  const TarEntry* entry = find(*path);
  if (entry == nullptr) return nullptr;
  for (std::size_t links = 0; entry->type != TarType::file; ++links) {
    const bool is_symlink = entry->type == TarType::symlink;
    if (!is_symlink && entry->type != TarType::hard_link) refuse("is not a file");
    if (links == k_most_links) refuse("is a link that goes round in circles");
    if (is_symlink && entry->link.starts_with('/')) refuse("links to a place outside the archive");
    path = find_normal(is_symlink ? directory_of(entry->name) : std::string_view(), entry->link);
    if (!path) refuse("links to a place outside the archive");
    entry = find(*path);
    if (entry == nullptr) refuse(str("links to ", quoted(*path), ", which is not there"));
  }
  return entry;
}

}  // namespace lade
