// The options and arguments of a verb: declared by the verb's own file, filled from the command
// line. Names are written as `-q,--quiet`; what a declaration refers to must outlive parse().
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lade::cli {

/// Numbers that an option may have, both included.
struct Range {
  int least = 0;
  int most = 0;
};

/// Words that do not fit what was declared.
class OptionProblem final : public UsageError {
 public:
  enum class Kind {
    unknown_option,
    unexpected_argument,
    missing_value,
    missing_argument,
    bad_flag,  ///< `--flag=WORD`, which is neither true nor false
    other
  };
  OptionProblem(Kind kind, std::string word, std::string message)
      : UsageError(std::move(message)), kind_(kind), word_(std::move(word)) {}
  Kind kind() const noexcept { return kind_; }
  /// The word as it was given; of a missing argument what it is called.
  const std::string& word() const noexcept { return word_; }

 private:
  Kind kind_;
  std::string word_;
};

/// What one verb takes. Every function but the last four declares something.
class OptionSet {
 public:
  OptionSet();
  OptionSet(OptionSet&&) noexcept;
  ~OptionSet();

  /// `--flag`; also `--flag=false`.
  void flag(const std::string& names, bool& value);
  /// The same, where it matters whether it was given.
  void flag(const std::string& names, std::optional<bool>& value);
  void value(const std::string& names, std::string& value);
  void value(const std::string& names, std::optional<std::string>& value);
  /// Takes one value each time that it is given.
  void value(const std::string& names, std::vector<std::string>& values);
  void number(const std::string& names, unsigned& value, Range range);
  void number(const std::string& names, std::optional<int>& value, Range range);
  /// Bytes: a number, or `16M` (KiB, MiB and GiB in all their spellings).
  void size(const std::string& names, std::uint64_t& bytes);
  /// The same for a limit, which -1 takes away.
  void limit(const std::string& names, std::optional<std::int64_t>& bytes);
  /// A value that `take` makes something of; what it throws is the error.
  void value(const std::string& names, const std::function<void(const std::string&)>& take);
  /// One of a few words.
  template <class Value>
  void choice(const std::string& names, Value& value,
              std::vector<std::pair<std::string_view, Value>> choices) {
    std::vector<std::string_view> words;
    for (const auto& [word, meaning] : choices) words.push_back(word);
    choice_at(names, words, [&value, choices = std::move(choices)](std::size_t index) {
      value = choices[index].second;
    });
  }
  /// A flag of a peer program whose effect lade always has.
  void granted(const std::string& names);
  /// A flag of a peer program that lade knows, and cannot do.
  void refused_flag(const std::string& names);
  /// The same, with a value.
  void refused_value(const std::string& names);

  /// The next argument that is no option; `what` it is called if it is missing.
  void argument(const std::string& what, std::string& value);
  void argument(std::optional<std::string>& value);
  /// One that may be missing, or whose absence a check speaks of.
  void optional_argument(std::string& value);
  /// All the arguments that are left, none included.
  void arguments(std::vector<std::string>& values);
  /// Everything from the first word on that is no option of the verb: options end there.
  void rest(std::vector<std::string>& words);

  /// Runs when all is parsed; throws UsageError for what does not fit together.
  void check(std::function<void()> check);

  /// Whether an option of this name (with its dashes) was declared.
  bool has(const std::string& name) const;
  /// The names of all options, with their dashes.
  std::vector<std::string> names() const;
  /// Fills everything that was declared. Throws UsageError.
  void parse(std::span<const std::string> words);
  /// Runs the checks. Throws UsageError.
  void check_all() const;

 private:
  void choice_at(const std::string& names, const std::vector<std::string_view>& words,
                 const std::function<void(std::size_t)>& choose);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lade::cli
