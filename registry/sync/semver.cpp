#include "registry/sync/semver.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace lade::registry {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_identifier_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

bool is_numeric(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// Takes what comes before the first character that `belongs` refuses.
template <class Belongs>
std::string_view take_while(std::string_view& text, Belongs&& belongs) {
  const auto end = std::find_if_not(text.begin(), text.end(), belongs);
  const auto count = static_cast<std::size_t>(end - text.begin());
  const std::string_view taken = text.substr(0, count);
  text.remove_prefix(count);
  return taken;
}

/// `rc.1`: identifiers between dots, none empty; nothing if `text` does not begin so.
std::optional<std::string> take_identifiers(std::string_view& text) {
  const std::string_view whole =
      take_while(text, [](char c) { return is_identifier_character(c) || c == '.'; });
  for (const std::string& part : split(whole, '.')) {
    if (part.empty()) return std::nullopt;
  }
  return std::string(whole);
}

/// Numbers count by their value and come before words (semver.org, 11.4).
std::strong_ordering compare_identifiers(const std::string& a, const std::string& b) {
  const bool a_numeric = is_numeric(a);
  const bool b_numeric = is_numeric(b);
  if (a_numeric != b_numeric) return b_numeric <=> a_numeric;
  if (!a_numeric) return a.compare(b) <=> 0;
  const auto value = [](std::string_view text) {
    return text.substr(std::min(text.find_first_not_of('0'), text.size()));
  };
  if (value(a).size() != value(b).size()) return value(a).size() <=> value(b).size();
  return value(a).compare(value(b)) <=> 0;
}

std::strong_ordering compare_prereleases(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();
  const auto as = split(a, '.');
  const auto bs = split(b, '.');
  for (std::size_t i = 0; i < std::min(as.size(), bs.size()); ++i) {
    if (const auto order = compare_identifiers(as[i], bs[i]); order != 0) return order;
  }
  return as.size() <=> bs.size();
}

bool is_wildcard(char c) {
  return c == 'x' || c == 'X' || c == '*';
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  Version version;
  bool is_first = true;
  for (std::uint64_t* number : {&version.major, &version.minor, &version.patch}) {
    if (!is_first && !text.starts_with('.')) break;
    if (!is_first) text.remove_prefix(1);
    is_first = false;
    const auto value = parse_number<std::uint64_t>(take_while(text, is_digit));
    if (!value) return std::nullopt;
    *number = *value;
  }
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    auto prerelease = take_identifiers(text);
    if (!prerelease) return std::nullopt;
    for (const std::string& part : split(*prerelease, '.')) {
      if (is_numeric(part) && part.size() > 1 && part.front() == '0') return std::nullopt;
    }
    version.prerelease = *std::move(prerelease);
  }
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (!take_identifiers(text)) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return version;
}

std::strong_ordering compare(const Version& a, const Version& b) {
  if (a.major != b.major) return a.major <=> b.major;
  if (a.minor != b.minor) return a.minor <=> b.minor;
  if (a.patch != b.patch) return a.patch <=> b.patch;
  return compare_prereleases(a.prerelease, b.prerelease);
}

/// Reads one group of comparisons, all of which must hold.
class VersionConstraint::Parser {
 public:
  explicit Parser(std::string_view text) : rest_(trim(text)) {}

  /// Nothing if it is not one.
  std::optional<std::vector<Comparison>> parse() {
    std::vector<Comparison> comparisons;
    do {
      if (!take_comparison(comparisons)) return std::nullopt;
      skip_blanks();
      if (rest_.starts_with(',')) {
        rest_.remove_prefix(1);
        skip_blanks();
        if (rest_.empty()) return std::nullopt;
      }
    } while (!rest_.empty());
    return comparisons;
  }

 private:
  void skip_blanks() {
    take_while(rest_, [](char c) { return c == ' ' || c == '\t'; });
  }

  Operator take_operator() {
    struct Spelling {
      std::string_view text;
      Operator operation;
    };
    for (const Spelling& spelling : {Spelling{"!=", Operator::not_equal},
                                     {">=", Operator::at_least},
                                     {"=>", Operator::at_least},
                                     {"<=", Operator::at_most},
                                     {"=<", Operator::at_most},
                                     {"~>", Operator::tilde},
                                     {"=", Operator::equal},
                                     {">", Operator::greater},
                                     {"<", Operator::less},
                                     {"~", Operator::tilde},
                                     {"^", Operator::caret}}) {
      if (!rest_.starts_with(spelling.text)) continue;
      rest_.remove_prefix(spelling.text.size());
      return spelling.operation;
    }
    return Operator::equal;
  }

  /// One number of a version, or a wildcard, or nothing at all (which is a wildcard, too).
  bool take_number(std::uint64_t& number, bool& is_any) {
    if (!rest_.empty() && is_wildcard(rest_.front())) {
      rest_.remove_prefix(1);
      is_any = true;
      return true;
    }
    const auto value = parse_number<std::uint64_t>(take_while(rest_, is_digit));
    if (value) number = *value;
    return value.has_value();
  }

