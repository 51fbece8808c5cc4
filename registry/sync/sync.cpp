#include "registry/sync/sync.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "registry/remembering_source.hpp"

#include <algorithm>
#include <set>

namespace lade::registry {

namespace {

constexpr std::size_t k_most_workers = 64;

using Outcome = SyncedImage::Outcome;

/// What is told of an item, its own settings in front of the general ones.
Instances instances_of(const SyncItem& item, const SyncOptions& options) {
  if (item.platforms.empty()) return options.instances;
  return {.which = Instances::Which::subset, .platforms = item.platforms};
}

/// Copies the images of one run.
class Syncer {
 public:
  Syncer(const std::vector<SyncItem>& items, const OpenRepository& open, SyncTarget& target,
         const SyncOptions& options, const Job& job, SyncReport& report)
      : items_(items),
        open_(open),
        target_(target),
        options_(options),
        job_(job),
        budgets_(options.jobs),
        report_(std::in_place, &report) {
    report.images.resize(items.size());
  }

  void run() {
    parallel_for_each(items_.size(), workers(), job_.stop,
                      [&](std::size_t index, const std::stop_token& stop) {
                        sync_one(index, {stop, job_.observer});
                      });
  }

 private:
  /// Enough to use the budgets of all hosts.
  std::size_t workers() const {
    std::set<std::string> hosts;
    for (const SyncItem& item : items_)
      hosts.insert(item.reference ? item.reference->domain() : "");
    return std::min(options_.jobs * std::max<std::size_t>(hosts.size(), 1), k_most_workers);
  }

  void sync_one(std::size_t index, const Job& job) {
    const SyncItem& item = items_[index];
    SyncedImage image;
    try {
      in_context([&] { return str("sync ", quoted(item.origin())); },
                 [&] { image = bring(item, job); });
      note(index, image);
    } catch (const Error& error) {
      image.outcome = Outcome::failed;
      image.failure = std::current_exception();
      note(index, image);
      if (options_.failures == SyncFailures::stop) throw;
      job.observer.note(NoteLevel::warning, error.what());
    }
  }

  void note(std::size_t index, const SyncedImage& image) {
    auto report = report_.lock();
    (*report)->images[index] = image;
    ++(image.outcome == Outcome::copied      ? (*report)->copied
       : image.outcome == Outcome::unchanged ? (*report)->unchanged
                                             : (*report)->failed);
  }

  /// Makes the destination have the image as it is now at its source.
  SyncedImage bring(const SyncItem& item, const Job& job) {
    const Instances instances = instances_of(item, options_);
    const std::string selection = selection_of(instances);
    Task task(job.observer, TaskKind::sync, item.name);
    const auto present = target_.find(item);
    const auto origin = open_origin(item, open_, budgets_, job.stop);
    const Descriptor head = find_head(item, *origin);
    if (present && is_same(*present, head, instances, selection, *origin)) {
      admit_again(item, *origin, head.digest, instances);
      task.finish(lade::Outcome::reused);
      // So that the next run need not look into lists again.
      target_.note(item, {present->digest, {item.origin(), head.digest, selection}, present->seen});
      return {.outcome = Outcome::unchanged, .source = head.digest, .digest = present->digest};
    }
    SyncedImage image = copy(item, *origin, head.digest, instances, selection, job);
    task.finish();
    return image;
  }

  /// What decides what the destination gets, besides the source itself.
  std::string selection_of(const Instances& instances) const {
    std::string text = selection_text(instances, options_.system);
    if (options_.changes.format) {
      text += options_.changes.format == ManifestFormat::oci ? ";oci" : ";v2s2";
    }
    return text;
  }

  /// A digest is what it stands for; a tag is asked for.
  static Descriptor find_head(const SyncItem& item, SyncOrigin& origin) {
    const auto* digest = std::get_if<Digest>(&item.key);
    if (digest != nullptr) return {.media_type = {}, .digest = *digest};
    return origin.head(item.key);
  }

  /// Whether what is there is what would be copied.
  bool is_same(const SyncPresent& present, const Descriptor& head, const Instances& instances,
               const std::string& selection, SyncOrigin& origin) const {
    const MirrorRecord& record = present.record;
    if (record.digest == head.digest && record.selection == selection) return true;
    if (options_.changes.format) return false;
    const ManifestKind kind = manifest_kind(head.media_type);
    const bool is_whole = kind == ManifestKind::image || instances.which == Instances::Which::all;
    if (is_whole || instances.which != Instances::Which::system) {
      return is_whole && present.digest == head.digest;
    }
    // Nobody remembers which image of the list it was: the list tells, at the price of a pull.
    return resolve_image(origin.source(), head.digest, options_.system).raw.digest ==
           present.digest;
  }

  /// Asks the policy about an image that is there already: the policy may have become stricter, or
  /// a signature have been withdrawn. Throws Refused.
  void admit_again(const SyncItem& item, SyncOrigin& origin, const Digest& digest,
                   const Instances& instances) const {
    if (options_.policy == nullptr) return;
    const PolicyGate gate(*options_.policy, item.scope());
    if (gate.takes_any()) return;
    const CopySignatures wanted{.gate = &gate};
    SignatureCopy(origin.source(), wanted)
        .begin(read_tree(origin.source(), digest, instances, options_.system));
  }

