#include "cli/pull_image.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "registry/copy.hpp"
#include "snapshot/image_sink.hpp"

namespace lade::cli {

namespace {

/// Of a pull whose layers are removed under its hands.
constexpr int k_most_attempts = 5;

Digest pull_reference(store::Store& store, const Reference& name, const PullSettings& settings,
                      const Job& job) {
  const Reference full = name.with_default_tag();
  return in_context([&] { return str("pull ", quoted(full.text())); },
                    [&] {
                      auto repository = settings.registries.open(full, registry::Reading::image);
                      snapshot::LocalImageSink sink(store, {full}, job);
                      const ManifestKey key = manifest_key(full);
                      const registry::PolicyGate gate(settings.policy,
                                                      registry::docker_scope(full));
                      registry::copy_image(repository, sink,
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

/// pull_reference(), and again when another process removed what it was about to reuse.
Digest pull_persistently(store::Store& store, const Reference& name, const PullSettings& settings,
                         const Job& job) {
  for (int attempt = 1;; ++attempt) {
    try {
      return pull_reference(store, name, settings, job);
    } catch (const Busy&) {
      if (attempt == k_most_attempts) throw;
    }
  }
}

}  // namespace

Digest pull_image(store::Store& store, const std::string& name, const PullSettings& settings,
                  const Job& job) {
  const std::vector<Reference> candidates = settings.registries.candidates(name);
  for (std::size_t i = 0; i + 1 < candidates.size(); ++i) {
    try {
      return pull_persistently(store, candidates[i], settings, job);
    } catch (const Error& error) {
      job.observer.note(NoteLevel::info, error.what());
    }
  }
  return pull_persistently(store, candidates.back(), settings, job);
}

std::optional<store::StoredImage> find_image(const App& app, const store::Store& store,
                                             const std::string& name) {
  if (auto image = store.find_image(name)) return image;
  NullObserver observer;
  const RegistryAccess registries(app, {}, {{}, observer});
  for (const Reference& candidate : registries.candidates(name)) {
    if (auto image = store.find_image(candidate.text())) return image;
  }
  return std::nullopt;
}

}  // namespace lade::cli
