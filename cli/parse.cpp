#include "cli/parse.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/transfer.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <map>

namespace lade::cli {

namespace {

/// CLI11's objects for one parse, and the values that they fill.
struct Parser {
  CLI::App app{"", "lade"};
  GlobalOptions global;
  bool want_version = false;
  bool want_help = false;
  PullArguments pull;
  CopyArguments copy;
  ImagesArguments images;
  InspectArguments inspect;
  ListTagsArguments list_tags;
  LoginArguments login;
  LogoutArguments logout;
  RunArguments run;
  RmiArguments rmi;
  HelpArguments help;
  std::map<std::string, CLI::App*> verbs;

  Parser();
  CLI::App& add_verb(const std::string& name);
  void add_global();
  void add_pull();
  void add_copy();
  void add_images();
  void add_inspect();
  void add_list_tags();
  void add_login();
  void add_logout();
  void add_run();
  void add_rmi();
};

/// A repeatable option of which each use takes one value and no more.
void add_list(CLI::App& verb, const std::string& names, std::vector<std::string>& values) {
  verb.add_option(names, values)->allow_extra_args(false)->delimiter('\0');
}

/// A flag that is `--flag`, `--flag=false` or not given.
void add_decision(CLI::App& verb, const std::string& name, std::optional<bool>& decision) {
  // `=false` counts as -1. (CLI11 sets an optional<bool> even where the flag is not given.)
  verb.add_flag_function(name, [&decision](std::int64_t count) { decision = count > 0; });
}

void add_registry_flags(CLI::App& verb, RegistryFlags& flags) {
  add_decision(verb, "--tls-verify", flags.tls_verify);
  verb.add_option("--cert-dir", flags.cert_dir);
  verb.add_option("--authfile", flags.auth_file);
  verb.add_option("--creds", flags.credentials);
}

void add_transfer_flags(CLI::App& verb, TransferFlags& flags) {
  verb.add_option("--retry-times", flags.retry_times)->check(CLI::Range(0, 100));
  verb.add_option_function<std::string>(
      "--retry-delay", [&](const std::string& text) { flags.retry_delay = parse_delay(text); });
  verb.add_option_function<std::string>(
      "--limit-rate", [&](const std::string& text) { flags.limit_rate = parse_rate(text); });
}

CLI::App& Parser::add_verb(const std::string& name) {
  CLI::App* verb = app.add_subcommand(name);
  verb->set_help_flag("");
  verb->add_flag("-h,--help", want_help);
  verbs[name] = verb;
  return *verb;
}

void Parser::add_global() {
  // One verb: without this a later word that is a verb's name (`help pull`, an image called `run`)
  // would be taken for a second one.
  app.require_subcommand(0, 1);
  app.set_help_flag("");
  app.add_flag("-h,--help", want_help);
  app.add_flag("-v,--version", want_version);
  app.add_option("--root", global.root);
  app.add_option("--registries-conf", global.registries_conf);
  app.add_flag("--debug", global.debug);
  static const std::map<std::string, ProgressStyle> styles{{"auto", ProgressStyle::automatic},
                                                           {"bar", ProgressStyle::bar},
                                                           {"plain", ProgressStyle::plain},
                                                           {"none", ProgressStyle::none}};
  app.add_option_function<std::string>("--progress", [this](const std::string& text) {
    const auto found = styles.find(text);
    if (found == styles.end()) {
      throw UsageError(
          str("--progress ", lade::quoted(text), ": expected auto, bar, plain or none"));
    }
    global.progress = found->second;
  });
}

void Parser::add_pull() {
  CLI::App& verb = add_verb("pull");
  verb.add_option("NAME", pull.names);
  verb.add_option("--platform", pull.platform);
  verb.add_option("--jobs", pull.jobs)->check(CLI::Range(1, 64));
  verb.add_flag("-q,--quiet", pull.quiet);
  add_registry_flags(verb, pull.registry);
  add_transfer_flags(verb, pull.transfer);
}

/// An option of a peer program that lade knows, and cannot do yet.
struct RefusedOption {
  const char* names;
  bool takes_value;
};

constexpr RefusedOption k_refused_copy_options[] = {
    {"-a,--all", false},
    {"-f,--format", true},
    {"--additional-tag", true},
    {"--decryption-key", true},
    {"--dest-authfile", true},
    {"--dest-cert-dir", true},
    {"--dest-compress", false},
    {"--dest-compress-format", true},
    {"--dest-compress-level", true},
    {"--dest-creds", true},
    {"--dest-daemon-host", true},
    {"--dest-decompress", false},
    {"--dest-no-creds", false},
    {"--dest-oci-accept-uncompressed-layers", false},
    {"--dest-password", true},
    {"--dest-precompute-digests", false},
    {"--dest-registry-token", true},
    {"--dest-shared-blob-dir", true},
    {"--dest-username", true},
    {"--digestfile", true},
    {"--encrypt-layer", true},
    {"--encryption-key", true},
    {"--multi-arch", true},
    {"--sign-by", true},
    {"--sign-by-sigstore", true},
    {"--sign-by-sigstore-private-key", true},
    {"--sign-by-sq-fingerprint", true},
    {"--sign-identity", true},
    {"--sign-passphrase-file", true},
    {"--src-daemon-host", true},
    {"--src-no-creds", false},
    {"--src-password", true},
    {"--src-registry-token", true},
    {"--src-shared-blob-dir", true},
    {"--src-username", true},
};

void add_refused(CLI::App& verb, const RefusedOption& option) {
  const std::string names = option.names;
  const auto refuse_it = [name = names.substr(names.find("--"))] {
    throw UsageError(str("option ", lade::quoted(name), " is not supported yet"));
  };
  if (option.takes_value) {
    verb.add_option_function<std::string>(names, [=](const std::string&) { refuse_it(); });
  } else {
    verb.add_flag_function(names, [=](std::int64_t) { refuse_it(); });
  }
}

/// An option of a peer program whose effect lade always has.
void add_granted(CLI::App& verb, const std::string& name) {
  verb.add_flag_function(name, [](std::int64_t) {});
}

void Parser::add_copy() {
  CLI::App& verb = add_verb("copy");
  verb.add_option("SRC", copy.source);
  verb.add_option("DST", copy.destination);
  verb.add_option("--platform", copy.platform);
  verb.add_option("--jobs,--image-parallel-copies", copy.jobs)->check(CLI::Range(1, 64));
  add_transfer_flags(verb, copy.transfer);
  verb.add_flag("-q,--quiet", copy.quiet);
  add_decision(verb, "--src-tls-verify", copy.source_registry.tls_verify);
  verb.add_option("--src-cert-dir", copy.source_registry.cert_dir);
  verb.add_option("--authfile,--src-authfile", copy.source_registry.auth_file);
  verb.add_option("--src-creds,--screds", copy.source_registry.credentials);
  for (const char* name : {"--dest-tls-verify", "--preserve-digests", "--remove-signatures"}) {
    add_granted(verb, name);
  }
  for (const RefusedOption& option : k_refused_copy_options) add_refused(verb, option);
}

void Parser::add_images() {
  CLI::App& verb = add_verb("images");
  verb.add_option("NAME", images.name);
  verb.add_flag("-q,--quiet", images.quiet);
  verb.add_flag("--digests", images.digests);
  verb.add_flag("--no-trunc", images.no_trunc);
  verb.add_flag("-n,--noheading", images.no_heading);
  verb.add_option_function<std::string>("--format", [this](const std::string& text) {
    if (text != "json" && text != "table") {
      throw UsageError(str("--format ", lade::quoted(text),
                           ": only json and table are supported, not templates"));
    }
    images.format = text == "json" ? OutputFormat::json : OutputFormat::table;
  });
}

void Parser::add_inspect() {
  CLI::App& verb = add_verb("inspect");
  verb.add_option("REF", inspect.reference);
  verb.add_flag("--raw", inspect.raw);
  verb.add_flag("--config", inspect.config);
  verb.add_flag("-n,--no-tags", inspect.no_tags);
  verb.add_option("--platform", inspect.platform);
  verb.add_option_function<std::string>("-f,--format", [](const std::string& text) {
    throw UsageError(
        str("--format ", lade::quoted(text), ": templates are not supported by inspect yet"));
  });
  add_registry_flags(verb, inspect.registry);
}

void Parser::add_list_tags() {
  CLI::App& verb = add_verb("list-tags");
  verb.add_option("REF", list_tags.repository);
  add_registry_flags(verb, list_tags.registry);
}

/// Docker's format differs in its keys, and a file that only looks right helps nobody.
void refuse_compat_auth_file(CLI::App& verb) {
  verb.add_option_function<std::string>("--compat-auth-file", [](const std::string& file) {
    throw UsageError(str("--compat-auth-file ", lade::quoted(file),
                         ": writing Docker's format is not supported; use --authfile"));
  });
}

void Parser::add_login() {
  CLI::App& verb = add_verb("login");
  verb.add_option("REGISTRY", login.registry);
  verb.add_option("-u,--username", login.username);
  verb.add_option("-p,--password", login.password);
  verb.add_flag("--password-stdin", login.password_stdin);
  verb.add_flag("--get-login", login.get_login);
  verb.add_flag("-v,--verbose", login.verbose);
  add_decision(verb, "--tls-verify", login.connection.tls_verify);
  verb.add_option("--cert-dir", login.connection.cert_dir);
  verb.add_option("--authfile", login.connection.auth_file);
  refuse_compat_auth_file(verb);
}

void Parser::add_logout() {
  CLI::App& verb = add_verb("logout");
  verb.add_option("REGISTRY", logout.registry);
  verb.add_flag("-a,--all", logout.all);
  add_decision(verb, "--tls-verify", logout.connection.tls_verify);
  verb.add_option("--authfile", logout.connection.auth_file);
  refuse_compat_auth_file(verb);
}

void Parser::add_run() {
  CLI::App& verb = add_verb("run");
  // The first word that is no option is the image, and what follows belongs to the container.
  verb.prefix_command();
  verb.add_flag("--rm", run.remove);
  verb.add_flag("--dry-run", run.dry_run);
  verb.add_flag("-i,--interactive", run.interactive);
  verb.add_flag("-t,--tty", run.terminal);
  add_list(verb, "-e,--env", run.env);
  verb.add_option("-w,--workdir", run.workdir);
  verb.add_option("-u,--user", run.user);
  verb.add_option("--entrypoint", run.entrypoint);
  // podman's -h is the host name; `lade help run` prints the page.
  verb.remove_option(verb.get_option("--help"));
  verb.add_flag("--help", want_help);
  verb.add_option("-h,--hostname", run.hostname);
  add_list(verb, "-v,--volume", run.volumes);
  verb.add_option("--network,--net", run.network);
  verb.add_option("--platform", run.platform);
  static const std::map<std::string, PullPolicy> policies{{"missing", PullPolicy::missing},
                                                          {"always", PullPolicy::always},
                                                          {"never", PullPolicy::never}};
  verb.add_option_function<std::string>("--pull", [this](const std::string& text) {
    const auto found = policies.find(text);
    if (found == policies.end()) {
      throw UsageError(str("--pull ", lade::quoted(text), ": expected missing, always or never"));
    }
    run.pull = found->second;
  });
  add_registry_flags(verb, run.registry);
  add_transfer_flags(verb, run.transfer);
}

void Parser::add_rmi() {
  CLI::App& verb = add_verb("rmi");
  verb.add_option("IMAGE", rmi.images);
  verb.add_flag("-a,--all", rmi.all);
  verb.add_flag("-f,--force", rmi.force);
  verb.add_flag("-i,--ignore", rmi.ignore_missing);
}

Parser::Parser() {
  add_global();
  add_pull();
  add_copy();
  add_images();
  add_inspect();
  add_list_tags();
  add_login();
  add_logout();
  add_run();
  add_rmi();
  add_verb("version");
  add_verb("help").add_option("VERB", help.verb);
}

[[noreturn]] void refuse(const std::string& verb, const std::string& message) {
  UsageError error(verb.empty() ? message : str(verb, ": ", message));
  error.set_hint(verb.empty() ? "`lade help` lists the verbs"
                              : str("`lade help ", verb, "` describes its options"));
  throw error;
}

void require(const std::string& verb, bool given, const std::string& what) {
  if (!given) refuse(verb, str("no ", what, " given"));
}

/// Stands for `--` while CLI11 looks at the words of `run`: it would take it away, wherever it is.
const std::string k_double_dash = "\x01--";

/// The words for CLI11, which takes them in reverse.
std::vector<std::string> words_for_parser(const std::vector<std::string>& words,
                                          const std::string& verb) {
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  if (verb == "run")
    std::replace(reversed.begin(), reversed.end(), std::string("--"), k_double_dash);
  return reversed;
}

/// The words that CLI11 left after `run`'s own options: the image and its command.
void take_image_and_command(RunArguments& run, std::vector<std::string> rest) {
  std::replace(rest.begin(), rest.end(), k_double_dash, std::string("--"));
  if (rest.empty()) refuse("run", "no image given");
  std::size_t at = 0;
  if (rest[0] == "--") {
    at = 1;
    if (rest.size() == 1) refuse("run", "no image given");
  } else if (rest[0].starts_with('-')) {
    refuse("run", str("unknown option ", lade::quoted(rest[0])));
  }
  run.image = rest[at];
  run.command.assign(rest.begin() + static_cast<std::ptrdiff_t>(at) + 1, rest.end());
}

/// skopeo's rules, in its words.
LoginArguments login_arguments(const LoginArguments& login) {
  if (login.registry.empty()) refuse("login", "please provide a registry to login to");
  if (login.password_stdin && login.password) {
    refuse("login", "can't specify both --password-stdin and --password");
  }
  if (login.password_stdin && login.username.value_or("").empty()) {
    refuse("login", "must provide --username with --password-stdin");
  }
  return login;
}

VerbArguments arguments_of(Parser& parser, const std::string& verb) {
  if (verb == "pull") {
    require(verb, !parser.pull.names.empty(), "image name");
    return parser.pull;
  }
  if (verb == "copy") {
    require(verb, !parser.copy.source.empty(), "source");
    require(verb, !parser.copy.destination.empty(), "destination");
    return parser.copy;
  }
  if (verb == "images") return parser.images;
  if (verb == "inspect") {
    require(verb, !parser.inspect.reference.empty(), "reference");
    return parser.inspect;
  }
  if (verb == "list-tags") {
    require(verb, !parser.list_tags.repository.empty(), "repository");
    return parser.list_tags;
  }
  if (verb == "login") return login_arguments(parser.login);
  if (verb == "logout") {
    const bool given = !parser.logout.registry.empty();
    if (!given && !parser.logout.all) refuse(verb, "please provide a registry to logout from");
    if (given && parser.logout.all) refuse(verb, "--all takes no arguments");
    return parser.logout;
  }
  if (verb == "run") {
    take_image_and_command(parser.run, parser.verbs.at("run")->remaining());
    return parser.run;
  }
  if (verb == "rmi") {
    require(verb, !parser.rmi.images.empty() || parser.rmi.all, "image");
    return parser.rmi;
  }
  if (verb == "version") return VersionArguments{};
  return parser.help;
}

std::string explain(const CLI::ParseError& error, const std::vector<std::string>& left_over) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !left_over.empty()) {
    const std::string& word = left_over.front();
    return str(word.starts_with('-') ? "unknown option " : "unexpected argument ",
               lade::quoted(word));
  }
  return printable(error.what());
}

}  // namespace

