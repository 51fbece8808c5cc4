#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/copy_options.hpp"
#include "cli/output.hpp"
#include "cli/policy.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/sync_views.hpp"
#include "cli/transfer.hpp"
#include "cli/verbs.hpp"
#include "registry/sync/sync_file.hpp"
#include "registry/sync/sync_targets.hpp"

#include <fcntl.h>

#include <algorithm>

namespace lade::cli {

namespace {

using registry::SyncItem;
using registry::SyncListing;
using registry::SyncSource;

constexpr std::string_view k_docker = "docker://";

std::string without_transport(const std::string& text) {
  return text.starts_with(k_docker) ? text.substr(k_docker.size()) : text;
}

std::vector<Regex> compile_all(const std::vector<std::string>& expressions) {
  std::vector<Regex> compiled;
  for (const std::string& expression : expressions) compiled.push_back(Regex::compile(expression));
  return compiled;
}

registry::SyncRules command_line_rules(const SyncArguments& arguments) {
  registry::SyncRules rules{.include = compile_all(arguments.include),
                            .exclude = compile_all(arguments.exclude)};
  if (arguments.newest) {
    rules.newest = parse_number<std::size_t>(*arguments.newest);
    if (!rules.newest || *rules.newest == 0) {
      throw UsageError(
          str("--newest ", quoted(*arguments.newest), ": expected a number from 1 up"));
    }
  }
  return rules;
}

/// `--rename REPOSITORY=NAME` for this repository, if there is one.
std::optional<std::string> find_rename(const SyncArguments& arguments,
                                       const Reference& repository) {
  for (const std::string& rule : arguments.rename) {
    const auto equals = rule.find('=');
    const std::string name = equals == std::string::npos ? "" : rule.substr(equals + 1);
    if (name.empty() || Reference::parse(name).tag() || Reference::parse(name).digest()) {
      throw UsageError(str("--rename ", quoted(rule), ": expected REPOSITORY=NAME"));
    }
    if (Reference::parse(rule.substr(0, equals)).repository() == repository.repository())
      return name;
  }
  return std::nullopt;
}

/// How the registries of a sync are reached: each of a file in the way that it says.
class SourceRegistries {
 public:
  SourceRegistries(const App& app, const RegistryFlags& flags, Job job, registry::RetryPolicy retry)
      : app_(app), flags_(flags), job_(std::move(job)), retry_(std::move(retry)) {
    others_ = make(flags_);
  }

  void add(const registry::SyncRegistry& registry) {
    RegistryFlags flags = flags_;
    if (registry.tls_verify) flags.tls_verify = *registry.tls_verify == registry::TlsVerify::yes;
    if (registry.cert_dir) flags.cert_dir = registry.cert_dir;
    if (registry.credentials) {
      flags.credentials = str(registry.credentials->username, ':', registry.credentials->password);
    }
    by_name_.insert_or_assign(registry.name, make(flags));
  }

  const RegistryAccess& of(const Reference& reference) const {
    const auto found = by_name_.find(reference.domain());
    return found == by_name_.end() ? *others_ : *found->second;
  }

 private:
  std::unique_ptr<RegistryAccess> make(const RegistryFlags& flags) const {
    return std::make_unique<RegistryAccess>(app_, flags, job_, retry_);
  }

