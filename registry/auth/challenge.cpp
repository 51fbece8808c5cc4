#include "registry/auth/challenge.hpp"

#include "base/text.hpp"

namespace lade::registry {

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_token_character(char c) {
  return is_alphanumeric(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token68_character(char c) {
  return is_alphanumeric(c) || std::string_view("-._~+/").find(c) != std::string_view::npos;
}

/// Walks one field value.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<Challenge> parse() {
    std::vector<Challenge> challenges;
    while (skip_commas(), !at_end()) {
      Challenge challenge;
      challenge.scheme = ascii_lower(token());
      if (challenge.scheme.empty()) break;
      const bool blank = skip_blanks();
      if (!at_end() && peek() != ',' && !blank) break;
      const bool sound = at_end() || peek() == ',' || arguments(challenge);
      challenges.push_back(std::move(challenge));
      if (!sound) break;
    }
    return challenges;
  }

 private:
  bool at_end() const { return position_ == text_.size(); }
  char peek() const { return text_[position_]; }

  bool skip_blanks() {
    const std::size_t start = position_;
    while (!at_end() && (peek() == ' ' || peek() == '\t')) ++position_;
    return position_ > start;
  }

  void skip_commas() {
    while (skip_blanks() || (!at_end() && peek() == ',')) {
      if (!at_end() && peek() == ',') ++position_;
    }
  }

  std::string_view token() {
    const std::size_t start = position_;
    while (!at_end() && is_token_character(peek())) ++position_;
    return text_.substr(start, position_ - start);
  }

  /// What follows a scheme and a blank: a token68, or parameters up to the next challenge. False on
  /// a syntax error.
  bool arguments(Challenge& challenge) {
    if (take_token68(challenge)) return true;
    while (take_parameter(challenge)) {
      const std::size_t before = position_;
      skip_blanks();
      if (at_end()) return true;
      if (peek() != ',') return false;
      skip_commas();
      if (at_end() || !is_parameter_next()) {
        position_ = at_end() ? position_ : before;
        return true;
      }
    }
    return false;
  }

  /// A run of token68 characters and `=` that ends the element. `name=value` is none: its `=` is
  /// followed by more.
  bool take_token68(Challenge& challenge) {
    const std::size_t start = position_;
    while (!at_end() && is_token68_character(peek())) ++position_;
    while (!at_end() && peek() == '=') ++position_;
    const std::size_t end = position_;
    skip_blanks();
    if (end > start && (at_end() || peek() == ',')) {
      challenge.token68 = text_.substr(start, end - start);
      return true;
    }
    position_ = start;
    return false;
  }

  /// Whether `token BWS "="` comes next, as opposed to the scheme of another challenge.
  bool is_parameter_next() {
    const std::size_t start = position_;
    const bool named = !token().empty();
    skip_blanks();
    const bool found = named && !at_end() && peek() == '=';
    position_ = start;
    return found;
  }

  bool take_parameter(Challenge& challenge) {
    std::string name = ascii_lower(token());
    skip_blanks();
    if (name.empty() || at_end() || peek() != '=') return false;
    ++position_;
    skip_blanks();
    std::string value;
    if (!at_end() && peek() == '"') {
      if (!take_quoted(value)) return false;
    } else {
      value = token();
      if (value.empty()) return false;
    }
    challenge.parameters.emplace(std::move(name), std::move(value));
    return true;
  }

  bool take_quoted(std::string& value) {
    for (++position_; !at_end(); ++position_) {
      if (peek() == '"') {
        ++position_;
        return true;
      }
      if (peek() == '\\' && ++position_ == text_.size()) return false;
      value += peek();
    }
    return false;
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace

std::optional<std::string> Challenge::find(const std::string& name) const {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return std::nullopt;
  return found->second;
}

std::vector<Challenge> parse_challenges(std::string_view field) {
  return Parser(field).parse();
}

}  // namespace lade::registry
