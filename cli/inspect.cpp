#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/template/report.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/pull_image.hpp"
#include "cli/store_access.hpp"
#include "cli/transfer.hpp"
#include "cli/transports.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"
#include "registry/copy.hpp"
#include "snapshot/chain.hpp"

#include <algorithm>
#include <variant>

namespace lade::cli {

namespace {

/// What was found: bytes as they are, or something to be formatted.
using Found = std::variant<std::string, go::Value>;

/// What is found as `--format` wants it; `name` is the template's in messages.
std::string formatted(const Found& found, const std::string& format, const std::string& name) {
  if (const auto* bytes = std::get_if<std::string>(&found)) return *bytes;
  const auto& value = std::get<go::Value>(found);
  if (format.empty() || go::asks_for_json(format)) return pretty_json(value);
  return go::render_report({.name = name, .rows = {value}}, format);
}

/// `--config`: the configuration's bytes, or its members.
Found found_config(const InspectArguments& arguments, const std::string& bytes) {
  if (arguments.raw) return bytes;
  return config_value(bytes);
}

/// The tags beside an image that is there; none, with a warning, from registries that do not list
/// them: ECR without the right to (DENIED), ECR Public, which has no such list (404).
std::optional<std::vector<std::string>> find_tags(registry::MirroredRepository& repository,
                                                  Observer& observer) {
  const auto warn = [&](const Error& error) {
    observer.note(NoteLevel::warning, str("tags left out: ", error.what()));
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

/// The repository that an image's name has; empty at places that give it none.
std::string repository_of(const registry::ImageName& name) {
  if (const auto* remote = std::get_if<registry::RegistryImageName>(&name)) {
    return remote->reference.repository();
  }
  const auto* archive = std::get_if<registry::DockerArchiveImageName>(&name);
  return archive != nullptr && archive->reference ? archive->reference->repository() : "";
}

/// One entry of an index; its manifest is fetched if it is that of an image.
PlatformView platform_view(ImageSource& source, const Descriptor& entry) {
  PlatformView view{entry.platform, entry, std::nullopt};
  if (manifest_kind(entry.media_type) == ManifestKind::image) {
    view.manifest = parse_manifest(source.manifest(entry.digest).bytes);
  }
  return view;
}

PlatformsView platforms_view(const OpenedSource& opened, const Job& job) {
  const RawManifest top = opened.source->manifest(opened.key);
  PlatformsView view{"", top.descriptor(), {}};
  if (top.kind() == ManifestKind::index) {
    for (const Descriptor& entry : parse_index(top.bytes).manifests) {
      view.platforms.push_back(platform_view(*opened.source, entry));
    }
    return view;
  }
  registry::ResolvedImage image{{}, top, parse_manifest(top.bytes)};
  registry::require_image(image);
  const std::string config =
      registry::read_blob(*opened.source, image.manifest.config, k_manifest_cap, job);
  view.platforms.push_back(
      {parse_image_config(config).platform, top.descriptor(), std::move(image.manifest)});
  return view;
}

/// What is asked of an image at some place.
Found inspect_at(const InspectArguments& arguments, const registry::ImageName& name,
                 const OpenedSource& opened, const Job& job) {
  ImageSource& source = *opened.source;
  if (arguments.all_platforms) {
    PlatformsView view = platforms_view(opened, job);
    view.name = repository_of(name);
    return platforms_value(view);
  }
  if (arguments.raw && !arguments.config) return source.manifest(opened.key).bytes;

  const auto image =
      registry::resolve_image(source, opened.key, chosen_platform(arguments.platform));
  registry::require_image(image);
  const std::string config =
      registry::read_blob(source, image.manifest.config, k_manifest_cap, job);
  if (arguments.config) return found_config(arguments, config);

  InspectView view{repository_of(name), image.top().digest, std::vector<std::string>(),
                   parse_image_config(config), image.manifest};
  auto* repository = dynamic_cast<registry::MirroredRepository*>(&source);
  if (!arguments.no_tags && repository != nullptr) view.tags = find_tags(*repository, job.observer);
  return inspect_value(view);
}

Found inspect_named(const App& app, const InspectArguments& arguments) {
  const registry::ImageName name = registry::parse_image_name(arguments.reference);
  const InterruptWatch interrupt;
  const auto observer = make_quiet_progress(app.global.name);
  const Job job{interrupt.stop(), *observer};
  const RegistryAccess registries(app, arguments.registry, job,
                                  retry_policy(arguments.transfer, *observer));
  return inspect_at(arguments, name, open_source(name, {app, registries, job}), job);
}

Found inspect_stored(const InspectArguments& arguments, const store::Store& store,
                     const store::StoredImage& image) {
  const RawManifest manifest = store.read_manifest(image);
  if (arguments.raw && !arguments.config) return manifest.bytes;
  const std::string config = store.read_config(image);
  if (arguments.config) return found_config(arguments, config);
  StoredImageView view{image, config, parse_manifest(manifest.bytes), {}, {}};
  for (const snapshot::ChainLink& link : snapshot::chain_of(store, image)) {
    if (!view.upper.empty()) view.lower.insert(view.lower.begin(), view.upper);
    view.upper = link.tree;
  }
  return stored_image_value(view);
}

/// What is asked of images in the store, those that are there; podman's JSON is a list of them.
int inspect_all_stored(const App& app, const InspectArguments& arguments) {
  const store::Store store = open_store(app);
  const bool is_list = !arguments.config && !arguments.raw;
  std::string text;
  std::vector<go::Value> values;
  std::vector<std::string> missing;
  std::vector<std::string> references{arguments.reference};
  references.insert(references.end(), arguments.more_references.begin(),
                    arguments.more_references.end());
  for (const std::string& reference : references) {
    const auto image = find_image(app, store, reference);
    if (!image) {
      missing.push_back(quoted(reference));
      continue;
    }
    const Found found = in_context([&] { return str("inspect ", quoted(reference)); },
                                   [&] { return inspect_stored(arguments, store, *image); });
    const auto* value = std::get_if<go::Value>(&found);
    if (value != nullptr && is_list) {
      values.push_back(*value);
    } else {
      text += formatted(found, arguments.format, "inspect");
    }
  }
  if (!values.empty() && go::is_template(arguments.format)) {
    text = go::render_report({.name = "inspect", .rows = std::move(values)}, arguments.format);
  } else if (!values.empty()) {
    text = formatted(go::Value::list({.items = std::move(values)}, "[]inspect.ImageData"),
                     arguments.format, "inspect");
  }
  write_result(text);
  if (missing.empty()) return 0;
  throw NotFound(str("inspect ", join(missing, ", "), ": not in the store"));
}

/// How messages name it: with the tag that is meant where none was given.
std::string name_in_messages(const std::string& reference) {
  if (!reference.starts_with("docker://")) return reference;
  return registry_reference(reference).with_default_tag().text();
}

}  // namespace

void declare_options(OptionSet& options, InspectArguments& inspect) {
  options.argument("reference", inspect.reference);
  options.arguments(inspect.more_references);
  options.flag("--raw", inspect.raw);
  options.flag("--config", inspect.config);
  options.flag("-n,--no-tags", inspect.no_tags);
  options.flag("--all-platforms", inspect.all_platforms);
  options.value("--platform", inspect.platform);
  options.value("-f,--format", inspect.format);
  options.number("--retry-times", inspect.transfer.retry_times, k_retries);
  options.value("--retry-delay",
                [&](const std::string& text) { inspect.transfer.retry_delay = parse_delay(text); });
  options.refused_value("--shared-blob-dir");
  options.refused_value("--daemon-host");
  options.refused_value("--manifest-digest");
  declare_all(options, inspect.registry);
  // podman's: what else there may be is not kept in the store.
  options.value("-t,--type", [](const std::string& type) {
    if (type == "image" || type == "all") return;
    throw UsageError(str("--type ", quoted(type), ": only images can be inspected"));
  });
  options.granted("-s,--size");
  options.check([&inspect] {
    if (inspect.raw && !inspect.format.empty()) {
      throw UsageError("raw output does not support format option");
    }
    if (inspect.all_platforms && (inspect.raw || inspect.config || inspect.platform)) {
      throw UsageError("--all-platforms goes with none of --raw, --config and --platform");
    }
  });
}

int run_verb(const App& app, const InspectArguments& arguments) {
  const auto& more = arguments.more_references;
  if (!more.empty() && (has_transport(arguments.reference) ||
                        std::any_of(more.begin(), more.end(), has_transport))) {
    throw UsageError("inspect: several can be inspected at once in the store only");
  }
  const std::string& reference = arguments.reference;
  if (!has_transport(reference)) return inspect_all_stored(app, arguments);
  const Found found =
      in_context([&] { return str("inspect ", quoted(name_in_messages(reference))); },
                 [&] { return inspect_named(app, arguments); });
  write_result(formatted(found, arguments.format, "skopeo inspect"));
  return 0;
}

}  // namespace lade::cli
