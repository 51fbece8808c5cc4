// skopeo's command line: global options before or after the verb, cobra's and skopeo's words for
// what is wrong, logrus lines, and its exit codes 0, 1 and 2 (no such image).
#include "base/error.hpp"
#include "base/template/text_form.hpp"
#include "base/text.hpp"
#include "cli/help_pages.hpp"
#include "cli/log_line.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/personality.hpp"
#include "cli/skopeo_names.hpp"
#include "cli/transfer.hpp"
#include "cli/verbs.hpp"
#include "oci/platform.hpp"

#include <algorithm>
#include <array>

namespace lade::cli {

namespace {

/// What skopeo says when a verb has not got the arguments that it needs.
struct SkopeoVerb {
  std::string_view name;
  std::string_view arity;
  bool shows_help = false;
};

constexpr std::array k_verbs{
    SkopeoVerb{"copy", "Exactly two arguments expected", true},
    SkopeoVerb{"delete", "Usage: delete imageReference"},
    SkopeoVerb{"generate-sigstore-key", "Usage: generate-sigstore-key --output-prefix PREFIX"},
    SkopeoVerb{"inspect", "Exactly one argument expected"},
    SkopeoVerb{"list-tags", "Exactly one non-option argument expected", true},
    SkopeoVerb{"login", "login accepts only one registry to log in to"},
    SkopeoVerb{"logout", "logout accepts only one registry to log out from"},
    SkopeoVerb{"manifest-digest", "Usage: skopeo manifest-digest manifest"},
    SkopeoVerb{"standalone-sign",
               "Usage: skopeo standalone-sign manifest docker-reference key-fingerprint -o "
               "signature"},
    SkopeoVerb{"standalone-verify",
               "Usage: skopeo standalone-verify manifest docker-reference key-fingerprint "
               "signature"},
    SkopeoVerb{"sync", "Exactly two arguments expected", true},
    SkopeoVerb{"untrusted-signature-dump-without-verification",
               "Usage: untrusted-signature-dump-without-verification signature"},
};

constexpr std::array<std::string_view, 11> k_with_value{
    "--command-timeout", "--override-arch",     "--override-os",  "--override-variant",
    "--policy",          "--registries-conf",   "--registries.d", "--tls-details",
    "--tmpdir",          "--user-agent-prefix", "--root"};

constexpr std::string_view k_help_hint = "Try 'skopeo --help' for more information";

const SkopeoVerb* find_verb(std::string_view name) {
  const auto found = std::find_if(k_verbs.begin(), k_verbs.end(),
                                  [&](const SkopeoVerb& verb) { return verb.name == name; });
  return found == k_verbs.end() ? nullptr : &*found;
}

/// How many letters have to be changed, added or taken away.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row.back();
}

[[noreturn]] void refuse_verb(const std::string& word) {
  std::string text = str("Unrecognized command `skopeo ", word, "`\n");
  std::string similar;
  for (const SkopeoVerb& verb : k_verbs) {
    if (!has_verb(std::string(verb.name)) || verb.name == word) continue;
    if (distance(word, verb.name) <= 2 || verb.name.starts_with(word)) {
      similar += str("\n\t", verb.name);
    }
  }
  if (!similar.empty()) text += str("\nDid you mean this?", similar, "\n\n");
  throw UsageError(text + std::string(k_help_hint));
}

/// Where the verb is: the first word that is neither an option nor an option's value.
std::size_t verb_index(const std::vector<std::string>& words) {
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-')) {
    const bool has_value =
        std::find(k_with_value.begin(), k_with_value.end(), words[at]) != k_with_value.end();
    at += has_value ? 2 : 1;
  }
  return std::min(at, words.size());
}

std::chrono::milliseconds parse_timeout(const std::string& text) {
  try {
    return parse_delay(text);
  } catch (const UsageError&) {
    throw UsageError(str("invalid argument ", go::quote(text),
                         " for \"--command-timeout\" flag: time: invalid duration ",
                         go::quote(text)));
  }
}

/// The options that skopeo takes before and after the verb.
struct SkopeoGlobals {
  GlobalOptions& global;
  std::optional<bool> tls_verify;  ///< before the verb: deprecated
  std::string os;
  std::string architecture;
  std::string variant;
  std::string tmpdir;
  bool want_help = false;
  bool want_version = false;

  explicit SkopeoGlobals(GlobalOptions& options) : global(options) {}

