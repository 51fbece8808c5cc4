#include "cli/options.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>

namespace lade::cli {

namespace {

/// Stands for `--` where everything after some word is left alone: CLI11 would take it away.
constexpr std::string_view k_double_dash = "\x01--";

OptionProblem explain(const CLI::ParseError& error, const std::vector<std::string>& left_over,
                      std::span<const std::string> words) {
  using Kind = OptionProblem::Kind;
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !left_over.empty()) {
    const std::string& word = left_over.front();
    if (word.starts_with('-')) {
      return {Kind::unknown_option, word, "unknown option " + lade::quoted(word)};
    }
    return {Kind::unexpected_argument, word, "unexpected argument " + lade::quoted(word)};
  }
  const bool is_missing = dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr;
  if (is_missing && !words.empty()) {
    return {Kind::missing_value, words.back(), printable(error.what())};
  }
  return {Kind::other, "", printable(error.what())};
}

[[noreturn]] void refuse_option(const std::string& names) {
  throw UsageError(
      str("option ", lade::quoted(names.substr(names.find("--"))), " is not supported yet"));
}

/// `-H=false` as `--human=false`: CLI11 knows only the second form of what pflag takes.
std::string with_long_name(const CLI::App& app, const std::string& word) {
  if (word.size() < 4 || word[0] != '-' || word[1] == '-' || word[2] != '=') return word;
  const CLI::Option* option = app.get_option_no_throw(word.substr(0, 2));
  if (option == nullptr || option->get_items_expected_max() != 0) return word;
  return option->get_lnames().empty() ? word
                                      : str("--", option->get_lnames().front(), word.substr(2));
}

}  // namespace

struct OptionSet::State {
  CLI::App app;
  std::vector<std::function<void()>> checks;
  std::vector<std::string>* rest = nullptr;
};

OptionSet::OptionSet() : state_(std::make_unique<State>()) {
  state_->app.set_help_flag("");
}
OptionSet::OptionSet(OptionSet&&) noexcept = default;
OptionSet::~OptionSet() = default;

void OptionSet::flag(const std::string& names, bool& value) {
  state_->app.add_flag(names, value);
}

void OptionSet::flag(const std::string& names, std::optional<bool>& value) {
  // `=false` counts as -1. (CLI11 sets an optional<bool> even where the flag is not given.)
  state_->app.add_flag_function(names, [&value](std::int64_t count) { value = count > 0; });
}

void OptionSet::value(const std::string& names, std::string& value) {
  state_->app.add_option(names, value);
}

void OptionSet::value(const std::string& names, std::optional<std::string>& value) {
  state_->app.add_option(names, value);
}

void OptionSet::value(const std::string& names, std::vector<std::string>& values) {
  state_->app.add_option(names, values)->allow_extra_args(false)->delimiter('\0');
}

void OptionSet::number(const std::string& names, unsigned& value, Range range) {
  state_->app.add_option(names, value)->check(CLI::Range(range.least, range.most));
}

void OptionSet::number(const std::string& names, std::optional<int>& value, Range range) {
  state_->app.add_option(names, value)->check(CLI::Range(range.least, range.most));
}

void OptionSet::size(const std::string& names, std::uint64_t& bytes) {
  state_->app.add_option(names, bytes)->transform(CLI::AsSizeValue(false));
}

void OptionSet::limit(const std::string& names, std::optional<std::int64_t>& bytes) {
  value(names, [names, &bytes](const std::string& text) {
    std::string number = text;
    const std::string problem = text == "-1" ? "" : CLI::AsSizeValue(false)(number);
    bytes = problem.empty() ? parse_number<std::int64_t>(number) : std::nullopt;
    if (!bytes) {
      throw UsageError(
          str("option ", lade::quoted(names), ": ", lade::quoted(text), " is no size"));
    }
  });
}

void OptionSet::value(const std::string& names,
                      const std::function<void(const std::string&)>& take) {
  state_->app.add_option_function<std::string>(names, take);
}

void OptionSet::choice_at(const std::string& names, const std::vector<std::string_view>& words,
                          const std::function<void(std::size_t)>& choose) {
  value(names, [=](const std::string& text) {
    const auto found = std::find(words.begin(), words.end(), text);
    if (found == words.end()) {
      std::string expected(words.front());
      for (std::size_t i = 1; i < words.size(); ++i) {
        expected += str(i + 1 == words.size() ? " or " : ", ", words[i]);
      }
      throw UsageError(
          str(names.substr(names.find("--")), ' ', lade::quoted(text), ": expected ", expected));
    }
    choose(static_cast<std::size_t>(found - words.begin()));
  });
}

void OptionSet::granted(const std::string& names) {
  state_->app.add_flag_function(names, [](std::int64_t) {});
}

void OptionSet::refused_flag(const std::string& names) {
  state_->app.add_flag_function(names, [names](std::int64_t) { refuse_option(names); });
}

void OptionSet::refused_value(const std::string& names) {
  value(names, [names](const std::string&) { refuse_option(names); });
}

void OptionSet::argument(const std::string& what, std::string& value) {
  state_->app.add_option(str("argument", state_->app.get_options().size()), value);
  check([what, &value] {
    if (value.empty()) {
      throw OptionProblem(OptionProblem::Kind::missing_argument, what, str("no ", what, " given"));
    }
  });
}

void OptionSet::argument(std::optional<std::string>& value) {
  state_->app.add_option(str("argument", state_->app.get_options().size()), value);
}

void OptionSet::optional_argument(std::string& value) {
  state_->app.add_option(str("argument", state_->app.get_options().size()), value);
}

void OptionSet::arguments(std::vector<std::string>& values) {
  state_->app.add_option("arguments", values);
}

void OptionSet::rest(std::vector<std::string>& words) {
  state_->app.prefix_command();
  state_->rest = &words;
}

void OptionSet::check(std::function<void()> check) {
  state_->checks.push_back(std::move(check));
}

bool OptionSet::has(const std::string& name) const {
  return state_->app.get_option_no_throw(name) != nullptr;
}

std::vector<std::string> OptionSet::names() const {
  std::vector<std::string> names;
  for (const CLI::Option* option : std::as_const(state_->app).get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

void OptionSet::parse(std::span<const std::string> words) {
  CLI::App& app = state_->app;
  std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI11 takes them
  const auto replace = [](std::vector<std::string>& in, std::string_view a, std::string_view b) {
    std::replace(in.begin(), in.end(), std::string(a), std::string(b));
  };
  if (state_->rest != nullptr) {
    replace(reversed, "--", k_double_dash);
  } else {
    for (std::string& word : reversed) word = with_long_name(app, word);
  }
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    throw explain(error, app.remaining(true), words);
  } catch (const std::logic_error&) {
    // CLI11 lets a flag's value that is no number through to its callback.
    const auto bad = std::find_if(words.begin(), words.end(), [](const std::string& word) {
      return word.starts_with("--") && word.find('=') != std::string::npos;
    });
    const std::string word = bad == words.end() ? std::string() : *bad;
    throw OptionProblem(OptionProblem::Kind::bad_flag, word,
                        str("option ", lade::quoted(word), ": expected true or false"));
  }
  if (state_->rest == nullptr) return;
  *state_->rest = app.remaining();
  replace(*state_->rest, k_double_dash, "--");
}

void OptionSet::check_all() const {
  for (const auto& check : state_->checks) check();
}

}  // namespace lade::cli
