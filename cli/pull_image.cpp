#include "cli/pull_image.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "registry/copy.hpp"
#include "registry/remembering_source.hpp"
#include "snapshot/image_sink.hpp"

namespace lade::cli {

namespace {

/// Before anything of it is fetched. What `source` was asked for, it is not asked for again.
void refuse_artifact(registry::RememberingSource& source, const ManifestKey& key,
                     const Platform& platform) {
  registry::require_image(
      registry::read_tree(source, key, {registry::Instances::Which::with_lists}, platform));
}

Digest pull_reference(store::Store& store, const Reference& name, const PullSettings& settings,
                      const Job& job) {
  const Reference full = name.with_default_tag();
  return in_context([&] { return str("pull ", quoted(full.text())); },
                    [&] {
                      auto repository = settings.registries.open(full, registry::Reading::image);
                      registry::RememberingSource source(repository);
                      const ManifestKey key = manifest_key(full);
                      const registry::PolicyGate gate(settings.policy,
                                                      registry::docker_scope(full));
                      // First, since it sweeps what a pull that died has left, whatever comes of
                      // this one.
                      snapshot::LocalImageSink sink(store, {full}, job);
                      refuse_artifact(source, key, settings.platform);
                      registry::copy_image(source, sink,
                                           {.source_key = key,
                                            .sink_key = key,
                                            .platform = settings.platform,
                                            .instances = {registry::Instances::Which::with_lists},
                                            .signatures = {.gate = &gate},
                                            .jobs = settings.jobs,
                                            .retry = settings.retry,
                                            .limiter = settings.limiter},
                                           job);
                      return sink.image_id();
                    });
}

}  // namespace

Digest pull_image(store::Store& store, const std::string& name, const PullSettings& settings,
                  const Job& job) {
  const std::vector<Reference> candidates = settings.registries.candidates(name);
  for (std::size_t i = 0; i + 1 < candidates.size(); ++i) {
    try {
      return pull_reference(store, candidates[i], settings, job);
    } catch (const Error& error) {
      job.observer.note(NoteLevel::info, error.what());
    }
  }
  return pull_reference(store, candidates.back(), settings, job);
}

std::optional<store::StoredImage> find_image(const App& app, const store::Store& store,
                                             const std::string& name) {
  if (auto image = store.find_image(name)) return image;
  NullObserver observer;
  const RegistryAccess registries(app, {}, {{}, observer});
  std::vector<Reference> candidates;
  try {
    candidates = registries.candidates(name);
  } catch (const Error&) {
    return std::nullopt;  // a short name of no registry is no image's here
  }
  for (const Reference& candidate : candidates) {
    if (auto image = store.find_image(candidate.text())) return image;
  }
  return std::nullopt;
}

}  // namespace lade::cli
