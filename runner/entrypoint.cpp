// The one place of the runner that reads JSON: `--entrypoint '["a","b"]'`.
#include "runner/make_spec.hpp"

#include <nlohmann/json.hpp>

namespace lade::runner {

std::vector<std::string> parse_entrypoint(const std::string& text) {
  if (text.empty()) return {};
  if (text.front() == '[') {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_array()) {
      std::vector<std::string> words;
      for (const auto& word : json) {
        if (!word.is_string()) return {text};
        words.push_back(word.get<std::string>());
      }
      return words;
    }
  }
  return {text};
}

}  // namespace lade::runner