  void declare(OptionSet& options) {
    options.flag("--debug", global.debug);
    options.flag("--insecure-policy", global.insecure_policy);
    options.flag("--require-signed", global.require_signed);
    options.value("--policy", global.policy);
    options.value("--registries.d", global.registries_d);
    options.value("--registries-conf", global.registries_conf);
    options.value("--root", global.root);
    options.value("--override-os", os);
    options.value("--override-arch", architecture);
    options.value("--override-variant", variant);
    options.value("--tmpdir", tmpdir);
    options.value("--user-agent-prefix", global.user_agent_prefix);
    options.refused_value("--tls-details");
    options.value("--command-timeout", [this](const std::string& text) {
      global.command_timeout = parse_timeout(text);
    });
  }

  /// What indexes are asked for, if any of the options says so.
  std::optional<std::string> platform() const {
    if (os.empty() && architecture.empty() && variant.empty()) return std::nullopt;
    Platform platform = host_platform();
    if (!os.empty()) platform.os = os;
    if (!architecture.empty()) platform.variant.clear();
    if (!architecture.empty()) platform.architecture = architecture;
    if (!variant.empty()) platform.variant = variant;
    return to_string(platform);
  }
};

/// Says what skopeo says of a word that the options do not explain.
[[noreturn]] void explain(const OptionProblem& problem, const SkopeoVerb* verb) {
  const std::string& word = problem.word();
  switch (problem.kind()) {
    case OptionProblem::Kind::unknown_option:
      if (word.starts_with("--")) {
        throw UsageError("unknown flag: " + word.substr(0, word.find('=')));
      }
      throw UsageError(str("unknown shorthand flag: '", word.substr(1, 1), "' in ", word));
    case OptionProblem::Kind::bad_flag: {
      const std::size_t equals = std::min(word.find('='), word.size());
      const std::string value = go::quote(word.substr(std::min(equals + 1, word.size())));
      throw UsageError(str("invalid argument ", value, " for ", go::quote(word.substr(0, equals)),
                           " flag: strconv.ParseBool: parsing ", value, ": invalid syntax"));
    }
    case OptionProblem::Kind::missing_value:
      throw UsageError("flag needs an argument: " + word);
    case OptionProblem::Kind::unexpected_argument:
    case OptionProblem::Kind::missing_argument:
      if (verb != nullptr) throw WrongArity(std::string(verb->arity));
      break;
    case OptionProblem::Kind::other:
      break;
  }
  throw UsageError(problem.message());
}

/// Parses, and rewords what is wrong.
void parse_words(OptionSet& options, std::span<const std::string> words, const SkopeoVerb* verb) {
  try {
    options.parse(words);
  } catch (const OptionProblem& problem) {
    explain(problem, verb);
  }
}

void check_words(const OptionSet& options, const SkopeoVerb& verb) {
  try {
    options.check_all();
  } catch (const OptionProblem& problem) {
    explain(problem, &verb);
  }
}

/// Gives each verb that chooses from indexes the platform, unless it was told otherwise.
void set_platform(VerbArguments& arguments, const std::string& platform) {
  std::visit(
      [&](auto& verb) {
        if constexpr (requires { verb.platform = platform; }) {
          if (!verb.platform) verb.platform = platform;
        }
        if constexpr (requires { verb.copy.platform = platform; }) {  // of sync
          if (!verb.copy.platform) verb.copy.platform = platform;
        }
      },
      arguments);
}

/// The deprecated `--tls-verify` of everything, for where no newer option says otherwise.
void set_tls_verify(VerbArguments& arguments, bool verify) {
  const auto set = [&](RegistryFlags& flags) {
    if (!flags.tls_verify) flags.tls_verify = verify;
  };
  const auto set_both = [&](auto& copy) {
    set(copy.source_registry);
    set(copy.destination_registry);
  };
  std::visit(
      [&](auto& verb) {
        if constexpr (requires { set(verb.registry); }) set(verb.registry);
        if constexpr (requires { set(verb.connection); }) set(verb.connection);
        if constexpr (requires { set(verb.source_registry); }) set_both(verb);
        if constexpr (requires { set(verb.copy.source_registry); }) set_both(verb.copy);
      },
      arguments);
}

void warn(std::string_view message) {
  write_message(log_line(LogLevel::warning, message, stderr_style()));
}

