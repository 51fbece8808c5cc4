// `mount` and `unmount`: the files of images and containers, in the host's file system.
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/container_views.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/pull_image.hpp"
#include "cli/store_access.hpp"
#include "cli/table.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"
#include "snapshot/mounted.hpp"

namespace lade::cli {

namespace {

/// podman's columns: what is mounted, and where.
std::string mounts_table(const store::Store& store, const std::vector<snapshot::Mounted>& mounts) {
  std::vector<Row> rows;
  for (const snapshot::Mounted& mounted : mounts) {
    const auto image = store.find_image(mounted.record.image.text());
    std::string name = mounted.record.id.substr(0, 12);
    if (!mounted.record.boot.empty()) {
      name = image && !image->names.empty() ? image->names.front().text()
                                            : mounted.record.image.short_hex();
    }
    rows.push_back({std::move(name), mounted.path});
  }
  return table_text(rows);
}

NotFound missing(const std::string& name) {
  return NotFound(str("there is no image and no container ", quoted(name)));
}

std::string mount_one(const App& app, store::Store& store, const std::string& name) {
  if (const auto container = store::find_container(store.containers(), name)) {
    return snapshot::mount_container(store, *container);
  }
  const auto image = find_image(app, store, name);
  if (!image) throw missing(name);
  return snapshot::mount_image(store, *image);
}

store::ContainerRecord find_mounted(const App& app, const store::Store& store,
                                    const std::string& name) {
  if (auto container = store::find_container(store.containers(), name)) {
    if (store::is_mounted(store.containers().child(container->id))) return *container;
    throw NotFound(str("container ", quoted(name), " is not mounted"));
  }
  const auto image = find_image(app, store, name);
  if (!image) throw missing(name);
  const auto mounted = snapshot::find_mount(store, *image);
  if (!mounted) throw NotFound(str("image ", quoted(name), " is not mounted"));
  return mounted->record;
}

}  // namespace

void declare_options(OptionSet& options, MountArguments& mount) {
  options.arguments(mount.names);
  declare_format(options, mount.format);
}

int run_verb(const App& app, const MountArguments& arguments) {
  store::Store store = open_store(app);
  if (arguments.names.empty()) {
    const auto mounts = snapshot::list_mounts(store);
    write_result(arguments.format == OutputFormat::json ? pretty_json(mounts_value(store, mounts))
                                                        : mounts_table(store, mounts));
    return 0;
  }
  for (const std::string& name : arguments.names) {
    write_result(in_context([&] { return str("mount ", quoted(name)); },
                            [&] { return mount_one(app, store, name); }) +
                 '\n');
  }
  return 0;
}

void declare_options(OptionSet& options, UnmountArguments& unmount) {
  options.arguments(unmount.names);
  options.flag("-a,--all", unmount.all);
  options.flag("-f,--force", unmount.force);
  options.check([&] {
    if (unmount.names.empty() == unmount.all) return;
    if (unmount.all) throw UsageError("--all, or names");
    throw UsageError("no image or container given");
  });
}

int run_verb(const App& app, const UnmountArguments& arguments) {
  store::Store store = open_store(app);
  std::vector<store::ContainerRecord> records;
  for (const std::string& name : arguments.names) records.push_back(find_mounted(app, store, name));
  if (arguments.all) {
    for (const snapshot::Mounted& mounted : snapshot::list_mounts(store)) {
      records.push_back(mounted.record);
    }
  }
  for (const store::ContainerRecord& record : records) {
    snapshot::end_mount(store, record,
                        arguments.force ? MountInUse::detaches : MountInUse::refuses);
    write_result((record.boot.empty() ? record.id : record.image.hex()) + '\n');
  }
  return 0;
}

}  // namespace lade::cli