Invocation parse(const std::vector<std::string>& words) {
  Parser parser;
  const std::string tentative = verb_of(words);
  if (!tentative.empty() && !parser.verbs.contains(tentative)) {
    refuse("", str("unknown verb ", lade::quoted(tentative)));
  }
  try {
    auto reversed = words_for_parser(words, tentative);
    parser.app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    refuse(tentative, explain(error, parser.app.remaining(true)));
  } catch (UsageError& error) {
    refuse(tentative, error.message());
  }
  const auto chosen = parser.app.get_subcommands();
  if (parser.want_help) return {parser.global, "help", HelpArguments{tentative}};
  if (parser.want_version) return {parser.global, "version", VersionArguments{}};
  if (chosen.empty()) refuse("", "no verb given");
  const std::string verb = chosen.front()->get_name();
  return {parser.global, verb, arguments_of(parser, verb)};
}

std::string verb_of(const std::vector<std::string>& words) {
  static const std::vector<std::string> with_value{"--root", "--progress", "--registries-conf"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with('-')) return words[i];
    if (std::find(with_value.begin(), with_value.end(), words[i]) != with_value.end()) ++i;
  }
  return {};
}

std::vector<std::string> options_of(const std::string& verb) {
  Parser parser;
  std::vector<std::string> names;
  const CLI::App* app = verb.empty() ? &parser.app : parser.verbs.at(verb);
  for (const CLI::Option* option : app->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

}  // namespace lade::cli
