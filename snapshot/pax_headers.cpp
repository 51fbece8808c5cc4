#include "snapshot/pax_headers.hpp"

#include "base/tar_format.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace lade::snapshot {

namespace {

void take_record(std::string_view key, std::string_view value, PaxNotes& notes) {
  const bool is_name = key == "path" || key == "linkpath" || key == "GNU.sparse.name";
  if (is_name && value.find('\0') != std::string_view::npos) notes.has_nul_in_name = true;
  if (key == "mtime") notes.is_before_epoch = value.starts_with('-');
}

/// `LENGTH KEY=VALUE\n`, again and again; as far as they are well formed.
void take_records(std::string_view records, PaxNotes& notes) {
  while (!records.empty()) {
    const std::size_t blank = std::min(records.find(' '), records.size());
    const auto length = parse_number<std::size_t>(records.substr(0, blank));
    if (!length || *length > records.size() || *length < blank + 2) return;
    const std::string_view record = records.substr(blank + 1, *length - blank - 2);
    const std::size_t equals = std::min(record.find('='), record.size());
    take_record(record.substr(0, equals), record.substr(std::min(equals + 1, record.size())),
                notes);
    records.remove_prefix(*length);
  }
}

std::string_view field_of(std::string_view header, tar::Field field) {
  return header.substr(field.offset, field.size);
}

/// Of a header that extends another one; nothing if it is the member's own.
std::optional<std::size_t> body_of(std::string_view header) {
  constexpr std::string_view extensions = "xXgLKV";
  if (extensions.find(header[tar::k_type.offset]) == std::string_view::npos) return std::nullopt;
  std::uint64_t size = 0;
  for (const char c : field_of(header, tar::k_size)) {
    if (c >= '0' && c <= '7') size = size * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return static_cast<std::size_t>(size);
}

}  // namespace

PaxNotes look_at_pax(std::string_view headers) {
  PaxNotes notes;
  while (headers.size() > tar::k_block) {
    const auto size = body_of(headers);
    if (!size || *size > headers.size() - tar::k_block) break;
    const char type = headers[tar::k_type.offset];
    if (type == 'x' || type == 'X') take_records(headers.substr(tar::k_block, *size), notes);
    headers.remove_prefix(std::min(headers.size(), tar::k_block + *size + tar::padding(*size)));
  }
  return notes;
}

}  // namespace lade::snapshot
