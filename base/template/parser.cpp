#include "base/error.hpp"
#include "base/template/lexer.hpp"
#include "base/template/literals.hpp"
#include "base/template/syntax.hpp"
#include "base/template/text_form.hpp"
#include "base/template/utf8.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace lade::go {

namespace {

/// Blocks and parentheses within each other.
constexpr std::size_t k_deepest = 100;

class Parser {
 public:
  Parser(std::string_view name, std::string_view text)
      : name_(name), text_(text), tokens_(lex(text)) {}

  std::vector<Node> run() {
    std::vector<Node> nodes = parse_nodes(End::of_template);
    return nodes;
  }

 private:
  enum class End { of_template, of_block };

  // Reading tokens.

  const Token& peek() const { return tokens_[at_]; }
  const Token& next() {
    const Token& token = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  const Token& peek_solid() {
    while (peek().kind == TokenKind::space) next();
    return peek();
  }
  const Token& next_solid() {
    peek_solid();
    return next();
  }
  bool is_keyword(const Token& token, std::string_view word) const {
    return token.kind == TokenKind::keyword && token.text == word;
  }

  // Failing.

  [[noreturn]] void fail(std::string_view problem) const {
    throw UsageError(str("template: ", name_, ':', tokens_[at_ > 0 ? at_ - 1 : 0].line, ": ",
                         printable(problem)));
  }
  [[noreturn]] void fail_unexpected(const Token& token, std::string_view where) const {
    if (token.kind == TokenKind::error) {
      throw UsageError(str("template: ", name_, ':', token.line, ": ", printable(token.text)));
    }
    fail(str("unexpected ", describe(token), " in ", where));
  }

  void expect_right(std::string_view where) {
    const Token& token = next_solid();
    if (token.kind != TokenKind::right_delimiter) fail_unexpected(token, where);
  }

  /// Bounds recursion for the lifetime of one nested construct.
  class Nested {
   public:
    explicit Nested(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > k_deepest) parser_.fail("nested too deeply");
    }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    ~Nested() { --parser_.depth_; }

   private:
    Parser& parser_;
  };

  // Nodes.

  /// Until the end, or `{{else` or `{{end}}`, whose keyword was read then (see stopped_at_).
  std::vector<Node> parse_nodes(End end) {
    std::vector<Node> nodes;
    for (;;) {
      const Token& token = next();
      switch (token.kind) {
        case TokenKind::text:
          nodes.push_back({.kind = Node::Kind::text, .text = token.text});
          break;
        case TokenKind::end:
          if (end == End::of_block) fail("unexpected EOF");
          return nodes;
        case TokenKind::left_delimiter:
          if (starts_end()) {
            if (end == End::of_template) fail(str("unexpected {{", stopped_at_, "}}"));
            return nodes;
          }
          nodes.push_back(parse_action());
          break;
        default:
          fail_unexpected(token, "input");
      }
    }
  }

  /// After `{{`: takes `end` with its `}}`, or `else`.
  bool starts_end() {
    const Token& token = peek_solid();
    if (!is_keyword(token, "end") && !is_keyword(token, "else")) return false;
    stopped_at_ = token.text;
    next();
    if (stopped_at_ == "end") {
      expect_right("end");
    } else if (const Token& after = peek_solid();
               !is_keyword(after, "if") && !is_keyword(after, "with")) {
      expect_right("else");
    }
    return true;
  }

  Node parse_action() {
    const Token& token = peek_solid();
    if (token.kind == TokenKind::keyword) {
      next();
      if (token.text == "if") return parse_control(Node::Kind::if_, "if");
      if (token.text == "range") return parse_control(Node::Kind::range, "range");
      if (token.text == "with") return parse_control(Node::Kind::with, "with");
      if (token.text == "break" || token.text == "continue") return parse_jump(token);
      fail(str("{{", token.text, "}} is not supported"));
    }
    return {.kind = Node::Kind::action,
            .pipeline = parse_pipeline("command", TokenKind::right_delimiter)};
  }

  Node parse_jump(const Token& token) {
    const Token& after = next_solid();
    if (after.kind != TokenKind::right_delimiter) {
      fail_unexpected(after, str("{{", token.text, "}}"));
    }
    if (ranges_ == 0) fail(str("{{", token.text, "}} outside {{range}}"));
    return {.kind = token.text == "break" ? Node::Kind::break_ : Node::Kind::continue_};
  }

