// `unpack`: an image as a bundle that runtimes run and `repack` makes a layer of.
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/bundle_config.hpp"
#include "cli/layout_image.hpp"
#include "cli/options.hpp"
#include "snapshot/bundle.hpp"
#include "snapshot/flat.hpp"

#include <fcntl.h>

#include <utility>

namespace lade::cli {

namespace {

std::vector<snapshot::FlatLayer> layers_of(const OpenedImage& image) {
  std::vector<snapshot::FlatLayer> layers;
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    layers.push_back({image.manifest.layers[i], image.config.diff_ids[i]});
  }
  return layers;
}

snapshot::FlatOptions flat_options(const UnpackArguments& arguments) {
  return {.ownership = ownership_of(arguments.owners),
          .links = arguments.keep_dirlinks ? snapshot::DirectoryLinks::kept
                                           : snapshot::DirectoryLinks::replaced};
}

void declare(OptionSet& options, UnpackArguments& unpack) {
  options.value("--image", unpack.image);
  options.flag("--keep-dirlinks", unpack.keep_dirlinks);
  declare(options, unpack.owners);
  options.check([&] { require_image(unpack.image); });
}

void unpack_bundle(const OpenedImage& image, const UnpackArguments& arguments, const Job& job) {
  const snapshot::FlatOptions options = flat_options(arguments);
  snapshot::NewBundle bundle(arguments.target);
  const auto digests = unpack_flat(*image.source, layers_of(image), bundle.rootfs(), options, job);
  bundle.write(snapshot::k_bundle_config,
               bundle_config(image.config, &bundle.rootfs(), options.ownership));
  bundle.describe({image.path, options.ownership}, digests, job.stop);
  bundle.keep();
}

}  // namespace

void declare_options(OptionSet& options, UnpackArguments& unpack) {
  declare(options, unpack);
  options.argument("bundle", unpack.target);
}

int run_verb(const App& app, const UnpackArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_observer(app);
  const Job job{interrupt.stop(), *observer};
  in_context([&] { return str("unpack ", quoted(arguments.image)); },
             [&] { unpack_bundle(open_image(app, arguments.image), arguments, job); });
  return 0;
}

void declare_options(OptionSet& options, RawUnpackArguments& unpack) {
  declare(options, unpack.unpack);
  options.argument("rootfs", unpack.unpack.target);
}

int run_verb(const App& app, const RawUnpackArguments& arguments) {
  const UnpackArguments& unpack = arguments.unpack;
  const InterruptWatch interrupt;
  const auto observer = make_observer(app);
  const Job job{interrupt.stop(), *observer};
  in_context([&] { return str("unpack ", quoted(unpack.image)); },
             [&] {
               const OpenedImage image = open_image(app, unpack.image);
               snapshot::NewRootfs rootfs(unpack.target);
               unpack_flat(*image.source, layers_of(image), rootfs.directory(),
                           flat_options(unpack), job);
               rootfs.keep();
             });
  return 0;
}

void declare_options(OptionSet& options, RawConfigArguments& config) {
  options.value("--image", config.image);
  options.value("--rootfs", config.rootfs);
  declare(options, config.owners);
  options.argument("config.json", config.target);
  options.check([&] { require_image(config.image); });
}

int run_verb(const App& app, const RawConfigArguments& arguments) {
  const OpenedImage image = open_image(app, arguments.image);
  std::optional<Directory> rootfs;
  if (arguments.rootfs) rootfs = Directory::open(*arguments.rootfs);
  const std::string text =
      bundle_config(image.config, rootfs ? &*rootfs : nullptr, ownership_of(arguments.owners));
  const Fd file = open_file(arguments.target, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(file, as_bytes(text), arguments.target);
  return 0;
}

}  // namespace lade::cli
