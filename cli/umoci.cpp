// umoci's command line: global options before the verb, its words for what is wrong, and exit code
// 1 for every failure (3 for a verb that there is not).
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/layout_image.hpp"
#include "cli/options.hpp"
#include "cli/parse.hpp"
#include "cli/personality.hpp"
#include "cli/verbs.hpp"

#include <algorithm>
#include <array>

namespace lade::cli {

namespace {

/// A verb as umoci calls it, and what it says when its arguments are too many or too few.
struct UmociVerb {
  std::string_view name;
  std::string_view lades;
  std::string_view expected;
};

constexpr std::array k_verbs{
    UmociVerb{"config", "config", "none"},
    UmociVerb{"gc", "gc", "none"},
    UmociVerb{"init", "init", "none"},
    UmociVerb{"insert", "insert", "2"},
    UmociVerb{"list", "list", "none"},
    UmociVerb{"ls", "list", "none"},
    UmociVerb{"new", "new", "none"},
    UmociVerb{"raw add-layer", "raw add-layer", "<new-layer.tar>"},
    UmociVerb{"raw config", "raw config", "<config.json>"},
    UmociVerb{"raw runtime-config", "raw config", "<config.json>"},
    UmociVerb{"raw unpack", "raw unpack", "<rootfs>"},
    UmociVerb{"remove", "rm", "none"},
    UmociVerb{"repack", "repack", "<bundle>"},
    UmociVerb{"rm", "rm", "none"},
    UmociVerb{"stat", "stat", "none"},
    UmociVerb{"tag", "tag", "<new-tag>"},
    UmociVerb{"unpack", "unpack", "<bundle>"},
};

constexpr std::array<std::string_view, 5> k_levels{"debug", "info", "warn", "error", "fatal"};

const UmociVerb* find_verb(std::string_view name) {
  const auto found = std::find_if(k_verbs.begin(), k_verbs.end(),
                                  [&](const UmociVerb& verb) { return verb.name == name; });
  return found == k_verbs.end() ? nullptr : &*found;
}

/// There is no such verb; umoci ends with 3 then.
class NoSuchVerb final : public UsageError {
 public:
  using UsageError::UsageError;
};

/// An option that the verb has not got; umoci begins with these words, and prints its help.
class IncorrectUsage final : public UsageError {
 public:
  using UsageError::UsageError;
};

/// Go's flags may have one dash or two.
std::vector<std::string> with_two_dashes(std::span<const std::string> words) {
  std::vector<std::string> result;
  for (const std::string& word : words) {
    const bool is_short = word.size() < 3 || word[0] != '-' || word[1] == '-';
    result.push_back(is_short ? word : '-' + word);
  }
  return result;
}

[[noreturn]] void explain(const OptionProblem& problem, const UmociVerb& verb) {
  const std::string word = problem.word().substr(0, problem.word().find('='));
  switch (problem.kind()) {
    case OptionProblem::Kind::unknown_option:
      throw IncorrectUsage(
          str("flag provided but not defined: -", word.substr(word.find_first_not_of('-'))));
    case OptionProblem::Kind::missing_value:
      throw IncorrectUsage(
          str("flag needs an argument: -", word.substr(word.find_first_not_of('-'))));
    case OptionProblem::Kind::unexpected_argument:
    case OptionProblem::Kind::missing_argument:
      throw UsageError(str("invalid number of positional arguments: expected ", verb.expected));
    default:
      throw UsageError(problem.message());
  }
}

/// A line as umoci's log writes it.
std::string error_line(std::string_view message) {
  std::string text = printable(message);
  if (text.size() < 25) text.resize(25, ' ');
  return str("   \xe2\xa8\xaf ", text, '\n');
}

/// What has no place in a sentence of umoci's.
std::string without_quotes(std::string text) {
  std::erase(text, '`');
  return text;
}

std::string message_for(const Error& error, const std::string& verb) {
  if (dynamic_cast<const NoLayout*>(&error) != nullptr) {
    return "open CAS: validate: read oci-layout: invalid image detected";
  }
  if (const auto* missing = dynamic_cast<const TagNotFound*>(&error)) {
    const bool unpacks = verb == "unpack" || verb == "raw unpack";
    return str(unpacks ? "tag is not found: " : "tag not found: ", missing->tag());
  }
  const std::string text = without_quotes(error.message());
  constexpr std::string_view there = " already exists";
  if (verb == "unpack" && text.ends_with(there)) {
    const std::string path = text.substr(0, text.size() - there.size());
    const auto slash = path.rfind('/');
    if (path.substr(slash + 1) != "config.json") {
      return str("create runtime bundle: detecting rootfs: ", text);
    }
    return str("create runtime bundle: config.json already exists in ", path.substr(0, slash));
  }
  if (verb == "repack" && text.starts_with("there is no ") && text.ends_with("umoci.json")) {
    const std::string path = text.substr(12);
    return str("read umoci.json metadata: open metadata: open ", path,
               ": no such file or directory");
  }
  return without_quotes(error.what());
}

class UmociPersonality final : public Personality {
 public:
  Invocation parse(const std::vector<std::string>& words) override {
    Invocation invocation;
    invocation.global.name = ProgramName::umoci;
    bool want_help = false;
    bool want_version = false;
    const std::size_t at = verb_index(words);
    OptionSet global;
    declare_global(global, invocation.global);
    global.flag("-h,--help", want_help);
    global.flag("-v,--version", want_version);
    const auto before = with_two_dashes(std::span(words).first(at));
    parse_words(global, before, {"umoci", "help", "none"});
    global.check_all();
    if (want_version) return {invocation.global, "version", VersionArguments{}};
    const std::string name = name_at(words, at);
    if (want_help || name.empty() || name == "help" || name == "h" || name == "raw") {
      return help(invocation, "umoci");
    }
    const UmociVerb* verb = find_verb(name);
    if (verb == nullptr) throw NoSuchVerb(str("No help topic for '", words[at], '\''));
    const std::size_t count = name.find(' ') == std::string::npos ? 1 : 2;
    return parse_verb(invocation, *verb, std::span(words).subspan(at + count));
  }

