// `repack`: the changes of a bundle's root file system as a new layer.
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/bundle_config.hpp"
#include "cli/image_change.hpp"
#include "snapshot/bundle.hpp"
#include "snapshot/layer_diff.hpp"

#include <utility>

namespace lade::cli {

namespace {

std::vector<snapshot::LayerEntry> changes_of(const snapshot::Bundle& bundle,
                                             const std::vector<std::string>& masked,
                                             const Job& job) {
  snapshot::InodeRecords now;
  snapshot::walk_tree(bundle.rootfs(), {}, job.stop,
                      [&](const std::string& path, const snapshot::InodeRecord& record) {
                        now.emplace_hint(now.end(), path, record);
                      });
  return layer_entries(compare_inodes(bundle.read_specification(), now), now, masked);
}

void repack(const App& app, const RepackArguments& arguments, const Job& job) {
  snapshot::Bundle bundle = snapshot::Bundle::open(arguments.bundle);
  ImageChange change(app, arguments.image, bundle.meta().path, job);
  const ImageConfig& config = change.image().config;

  std::vector<std::string> masked = arguments.mask_paths;
  if (!arguments.no_mask_volumes) {
    masked.insert(masked.end(), config.process.volumes.begin(), config.process.volumes.end());
  }
  auto entries = changes_of(bundle, masked, job);
  auto history = history_entry(app, arguments.history, "umoci repack", config.author);
  if (entries.empty()) {
    // Nothing was changed: the image is the same one, and remembers that it was asked.
    if (history) history->empty_layer = true;
    if (history) change.edit().add_history(*history);
  } else {
    const auto layer = make_layer(
        bundle.rootfs(), std::move(entries),
        {.ownership = bundle.meta().ownership, .newest = source_date_epoch(app.environment)}, job);
    change.add_layer(*layer, arguments.compress, history);
  }
  const Descriptor made = change.commit({});
  if (arguments.refresh_bundle) bundle.refresh({{made}, bundle.meta().ownership}, job.stop);
}

}  // namespace

void declare_options(OptionSet& options, RepackArguments& repack) {
  options.value("--image", repack.image);
  options.value("--mask-path", repack.mask_paths);
  options.flag("--no-mask-volumes", repack.no_mask_volumes);
  options.flag("--refresh-bundle", repack.refresh_bundle);
  declare_compress(options, repack.compress);
  declare(options, repack.history);
  options.argument("bundle", repack.bundle);
  options.check([&] { require_image(repack.image); });
}

int run_verb(const App& app, const RepackArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_observer(app);
  const Job job{interrupt.stop(), *observer};
  in_context([&] { return str("repack ", quoted(arguments.bundle)); },
             [&] { repack(app, arguments, job); });
  return 0;
}

}  // namespace lade::cli
