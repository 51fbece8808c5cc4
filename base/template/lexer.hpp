// The tokens of Go's text/template.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lade::go {

enum class TokenKind {
  error,  ///< its text is the message; nothing comes after it
  end,
  text,  ///< outside of actions, trimmed
  left_delimiter,
  right_delimiter,
  space,
  character,  ///< a lone one, such as `,`
  pipe,
  assign,   ///< `=`
  declare,  ///< `:=`
  left_paren,
  right_paren,
  dot,       ///< the cursor
  field,     ///< `.Name`
  variable,  ///< `$` or `$name`
  identifier,
  keyword,
  boolean,
  nil,
  number,
  character_constant,
  quoted_text,
  raw_text,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;
  std::size_t position = 0;  ///< bytes from the beginning of the template
  std::size_t line = 1;
};

/// All tokens; the last one is `end` or `error`.
std::vector<Token> lex(std::string_view input);

/// How messages name a token.
std::string describe(const Token& token);

}  // namespace lade::go
