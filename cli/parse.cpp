#include "cli/parse.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/transfer.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <array>
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
  PushArguments push;
  DeleteArguments remove;
  ImagesArguments images;
  InspectArguments inspect;
  ListTagsArguments list_tags;
  LoginArguments login;
  LogoutArguments logout;
  CatalogArguments catalog;
  ReferrersArguments referrers;
  BlobArguments blob;
  RateLimitArguments rate_limit;
  RunArguments run;
  RmiArguments rmi;
  HelpArguments help;
  std::map<std::string, CLI::App*> verbs;

  /// Declares the options before the verb, and those of `verb` if there is one of that name.
  explicit Parser(std::string_view verb);
  CLI::App& add_verb(const std::string& name);
  void add_global();
  void add_pull();
  void add_copy();
  void add_push();
  void add_delete();
  void add_images();
  void add_inspect();
  void add_list_tags();
  void add_login();
  void add_logout();
  void add_catalog();
  void add_referrers();
  void add_blob();
  void add_rate_limit();
  void add_run();
  void add_rmi();
  void add_version() { add_verb("version"); }
  void add_help() { add_verb("help").add_option("VERB", help.verb); }
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

/// `--format` of a verb that lists: a table or JSON.
void add_format(CLI::App& verb, OutputFormat& format) {
  verb.add_option_function<std::string>("--format", [&format](const std::string& text) {
    if (text != "json" && text != "table") {
      throw UsageError(str("--format ", lade::quoted(text),
                           ": only json and table are supported, not templates"));
    }
    format = text == "json" ? OutputFormat::json : OutputFormat::table;
  });
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
    {"--dest-compress", false},
    {"--dest-compress-format", true},
    {"--dest-compress-level", true},
    {"--dest-daemon-host", true},
    {"--dest-decompress", false},
    {"--dest-no-creds", false},
    {"--dest-oci-accept-uncompressed-layers", false},
    {"--dest-password", true},
    {"--dest-precompute-digests", false},
    {"--dest-registry-token", true},
    {"--dest-shared-blob-dir", true},
    {"--dest-username", true},
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

/// Bytes, or `16M` (KiB, MiB and GiB in all their spellings).
void add_chunk_size(CLI::App& verb, const std::string& name, std::uint64_t& size) {
  verb.add_option(name, size)->transform(CLI::AsSizeValue(false));
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
  verb.add_option("--src-creds,--screds", copy.source_registry.credentials);
  verb.add_option("--src-authfile", copy.source_registry.auth_file);
  RegistryFlags& destination = copy.destination_registry;
  verb.add_flag("--dest-tls-verify", destination.tls_verify);
  verb.add_option("--dest-cert-dir", destination.cert_dir);
  verb.add_option("--dest-authfile", destination.auth_file);
  verb.add_option("--dest-creds,--dcreds", destination.credentials);
  verb.add_option_function<std::string>("--authfile", [this](const std::string& file) {
    for (RegistryFlags* side : {&copy.source_registry, &copy.destination_registry}) {
      if (!side->auth_file) side->auth_file = file;
    }
  });
  verb.add_option("--digestfile", copy.digest_file);
  add_chunk_size(verb, "--dest-chunk-size", copy.chunk_size);
  for (const char* name : {"--preserve-digests", "--remove-signatures"}) add_granted(verb, name);
  for (const RefusedOption& option : k_refused_copy_options) add_refused(verb, option);
}

/// podman's, which lade cannot do yet.
constexpr RefusedOption k_refused_push_options[] = {
    {"-f,--format", true},
    {"--compress", false},
    {"--compression-format", true},
    {"--compression-level", true},
    {"--encrypt-layer", true},
    {"--encryption-key", true},
    {"--sign-by", true},
    {"--sign-by-sigstore", true},
    {"--sign-by-sigstore-private-key", true},
    {"--sign-passphrase-file", true},
};

void Parser::add_push() {
  CLI::App& verb = add_verb("push");
  verb.add_option("NAME", push.image);
  verb.add_option("DST", push.destination);
  verb.add_option("--jobs", push.jobs)->check(CLI::Range(1, 64));
  verb.add_flag("-q,--quiet", push.quiet);
  verb.add_option("--digestfile", push.digest_file);
  add_chunk_size(verb, "--chunk-size", push.chunk_size);
  verb.add_option("--retry", push.transfer.retry_times)->check(CLI::Range(0, 100));
  add_registry_flags(verb, push.registry);
  for (const char* name : {"--remove-signatures", "--disable-content-trust"}) {
    add_granted(verb, name);
  }
  for (const RefusedOption& option : k_refused_push_options) add_refused(verb, option);
}

/// skopeo's, which lade cannot do yet.
constexpr RefusedOption k_refused_delete_options[] = {
    {"--daemon-host", true}, {"--no-creds", false},      {"--username", true},
    {"--password", true},    {"--registry-token", true}, {"--shared-blob-dir", true},
};

void Parser::add_delete() {
  CLI::App& verb = add_verb("delete");
  verb.add_option("REF", remove.reference);
  verb.add_flag("--tag-only", remove.tag_only);
  verb.add_option("--retry-times", remove.transfer.retry_times)->check(CLI::Range(0, 100));
  add_registry_flags(verb, remove.registry);
  for (const RefusedOption& option : k_refused_delete_options) add_refused(verb, option);
}

void Parser::add_images() {
  CLI::App& verb = add_verb("images");
  verb.add_option("NAME", images.name);
  verb.add_flag("-q,--quiet", images.quiet);
  verb.add_flag("--digests", images.digests);
  verb.add_flag("--no-trunc", images.no_trunc);
  verb.add_flag("-n,--noheading", images.no_heading);
  add_format(verb, images.format);
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

void Parser::add_catalog() {
  CLI::App& verb = add_verb("catalog");
  verb.add_option("REGISTRY", catalog.registry_name);
  add_format(verb, catalog.format);
  verb.add_flag("--full-ref", catalog.full_ref);
  add_registry_flags(verb, catalog.registry);
}

void Parser::add_referrers() {
  CLI::App& verb = add_verb("referrers");
  verb.add_option("REF", referrers.reference);
  verb.add_option("--artifact-type", referrers.artifact_type);
  verb.add_option("--platform", referrers.platform);
  add_format(verb, referrers.format);
  add_registry_flags(verb, referrers.registry);
}

void Parser::add_blob() {
  CLI::App& verb = add_verb("blob");
  verb.add_option("REF", blob.reference);
  add_registry_flags(verb, blob.registry);
}

void Parser::add_rate_limit() {
  CLI::App& verb = add_verb("ratelimit");
  verb.add_option("REF", rate_limit.reference);
  add_format(verb, rate_limit.format);
  add_registry_flags(verb, rate_limit.registry);
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

/// The verbs, and what declares the options of each.
struct Verb {
  std::string_view name;
  void (Parser::*add)();
};
constexpr std::array<Verb, 17> k_verbs{{{"pull", &Parser::add_pull},
                                        {"copy", &Parser::add_copy},
                                        {"push", &Parser::add_push},
                                        {"delete", &Parser::add_delete},
                                        {"images", &Parser::add_images},
                                        {"inspect", &Parser::add_inspect},
                                        {"list-tags", &Parser::add_list_tags},
                                        {"login", &Parser::add_login},
                                        {"logout", &Parser::add_logout},
                                        {"catalog", &Parser::add_catalog},
                                        {"referrers", &Parser::add_referrers},
                                        {"blob", &Parser::add_blob},
                                        {"ratelimit", &Parser::add_rate_limit},
                                        {"run", &Parser::add_run},
                                        {"rmi", &Parser::add_rmi},
                                        {"version", &Parser::add_version},
                                        {"help", &Parser::add_help}}};

Parser::Parser(std::string_view verb) {
  add_global();
  // Declaring all of them would cost every start a millisecond.
  const auto* found = std::find_if(k_verbs.begin(), k_verbs.end(),
                                   [&](const Verb& each) { return each.name == verb; });
  if (found != k_verbs.end()) (this->*found->add)();
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
constexpr std::string_view k_double_dash = "\x01--";

/// The words for CLI11, which takes them in reverse.
std::vector<std::string> words_for_parser(const std::vector<std::string>& words,
                                          const std::string& verb) {
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  if (verb == "run")
    std::replace(reversed.begin(), reversed.end(), std::string("--"), std::string(k_double_dash));
  return reversed;
}

/// The words that CLI11 left after `run`'s own options: the image and its command.
void take_image_and_command(RunArguments& run, std::vector<std::string> rest) {
  std::replace(rest.begin(), rest.end(), std::string(k_double_dash), std::string("--"));
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
  if (verb == "push") {
    require(verb, !parser.push.image.empty(), "image");
    return parser.push;
  }
  if (verb == "delete") {
    require(verb, !parser.remove.reference.empty(), "reference");
    return parser.remove;
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
  if (verb == "catalog") {
    require(verb, !parser.catalog.registry_name.empty(), "registry");
    return parser.catalog;
  }
  if (verb == "referrers") {
    require(verb, !parser.referrers.reference.empty(), "reference");
    return parser.referrers;
  }
  if (verb == "blob") {
    require(verb, !parser.blob.reference.empty(), "reference");
    return parser.blob;
  }
  if (verb == "ratelimit") {
    require(verb, !parser.rate_limit.reference.empty(), "reference");
    return parser.rate_limit;
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
  const std::string tentative = verb_of(words);
  Parser parser(tentative);
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
  Parser parser(verb);
  std::vector<std::string> names;
  const CLI::App* app = verb.empty() ? &parser.app : parser.verbs.at(verb);
  for (const CLI::Option* option : app->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

}  // namespace lade::cli
