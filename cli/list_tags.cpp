#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/transfer.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"
#include "registry/transports/docker_archive_source.hpp"
#include "registry/transports/transport_name.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, ListTagsArguments& list_tags) {
  options.argument("repository", list_tags.repository);
  options.number("--retry-times", list_tags.transfer.retry_times, k_retries);
  options.value("--retry-delay", [&](const std::string& text) {
    list_tags.transfer.retry_delay = parse_delay(text);
  });
  declare_all(options, list_tags.registry);
}

namespace {

/// The names in an archive, which is no repository and has no name.
int list_archive(const App& app, const registry::DockerArchiveImageName& name,
                 const std::stop_token& stop) {
  const auto context = [&] { return str("list the images of ", quoted(name.path)); };
  const auto names = in_context(context, [&] {
    const registry::DockerArchiveSource source(registry::ArchiveFile::open(
        name.path, {.temporary_directory = app.environment.temporary_directory, .stop = stop}));
    return registry::docker_archive_names(source.items());
  });
  write_result(list_tags_json("", names));
  return 0;
}

}  // namespace

int run_verb(const App& app, const ListTagsArguments& arguments) {
  const InterruptWatch interrupt;
  if (arguments.repository.starts_with("docker-archive:")) {
    const auto name = registry::parse_image_name(arguments.repository);
    return list_archive(app, std::get<registry::DockerArchiveImageName>(name), interrupt.stop());
  }
  const Reference reference = registry_reference(arguments.repository);
  if (reference.tag() || reference.digest()) {
    throw UsageError(str("list-tags: ", quoted(arguments.repository),
                         ": no tag or digest allowed in reference"));
  }
  const auto observer = make_quiet_progress(app.global.name);
  const RegistryAccess registries(app, arguments.registry, {interrupt.stop(), *observer},
                                  retry_policy(arguments.transfer, *observer));
  const auto tags =
      in_context([&] { return str("list tags of ", quoted(reference.repository())); },
                 [&] { return registries.open(reference, registry::Reading::tags).tags(); });
  write_result(list_tags_json(reference.repository(), tags));
  return 0;
}

}  // namespace lade::cli
