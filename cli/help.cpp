#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/help_pages.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace lade::cli {

std::optional<std::string> help_text(const std::string& verb, ProgramName name) {
  const auto page = find_help_page(verb);
  if (!page) return std::nullopt;
  std::string text(*page);
  if (name == ProgramName::lade) return text;
  const std::string_view program = name == ProgramName::umoci ? "umoci " : "skopeo ";
  constexpr std::string_view k_own = "lade ";
  for (const std::string& next : {verb + " ", verb + "\n", std::string("help ")}) {
    const std::string own = str(k_own, next);
    for (std::size_t at = text.find(own); at != std::string::npos; at = text.find(own, at + 1)) {
      text.replace(at, k_own.size(), program);
    }
  }
  return text;
}

void declare_options(OptionSet& options, HelpArguments& help) {
  options.arguments(help.verb);
}

int run_verb(const App& app, const HelpArguments& arguments) {
  // Verbs of two words share the page of the first.
  const auto page =
      help_text(arguments.verb.empty() ? "overview" : arguments.verb.front(), app.global.name);
  if (!page) {
    UsageError error(str("help: unknown verb ", quoted(join(arguments.verb, " "))));
    error.set_hint("`lade help` lists the verbs");
    throw error;
  }
  write_result(*page);
  return 0;
}

}  // namespace lade::cli