  Node parse_control(Node::Kind kind, std::string_view where) {
    const Nested nested(*this);
    const std::size_t variables = variables_.size();
    Node node{.kind = kind, .pipeline = parse_pipeline(where, TokenKind::right_delimiter)};
    if (kind == Node::Kind::range) ++ranges_;
    node.body = parse_nodes(End::of_block);
    if (kind == Node::Kind::range) --ranges_;
    if (stopped_at_ == "else") parse_else(node, kind);
    variables_.resize(variables);
    return node;
  }

  /// After `{{else`: another condition, which shares the one `{{end}}`, or `}}`, which was read.
  void parse_else(Node& node, Node::Kind kind) {
    const Token& token = peek_solid();
    const bool again_if = kind == Node::Kind::if_ && is_keyword(token, "if");
    const bool again_with = kind == Node::Kind::with && is_keyword(token, "with");
    if (tokens_[at_ - 1].kind != TokenKind::right_delimiter && (again_if || again_with)) {
      next();
      node.otherwise.push_back(parse_control(kind, again_if ? "if" : "with"));
      return;
    }
    if (tokens_[at_ - 1].kind != TokenKind::right_delimiter) fail_unexpected(token, "else");
    node.otherwise = parse_nodes(End::of_block);
    if (stopped_at_ != "end") fail("expected end; found {{else}}");
  }

  // Pipelines.

  Place place_of(std::size_t first_token) const {
    std::size_t last = at_;
    while (last > first_token + 1 && (tokens_[last - 1].kind == TokenKind::space ||
                                      tokens_[last - 1].kind == TokenKind::pipe)) {
      --last;
    }
    const std::size_t begin = tokens_[first_token].position;
    const Token& token = tokens_[last > first_token ? last - 1 : first_token];
    const std::size_t end = token.position + token.text.size();
    return {begin, std::string(text_.substr(begin, end > begin ? end - begin : 0))};
  }

  Pipeline parse_pipeline(std::string_view where, TokenKind end) {
    const Nested nested(*this);
    Pipeline pipeline;
    peek_solid();
    const std::size_t first = at_;
    parse_variables(pipeline, where);
    for (;;) {
      const Token& token = peek_solid();
      if (token.kind == end) break;
      if (!starts_operand(token)) {
        next();
        fail_unexpected(token, where);
      }
      pipeline.commands.push_back(parse_command());
    }
    pipeline.place = place_of(first);
    next();
    check(pipeline, where);
    return pipeline;
  }

  static bool starts_operand(const Token& token) {
    constexpr std::array k_kinds{
        TokenKind::boolean,  TokenKind::character_constant, TokenKind::dot,
        TokenKind::field,    TokenKind::identifier,         TokenKind::number,
        TokenKind::nil,      TokenKind::raw_text,           TokenKind::quoted_text,
        TokenKind::variable, TokenKind::left_paren};
    return std::find(k_kinds.begin(), k_kinds.end(), token.kind) != k_kinds.end();
  }

  /// `$x :=`, `$x =`, and for range `$i, $x :=`; puts back a variable that is an operand.
  void parse_variables(Pipeline& pipeline, std::string_view where) {
    while (peek_solid().kind == TokenKind::variable) {
      const std::size_t before = at_;
      const std::string name = next().text;
      const Token& after = peek_solid();
      if (after.kind == TokenKind::assign || after.kind == TokenKind::declare) {
        const bool declares = after.kind == TokenKind::declare;
        next();
        pipeline.binding = declares ? Pipeline::Binding::declare : Pipeline::Binding::assign;
        pipeline.variables.push_back(name);
        variables_.push_back(name);
        return;
      }
      if (after.kind != TokenKind::character || after.text != ",") {
        at_ = before;
        return;
      }
      next();
      pipeline.variables.push_back(name);
      variables_.push_back(name);
      if (where != "range" || pipeline.variables.size() > 1) {
        fail(str("too many declarations in ", where));
      }
      if (peek_solid().kind != TokenKind::variable) fail("range can only initialize variables");
    }
  }

  void require_variable(const std::string& name) const {
    if (name == "$") return;
    if (std::find(variables_.begin(), variables_.end(), name) == variables_.end()) {
      fail("undefined variable " + quote(name));
    }
  }

