#include "cli/parse.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"

#include <algorithm>
#include <array>

namespace lade::cli {

namespace {

/// A verb, and what declares its options. Only the verb that is called declares any: all of them
/// would cost every start a millisecond.
struct Verb {
  std::string_view name;  ///< one word, or two: `mirror verify`
  void (*declare)(OptionSet& options, VerbArguments& arguments);
};

template <class Arguments>
constexpr Verb verb(std::string_view name) {
  return {name, [](OptionSet& options, VerbArguments& arguments) {
            declare_options(options, arguments.emplace<Arguments>());
          }};
}

// clang-format off
constexpr std::array k_verbs{
    verb<BlobArguments>("blob"),
    verb<CatalogArguments>("catalog"),
    verb<CommitArguments>("commit"),
    verb<ConfigArguments>("config"),
    verb<CopyArguments>("copy"),
    verb<DeleteArguments>("delete"),
    verb<DfArguments>("df"),
    verb<DiffArguments>("diff"),
    verb<ExportArguments>("export"),
    verb<GcArguments>("gc"),
    verb<HelpArguments>("help"),
    verb<HistoryArguments>("history"),
    verb<ImageExistsArguments>("image exists"),
    verb<ImagePruneArguments>("image prune"),
    verb<ImageTreeArguments>("image tree"),
    verb<ImagesArguments>("images"),
    verb<ImportArguments>("import"),
    verb<InfoArguments>("info"),
    verb<InitArguments>("init"),
    verb<InsertArguments>("insert"),
    verb<InspectArguments>("inspect"),
    verb<ListArguments>("list"),
    verb<ListTagsArguments>("list-tags"),
    verb<LoadArguments>("load"),
    verb<LoginArguments>("login"),
    verb<LogoutArguments>("logout"),
    verb<ManifestDigestArguments>("manifest-digest"),
    verb<MirrorApplyArguments>("mirror apply"),
    verb<MirrorBundleArguments>("mirror bundle"),
    verb<MirrorStateArguments>("mirror state"),
    verb<MirrorVerifyArguments>("mirror verify"),
    verb<MountArguments>("mount"),
    verb<NewArguments>("new"),
    verb<OciCreateArguments>("oci create"),
    verb<OciDeleteArguments>("oci delete"),
    verb<OciEventsArguments>("oci events"),
    verb<OciExecArguments>("oci exec"),
    verb<OciKillArguments>("oci kill"),
    verb<OciListArguments>("oci list"),
    verb<OciPauseArguments>("oci pause"),
    verb<OciPsArguments>("oci ps"),
    verb<OciResumeArguments>("oci resume"),
    verb<OciRunArguments>("oci run"),
    verb<OciStartArguments>("oci start"),
    verb<OciStateArguments>("oci state"),
    verb<OciUpdateArguments>("oci update"),
    verb<PullArguments>("pull"),
    verb<PushArguments>("push"),
    verb<RateLimitArguments>("ratelimit"),
    verb<RawAddLayerArguments>("raw add-layer"),
    verb<RawConfigArguments>("raw config"),
    verb<RawUnpackArguments>("raw unpack"),
    verb<ReferrersArguments>("referrers"),
    verb<ReindexArguments>("reindex"),
    verb<RepackArguments>("repack"),
    verb<RmArguments>("rm"),
    verb<RmiArguments>("rmi"),
    verb<RunArguments>("run"),
    verb<SaveArguments>("save"),
    verb<StandaloneSignArguments>("standalone-sign"),
    verb<StandaloneVerifyArguments>("standalone-verify"),
    verb<StatArguments>("stat"),
    verb<SyncArguments>("sync"),
    verb<TagArguments>("tag"),
    verb<UnmountArguments>("unmount"),
    verb<UnpackArguments>("unpack"),
    verb<UntagArguments>("untag"),
    verb<SignatureDumpArguments>("untrusted-signature-dump-without-verification"),
    verb<VerifyArguments>("verify"),
    verb<VersionArguments>("version"),
};
// clang-format on

/// What podman also calls a verb; what `lade help` calls it.
struct Alias {
  std::string_view name;
  std::string_view verb;
};

constexpr std::array k_aliases{
    Alias{"image history", "history"}, Alias{"image import", "import"},
    Alias{"image inspect", "inspect"}, Alias{"image list", "images"},
    Alias{"image load", "load"},       Alias{"image ls", "images"},
    Alias{"image pull", "pull"},       Alias{"image push", "push"},
    Alias{"image rm", "rmi"},          Alias{"image save", "save"},
    Alias{"image tag", "tag"},         Alias{"image untag", "untag"},
};

/// The verb's own name.
std::string_view canonical(std::string_view name) {
  for (const Alias& alias : k_aliases) {
    if (alias.name == name) return alias.verb;
  }
  return name;
}

const Verb* find_verb(std::string_view name) {
  const auto found = std::find_if(k_verbs.begin(), k_verbs.end(),
                                  [&](const Verb& each) { return each.name == name; });
  return found == k_verbs.end() ? nullptr : &*found;
}

/// Whether verbs of two words begin with this one.
bool is_group(std::string_view word) {
  return std::any_of(k_verbs.begin(), k_verbs.end(),
                     [&](const Verb& each) { return each.name.starts_with(str(word, ' ')); });
}

/// Where the verb is in a command line: the words before it are global options.
struct VerbWords {
  std::size_t at = 0;              ///< of the first, or the end
  std::vector<std::string> words;  ///< none, one or two

