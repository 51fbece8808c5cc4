// Reading YAML that somebody else wrote: one document of scalars, lists and maps, within bounds
// (size, depth, number of values), read through nodes that know their line and place, so that a
// message can name them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade {

/// Documents larger than this many bytes are refused.
inline constexpr std::size_t k_yaml_cap = 4 * 1024 * 1024;
/// Values nested deeper than this are refused, aliases followed.
inline constexpr std::size_t k_yaml_depth = 64;
/// A document of more values than this is refused, each alias counted as all that it stands for.
inline constexpr std::size_t k_yaml_values = 256 * 1024;

struct YamlValue;  // in yaml.cpp

/// A value and its place in its document, e.g. `docker.io.images.busybox[2]`. All functions that
/// expect a type throw InvalidData naming document, line and place. Keeps its document alive.
class YamlNode {
 public:
  /// Whether it is nothing at all: empty, `~` or `null`, unquoted.
  bool is_null() const;
  bool is_list() const;
  bool is_map() const;

  /// A scalar as it is written, without its quotes: `1.10` and `yes` are texts too. No NUL in it.
  const std::string& text() const;
  /// An unquoted `true` or `false`, or what YAML 1.1 took for one (`yes`, `off`).
  bool flag() const;
  /// The elements of a list.
  std::vector<YamlNode> items() const;
  /// The scalars of a list.
  std::vector<std::string> texts() const;
  /// The members of a map in their order; no key comes twice.
  std::vector<std::pair<std::string, YamlNode>> members() const;
  /// A member of a map; nothing if it is absent or null.
  std::optional<YamlNode> find(std::string_view key) const;
  /// find(), or throws.
  YamlNode get(std::string_view key) const;

  /// Where it begins, counted from 1.
  std::size_t line() const;
  /// Throws InvalidData: `invalid DOCUMENT: line N: PLACE PROBLEM`.
  [[noreturn]] void fail(std::string_view problem) const;

 private:
  friend YamlNode parse_yaml(std::string_view bytes, std::string_view document);
  YamlNode(std::shared_ptr<const YamlValue> value, std::shared_ptr<const std::string> document,
           std::string place)
      : value_(std::move(value)), document_(std::move(document)), place_(std::move(place)) {}
  YamlNode member(const std::string& key, const std::shared_ptr<const YamlValue>& value) const;

  std::shared_ptr<const YamlValue> value_;
  std::shared_ptr<const std::string> document_;
  std::string place_;  // empty at the root
};

/// Parses the one document that `bytes` hold; nothing at all is null. `document` says in messages
/// what it is. Aliases and merge keys (`<<`) are followed. Throws InvalidData for what is malformed
/// or beyond the bounds, for keys that come twice or are no scalars, for explicit tags and for
/// further documents.
YamlNode parse_yaml(std::string_view bytes, std::string_view document);

}  // namespace lade
