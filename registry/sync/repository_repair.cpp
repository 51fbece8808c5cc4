#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "registry/copy.hpp"
#include "registry/repository_sink.hpp"
#include "registry/sync/mirror_verify.hpp"

#include <set>

namespace lade::registry {

namespace {

using Kind = MirrorProblem::Kind;

/// Mends one repository.
class RepositoryMender {
 public:
  RepositoryMender(Repository& repository, ImageSource& from, const Job& job)
      : repository_(repository), from_(from), sink_(repository.again(), {}), job_(job) {}

  void mend(const MirrorCheck& check, const std::vector<ManifestKey>& keys, MirrorRepair& repair) {
    for (const MirrorProblem& problem : check.problems) {
      if (problem.kind != Kind::missing && problem.kind != Kind::damaged) continue;
      if (problem.role == BlobRole::manifest) continue;  // comes with its image
      try_to(problem.blob.digest.text(), repair, [&] {
        send(problem.blob);
        sent_.insert(problem.blob.digest);
        ++repair.fetched;
        repair.bytes += problem.blob.size;
      });
    }
    const std::set<std::string> broken = names_without_manifest(check);
    for (const ManifestKey& key : keys) {
      const std::string name = to_string(key);
      if (broken.contains(name)) try_to(name, repair, [&] { copy(key, repair); });
    }
  }

  /// The blobs that the registry took, and still does not give as they are.
  void tell_unmended(MirrorRepair& repair) const {
    for (const MirrorProblem& problem : repair.after.problems) {
      if (!sent_.contains(problem.blob.digest)) continue;
      repair.failures.push_back(
          str("blob ", quoted(problem.blob.digest.text()),
              " was sent again, and the registry still answers with what it had (", problem.text,
              "): it has to be removed where the registry keeps its files"));
    }
  }

 private:
  template <class Do>
  void try_to(const std::string& what, MirrorRepair& repair, Do&& mend_it) {
    try {
      in_context([&] { return str("repair ", quoted(what)); }, mend_it);
    } catch (const Error& error) {
      repair.failures.emplace_back(error.what());
    }
  }

  void send(const Descriptor& blob) {
    Task task(job_.observer, TaskKind::push, blob.digest.short_hex(), blob.size);
    const std::unique_ptr<Source> bytes = from_.blob(blob);
    TapSource metered(*bytes,
                      [&](std::span<const std::byte> piece) { task.advance(piece.size()); });
    VerifiedSource verified(metered, blob);
    sink_.put_blob(blob, verified);
    task.finish();
  }

  static std::set<std::string> names_without_manifest(const MirrorCheck& check) {
    std::set<std::string> names;
    for (const MirrorProblem& problem : check.problems) {
      const bool is_manifest = problem.role == BlobRole::manifest && problem.kind != Kind::rejected;
      if (is_manifest) names.insert(problem.names.begin(), problem.names.end());
    }
    return names;
  }

  /// Copies an image with all that is in it: as it was if the registry still knows what its name
  /// stands for, else as it is now.
  void copy(const ManifestKey& key, MirrorRepair& repair) {
    ManifestKey wanted = key;
    try {
      wanted = repository_.head(key).digest;
    } catch (const NotFound&) {
      wanted = key;
    }
    const CopyResult result = copy_image(from_, sink_,
                                         {.source_key = wanted,
                                          .sink_key = key,
                                          .platform = host_platform(),
                                          .instances = {Instances::Which::all},
                                          .changes = {.digests = Digests::preserve},
                                          .kind = TaskKind::push},
                                         job_);
    repair.fetched += result.blobs_fetched + 1;
    repair.bytes += result.bytes_fetched;
  }

  Repository& repository_;
  ImageSource& from_;
  RepositorySink sink_;
  const Job& job_;
  std::set<Digest> sent_;
};

}  // namespace

MirrorRepair repair_repository(Repository& repository, MirrorCheck check, ImageSource& from,
                               const std::vector<ManifestKey>& keys, const VerifyOptions& options,
                               const Job& job) {
  MirrorRepair repair{.after = std::move(check)};
  if (repair.after.is_whole()) return repair;
  RepositoryMender mender(repository, from, job);
  mender.mend(repair.after, keys, repair);
  repair.after = verify_repository(repository, keys, options, job);
  mender.tell_unmended(repair);
  return repair;
}

}  // namespace lade::registry
