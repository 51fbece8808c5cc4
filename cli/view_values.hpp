// The values that views are made of, as Go's types have them.
#pragma once

#include "base/template/value.hpp"
#include "oci/digest.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lade::cli {

/// A `digest.Digest`.
inline go::Value digest_value(const Digest& digest) {
  return go::Value::text(digest.text(), "digest.Digest");
}

/// Bytes, an `int64`.
inline go::Value size_value(std::uint64_t size) {
  return go::Value::integer(static_cast<std::int64_t>(size), "int64");
}

/// A nil `[]string`.
inline go::Value nil_texts() {
  return go::Value::list({.is_nil = true}, "[]string");
}

inline go::Value texts_or_nil(const std::optional<std::vector<std::string>>& texts) {
  return texts ? go::Value::texts(*texts) : nil_texts();
}

inline go::Value text_map_or_nil(const std::optional<std::map<std::string, std::string>>& texts) {
  if (texts) return go::Value::text_map(*texts);
  return go::Value::map({.is_nil = true, .zero = go::Value::text("")}, "map[string]string");
}

/// A `*time.Time`; nil for a text that is no time.
inline go::Value time_value(const std::string& text) {
  const auto time = go::parse_time(text);
  return time ? go::Value::time(*time) : go::Value::nil("*time.Time");
}

}  // namespace lade::cli
