#include "snapshot/mtree.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/layer_path.hpp"
#include "snapshot/path_walk.hpp"

#include <array>
#include <utility>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_buffered = 64 * 1024;

constexpr std::array<std::pair<std::string_view, InodeType>, 7> k_types{{
    {"dir", InodeType::directory},
    {"file", InodeType::file},
    {"link", InodeType::link},
    {"char", InodeType::character},
    {"block", InodeType::block},
    {"fifo", InodeType::fifo},
    {"socket", InodeType::socket},
}};

std::string_view name_of(InodeType type) {
  for (const auto& [name, value] : k_types) {
    if (value == type) return name;
  }
  return "file";
}

bool is_plain(char c) {
  constexpr std::string_view others = "-_.,+@:/~=";
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return alphanumeric || others.find(c) != std::string_view::npos;
}

std::string octal(std::uint32_t value) {
  std::string digits;
  for (; value > 0; value >>= 3U) digits.insert(digits.begin(), static_cast<char>('0' + value % 8));
  return str('0', digits);
}

std::string line_of(std::string_view name, const InodeRecord& record) {
  std::string line =
      str(escape_mtree(name), " size=", *record.size, " type=", name_of(*record.type),
          " uid=", *record.uid, " gid=", *record.gid, " mode=", octal(*record.mode));
  if (record.type == InodeType::link) line += str(" link=", escape_mtree(record.target));
  line += str(" nlink=", *record.links, " tar_time=", *record.mtime, ".000000000");
  if (!record.sha256.empty()) line += str(" sha256digest=", record.sha256);
  for (const auto& [xattr, value] : record.xattrs) {
    line += str(" xattr.", escape_mtree(xattr), '=', base64_encode(value));
  }
  return line + '\n';
}

[[noreturn]] void fail(std::string_view line, std::string_view problem) {
  throw InvalidData(str("mtree specification: line ", quoted(line.substr(0, 200)), ": ", problem));
}

/// The words of a line.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos) return words;
    line.remove_prefix(start);
    const auto end = std::min(line.find_first_of(" \t\r"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

template <class Number>
Number number_of(std::string_view text, std::string_view line) {
  const auto number = parse_number<Number>(text);
  if (!number) fail(line, str(quoted(text), " is no number"));
  return *number;
}

std::uint32_t octal_of(std::string_view text, std::string_view line) {
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7' || value > 07777U) fail(line, str(quoted(text), " is no mode"));
    value = value * 8 + static_cast<std::uint32_t>(c - '0');
  }
  return value;
}

void set_xattr(InodeRecord& record, std::string_view name, std::string_view value,
               std::string_view line) {
  const auto bytes = base64_decode(value);
  if (!bytes) fail(line, str(quoted(value), " is not base64"));
  record.xattrs[unescape_mtree(name)] = *bytes;
}

void set_keyword(InodeRecord& record, std::string_view keyword, std::string_view value,
                 std::string_view line) {
  if (keyword == "type") {
    for (const auto& [name, type] : k_types) {
      if (value == name) record.type = type;
    }
  } else if (keyword == "size") {
    record.size = number_of<std::uint64_t>(value, line);
  } else if (keyword == "uid") {
    record.uid = number_of<std::uint32_t>(value, line);
  } else if (keyword == "gid") {
    record.gid = number_of<std::uint32_t>(value, line);
  } else if (keyword == "mode") {
    record.mode = octal_of(value, line);
  } else if (keyword == "nlink") {
    record.links = number_of<std::uint64_t>(value, line);
  } else if (keyword == "tar_time" || keyword == "time") {
    record.mtime = number_of<std::int64_t>(value.substr(0, value.find('.')), line);
  } else if (keyword == "link") {
    record.target = unescape_mtree(value);
  } else if (keyword == "sha256digest" || keyword == "sha256") {
    record.sha256 = std::string(value);
  } else if (keyword.starts_with("xattr.") || keyword.starts_with("xattrs.")) {
    set_xattr(record, keyword.substr(keyword.find('.') + 1), value, line);
  }
}

/// Takes a specification line by line.
class MtreeParser {
 public:
  InodeRecords parse(std::string_view text) {
    while (!text.empty()) {
      std::string line;
      bool goes_on = true;
      while (goes_on && !text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        line += text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        goes_on = line.ends_with('\\');
        if (goes_on) line.pop_back();
      }
      take(line);
    }
    return std::move(records_);
  }

 private:
  void take(const std::string& line) {
    const auto words = words_of(line);
    if (words.empty() || words[0].front() == '#') return;
    if (words[0] == "..") {
      if (directories_.empty()) fail(line, "there is no directory to leave");
      directories_.pop_back();
    } else if (words[0] == "/set") {
      keywords(defaults_, words, line);
    } else if (words[0] == "/unset") {
      defaults_ = {};
    } else {
      entry(words, line);
    }
  }

  static void keywords(InodeRecord& record, const std::vector<std::string_view>& words,
                       std::string_view line) {
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto equals = words[i].find('=');
      if (equals == std::string_view::npos) continue;  // `optional`, `nochange`
      set_keyword(record, words[i].substr(0, equals), words[i].substr(equals + 1), line);
    }
  }

  void entry(const std::vector<std::string_view>& words, std::string_view line) {
    InodeRecord record = defaults_;
    keywords(record, words, line);
    const LayerPath path = parse_layer_path(unescape_mtree(words[0]));
    const bool is_full = words[0].find('/') != std::string_view::npos;
    const bool in_directory = !is_full && !directories_.empty();
    const std::string full = in_directory ? join_path(directories_.back(), path.name) : path.text();
    if (!is_full && record.type == InodeType::directory) directories_.push_back(full);
    records_[full] = std::move(record);
  }

  InodeRecords records_;
  InodeRecord defaults_;
  std::vector<std::string> directories_;  // that are open, by path
};

