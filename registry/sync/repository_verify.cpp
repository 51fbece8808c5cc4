#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "registry/copy_blobs.hpp"
#include "registry/image_tree.hpp"
#include "registry/sync/mirror_verify.hpp"

namespace lade::registry {

namespace {

/// Looks at images of one repository.
class RepositoryCheck {
 public:
  RepositoryCheck(Repository& repository, const VerifyOptions& options, const Job& job)
      : repository_(repository), options_(options), job_(job) {}

  MirrorCheck run(const std::vector<ManifestKey>& keys) {
    parallel_for_each(keys.size(), options_.jobs, job_.stop,
                      [&](std::size_t index, const std::stop_token&) { read_image(keys[index]); });
    std::vector<const Wanted*> blobs;
    auto state = state_.lock();
    for (const auto& [digest, wanted] : state->wanted) blobs.push_back(&wanted);
    std::vector<std::optional<MirrorProblem>> problems(blobs.size());
    parallel_for_each(blobs.size(), options_.jobs, job_.stop,
                      [&](std::size_t index, const std::stop_token& stop) {
                        problems[index] = look_at(*blobs[index], stop);
                      });
    for (const Wanted* wanted : blobs) {
      ++state->check.blobs;
      state->check.bytes += wanted->blob.size;
    }
    for (auto& problem : problems) {
      if (problem) state->check.problems.push_back(*std::move(problem));
    }
    return std::move(state->check);
  }

 private:
  struct Wanted {
    Descriptor blob;
    BlobRole role = BlobRole::layer;
    std::set<std::string> names;
  };
  struct State {
    std::map<Digest, Wanted> wanted;
    MirrorCheck check;
  };

  void want(State& state, const Descriptor& blob, BlobRole role, const std::string& name) {
    state.wanted.try_emplace(blob.digest, Wanted{blob, role, {}}).first->second.names.insert(name);
  }

  void read_image(const ManifestKey& key) {
    const std::string name = to_string(key);
    try {
      const ImageTree tree =
          read_tree(repository_, key, {.which = Instances::Which::all}, host_platform());
      const auto rejected = judge(key, tree.top());
      auto state = state_.lock();
      state->check.names.insert(name);
      if (options_.trust != nullptr && !names_referrer(name)) ++state->check.judged;
      if (rejected) state->check.problems.push_back(*rejected);
      for (const TreeNode& node : tree.nodes) {
        ++state->check.blobs;
        state->check.bytes += node.raw.bytes.size();
        if (node.raw.kind() != ManifestKind::image) continue;
        const Manifest manifest = parse_manifest(node.raw.bytes);
        want(*state, manifest.config, BlobRole::config, name);
        for (const Descriptor& layer : manifest.layers) want(*state, layer, BlobRole::layer, name);
      }
    } catch (const HttpError&) {
      throw;  // not what is there, but how to get at it
    } catch (const Error& error) {
      const bool is_missing = dynamic_cast<const NotFound*>(&error) != nullptr;
      auto state = state_.lock();
      state->check.names.insert(name);
      state->check.problems.push_back(
          {is_missing ? MirrorProblem::Kind::missing : MirrorProblem::Kind::damaged,
           {.media_type = {}, .digest = Digest::of(name)},
           BlobRole::manifest,
           error.what(),
           {name}});
    }
  }

  std::optional<MirrorProblem> judge(const ManifestKey& key, const RawManifest& top) {
    const std::string name = to_string(key);
    if (options_.trust == nullptr || names_referrer(name)) return std::nullopt;
    auto objection = find_objection(*options_.trust, repository_, top.digest, options_.scope(key));
    if (!objection) return std::nullopt;
    return MirrorProblem{MirrorProblem::Kind::rejected,
                         top.descriptor(),
                         BlobRole::manifest,
                         *std::move(objection),
                         {name}};
  }

  std::optional<MirrorProblem> look_at(const Wanted& wanted, const std::stop_token& stop) {
    const auto problem = [&](MirrorProblem::Kind kind, std::string text) {
      return MirrorProblem{kind, wanted.blob, wanted.role, std::move(text), wanted.names};
    };
    try {
      if (options_.blobs == VerifyOptions::Blobs::read) {
        read(wanted.blob, stop);
      } else if (const auto there = repository_.describe_blob(wanted.blob.digest);
                 there.size != wanted.blob.size) {
        return problem(MirrorProblem::Kind::damaged,
                       str(there.size, " bytes instead of ", wanted.blob.size));
      }
    } catch (const NotFound& error) {
      if (!wanted.blob.urls.empty()) return std::nullopt;
      return problem(MirrorProblem::Kind::missing, error.what());
    } catch (const InvalidData& error) {
      return problem(MirrorProblem::Kind::damaged, error.what());
    }
    return std::nullopt;
  }

  void read(const Descriptor& blob, const std::stop_token& stop) {
    Task task(job_.observer, TaskKind::fetch, blob.digest.short_hex(), blob.size);
    const BlobStream stream = repository_.open_blob(blob, {.stop = stop});
    VerifiedSource verified(*stream.bytes, blob);
    std::vector<std::byte> buffer(k_copy_buffer);
    while (const std::size_t count = verified.read(buffer)) task.advance(count);
    task.finish();
  }

  Repository& repository_;
  const VerifyOptions& options_;
  const Job& job_;
  Sync<State> state_;
};

}  // namespace

MirrorCheck verify_repository(Repository& repository, const std::vector<ManifestKey>& keys,
                              const VerifyOptions& options, const Job& job) {
  return RepositoryCheck(repository, options, job).run(keys);
}

}  // namespace lade::registry