  const App& app_;
  RegistryFlags flags_;
  Job job_;
  registry::RetryPolicy retry_;
  std::unique_ptr<RegistryAccess> others_;
  std::map<std::string, std::unique_ptr<RegistryAccess>> by_name_;
};

std::vector<SyncSource> sources_of_repository(const SyncArguments& arguments) {
  const Reference reference = Reference::parse(without_transport(arguments.copy.source));
  SyncSource source{.repository = Reference::parse(reference.repository()),
                    .rules = command_line_rules(arguments)};
  if (reference.digest()) {
    source.keys = {*reference.digest()};
  } else if (reference.tag()) {
    source.keys = {*reference.tag()};
  }
  if (arguments.semver) source.versions = registry::VersionConstraint::parse(*arguments.semver);
  source.rules.rename = find_rename(arguments, source.repository);
  return {source};
}

/// The sources of a file; the command line's rules are for those that have none of their own.
std::vector<SyncSource> sources_of_file(const SyncArguments& arguments,
                                        SourceRegistries& registries, const Job& job) {
  const std::string& path = arguments.copy.source;
  const auto file = registry::parse_sync_file(read_file(path, std::size_t{4} << 20), path);
  for (const std::string& warning : file.warnings) job.observer.note(NoteLevel::warning, warning);
  const registry::SyncRules rules = command_line_rules(arguments);
  std::vector<SyncSource> sources;
  for (const registry::SyncRegistry& each : file.registries) {
    registries.add(each);
    for (SyncSource source : each.sources) {
      if (source.rules.include.empty()) source.rules.include = rules.include;
      source.rules.exclude.insert(source.rules.exclude.end(), rules.exclude.begin(),
                                  rules.exclude.end());
      if (!source.rules.newest) source.rules.newest = rules.newest;
      if (!source.rules.rename) source.rules.rename = find_rename(arguments, source.repository);
      sources.push_back(std::move(source));
    }
  }
  return sources;
}

/// `PATH` or `PATH:NAME`: a mirror directory, or one image of it.
std::pair<std::string, std::string> divide_layout(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

SyncListing list_images(const SyncArguments& arguments, SourceRegistries& registries,
                        const registry::ListingOptions& options, const Job& job) {
  const std::string& source = arguments.copy.source;
  if (arguments.from == "dir") return registry::list_directories(source, options);
  if (arguments.from == "oci") {
    const auto [path, name] = divide_layout(source);
    return registry::list_layout(path, name, command_line_rules(arguments), options);
  }
  const auto sources = arguments.from == "yaml" ? sources_of_file(arguments, registries, job)
                                                : sources_of_repository(arguments);
  const auto list_tags = [&](const Reference& repository) {
    return registries.of(repository).open(repository, registry::Reading::tags).tags();
  };
  return registry::list_registries(sources, list_tags, options, job);
}

/// What is remembered of registries. Without a place for it, each tag is asked for.
registry::SyncMemory open_memory(const App& app, const SyncArguments& arguments, const Job& job) {
  if (arguments.state) return registry::SyncMemory::in_file(*arguments.state);
  try {
    return registry::SyncMemory::in_directory(app.environment.sync_memory);
  } catch (const SystemError& error) {
    if (!arguments.check_destination) {
      job.observer.note(NoteLevel::warning,
                        str("nothing is remembered of the destination: ", error.what()));
    }
    return {};
  }
}

std::unique_ptr<registry::SyncTarget> open_target(const App& app, const SyncArguments& arguments,
                                                  const RegistryAccess& access, const Job& job) {
  using registry::RegistryTarget;
  const std::string& destination = arguments.copy.destination;
  if (arguments.to == "oci") return std::make_unique<registry::LayoutTarget>(destination, job.stop);
  if (arguments.to == "dir") {
    return std::make_unique<registry::DirectoryTarget>(destination, job.stop);
  }
  RegistryTarget::Options options{
      .root = without_transport(destination),
      .upload = {arguments.copy.chunk_size},
      .connect = [&access](const Reference& reference) { return access.open_direct(reference); }};
  if (arguments.check_destination) options.belief = RegistryTarget::Belief::asked;
  return std::make_unique<RegistryTarget>(std::move(options), open_memory(app, arguments, job));
}

registry::SyncNaming naming_of(const SyncArguments& arguments) {
  // A mirror has one namespace for all registries.
  const bool is_scoped = arguments.scoped || arguments.to == "oci";
  return {.names = is_scoped ? registry::SyncNames::scoped : registry::SyncNames::base,
          .suffix = arguments.append_suffix};
}

registry::SyncOptions sync_options(const SyncArguments& arguments,
                                   const registry::RetryPolicy& retry,
                                   registry::RateLimiter* limiter) {
  using registry::ReferrersToo;
  using registry::SyncFailures;
  return {.instances = wanted_instances(arguments.copy),
          .system = wanted_platform(arguments.copy),
          .changes = wanted_changes(arguments.copy.changes),
          .referrers = arguments.copy.referrers ? ReferrersToo::yes : ReferrersToo::no,
          .failures = arguments.keep_going ? SyncFailures::go_on : SyncFailures::stop,
          .jobs = arguments.copy.jobs,
          .retry = retry,
          .limiter = limiter};
}

/// The names at the destination that are to go.
std::vector<std::string> find_pruned(const SyncArguments& arguments, const SyncListing& listing,
                                     const std::vector<SyncItem>& items,
                                     const registry::Shard& shard, const std::vector<Digest>& kept,
                                     registry::SyncTarget& target) {
  std::vector<std::string> existing;
  for (const std::string& repository : listing.repositories) {
    for (std::string& name : target.list(repository)) {
      if (name.ends_with(arguments.append_suffix)) existing.push_back(std::move(name));
    }
  }
  return registry::names_to_prune(existing, items, kept, compile_all(arguments.protect), shard);
}

int print_plan(const SyncOutcome& plan, const std::vector<std::string>& to_prune) {
  const auto& items = plan.listing.items;
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    text += str("Would have copied image ref ", i + 1, '/', items.size(), " from=\"",
                printable(items[i].origin()), "\" to=\"",
                printable(plan.target.place(items[i].name)), "\"\n");
  }
  for (const std::string& name : to_prune) {
    text += str("Would have removed ", printable(plan.target.place(name)), '\n');
  }
  write_result(str(text, "Would have synced ", items.size(), " images from ", plan.listing.sources,
                   " sources\n"));
  return exit_code::done;
}

void write_file(const std::string& path, const std::string& text) {
  if (path == "-") return write_result(text);
  const Fd file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(file, as_bytes(text), path);
}

/// skopeo's: a line for each image, its digest and its place.
std::string digest_lines(const SyncOutcome& outcome) {
  std::string text;
  for (std::size_t i = 0; i < outcome.report.images.size(); ++i) {
    const auto& digest = outcome.report.images[i].digest;
    if (!digest) continue;
    text += str(digest->text(), ' ', outcome.target.place(outcome.listing.items[i].name), '\n');
  }
  return text;
}

void write_lock(const std::string& path, const SyncOutcome& outcome) {
  registry::SyncLock lock;
  for (std::size_t i = 0; i < outcome.report.images.size(); ++i) {
    const auto& source = outcome.report.images[i].source;
    if (source) lock.set(outcome.listing.items[i].origin(), *source);
  }
  lock.save(path);
}

/// What is written at the end, however it ended.
void write_files(const SyncArguments& arguments, const SyncOutcome& outcome, const Job& job) {
  if (arguments.copy.digest_file) write_file(*arguments.copy.digest_file, digest_lines(outcome));
  if (arguments.report) write_file(*arguments.report, sync_report_json(outcome));
  job.observer.note(NoteLevel::info, sync_summary(outcome));
}

/// The images that stay, for the tags that belong to them.
std::vector<Digest> digests_of(const registry::SyncReport& report) {
  std::vector<Digest> digests;
  for (const registry::SyncedImage& image : report.images) {
    if (image.digest) digests.push_back(*image.digest);
    if (image.source) digests.push_back(*image.source);
  }
  return digests;
}

}  // namespace

int run_verb(const App& app, const SyncArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_progress(
      arguments.copy.quiet ? ProgressStyle::none : app.global.progress, SummaryLine::none);
  const Job job{interrupt.stop(), *observer};
  const registry::RetryPolicy retry = retry_policy(arguments.copy.transfer, *observer);
  const auto limiter = make_rate_limiter(arguments.copy.transfer);
  const CopyTrust trust(app, arguments.copy.signatures, interrupt.stop());
  registry::SyncOptions options = sync_options(arguments, retry, limiter.get());
  options.policy = &trust.policy();
  options.signatures = trust.request();
  if (arguments.to == "oci") {
    options.signatures.of_images = options.signatures.of_lists = registry::SourceSignatures::leave;
  }
  const auto shard = registry::Shard::parse(arguments.shard.value_or("0/1"));
  SourceRegistries sources(app, arguments.copy.source_registry, job, retry);
  const RegistryAccess to(app, arguments.copy.destination_registry, job, retry);
  std::optional<registry::SyncLock> lock;
  if (arguments.frozen) lock = registry::SyncLock::load(*arguments.lock);

  SyncListing listing = list_images(arguments, sources,
                                    {.naming = naming_of(arguments),
                                     .failures = options.failures,
                                     .jobs = options.jobs,
                                     .lock = lock ? &*lock : nullptr},
                                    job);
  const std::vector<SyncItem> all = listing.items;
  std::erase_if(listing.items, [&](const SyncItem& item) { return !shard.holds(item.name); });
  const auto target = open_target(app, arguments, to, job);
  SyncOutcome outcome{.listing = listing, .target = *target};
  if (arguments.dry_run) {
    const auto pruned = arguments.prune ? find_pruned(arguments, listing, all, shard, {}, *target)
                                        : std::vector<std::string>();
    return print_plan(outcome, pruned);
  }
  const auto open = [&](const Reference& reference) {
    return sources.of(reference).open(reference, registry::Reading::image);
  };
  try {
    registry::sync_images(listing.items, open, *target, options, job, outcome.report);
  } catch (...) {
    write_files(arguments, outcome, job);
    throw;
  }
  const bool is_whole = outcome.report.failed == 0 && listing.failures.empty();
  if (arguments.prune) {
    outcome.pruned =
        find_pruned(arguments, listing, all, shard, digests_of(outcome.report), *target);
    target->remove(outcome.pruned, *observer);
    target->save();
  }
  write_files(arguments, outcome, job);
  if (arguments.lock && !arguments.frozen && is_whole) write_lock(*arguments.lock, outcome);
  for (const auto& failure : listing.failures) {
    job.observer.note(NoteLevel::warning, describe(failure, "sync", Detail::one_line).text);
  }
  return is_whole ? exit_code::done : exit_code::partly;
}

}  // namespace lade::cli
