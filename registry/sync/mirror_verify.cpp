#include "registry/sync/mirror_verify.hpp"

#include "base/compress.hpp"
#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/image_config.hpp"
#include "oci/verified_source.hpp"

#include <algorithm>

namespace lade::registry {

namespace {

/// A blob that is to be read.
struct Wanted {
  Descriptor descriptor;
  BlobRole role = BlobRole::layer;
  std::set<std::string> names;
  std::optional<DiffId> diff_id;
};

void drain(Source& source, const std::stop_token& stop) {
  std::vector<std::byte> buffer(k_copy_buffer);
  while (source.read(buffer) > 0) {
    if (stop.stop_requested()) throw Cancelled();
  }
}

MirrorProblem::Kind kind_of(const Error& error) {
  return dynamic_cast<const NotFound*>(&error) != nullptr ? MirrorProblem::Kind::missing
                                                          : MirrorProblem::Kind::damaged;
}

/// Reads a blob to its end; what is wrong with it is thrown.
void check_bytes(const Wanted& wanted, Source& bytes, Task& task, const std::stop_token& stop) {
  TapSource metered(bytes, [&](std::span<const std::byte> piece) { task.advance(piece.size()); });
  VerifiedSource verified(metered, wanted.descriptor);
  drain(verified, stop);
}

/// Unpacks a layer and compares what comes out.
std::optional<std::string> find_wrong_diff_id(const Wanted& wanted, Source& bytes,
                                              const std::stop_token& stop) {
  const auto plain = decompress(bytes);
  Hasher hasher(wanted.diff_id->digest.algorithm());
  TapSource hashed(*plain, [&](std::span<const std::byte> piece) { hasher.update(piece); });
  drain(hashed, stop);
  const std::string hex = hasher.finish_hex();
  if (hex == wanted.diff_id->digest.hex()) return std::nullopt;
  return str("it unpacks to ", quoted(str(wanted.diff_id->digest.algorithm_name(), ':', hex)),
             ", not to ", quoted(wanted.diff_id->digest.text()));
}

/// Looks at one layout.
class LayoutCheck {
 public:
  LayoutCheck(const OciLayout& layout, const VerifyOptions& options, const Job& job)
      : layout_(layout), options_(options), job_(job), walker_(layout) {}

  MirrorCheck run() {
    const LayoutIndex index = layout_.read_index();
    for (const LayoutEntry& entry : index.entries()) {
      walk(entry.descriptor, entry.name.empty() ? entry.descriptor.digest.text() : entry.name);
    }
    if (options_.diff_ids == VerifyOptions::DiffIds::check) find_diff_ids();
    read_blobs();
    if (options_.trust != nullptr) judge(index);
    count();
    return std::move(check_);
  }

 private:
  void walk(const Descriptor& manifest, const std::string& name) {
    check_.names.insert(name);
    walker_.walk(manifest,
                 {.see = [&](const Descriptor& blob, BlobRole role) { want(blob, role, name); },
                  .broken = [&](const Descriptor& blob,
                                const Error& problem) { note_manifest(blob, problem, name); }});
  }

  void want(const Descriptor& blob, BlobRole role, const std::string& name) {
    Wanted& wanted = wanted_.try_emplace(blob.digest, Wanted{blob, role, {}, {}}).first->second;
    wanted.names.insert(name);
  }

  void note_manifest(const Descriptor& blob, const Error& error, const std::string& name) {
    const auto known = broken_.find(blob.digest);
    if (known != broken_.end()) {
      known->second.names.insert(name);
      return;
    }
    MirrorProblem::Kind kind = kind_of(error);
    const bool is_itself = dynamic_cast<const Refused*>(&error) != nullptr ||
                           dynamic_cast<const SystemError*>(&error) != nullptr;
    if (kind == MirrorProblem::Kind::damaged && !is_itself) kind = MirrorProblem::Kind::unusable;
    broken_.emplace(blob.digest,
                    MirrorProblem{kind, blob, BlobRole::manifest, error.what(), {name}});
  }

  /// What each layer unpacks to, as the configurations say.
  void find_diff_ids() {
    std::vector<Descriptor> manifests;
    for (const auto& [digest, wanted] : wanted_) {
      if (wanted.role == BlobRole::manifest) manifests.push_back(wanted.descriptor);
    }
    for (const Descriptor& descriptor : manifests) {
      const RawManifest raw = read_manifest(layout_, descriptor);
      if (raw.kind() != ManifestKind::image) continue;
      const Manifest manifest = parse_manifest(raw.bytes);
      try {
        FdSource file(layout_.open_blob(manifest.config.digest, manifest.config.size), "config");
        const auto config = parse_image_config(read_all(file, k_manifest_cap, "the configuration"));
        if (config.diff_ids.size() != manifest.layers.size()) continue;
        for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
          if (!is_layer_tar(manifest.layers[i].media_type)) continue;
          wanted_.at(manifest.layers[i].digest).diff_id = config.diff_ids[i];
        }
      } catch (const Error&) {
        continue;  // an artifact's; or damaged, which is found out by reading it
      }
    }
  }