  std::string verb_of(const std::vector<std::string>& words) const override {
    const std::string name = name_at(words, verb_index(words));
    const UmociVerb* verb = find_verb(name);
    return verb == nullptr ? name : std::string(verb->lades);
  }

  Report describe(const std::exception_ptr& failure, const std::string& verb,
                  Detail detail) const override {
    try {
      std::rethrow_exception(failure);
    } catch (const NoSuchVerb& error) {
      return {error.message() + '\n', 3};
    } catch (const IncorrectUsage& error) {
      return {str("Incorrect Usage: ", error.message(), '\n'), exit_code::failed};
    } catch (const Error& error) {
      return {error_line(message_for(error, verb)), exit_code::failed};
    } catch (const Cancelled&) {
      return {error_line("interrupted"), exit_code::interrupted};
    } catch (...) {
      return {cli::describe(failure, verb, detail).text, exit_code::failed};
    }
  }

 private:
  static void declare_global(OptionSet& options, GlobalOptions& global) {
    options.value("--log", [](const std::string& level) {
      if (std::find(k_levels.begin(), k_levels.end(), level) != k_levels.end()) return;
      throw UsageError("parsing log level: invalid level");
    });
    options.granted("--verbose");
    options.value("--root", global.root);
  }

  static std::size_t verb_index(const std::vector<std::string>& words) {
    std::size_t at = 0;
    while (at < words.size() && words[at].starts_with('-')) {
      const bool has_value = words[at] == "--log" || words[at] == "-log" || words[at] == "--root";
      at += has_value ? 2 : 1;
    }
    return std::min(at, words.size());
  }

  /// The verb that begins at a word; `raw` takes the next one along.
  static std::string name_at(const std::vector<std::string>& words, std::size_t at) {
    if (at >= words.size()) return "";
    if (words[at] != "raw" || at + 1 >= words.size()) return words[at];
    return words[at + 1].starts_with('-') ? words[at] : str(words[at], ' ', words[at + 1]);
  }

  static void parse_words(OptionSet& options, const std::vector<std::string>& words,
                          const UmociVerb& verb) {
    try {
      options.parse(words);
    } catch (const OptionProblem& problem) {
      explain(problem, verb);
    }
  }

  static void check_words(const OptionSet& options, const UmociVerb& verb) {
    try {
      options.check_all();
    } catch (const OptionProblem& problem) {
      explain(problem, verb);
    }
  }

  static Invocation help(const Invocation& invocation, const std::string& page) {
    return {invocation.global, "help", HelpArguments{{page}}};
  }

  static Invocation parse_verb(Invocation invocation, const UmociVerb& verb,
                               std::span<const std::string> words) {
    invocation.verb = verb.lades;
    OptionSet options = declare_verb(invocation.verb, invocation.arguments);
    bool want_help = false;
    options.flag("-h,--help", want_help);
    parse_words(options, with_two_dashes(words), verb);
    if (want_help) return help(invocation, invocation.verb.substr(0, invocation.verb.find(' ')));
    check_words(options, verb);
    // In the store umoci has no say: there are options of lade's own for that.
    if (auto* tag = std::get_if<TagArguments>(&invocation.arguments);
        tag != nullptr && tag->layout_image.empty()) {
      throw UsageError("missing mandatory argument: --image");
    }
    if (auto* gc = std::get_if<GcArguments>(&invocation.arguments); gc != nullptr && !gc->layout) {
      throw UsageError("missing mandatory argument: --layout");
    }
    return invocation;
  }
};

}  // namespace

std::unique_ptr<Personality> make_umoci() {
  return std::make_unique<UmociPersonality>();
}

}  // namespace lade::cli
