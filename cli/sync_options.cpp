#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/copy_options.hpp"
#include "cli/verb_options.hpp"
#include "cli/verbs.hpp"
#include "registry/sync/sync_plan.hpp"

#include <algorithm>

namespace lade::cli {

namespace {

void require_kind(const std::string& kind, std::string_view side,
                  std::initializer_list<std::string_view> kinds) {
  if (kind.empty()) throw UsageError(str("a ", side, " transport must be specified"));
  if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return;
  throw UsageError(str('"', printable(kind), "\" is not a valid ", side, " transport"));
}

void declare_places(OptionSet& options, SyncArguments& sync) {
  CopyArguments& copy = sync.copy;
  options.argument("source", copy.source);
  options.argument("destination", copy.destination);
  options.value("-s,--src", sync.from);
  options.value("-d,--dest", sync.to);
  declare_side(options, "src", copy.source_registry);
  declare_side(options, "dest", copy.destination_registry);
  options.value("--authfile", [&](const std::string& file) {
    for (RegistryFlags* side : {&copy.source_registry, &copy.destination_registry}) {
      if (!side->auth_file) side->auth_file = file;
    }
  });
  options.check([&] {
    require_kind(sync.from, "source", {"docker", "oci", "dir", "yaml"});
    require_kind(sync.to, "destination", {"docker", "oci", "dir"});
    if (sync.from == "dir" && sync.to == "dir") {
      throw UsageError("sync from 'dir' to 'dir' not implemented, consider using rsync instead");
    }
  });
}

void declare_images(OptionSet& options, SyncArguments& sync) {
  CopyArguments& copy = sync.copy;
  options.flag("-a,--all", copy.all);
  options.value("--platform", copy.platform);
  options.flag("--referrers", copy.referrers);
  options.flag("--preserve-digests", copy.changes.preserve_digests);
  options.value("-f,--format", copy.changes.format);
  options.flag("--scoped", sync.scoped);
  options.value("--append-suffix", sync.append_suffix);
  options.value("--include", sync.include);
  options.value("--exclude", sync.exclude);
  options.value("--semver", sync.semver);
  options.value("--newest", sync.newest);
  options.value("--rename", sync.rename);
  options.value("--shard", sync.shard);
  options.check([&] {
    wanted_instances(copy);
    wanted_changes(copy.changes);
    if (sync.shard) registry::Shard::parse(*sync.shard);
  });
}

void declare_course(OptionSet& options, SyncArguments& sync) {
  options.flag("--dry-run", sync.dry_run);
  options.flag("--keep-going", sync.keep_going);
  options.value("--digestfile", sync.copy.digest_file);
  options.value("--lock", sync.lock);
  options.flag("--frozen", sync.frozen);
  options.flag("--prune", sync.prune);
  options.value("--protect", sync.protect);
  options.value("--state", sync.state);
  options.flag("--check-destination", sync.check_destination);
  options.value("--report", sync.report);
  options.number("--jobs,--image-parallel-copies", sync.copy.jobs, k_jobs);
  options.size("--dest-chunk-size", sync.copy.chunk_size);
  options.flag("-q,--quiet", sync.copy.quiet);
  declare(options, sync.copy.transfer);
  options.check([&] {
    if (sync.frozen && !sync.lock) throw UsageError("--frozen needs --lock FILE");
    if (!sync.protect.empty() && !sync.prune) throw UsageError("--protect needs --prune");
  });
}

}  // namespace

void declare_options(OptionSet& options, SyncArguments& sync) {
  sync.copy.jobs = 6;
  declare_places(options, sync);
  declare_images(options, sync);
  declare_course(options, sync);
  declare(options, sync.copy.signatures);
}

}  // namespace lade::cli