  std::string name() const { return std::string(canonical(join(words, " "))); }
};

VerbWords find_verb_words(const std::vector<std::string>& words) {
  static constexpr std::array<std::string_view, 6> with_value{
      "--root", "--sync", "--progress", "--registries-conf", "--policy", "--registries.d"};
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-')) {
    const bool has_value =
        std::find(with_value.begin(), with_value.end(), words[at]) != with_value.end();
    at += has_value ? 2 : 1;
  }
  if (at >= words.size()) return {.at = words.size()};
  if (is_group(words[at]) && at + 1 < words.size() && !words[at + 1].starts_with('-')) {
    return {.at = at, .words = {words[at], words[at + 1]}};
  }
  return {.at = at, .words = {words[at]}};
}

[[noreturn]] void refuse(const std::string& verb, const std::string& message) {
  UsageError error(verb.empty() ? message : str(verb, ": ", message));
  error.set_hint(verb.empty() ? "`lade help` lists the verbs"
                              : str("`lade help ", verb, "` describes its options"));
  throw error;
}

/// Does something for a verb, whose name its usage errors begin with.
template <class Body>
void for_verb(const std::string& verb, Body&& body) {
  try {
    body();
  } catch (const UsageError& error) {
    refuse(verb, error.message());
  }
}

void declare_global(OptionSet& options, GlobalOptions& global) {
  options.value("--root", global.root);
  options.value("--registries-conf", global.registries_conf);
  options.value("--policy", global.policy);
  options.flag("--insecure-policy", global.insecure_policy);
  options.flag("--require-signed", global.require_signed);
  options.value("--registries.d", global.registries_d);
  options.flag("--debug", global.debug);
  options.choice("--sync", global.sync,
                 {{"fs", store::SyncMode::fs},
                  {"files", store::SyncMode::files},
                  {"none", store::SyncMode::none}});
  options.choice("--progress", global.progress,
                 {{"auto", ProgressStyle::automatic},
                  {"bar", ProgressStyle::bar},
                  {"plain", ProgressStyle::plain},
                  {"json", ProgressStyle::json},
                  {"none", ProgressStyle::none}});
}

/// The options of a verb, `--help` among them.
OptionSet options_for(const Verb& verb, VerbArguments& arguments, bool& want_help) {
  OptionSet options;
  verb.declare(options, arguments);
  options.flag(options.has("-h") ? "--help" : "-h,--help", want_help);
  return options;
}

OptionSet global_options(GlobalOptions& global, bool& want_help, bool& want_version) {
  OptionSet options;
  declare_global(options, global);
  options.flag("-h,--help", want_help);
  options.flag("-v,--version", want_version);
  return options;
}

}  // namespace

Invocation parse(const std::vector<std::string>& words) {
  const VerbWords called = find_verb_words(words);
  const std::span<const std::string> all(words);
  Invocation invocation{.verb = called.name()};
  HelpArguments page;
  if (!called.words.empty()) page.verb = split(invocation.verb, ' ');
  const Invocation help{.verb = "help", .arguments = page};
  bool want_help = false;
  bool want_version = false;

  OptionSet global = global_options(invocation.global, want_help, want_version);
  for_verb("", [&] { global.parse(all.first(called.at)); });
  if (want_version) return {.verb = "version", .arguments = VersionArguments{}};
  if (want_help) return help;
  if (called.words.empty()) refuse("", "no verb given");
  const Verb* verb = find_verb(invocation.verb);
  if (verb == nullptr) refuse("", str("unknown verb ", quoted(invocation.verb)));

  OptionSet options = options_for(*verb, invocation.arguments, want_help);
  for_verb(invocation.verb, [&] { options.parse(all.subspan(called.at + called.words.size())); });
  if (want_help) return help;
  for_verb(invocation.verb, [&] { options.check_all(); });
  return invocation;
}

std::string verb_of(const std::vector<std::string>& words) {
  return find_verb_words(words).name();
}

bool has_verb(const std::string& name) {
  return find_verb(name) != nullptr;
}

OptionSet declare_verb(const std::string& name, VerbArguments& arguments) {
  OptionSet options;
  find_verb(name)->declare(options, arguments);
  return options;
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  for (const Verb& each : k_verbs) names.emplace_back(each.name);
  return names;
}

std::vector<std::string> options_of(const std::string& name) {
  GlobalOptions global;
  VerbArguments arguments;
  bool want_help = false;
  bool want_version = false;
  const Verb* verb = find_verb(name);
  return verb == nullptr ? global_options(global, want_help, want_version).names()
                         : options_for(*verb, arguments, want_help).names();
}

}  // namespace lade::cli
