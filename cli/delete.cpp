#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/progress.hpp"
#include "cli/transfer.hpp"
#include "cli/verb_options.hpp"
#include "registry/deletion.hpp"
#include "registry/transports/layout_deletion.hpp"
#include "registry/transports/transport_name.hpp"

namespace lade::cli {

namespace {

void delete_from_layout(const registry::LayoutImageName& name, const std::stop_token& stop) {
  const registry::OciLayout layout = registry::OciLayout::open(name.path);
  registry::delete_layout_image(layout, name.key, name.position, stop);
}

/// An image that is not at a registry.
void delete_local(const DeleteArguments& arguments) {
  const std::string& text = arguments.reference;
  const registry::ImageName name = registry::parse_image_name(text);
  const auto* layout = std::get_if<registry::LayoutImageName>(&name);
  if (layout == nullptr) {
    throw Error(str("delete ", quoted(text), ": deleting images is not implemented for ",
                    quoted(text.substr(0, text.find(':') + 1))));
  }
  if (arguments.tag_only) throw UsageError(str("delete --tag-only ", quoted(text), ": no tags"));
  const InterruptWatch interrupt;
  in_context([&] { return str("delete ", quoted(text)); },
             [&] { delete_from_layout(*layout, interrupt.stop()); });
}

}  // namespace

void declare_options(OptionSet& options, DeleteArguments& remove) {
  options.argument("reference", remove.reference);
  options.flag("--tag-only", remove.tag_only);
  options.number("--retry-times", remove.transfer.retry_times, k_retries);
  options.value("--retry-delay",
                [&](const std::string& text) { remove.transfer.retry_delay = parse_delay(text); });
  declare_all(options, remove.registry);
  // skopeo's, which lade cannot do yet.
  for (const char* name : {"--daemon-host", "--shared-blob-dir"}) options.refused_value(name);
}

int run_verb(const App& app, const DeleteArguments& arguments) {
  if (has_transport(arguments.reference) && !arguments.reference.starts_with("docker://")) {
    delete_local(arguments);
    return 0;
  }
  const Reference reference = registry_reference(arguments.reference).with_default_tag();
  if (arguments.tag_only && reference.digest()) {
    throw UsageError(str("delete --tag-only ", quoted(arguments.reference), ": it has a digest"));
  }
  const InterruptWatch interrupt;
  const auto observer = make_quiet_progress(app.global.name);
  const RegistryAccess registries(app, arguments.registry, {interrupt.stop(), *observer},
                                  retry_policy(arguments.transfer, *observer));
  in_context([&] { return str("delete ", quoted(reference.text())); },
             [&] {
               registry::Repository repository(reference, registries.direct(reference.repository()),
                                               interrupt.stop());
               if (arguments.tag_only) {
                 registry::delete_tag(repository, *reference.tag());
               } else {
                 const Digest digest =
                     registry::delete_manifest(repository, manifest_key(reference));
                 registries.signatures(reference)->remove(digest);
               }
             });
  return 0;
}

}  // namespace lade::cli
