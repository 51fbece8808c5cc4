#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/json_views.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/store_access.hpp"
#include "cli/verb_options.hpp"
#include "registry/copy.hpp"

namespace lade::cli {

namespace {

/// `--config`: the configuration's bytes, as they are or in the order of the specification.
std::string config_text(const InspectArguments& arguments, const std::string& bytes) {
  return arguments.raw ? bytes : config_json(bytes);
}

/// The tags beside an image that is there; none, with a warning, from registries that do not list
/// them: ECR without the right to (DENIED), ECR Public, which has no such list (404).
std::optional<std::vector<std::string>> find_tags(registry::MirroredRepository& repository) {
  const auto warn = [](const Error& error) {
    write_message(str("lade: warning: tags left out: ", error.what(), '\n'));
  };
  try {
    return repository.tags();
  } catch (const NotFound& error) {
    warn(error);
  } catch (const HttpError& error) {
    if (error.code() != "DENIED") throw;
    warn(error);
  }
  return std::nullopt;
}

std::string inspect_remote(const App& app, const InspectArguments& arguments,
                           const Reference& reference) {
  const InterruptWatch interrupt;
  const auto observer = make_progress(ProgressStyle::none);
  const Job job{interrupt.stop(), *observer};
  const RegistryAccess registries(app, arguments.registry, job);
  auto repository = registries.open(reference, registry::Reading::image);
  const ManifestKey key = manifest_key(reference);
  if (arguments.raw && !arguments.config) return repository.manifest(key).bytes;

  const auto image = resolve_image(repository, key, chosen_platform(arguments.platform));
  require_image(image);
  const std::string config = read_blob(repository, image.manifest.config, k_manifest_cap, job);
  if (arguments.config) return config_text(arguments, config);

  InspectView view{reference.repository(), image.top().digest, std::vector<std::string>(),
                   parse_image_config(config), image.manifest};
  if (!arguments.no_tags) view.tags = find_tags(repository);
  return inspect_json(view);
}

std::string inspect_stored(const App& app, const InspectArguments& arguments) {
  const store::Store store = open_store(app);
  const store::StoredImage image = store.get_image(arguments.reference);
  if (arguments.raw && !arguments.config) return store.read_manifest(image).bytes;
  const std::string config = store.read_config(image);
  if (arguments.config) return config_text(arguments, config);
  return stored_image_json(image, parse_image_config(config), config);
}

}  // namespace

void declare_options(OptionSet& options, InspectArguments& inspect) {
  options.argument("reference", inspect.reference);
  options.flag("--raw", inspect.raw);
  options.flag("--config", inspect.config);
  options.flag("-n,--no-tags", inspect.no_tags);
  options.value("--platform", inspect.platform);
  options.value("-f,--format", [](const std::string& text) {
    throw UsageError(
        str("--format ", quoted(text), ": templates are not supported by inspect yet"));
  });
  declare(options, inspect.registry);
}

int run_verb(const App& app, const InspectArguments& arguments) {
  if (!has_transport(arguments.reference)) {
    write_result(in_context([&] { return str("inspect ", quoted(arguments.reference)); },
                            [&] { return inspect_stored(app, arguments); }));
    return 0;
  }
  const Reference reference = registry_reference(arguments.reference);
  write_result(
      in_context([&] { return str("inspect ", quoted(reference.with_default_tag().text())); },
                 [&] { return inspect_remote(app, arguments, reference); }));
  return 0;
}

}  // namespace lade::cli
