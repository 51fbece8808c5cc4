#include "base/template/lexer.hpp"

#include "base/template/text_form.hpp"
#include "base/template/utf8.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace lade::go {

namespace {

constexpr std::string_view k_blanks = " \t\r\n";
constexpr std::string_view k_left = "{{";
constexpr std::string_view k_right = "}}";
constexpr std::string_view k_comment = "/*";
constexpr std::string_view k_comment_end = "*/";
constexpr std::array<std::string_view, 10> k_keywords{
    "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"};

bool is_blank(char c) {
  return k_blanks.find(c) != std::string_view::npos;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Letters beyond ASCII count as such, as Go's do.
bool is_alphanumeric(char c) {
  return c == '_' || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
 public:
  explicit Lexer(std::string_view input) : input_(input) {}

  std::vector<Token> run() {
    while (!ended_) {
      if (inside_) {
        lex_inside();
      } else {
        lex_text();
      }
    }
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return input_.substr(position_); }
  bool at_end() const { return position_ >= input_.size(); }
  char peek() const { return at_end() ? '\0' : input_[position_]; }

  /// Everything since the last token.
  void emit(TokenKind kind) {
    const std::string_view text = input_.substr(start_, position_ - start_);
    tokens_.push_back({kind, std::string(text), start_, line_});
    skip();
  }

  /// Forgets everything since the last token.
  void skip() {
    const std::string_view text = input_.substr(start_, position_ - start_);
    line_ += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    start_ = position_;
  }

  void fail(std::string message) {
    tokens_.push_back({TokenKind::error, std::move(message), start_, line_});
    ended_ = true;
  }

  /// Whether `{{- ` is here: its dash and blank.
  static bool has_left_trim(std::string_view after) {
    return after.size() >= 2 && after[0] == '-' && is_blank(after[1]);
  }
  static bool has_right_trim(std::string_view text) {
    return text.size() >= 4 && is_blank(text[0]) && text[1] == '-' &&
           text.substr(2).starts_with(k_right);
  }

  void lex_text() {
    const std::size_t left = rest().find(k_left);
    if (left == std::string_view::npos) {
      position_ = input_.size();
      if (position_ > start_) emit(TokenKind::text);
      emit(TokenKind::end);
      ended_ = true;
      return;
    }
    const std::size_t delimiter = position_ + left;
    position_ = delimiter;
    if (has_left_trim(input_.substr(delimiter + k_left.size()))) {
      while (position_ > start_ && is_blank(input_[position_ - 1])) --position_;
    }
    if (position_ > start_) emit(TokenKind::text);
    position_ = delimiter;
    skip();
    lex_left_delimiter();
  }

  void lex_left_delimiter() {
    position_ += k_left.size();
    const std::size_t trim = has_left_trim(rest()) ? 2 : 0;
    if (input_.substr(position_ + trim).starts_with(k_comment)) {
      position_ += trim;
      skip();
      lex_comment();
      return;
    }
    emit(TokenKind::left_delimiter);
    position_ += trim;
    skip();
    parens_ = 0;
    inside_ = true;
  }

  void lex_comment() {
    const std::size_t end = rest().find(k_comment_end, k_comment.size());
    if (end == std::string_view::npos) return fail("unclosed comment");
    position_ += end + k_comment_end.size();
    const bool trims = has_right_trim(rest());
    if (!trims && !rest().starts_with(k_right)) {
      return fail("comment ends before closing delimiter");
    }
    position_ += trims ? 2 + k_right.size() : k_right.size();
    if (trims) skip_blanks();
    skip();
  }

  void skip_blanks() {
    while (!at_end() && is_blank(peek())) ++position_;
  }

  void lex_right_delimiter(bool trims) {
    if (trims) {
      position_ += 2;
      skip();
    }
    position_ += k_right.size();
    emit(TokenKind::right_delimiter);
    if (trims) skip_blanks();
    skip();
    inside_ = false;
  }

  void lex_inside() {
    const bool trims = has_right_trim(rest());
    if (trims || rest().starts_with(k_right)) {
      if (parens_ > 0) return fail("unclosed left paren");
      return lex_right_delimiter(trims);
    }
    if (at_end()) return fail("unclosed action");
    const char c = peek();
    if (is_blank(c)) return lex_blanks();
    ++position_;
    switch (c) {
      case '=':
        return emit(TokenKind::assign);
      case ':':
        if (peek() != '=') return fail("expected :=");
        ++position_;
        return emit(TokenKind::declare);
      case '|':
        return emit(TokenKind::pipe);
      case '"':
        return lex_quoted('"', TokenKind::quoted_text, "unterminated quoted string");
      case '\'':
        return lex_quoted('\'', TokenKind::character_constant, "unterminated character constant");
      case '`':
        return lex_raw();
      case '$':
        return lex_name(TokenKind::variable, TokenKind::variable);
      case '(':
        ++parens_;
        return emit(TokenKind::left_paren);
      case ')':
        if (parens_ == 0) return fail("unexpected right paren");
        --parens_;
        return emit(TokenKind::right_paren);
      default:
        return lex_other(c);
    }
  }

  void lex_other(char c) {
    if (c == '.' && !is_digit(peek())) return lex_name(TokenKind::dot, TokenKind::field);
    if (c == '.' || c == '+' || c == '-' || is_digit(c)) return lex_number();
    if (is_alphanumeric(c)) return lex_word();
    if (c > 0x20 && c < 0x7f) return emit(TokenKind::character);
    fail("unrecognized character in action: " + character_name(start_));
  }

  /// `U+007D '}'` for the character at `at`.
  std::string character_name(std::size_t at) const {
    const std::string_view text = input_.substr(at);
    const Value point = Value::integer(static_cast<std::int64_t>(first_code_point(text)));
    const auto byte = static_cast<unsigned char>(text[0]);
    const std::string code = sprintf("%U", {&point, 1});
    if (byte < 0x20 || byte == 0x7f || sequence_length(text) == 0) return code;
    return str(code, " '", first_characters(text, 1), '\'');
  }

  void lex_blanks() {
    // A blank before `-}}` belongs to the delimiter.
    while (!at_end() && is_blank(peek()) && !has_right_trim(rest())) ++position_;
    emit(TokenKind::space);
  }

  /// Whether what is here may follow a word.
  bool at_terminator() const {
    if (at_end() || is_blank(peek())) return true;
    return std::string_view(".,|:()").find(peek()) != std::string_view::npos ||
           rest().starts_with(k_right);
  }

  void lex_name(TokenKind alone, TokenKind named) {
    if (at_terminator()) return emit(alone);
    while (!at_end() && is_alphanumeric(peek())) ++position_;
    if (!at_terminator()) return fail("bad character " + character_name(position_));
    emit(named);
  }

  void lex_word() {
    while (!at_end() && is_alphanumeric(peek())) ++position_;
    if (!at_terminator()) return fail("bad character " + character_name(position_));
    const std::string_view word = input_.substr(start_, position_ - start_);
    const bool is_keyword =
        std::find(k_keywords.begin(), k_keywords.end(), word) != k_keywords.end();
    emit(is_keyword                          ? TokenKind::keyword
         : word == "true" || word == "false" ? TokenKind::boolean
         : word == "nil"                     ? TokenKind::nil
                                             : TokenKind::identifier);
  }

  void lex_quoted(char quote, TokenKind kind, std::string_view problem) {
    for (; !at_end() && peek() != '\n'; ++position_) {
      if (peek() == quote) {
        ++position_;
        return emit(kind);
      }
      if (peek() == '\\' && position_ + 1 < input_.size() && input_[position_ + 1] != '\n') {
        ++position_;
      }
    }
    fail(std::string(problem));
  }

  void lex_raw() {
    const std::size_t end = rest().find('`');
    if (end == std::string_view::npos) return fail("unterminated raw quoted string");
    position_ += end + 1;
    emit(TokenKind::raw_text);
  }

  void lex_number() {
    // What the parser cannot read as a number it refuses; here only its extent matters.
    const auto belongs = [this] {
      const char before = input_[position_ - 1];
      const bool sign = (peek() == '+' || peek() == '-') && (before == 'e' || before == 'E');
      return is_alphanumeric(peek()) || peek() == '.' || sign;
    };
    while (!at_end() && belongs()) ++position_;
    const std::string_view text = input_.substr(start_, position_ - start_);
    if (text.find_first_of("0123456789") == std::string_view::npos) {
      return fail("bad number syntax: " + quote(text));
    }
    emit(TokenKind::number);
  }

  std::string_view input_;
  std::size_t position_ = 0;
  std::size_t start_ = 0;
  std::size_t line_ = 1;
  std::size_t parens_ = 0;
  bool inside_ = false;
  bool ended_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> lex(std::string_view input) {
  return Lexer(input).run();
}

std::string describe(const Token& token) {
  if (token.kind == TokenKind::end) return "EOF";
  if (token.kind == TokenKind::error) return token.text;
  if (token.kind == TokenKind::keyword) return str('<', token.text, '>');
  if (token.text.size() > 10) {
    return quote(first_characters(token.text, 10)) + "...";
  }
  return quote(token.text);
}

}  // namespace lade::go