class SkopeoPersonality final : public Personality {
 public:
  Invocation parse(const std::vector<std::string>& words) override {
    const std::size_t at = verb_index(words);
    const std::span<const std::string> all(words);
    Invocation invocation;
    invocation.global.name = ProgramName::skopeo;
    invocation.global.missing_policy = MissingPolicy::fails;
    SkopeoGlobals globals(invocation.global);

    OptionSet options;
    globals.declare(options);
    options.flag("--tls-verify", globals.tls_verify);
    options.flag("-h,--help", globals.want_help);
    options.flag("-v,--version", globals.want_version);
    parse_words(options, all.first(at), nullptr);
    if (globals.want_version) return {invocation.global, "version", VersionArguments{}};
    if (globals.want_help) return help_for(invocation, {});
    if (at == words.size()) {
      throw UsageError(str("Missing command 'skopeo COMMAND'\n", k_help_hint));
    }
    if (words[at] == "help") {
      return help_for(invocation, at + 1 < words.size() ? words[at + 1] : std::string());
    }
    const SkopeoVerb* verb = find_verb(words[at]);
    if (verb == nullptr || !has_verb(words[at])) refuse_verb(words[at]);
    parse_verb(invocation, globals, *verb, all.subspan(at + 1));
    return invocation;
  }

  std::string verb_of(const std::vector<std::string>& words) const override {
    const std::size_t at = verb_index(words);
    return at < words.size() ? words[at] : std::string();
  }

  Report describe(const std::exception_ptr& failure, const std::string& verb,
                  Detail detail) const override {
    const LogStyle style = stderr_style();
    const Report report = cli::describe(failure, verb, detail);
    const auto fatal = [&](std::string_view message) {
      return log_line(LogLevel::fatal, message, style);
    };
    try {
      std::rethrow_exception(failure);
    } catch (const WrongArity& error) {
      return {str(help_on_arity(verb), fatal(error.message())), exit_code::failed};
    } catch (const Error& error) {
      const bool is_missing = report.exit_code == exit_code::not_found && names_image(verb);
      return {fatal(skopeo_message(error)), is_missing ? exit_code::not_found : exit_code::failed};
    } catch (const Cancelled&) {
      return {fatal("interrupted"), exit_code::interrupted};
    } catch (const std::exception& error) {
      return {fatal(error.what()), exit_code::failed};
    }
  }

 private:
  static Invocation help_for(const Invocation& invocation, const std::string& verb) {
    HelpArguments help;
    help.verb = {verb.empty() ? "skopeo" : verb};
    return {invocation.global, "help", std::move(help)};
  }

  /// The options of one verb; those of skopeo itself, which fill `invocation` too, may stand among
  /// them.
  static void parse_verb(Invocation& invocation, SkopeoGlobals& globals, const SkopeoVerb& verb,
                         std::span<const std::string> words) {
    invocation.verb = verb.name;
    OptionSet options = declare_verb(invocation.verb, invocation.arguments);
    globals.declare(options);
    options.flag(options.has("-h") ? "--help" : "-h,--help", globals.want_help);
    std::optional<bool> old_tls_verify;
    if (!options.has("--tls-verify")) options.flag("--tls-verify", old_tls_verify);
    parse_words(options, words, &verb);
    if (globals.want_help) {
      invocation = help_for(invocation, invocation.verb);
      return;
    }
    warn_of_old_options(globals.tls_verify, old_tls_verify);
    if (const auto verify = old_tls_verify ? old_tls_verify : globals.tls_verify) {
      set_tls_verify(invocation.arguments, *verify);
    }
    if (const auto platform = globals.platform()) set_platform(invocation.arguments, *platform);
    if (invocation.global.insecure_policy && invocation.global.require_signed) {
      throw UsageError("--insecure-policy and --require-signed are mutually exclusive");
    }
    check_words(options, verb);
    check_names(invocation.arguments);
    invocation.global.progress = progress_for(invocation.arguments);
  }

  /// What says how a transfer goes: not to where the image goes.
  static ProgressStyle progress_for(const VerbArguments& arguments) {
    const auto* copy = std::get_if<CopyArguments>(&arguments);
    const bool is_taken = copy != nullptr && names_standard_output(copy->destination);
    return is_taken ? ProgressStyle::skopeo_on_stderr : ProgressStyle::skopeo;
  }

  static void warn_of_old_options(const std::optional<bool>& before,
                                  const std::optional<bool>& after) {
    if (before) {
      warn("'--tls-verify' is deprecated, please set this on the specific subcommand");
    }
    if (after) {
      warn("'--tls-verify' is deprecated, instead use: --src-tls-verify, --dest-tls-verify");
    }
  }

  static bool names_image(std::string_view verb) {
    return verb == "inspect" || verb == "copy" || verb == "sync";
  }

  static std::string help_on_arity(const std::string& verb) {
    const SkopeoVerb* known = find_verb(verb);
    if (known == nullptr || !known->shows_help) return "";
    return help_text(verb, ProgramName::skopeo).value_or("");
  }
};

}  // namespace

std::unique_ptr<Personality> make_skopeo() {
  return std::make_unique<SkopeoPersonality>();
}

}  // namespace lade::cli
