#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "registry/sync/mirror_verify.hpp"

namespace lade::registry {

namespace {

/// A manifest that is mended may name others that are not there: lists nest only so deep.
constexpr int k_most_rounds = 8;

/// Whether fetching it again can mend it.
bool is_mendable(const MirrorProblem& problem) {
  return problem.kind == MirrorProblem::Kind::missing ||
         problem.kind == MirrorProblem::Kind::damaged;
}

/// Mends one mirror.
class Mender {
 public:
  Mender(MirrorDirectory& mirror, const std::string& from, const OpenOriginal& open, const Job& job)
      : mirror_(mirror), from_(from), open_(open), job_(job) {}

  /// Whether anything was mended.
  bool mend(const MirrorCheck& check, MirrorRepair& repair) {
    const std::size_t before = repair.fetched;
    repair.failures.clear();
    for (const MirrorProblem& problem : check.problems) {
      if (!is_mendable(problem)) continue;
      try {
        const auto context = [&] { return str("repair ", quoted(problem.blob.digest.text())); };
        in_context(context, [&] { fetch(problem); });
        ++repair.fetched;
        repair.bytes += problem.blob.size;
      } catch (const Error& error) {
        repair.failures.emplace_back(error.what());
      }
    }
    return repair.fetched > before;
  }

 private:
  /// From the first of the places that has it.
  void fetch(const MirrorProblem& problem) {
    const std::set<std::string> origins = origins_of(problem);
    if (origins.empty()) {
      throw NotFound("where its image came from is not known: name a place with --from");
    }
    for (auto origin = origins.begin();;) {
      const std::string& place = *origin;
      ++origin;
      try {
        return in_context([&] { return str("from ", quoted(place)); },
                          [&] { fetch_from(source_of(place), problem); });
      } catch (const Error&) {
        if (origin == origins.end()) throw;
      }
    }
  }

  std::set<std::string> origins_of(const MirrorProblem& problem) const {
    if (!from_.empty()) return {from_};
    std::set<std::string> origins;
    const LayoutIndex index = mirror_.layout().read_index();
    for (const std::string& name : problem.names) {
      const LayoutEntry* entry = index.find(name);
      if (entry == nullptr) continue;
      const std::string origin = MirrorRecord::of(entry->descriptor).origin;
      if (!origin.empty()) origins.insert(origin);
    }
    return origins;
  }

  ImageSource& source_of(const std::string& origin) {
    auto& source = sources_[origin];
    if (!source) source = open_(origin);
    return *source;
  }

  void fetch_from(ImageSource& source, const MirrorProblem& problem) {
    const Descriptor& blob = problem.blob;
    if (problem.role == BlobRole::manifest) {
      StringSource bytes(source.manifest(blob.digest).bytes);
      return put(blob, bytes);
    }
    const std::unique_ptr<Source> bytes = source.blob(blob);
    put(blob, *bytes);
  }

  void put(const Descriptor& blob, Source& bytes) {
    Task task(job_.observer, TaskKind::fetch, blob.digest.short_hex(), blob.size);
    const auto file = mirror_.replace(blob, job_.stop);
    VerifiedSource verified(bytes, blob);
    std::vector<std::byte> buffer(k_copy_buffer);
    while (const std::size_t count = verified.read(buffer)) {
      if (job_.stop.stop_requested()) throw Cancelled();
      file->write(std::span(buffer).first(count));
      task.advance(count);
    }
    file->finish();
    task.finish();
  }

  MirrorDirectory& mirror_;
  const std::string& from_;
  const OpenOriginal& open_;
  const Job& job_;
  std::map<std::string, std::unique_ptr<ImageSource>> sources_;
};

}  // namespace

MirrorRepair repair_mirror(MirrorDirectory& mirror, MirrorCheck check, const std::string& from,
                           const OpenOriginal& open, const VerifyOptions& options, const Job& job) {
  MirrorRepair repair{.after = std::move(check)};
  Mender mender(mirror, from, open, job);
  for (int round = 0; round < k_most_rounds && !repair.after.is_whole(); ++round) {
    if (!mender.mend(repair.after, repair)) break;
    repair.after = verify_layout(mirror.layout(), options, job);
  }
  return repair;
}

}  // namespace lade::registry