  void read_blobs() {
    std::vector<const Wanted*> blobs;
    std::uint64_t total = 0;
    for (const auto& [digest, wanted] : wanted_) {
      if (wanted.role == BlobRole::manifest) continue;  // read on the way
      blobs.push_back(&wanted);
      total += wanted.descriptor.size;
    }
    // The largest first, so that none of them is alone at the end.
    std::stable_sort(blobs.begin(), blobs.end(), [](const Wanted* a, const Wanted* b) {
      return a->descriptor.size > b->descriptor.size;
    });
    Task task(job_.observer, TaskKind::resolve, "blobs", total);
    parallel_for_each(blobs.size(), options_.jobs, job_.stop,
                      [&](std::size_t index, const std::stop_token& stop) {
                        read_blob(*blobs[index], task, stop);
                      });
    task.finish();
  }

  void read_blob(const Wanted& wanted, Task& task, const std::stop_token& stop) {
    const Descriptor& blob = wanted.descriptor;
    try {
      FdSource file(layout_.open_blob(blob.digest, blob.size), blob.digest.text());
      check_bytes(wanted, file, task, stop);
    } catch (const NotFound& error) {
      // What lies at somebody else's place need not be here.
      if (blob.urls.empty()) note(wanted, MirrorProblem::Kind::missing, error.what());
      return;
    } catch (const Error& error) {
      return note(wanted, MirrorProblem::Kind::damaged, error.what());
    }
    if (!wanted.diff_id) return;
    try {
      FdSource file(layout_.open_blob(blob.digest, blob.size), blob.digest.text());
      const auto wrong = find_wrong_diff_id(wanted, file, stop);
      if (wrong) note(wanted, MirrorProblem::Kind::diff_id, *wrong);
    } catch (const Error& error) {
      note(wanted, MirrorProblem::Kind::diff_id, error.what());
    }
  }

  /// Asks the policy about all images but those that belong to others.
  void judge(const LayoutIndex& index) {
    std::vector<const LayoutEntry*> entries;
    for (const LayoutEntry& entry : index.entries()) {
      const bool is_image = !entry.name.empty() && !names_referrer(entry.name);
      // What cannot be read is said of the manifest.
      if (is_image && wanted_.contains(entry.descriptor.digest)) entries.push_back(&entry);
    }
    check_.judged = entries.size();
    parallel_for_each(entries.size(), options_.jobs, job_.stop,
                      [&](std::size_t i, const std::stop_token&) { judge_one(*entries[i]); });
  }

  void judge_one(const LayoutEntry& entry) {
    std::optional<std::string> objection;
    try {
      objection = find_objection(*options_.trust, layout_, entry.name, entry.descriptor);
    } catch (const Error& error) {
      objection = error.what();
    }
    if (!objection) return;
    problems_.lock()->push_back({MirrorProblem::Kind::rejected,
                                 entry.descriptor,
                                 BlobRole::manifest,
                                 *std::move(objection),
                                 {entry.name}});
  }

  void note(const Wanted& wanted, MirrorProblem::Kind kind, std::string text) {
    problems_.lock()->push_back(
        {kind, wanted.descriptor, wanted.role, std::move(text), wanted.names});
  }

  void count() {
    for (const auto& [digest, wanted] : wanted_) {
      ++check_.blobs;
      check_.bytes += wanted.descriptor.size;
    }
    for (auto& [digest, problem] : broken_) check_.problems.push_back(std::move(problem));
    auto problems = problems_.lock();
    std::sort(problems->begin(), problems->end(),
              [](const auto& a, const auto& b) { return a.blob.digest < b.blob.digest; });
    std::move(problems->begin(), problems->end(), std::back_inserter(check_.problems));
    for (const auto& [digest, size] : layout_.list_blobs()) {
      if (wanted_.contains(digest) || broken_.contains(digest)) continue;
      ++check_.unneeded_blobs;
      check_.unneeded_bytes += size;
    }
  }

  const OciLayout& layout_;
  const VerifyOptions& options_;
  const Job& job_;
  MirrorWalker walker_;
  std::map<Digest, Wanted> wanted_;
  std::map<Digest, MirrorProblem> broken_;
  Sync<std::vector<MirrorProblem>> problems_;
  MirrorCheck check_;
};

}  // namespace

std::set<std::string> MirrorCheck::broken_names() const {
  std::set<std::string> broken;
  for (const MirrorProblem& problem : problems) {
    broken.insert(problem.names.begin(), problem.names.end());
  }
  return broken;
}

MirrorCheck verify_layout(const OciLayout& layout, const VerifyOptions& options, const Job& job) {
  return LayoutCheck(layout, options, job).run();
}

}  // namespace lade::registry
