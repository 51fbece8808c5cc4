#include "cli/pull_image.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "registry/copy.hpp"
#include "registry/repository.hpp"
#include "snapshot/image_sink.hpp"

namespace lade::cli {

Digest pull_image(store::Store& store, const Reference& name, const PullSettings& settings,
                  const Job& job) {
  const Reference full = name.with_default_tag();
  return in_context([&] { return str("pull ", quoted(full.text())); },
                    [&] {
                      registry::Repository repository(full, settings.connection, job.stop);
                      snapshot::LocalImageSink sink(store, {full}, job);
                      const ManifestKey key = manifest_key(full);
                      registry::copy_image(repository, sink,
                                           {.source_key = key,
                                            .sink_key = key,
                                            .platform = settings.platform,
                                            .jobs = settings.jobs},
                                           job);
                      return sink.image_id();
                    });
}

}  // namespace lade::cli