  void check(const Pipeline& pipeline, std::string_view where) const {
    if (pipeline.commands.empty()) fail(str("missing value for ", where));
    for (std::size_t i = 1; i < pipeline.commands.size(); ++i) {
      const auto kind = pipeline.commands[i].operands.front().kind;
      if (kind == Operand::Kind::constant || kind == Operand::Kind::nil ||
          kind == Operand::Kind::dot) {
        fail(str("non executable command in pipeline stage ", i + 1));
      }
    }
  }

  Command parse_command() {
    Command command;
    const std::size_t first = at_;
    for (;;) {
      if (starts_operand(peek_solid())) command.operands.push_back(parse_operand());
      const Token& token = peek();
      if (token.kind == TokenKind::space) {
        next();
        continue;
      }
      if (token.kind == TokenKind::right_delimiter || token.kind == TokenKind::right_paren) break;
      next();
      if (token.kind != TokenKind::pipe) fail_unexpected(token, "operand");
      break;
    }
    if (command.operands.empty()) fail("empty command");
    command.place = place_of(first);
    return command;
  }

  /// A word and the fields after it.
  Operand parse_operand() {
    const std::size_t first = at_;
    Operand operand = parse_term();
    operand.place.position = tokens_[first].position;
    if (peek().kind == TokenKind::field) {
      const auto kind = operand.kind;
      if (kind == Operand::Kind::constant || kind == Operand::Kind::nil ||
          kind == Operand::Kind::dot) {
        fail("unexpected . after term " + quote(tokens_[first].text));
      }
      operand.place.position = peek().position;
      while (peek().kind == TokenKind::field) operand.fields.push_back(next().text.substr(1));
    }
    operand.place.text = place_of(first).text;
    return operand;
  }

  Operand parse_term() {
    const Token& token = next();
    const auto constant = [](Value value) {
      Operand operand;
      operand.kind = Operand::Kind::constant;
      operand.constant = std::move(value);
      return operand;
    };
    const auto named = [&](Operand::Kind kind) {
      Operand operand;
      operand.kind = kind;
      operand.name = token.text;
      return operand;
    };
    switch (token.kind) {
      case TokenKind::identifier:
        if (!is_function(token.text)) fail(str("function ", quote(token.text), " not defined"));
        return named(Operand::Kind::function);
      case TokenKind::variable:
        require_variable(token.text);
        return named(Operand::Kind::variable);
      case TokenKind::field: {
        Operand operand = named(Operand::Kind::field);
        operand.fields.push_back(token.text.substr(1));
        return operand;
      }
      case TokenKind::dot:
        return named(Operand::Kind::dot);
      case TokenKind::nil:
        return named(Operand::Kind::nil);
      case TokenKind::boolean:
        return constant(Value::boolean(token.text == "true"));
      case TokenKind::number:
        if (auto number = parse_constant(token.text)) return constant(std::move(*number));
        fail("bad number syntax: " + quote(token.text));
      case TokenKind::character_constant:
        return constant(parse_character(token));
      case TokenKind::quoted_text:
        if (auto text = unquote(token.text)) return constant(Value::text(std::move(*text)));
        fail("invalid syntax");
      case TokenKind::raw_text: {
        std::string text = token.text.substr(1, token.text.size() - 2);
        std::erase(text, '\r');
        return constant(Value::text(std::move(text)));
      }
      default: {  // a parenthesis: starts_operand() let nothing else through
        Operand operand = named(Operand::Kind::pipeline);
        operand.pipeline = std::make_unique<Pipeline>(
            parse_pipeline("parenthesized pipeline", TokenKind::right_paren));
        return operand;
      }
    }
  }

  Value parse_character(const Token& token) const {
    const auto text = unquote(token.text);
    if (!text || text->empty() || count_characters(*text) != 1) {
      fail("malformed character constant: " + token.text);
    }
    return Value::integer(static_cast<std::int64_t>(first_code_point(*text)));
  }

  std::string_view name_;
  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t ranges_ = 0;
  std::string stopped_at_;
  std::vector<std::string> variables_;
};

}  // namespace

std::vector<Node> parse_template(std::string_view name, std::string_view text) {
  return Parser(name, text).run();
}

}  // namespace lade::go