  SyncedImage copy(const SyncItem& item, SyncOrigin& origin, const Digest& digest,
                   const Instances& instances, const std::string& selection, const Job& job) {
    const MirrorRecord record{item.origin(), digest, selection};
    const std::optional<PolicyGate> gate =
        options_.policy == nullptr
            ? std::optional<PolicyGate>()
            : std::optional<PolicyGate>(std::in_place, *options_.policy, item.scope());
    const CopySignatures signatures = signatures_of(item, gate);
    RememberingSource source(origin.source());
    // Before the destination is touched: what may not be used makes no mirror.
    SignatureCopy(source, signatures).begin(read_tree(source, digest, instances, options_.system));
    const auto sink = target_.open(item, record);
    const bool wants_referrers = item.referrers || options_.referrers == ReferrersToo::yes;
    const CopyResult result =
        copy_image(source, *sink,
                   {.source_key = digest,
                    .sink_key = target_.key(item),
                    .platform = options_.system,
                    .instances = instances,
                    .changes = options_.changes,
                    .referrers = wants_referrers ? ReferrersToo::yes : ReferrersToo::no,
                    .signatures = signatures,
                    .jobs = options_.jobs,
                    .retry = options_.retry,
                    .kind = target_.kind(),
                    .limiter = options_.limiter},
                   job);
    target_.note(item, {result.manifest.digest, record, now().seconds});
    auto report = report_.lock();
    (*report)->blobs_fetched += result.blobs_fetched;
    (*report)->blobs_reused += result.blobs_reused;
    (*report)->bytes_fetched += result.bytes_fetched;
    return {.outcome = Outcome::copied,
            .source = digest,
            .digest = result.manifest.digest,
            .referrers = result.referrers};
  }

  /// What is done about the signatures of one image; it is signed as what it is called there.
  CopySignatures signatures_of(const SyncItem& item, const std::optional<PolicyGate>& gate) const {
    constexpr std::string_view k_docker = "docker://";
    CopySignatures signatures = options_.signatures;
    if (gate) signatures.gate = &*gate;
    const std::string place = target_.place(item.name);
    if (!signatures.identity && place.starts_with(k_docker)) {
      signatures.identity = Reference::parse(place.substr(k_docker.size()));
    }
    return signatures;
  }

  const std::vector<SyncItem>& items_;
  const OpenRepository& open_;
  SyncTarget& target_;
  const SyncOptions& options_;
  const Job& job_;
  HostBudgets budgets_;
  Sync<SyncReport*> report_;
};

/// The digest that a tag like `sha256-HEX.sig` belongs to.
std::optional<Digest> subject_of(std::string_view name) {
  const std::string repository = repository_of(name);
  if (name.size() <= repository.size()) return std::nullopt;
  const std::string_view tag = name.substr(repository.size() + 1);
  const auto dash = tag.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  return Digest::try_parse(
      str(tag.substr(0, dash), ':', tag.substr(dash + 1, tag.find('.', dash) - dash - 1)));
}

}  // namespace

std::string selection_text(const Instances& instances, const Platform& system) {
  switch (instances.which) {
    case Instances::Which::all:
      return "all";
    case Instances::Which::index_only:
      return "index-only";
    case Instances::Which::subset: {
      std::vector<std::string> platforms;
      for (const Platform& platform : instances.platforms) {
        platforms.push_back(to_string(platform));
      }
      std::sort(platforms.begin(), platforms.end());
      return "subset:" + join(platforms, ",");
    }
    case Instances::Which::system:
    case Instances::Which::with_lists:
      break;
  }
  return "system:" + to_string(system);
}

void sync_images(const std::vector<SyncItem>& items, const OpenRepository& open, SyncTarget& target,
                 const SyncOptions& options, const Job& job, SyncReport& report) {
  const auto begin = std::chrono::steady_clock::now();
  const auto finish = [&] {
    report.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    target.save();
  };
  try {
    Syncer(items, open, target, options, job, report).run();
  } catch (...) {
    finish();
    throw;
  }
  finish();
}

std::vector<std::string> names_to_prune(const std::vector<std::string>& existing,
                                        const std::vector<SyncItem>& items,
                                        const std::vector<Digest>& kept,
                                        const std::vector<Regex>& protect, const Shard& shard) {
  std::set<std::string> wanted;
  for (const SyncItem& item : items) wanted.insert(item.name);
  const std::set<Digest> staying(kept.begin(), kept.end());
  std::vector<std::string> names;
  for (const std::string& name : existing) {
    const auto subject = subject_of(name);
    const bool is_protected = std::any_of(protect.begin(), protect.end(),
                                          [&](const Regex& each) { return each.matches(name); });
    if (wanted.contains(name) || is_protected || !shard.holds(name)) continue;
    if (subject && staying.contains(*subject)) continue;
    names.push_back(name);
  }
  return names;
}

}  // namespace lade::registry