/// Reads `text[at]` and what belongs to it, after a backslash.
char unescape_one(std::string_view text, std::size_t& at) {
  constexpr std::string_view letters = "nrbavtfs0E";
  constexpr std::string_view meanings = "\n\r\b\a\v\t\f \0\x1b";
  const auto need = [&](std::size_t count) {
    if (at + count > text.size()) fail(text, "an escape has no end");
  };
  need(1);
  const char c = text[at];
  if (c >= '0' && c <= '7') {
    unsigned value = 0;
    for (int i = 0; i < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++i) {
      value = value * 8 + static_cast<unsigned>(text[at++] - '0');
    }
    return static_cast<char>(value);
  }
  const auto control = [](char letter, unsigned mask) {
    return static_cast<char>((letter == '?' ? 0x7fU : static_cast<unsigned>(letter) & 0x1fU) |
                             mask);
  };
  if (c == 'M') {
    need(3);
    const char kind = text[at + 1];
    const char letter = text[at + 2];
    at += 3;
    return kind == '^' ? control(letter, 0x80) : static_cast<char>(letter | 0x80);
  }
  if (c == '^') {
    need(2);
    at += 2;
    return control(text[at - 1], 0);
  }
  ++at;
  const auto letter = letters.find(c);
  return letter == std::string_view::npos ? c : meanings[letter];
}

}  // namespace

std::string escape_mtree(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '\\';
    for (const unsigned shift : {6U, 3U, 0U})
      out += static_cast<char>('0' + ((byte >> shift) & 7U));
  }
  return out;
}

std::string unescape_mtree(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] != '\\') {
      out += text[at++];
      continue;
    }
    ++at;
    out += unescape_one(text, at);
  }
  return out;
}

void MtreeWriter::leave_down_to(const std::string& parent) {
  while (directory_ != parent) {
    buffer_ += "..\n";
    directory_ = parent_of(directory_);
    --depth_;
  }
}

void MtreeWriter::add(const std::string& path, const InodeRecord& record) {
  const LayerPath split_path = parse_layer_path(path);
  if (!path.empty()) leave_down_to(split_path.parent);
  buffer_ += line_of(path.empty() ? std::string_view(".") : split_path.name, record);
  if (record.type == InodeType::directory) {
    directory_ = path;
    ++depth_;
  }
  if (buffer_.size() >= k_buffered) out_.write(as_bytes(std::exchange(buffer_, {})));
}

void MtreeWriter::finish() {
  for (; depth_ > 0; --depth_) buffer_ += "..\n";
  out_.write(as_bytes(std::exchange(buffer_, {})));
}

InodeRecords parse_mtree(std::string_view text) {
  return MtreeParser().parse(text);
}

}  // namespace lade::snapshot
