#include "registry/copy.hpp"

#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/copy_options.hpp"
#include "cli/output.hpp"
#include "cli/policy.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/transfer.hpp"
#include "cli/transports.hpp"
#include "registry/remembering_source.hpp"
#include "registry/repository_sink.hpp"
#include "registry/transports/transport_name.hpp"

#include <algorithm>

namespace lade::cli {

namespace {

using registry::CopyOutcome;
using registry::CopyTarget;
using registry::ImageName;
using registry::RegistryImageName;

/// A destination as it was named.
struct Destination {
  std::string text;
  ImageName name;
};

/// The store has images by their names, and of a list one of them.
void check_list(const ImageName& name, const std::string& text, const CopyArguments& arguments) {
  const bool is_list = wanted_instances(arguments).which != registry::Instances::Which::system;
  if (is_list && std::holds_alternative<registry::StoreImageName>(name)) {
    throw UsageError(str("copy to ", quoted(text), ": the store keeps one image of a list"));
  }
}

std::vector<Destination> parse_destinations(const CopyArguments& arguments) {
  std::vector<std::string> texts{arguments.destination};
  texts.insert(texts.end(), arguments.more_destinations.begin(), arguments.more_destinations.end());
  std::vector<Destination> destinations;
  for (std::string& text : texts) {
    ImageName name = registry::parse_image_name(text);
    check_destination(name, text);
    check_list(name, text, arguments);
    destinations.push_back({std::move(text), std::move(name)});
  }
  return destinations;
}

/// What all ways of copying need.
struct Copying {
  const CopyArguments& arguments;
  const TransportAccess& from;
  const TransportAccess& to;
  registry::RetryPolicy retry;
  registry::RateLimiter* limiter;
  const registry::CopySignatures& signatures;
  const Job& job;

  registry::CopyRequest request(const ManifestKey& source, TaskKind kind) const {
    registry::Changes changes = wanted_changes(arguments.changes);
    changes.scratch = from.app.environment.temporary_directory;
    return {
        .source_key = source,
        .sink_key = {},
        .platform = wanted_platform(arguments),
        .instances = wanted_instances(arguments),
        .changes = std::move(changes),
        .referrers = arguments.referrers ? registry::ReferrersToo::yes : registry::ReferrersToo::no,
        .foreign_layers = registry::ForeignLayers::leave_out,
        .signatures = signatures,
        .jobs = arguments.jobs,
        .retry = retry,
        .kind = kind,
        .limiter = limiter};
  }

