#include "registry/warnings.hpp"

#include "base/text.hpp"

#include <optional>
#include <utility>

namespace lade::registry {

namespace {

/// Reads the grammar of one field: `code SP agent SP quoted-string [SP quoted-date]`, by commas.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  /// The next warning as its code and text; nothing at the end and at the first malformed one.
  std::optional<std::pair<std::string_view, std::string>> next() {
    skip(" \t,");
    const std::string_view code = word();
    const std::string_view agent = word();
    if (code.empty() || agent.empty()) return std::nullopt;
    auto text = quoted_string();
    if (!text) return std::nullopt;
    skip(" \t");
    if (!rest_.empty() && rest_.front() == '"' && !quoted_string()) return std::nullopt;
    return std::pair(code, *std::move(text));
  }

 private:
  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }

  std::string_view word() {
    const std::size_t end = std::min(rest_.find_first_of(" \t,\""), rest_.size());
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(end);
    skip(" \t");
    return found;
  }

  std::optional<std::string> quoted_string() {
    if (rest_.empty() || rest_.front() != '"') return std::nullopt;
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      text += rest_[i];
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

}  // namespace

std::vector<std::string> parse_warnings(const std::vector<std::string>& fields) {
  std::vector<std::string> texts;
  for (const std::string& field : fields) {
    FieldReader reader(field);
    while (auto warning = reader.next()) {
      if (warning->first == "299") texts.push_back(std::move(warning->second));
    }
  }
  return texts;
}

void WarningLog::see(const std::string& registry, const std::vector<std::string>& fields) {
  if (fields.empty()) return;
  auto locked = seen_.lock();
  Seen& seen = (*locked)[registry];
  for (std::string& text : parse_warnings(fields)) {
    if (seen.full || text.empty() || seen.texts.contains(text)) continue;
    seen.bytes += text.size();
    seen.full = seen.bytes > k_warning_cap;
    tell_(seen.full ? str("registry ", quoted(registry), " says more, which is left out")
                    : str("registry ", quoted(registry), " says: ", printable(text)));
    seen.texts.insert(std::move(text));
  }
}

}  // namespace lade::registry