  bool take_version(Comparison& comparison) {
    if (rest_.starts_with('v')) rest_.remove_prefix(1);
    Version& version = comparison.version;
    std::array<bool, 3> any{};
    const std::array<std::uint64_t*, 3> numbers{&version.major, &version.minor, &version.patch};
    std::size_t count = 0;
    for (; count < numbers.size(); ++count) {
      if (count > 0 && !rest_.starts_with('.')) break;
      if (count > 0) rest_.remove_prefix(1);
      if (!take_number(*numbers[count], any[count])) return false;
    }
    for (; count < any.size(); ++count) any[count] = true;
    comparison.any_major = any[0];
    comparison.any_minor = !any[0] && any[1];
    comparison.any_patch = !any[0] && !any[1] && any[2];
    if (any[0]) version.major = 0;
    if (any[0] || any[1]) version.minor = 0;
    if (any[0] || any[1] || any[2]) version.patch = 0;
    return take_suffixes(version);
  }

  bool take_suffixes(Version& version) {
    if (rest_.starts_with('-')) {
      rest_.remove_prefix(1);
      auto prerelease = take_identifiers(rest_);
      if (!prerelease) return false;
      version.prerelease = *std::move(prerelease);
    }
    if (!rest_.starts_with('+')) return true;
    rest_.remove_prefix(1);
    return take_identifiers(rest_).has_value();
  }

  /// A comparison, or `A - B`, which is two of them.
  bool take_comparison(std::vector<Comparison>& comparisons) {
    const std::string_view before = rest_;
    Comparison comparison{.operation = take_operator()};
    const bool is_bare = before.size() == rest_.size();
    skip_blanks();
    if (!take_version(comparison)) return false;
    const std::string_view after = rest_;
    skip_blanks();
    if (is_bare && rest_.starts_with("- ")) {
      rest_.remove_prefix(2);
      skip_blanks();
      Comparison last{.operation = Operator::at_most};
      if (!take_version(last)) return false;
      comparison.operation = Operator::at_least;
      comparisons.push_back(comparison);
      comparisons.push_back(last);
      return true;
    }
    rest_ = after;
    comparisons.push_back(comparison);
    // `1.2.3foo` is no version.
    return rest_.empty() || rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == ',';
  }

  std::string_view rest_;
};

VersionConstraint VersionConstraint::parse(std::string_view text) {
  VersionConstraint constraint;
  for (std::string_view rest = text;;) {
    const auto end = rest.find("||");
    auto comparisons = Parser(rest.substr(0, end)).parse();
    if (!comparisons) throw UsageError(str("improper constraint: ", quoted(text)));
    constraint.alternatives_.push_back(*std::move(comparisons));
    if (end == std::string_view::npos) return constraint;
    rest.remove_prefix(end + 2);
  }
}

bool VersionConstraint::allows(const Version& version) const {
  return std::any_of(alternatives_.begin(), alternatives_.end(), [&](const auto& all) {
    const bool names_prerelease = std::any_of(all.begin(), all.end(), [](const Comparison& one) {
      return !one.version.prerelease.empty();
    });
    if (!version.prerelease.empty() && !names_prerelease) return false;
    return std::all_of(all.begin(), all.end(),
                       [&](const Comparison& one) { return one.allows(version); });
  });
}

bool VersionConstraint::Comparison::allows(const Version& other) const {
  switch (operation) {
    case Operator::equal:
      return is_partial() ? allows_tilde(other) : compare(other, version) == 0;
    case Operator::not_equal:
      return allows_not_equal(other);
    case Operator::greater:
      return allows_greater(other);
    case Operator::less:
      return compare(other, version) < 0;
    case Operator::at_least:
      return compare(other, version) >= 0;
    case Operator::at_most:
      return allows_at_most(other);
    case Operator::tilde:
      return allows_tilde(other);
    case Operator::caret:
      return allows_caret(other);
  }
  return false;
}

bool VersionConstraint::Comparison::allows_not_equal(const Version& other) const {
  if (!is_partial()) return compare(other, version) != 0;
  if (other.major != version.major) return true;
  if (any_minor) return false;
  if (other.minor != version.minor) return true;
  if (!any_patch) return other.patch != version.patch;
  return compare_prereleases(other.prerelease, version.prerelease) != 0;
}

/// `> 11` is beyond all of 11, `> 11.1` beyond all of 11.1.
bool VersionConstraint::Comparison::allows_greater(const Version& other) const {
  if (!is_partial()) return compare(other, version) > 0;
  if (other.major != version.major) return other.major > version.major;
  if (any_minor) return false;
  if (any_patch) return other.minor > version.minor;
  return compare(other, version) > 0;
}

/// `<= 11` has all of 11 in it.
bool VersionConstraint::Comparison::allows_at_most(const Version& other) const {
  if (!is_partial()) return compare(other, version) <= 0;
  if (other.major > version.major) return false;
  return other.major < version.major || other.minor <= version.minor || any_minor;
}

bool VersionConstraint::Comparison::allows_tilde(const Version& other) const {
  if (compare(other, version) < 0) return false;
  // `*` is 0.0.0, and `~0.0.0` is everything from there on.
  const bool is_zero = version.major == 0 && version.minor == 0 && version.patch == 0;
  if (is_zero && !any_minor && !any_patch) return true;
  return other.major == version.major && (other.minor == version.minor || any_minor);
}

bool VersionConstraint::Comparison::allows_caret(const Version& other) const {
  if (compare(other, version) < 0) return false;
  if (version.major > 0 || any_minor) return other.major == version.major;
  if (other.major > 0) return false;
  if (version.minor > 0 || any_patch) return other.minor == version.minor;
  return other.minor == 0 && other.patch == version.patch;
}

}  // namespace lade::registry