  /// Looks for what is wanted before any destination is touched: a name that does not exist, or may
  /// not be used, makes no layout. What `source` was asked for then, it is not asked for again.
  void find_manifests(registry::RememberingSource& source, const ManifestKey& key) const {
    const auto tree =
        registry::read_tree(source, key, wanted_instances(arguments), wanted_platform(arguments));
    registry::SignatureCopy(source, signatures).begin(tree);
  }
};

/// The repository that blobs can be had from without sending them: one of the same registry.
std::optional<std::string> find_source_path(const ImageName& source, const ImageName& destination) {
  const auto* from = std::get_if<RegistryImageName>(&source);
  const auto* to = std::get_if<RegistryImageName>(&destination);
  if (from == nullptr || to == nullptr) return std::nullopt;
  if (from->reference.domain() != to->reference.domain()) return std::nullopt;
  return from->reference.path();
}

bool is_same_repository(const ImageName& one, const ImageName& other) {
  const auto* first = std::get_if<RegistryImageName>(&one);
  const auto* second = std::get_if<RegistryImageName>(&other);
  return first != nullptr && second != nullptr &&
         first->reference.repository() == second->reference.repository();
}

/// What an image is signed as at its destination, where that has such names.
std::optional<Reference> signed_name(const ImageName& name) {
  const auto* registry = std::get_if<RegistryImageName>(&name);
  if (registry == nullptr) return std::nullopt;
  return registry->reference.with_default_tag();
}

/// Gives an image another name in its own repository: the manifest is all that moves.
std::vector<CopyOutcome> retag(const Destination& destination, const ImageName& source_name,
                               const Copying& copying) {
  const Reference& reference = std::get<RegistryImageName>(destination.name).reference;
  registry::Repository repository(reference, copying.to.registries.direct(reference.repository()),
                                  copying.job.stop);
  repository.use_signatures(copying.to.registries.signatures(reference));
  const ManifestKey key = manifest_key(std::get<RegistryImageName>(source_name).reference);
  registry::RepositorySink sink(repository);
  const CopyTarget target{sink, manifest_key(reference), "", reference.with_default_tag()};
  return registry::copy_image_to_all(repository, {&target, 1}, copying.request(key, TaskKind::push),
                                     registry::OnFailure::stop, copying.job);
}

/// Whether the plain layers of a docker-archive are compressed where skopeo does it: at registries
/// and in layouts. The manifest is made on the way in any case.
bool compresses_plain_layers(const ImageName& source, const std::vector<Destination>& destinations,
                             const ChangeFlags& flags) {
  if (!std::holds_alternative<registry::DockerArchiveImageName>(source)) return false;
  if (flags.preserve_digests) return false;
  return std::any_of(destinations.begin(), destinations.end(), [&](const Destination& place) {
    if (std::holds_alternative<RegistryImageName>(place.name)) return true;
    const bool is_layout = std::holds_alternative<registry::LayoutImageName>(place.name) ||
                           std::holds_alternative<registry::LayoutArchiveImageName>(place.name);
    return is_layout && !flags.accepts_plain_layers;
  });
}

std::vector<CopyOutcome> copy_to(const std::vector<Destination>& destinations,
                                 const ImageName& source_name, const Copying& copying) {
  if (destinations.size() == 1 && is_same_repository(source_name, destinations.front().name)) {
    return retag(destinations.front(), source_name, copying);
  }
  const OpenedSource origin = open_source(source_name, copying.from);
  registry::RememberingSource source(*origin.source);
  copying.find_manifests(source, origin.key);
  std::vector<Reference> tags;
  for (const std::string& tag : copying.arguments.additional_tags) {
    tags.push_back(Reference::parse(tag));
  }
  std::vector<OpenedSink> sinks;
  std::vector<CopyTarget> targets;
  TaskKind kind = TaskKind::fetch;
  for (const Destination& destination : destinations) {
    sinks.push_back(open_sink(destination.name, copying.to,
                              {.chunk_size = copying.arguments.chunk_size,
                               .source_path = find_source_path(source_name, destination.name),
                               .additional_tags = tags}));
    if (destinations.size() == 1) kind = sinks.back().kind;
    const std::string name = destinations.size() == 1 ? "" : quoted(destination.text);
    targets.push_back({*sinks.back().sink, sinks.back().key, name, signed_name(destination.name)});
  }
  const auto on_failure =
      copying.arguments.keep_going ? registry::OnFailure::go_on : registry::OnFailure::stop;
  registry::CopyRequest request = copying.request(origin.key, kind);
  if (!request.changes.recompression &&
      compresses_plain_layers(source_name, destinations, copying.arguments.changes)) {
    request.changes.recompression = {.which = registry::Recompression::Which::uncompressed};
  }
  return registry::copy_image_to_all(source, targets, request, on_failure, copying.job);
}

/// Tells of the destinations that failed, if others did not; else throws the first failure. The
/// exit code.
int report_outcomes(const std::vector<CopyOutcome>& outcomes,
                    const std::vector<Destination>& destinations, const CopyArguments& arguments) {
  const bool any = std::any_of(outcomes.begin(), outcomes.end(),
                               [](const CopyOutcome& outcome) { return outcome.committed; });
  int code = exit_code::done;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].failure) continue;
    const auto context = [&] {
      return str("copy ", quoted(arguments.source), " to ", quoted(destinations[i].text));
    };
    try {
      in_context(context, [&] { std::rethrow_exception(outcomes[i].failure); });
    } catch (const Error&) {
      if (!any) throw;
      write_message(describe(std::current_exception(), "copy", Detail::one_line).text);
      code = exit_code::partly;
    }
  }
  return code;
}

}  // namespace

int run_verb(const App& app, const CopyArguments& arguments) {
  const ImageName source = registry::parse_image_name(arguments.source);
  const std::vector<Destination> destinations = parse_destinations(arguments);
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const registry::RetryPolicy retry = retry_policy(arguments.transfer, *observer);
  const RegistryAccess from(app, arguments.source_registry, job, retry);
  const RegistryAccess to(app, arguments.destination_registry, job, retry);
  const auto limiter = make_rate_limiter(arguments.transfer);
  const TransportAccess reading{app, from, job, arguments.source_blob_dir};
  const TransportAccess writing{app, to, job, arguments.destination_blob_dir};
  const CopyTrust trust(app, arguments.signatures, interrupt.stop());
  const registry::PolicyGate gate(trust.policy(), image_scope(source));
  const registry::CopySignatures signatures = trust.request(gate);
  const Copying copying{arguments, reading, writing, retry, limiter.get(), signatures, job};
  const auto context = [&] {
    const std::string to_where =
        destinations.size() == 1 ? " to " + quoted(arguments.destination) : "";
    return str("copy ", quoted(arguments.source), to_where);
  };
  const auto outcomes = in_context(context, [&] { return copy_to(destinations, source, copying); });
  const int code = report_outcomes(outcomes, destinations, arguments);
  for (const CopyOutcome& outcome : outcomes) {
    if (!outcome.committed || !arguments.digest_file) continue;
    write_digest_file(*arguments.digest_file, outcome.result.manifest.digest);
    break;
  }
  return code;
}

}  // namespace lade::cli
