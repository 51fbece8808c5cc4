// Regular expressions as Go has them: RE2 syntax, matched in linear time whoever wrote them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace lade {

/// A compiled expression; cheap to copy. THREADS: matches() may be called from several at once.
class Regex {
 public:
  /// Compiles RE2 syntax. Throws UsageError naming the expression and what is wrong with it.
  static Regex compile(std::string_view expression);

  /// Whether it matches anywhere in `text`, as Go's MatchString: `^` and `$` say where.
  bool matches(std::string_view text) const;

  /// As it was written.
  const std::string& expression() const;

 private:
  struct Compiled;
  explicit Regex(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace lade
