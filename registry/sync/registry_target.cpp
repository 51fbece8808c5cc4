#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "registry/deletion.hpp"
#include "registry/sync/sync_targets.hpp"

#include <condition_variable>
#include <set>

namespace lade::registry {

/// What is known of the blobs of all repositories there.
struct RegistryTarget::Uploads {
  struct State {
    std::set<std::pair<std::string, Digest>> busy;     ///< being sent to that repository
    std::set<std::pair<std::string, Digest>> present;  ///< are there
    std::map<Digest, std::string> somewhere;           ///< one repository that has it
  };
  Sync<State> state;
  std::condition_variable_any changed;

  void note(const std::string& path, const Digest& digest) {
    auto locked = state.lock();
    locked->present.emplace(path, digest);
    locked->somewhere.emplace(digest, path);
  }
  std::optional<std::string> find(const Digest& digest) {
    auto locked = state.lock();
    const auto found = locked->somewhere.find(digest);
    if (found == locked->somewhere.end()) return std::nullopt;
    return found->second;
  }
};

namespace {

/// How long a registry is taken to have what it had, in seconds: others may write to it, too.
constexpr std::int64_t k_believed = std::int64_t{7} * 24 * 60 * 60;

/// What a name is remembered by, however the destination was called.
std::string key_of(const Reference& there) {
  return there.with_default_tag().text();
}

/// A repository that other images are sent to at the same time: what they share is sent once.
template <class Uploads>
class SharedSink final : public ImageSink {
 public:
  SharedSink(std::shared_ptr<Uploads> uploads, std::string path, std::unique_ptr<ImageSink> inner)
      : uploads_(std::move(uploads)), path_(std::move(path)), inner_(std::move(inner)) {}
  SharedSink(const SharedSink&) = delete;
  SharedSink& operator=(const SharedSink&) = delete;
  ~SharedSink() override {
    for (const Digest& digest : *ours_.lock()) release(digest);
  }

  /// One at a time of those that ask for the same: asking may mean mounting, and docker-registry
  /// takes no manifest while the link of one of its blobs is being written anew.
  bool has_blob(const Descriptor& descriptor) override {
    if (!occupy(descriptor.digest)) return true;
    const bool is_there = inner_->has_blob(descriptor);
    if (is_there) uploads_->note(path_, descriptor.digest);
    vacate(descriptor.digest);
    return is_there;
  }

  std::optional<KeptBytes> begin_blob(const Descriptor& descriptor,
                                      const std::stop_token& stop) override {
    const std::pair key(path_, descriptor.digest);
    {
      auto state = uploads_->state.lock();
      if (!ours_.lock()->contains(descriptor.digest)) {
        uploads_->changed.wait(state.guard(), stop, [&] { return !state->busy.contains(key); });
        if (stop.stop_requested()) throw Cancelled();
        if (state->present.contains(key)) return std::nullopt;
        state->busy.insert(key);
        ours_.lock()->insert(descriptor.digest);
      }
    }
    return inner_->begin_blob(descriptor, stop);
  }

  void put_blob(const Descriptor& descriptor, Source& bytes) override {
    inner_->put_blob(descriptor, bytes);
    uploads_->note(path_, descriptor.digest);
    vacate(descriptor.digest);
  }

  bool accepts(std::string_view media_type) const override { return inner_->accepts(media_type); }
  bool takes_referrers() const override { return inner_->takes_referrers(); }
  /// One at a time of those that are the same: docker-registry reads a half-written link of the
  /// one when it takes the other, and answers that the digest is wrong.
  void put_manifest(const RawManifest& manifest, const ManifestKey& key) override {
    occupy(manifest.digest);
    inner_->put_manifest(manifest, key);
    vacate(manifest.digest);
  }
  std::optional<std::string> refuses_signatures() const override {
    return inner_->refuses_signatures();
  }
  void put_signatures(const Digest& manifest, const std::vector<std::string>& signatures) override {
    inner_->put_signatures(manifest, signatures);
  }
  void commit() override { inner_->commit(); }

 private:
  /// Waits until nobody else is busy with it, and is; not if it is there by then.
  bool occupy(const Digest& digest) {
    const std::pair key(path_, digest);
    auto state = uploads_->state.lock();
    uploads_->changed.wait(state.guard(), [&] { return !state->busy.contains(key); });
    if (state->present.contains(key)) return false;
    state->busy.insert(key);
    ours_.lock()->insert(digest);
    return true;
  }

  void vacate(const Digest& digest) {
    if (ours_.lock()->erase(digest) > 0) release(digest);
  }

  void release(const Digest& digest) {
    uploads_->state.lock()->busy.erase({path_, digest});
    uploads_->changed.notify_all();
  }

  std::shared_ptr<Uploads> uploads_;
  std::string path_;
  std::unique_ptr<ImageSink> inner_;
  Sync<std::set<Digest>> ours_;
};

}  // namespace

RegistryTarget::RegistryTarget(Options options, SyncMemory memory)
    : options_(std::move(options)),
      memory_(std::move(memory)),
      uploads_(std::make_shared<Uploads>()) {}

Reference RegistryTarget::reference(const std::string& name) const {
  return Reference::parse(str(options_.root, '/', name));
}

std::string RegistryTarget::place(const std::string& name) const {
  return "docker://" + reference(name).with_default_tag().text();
}

ManifestKey RegistryTarget::key(const SyncItem& item) const {
  const Reference there = reference(item.name);
  if (there.digest()) return *there.digest();
  return there.tag().value_or("latest");
}

bool RegistryTarget::is_listed(const Reference& there) {
  std::shared_ptr<Listed> listed;
  {
    auto all = listed_.lock();
    auto& found = (*all)[there.repository()];
    if (!found) found = std::make_shared<Listed>();
    listed = found;
  }
  const std::lock_guard lock(listed->listing);
  if (!listed->tags) {
    listed->tags.emplace();
    try {
      const std::vector<std::string> tags = options_.connect(there).tags();
      listed->tags->insert(tags.begin(), tags.end());
    } catch (const Error&) {
      // A registry that lists no tags is asked for each.
    }
  }
  return there.tag() && listed->tags->contains(*there.tag());
}

bool RegistryTarget::is_believed(const SyncPresent& known, const Reference& there) {
  const std::int64_t age = now().seconds - known.seen;
  return options_.belief == Belief::remembered && age >= 0 && age < k_believed && is_listed(there);
}

std::optional<SyncPresent> RegistryTarget::find(const SyncItem& item) {
  const Reference there = reference(item.name);
  auto known = memory_.of(there).find(key_of(there));
  try {
    if (known && is_believed(*known, there)) return known;
    const Digest digest = options_.connect(there).head(key(item)).digest;
    const bool is_as_known = known && known->digest == digest;
    return SyncPresent{digest, is_as_known ? known->record : MirrorRecord(), now().seconds};
  } catch (const NotFound&) {
    return std::nullopt;
  } catch (const HttpError& error) {
    // Some registries say this of a repository that does not exist yet; if it is true, writing
    // fails.
    if (error.unauthorized()) return std::nullopt;
    throw;
  }
}

std::unique_ptr<ImageSink> RegistryTarget::open(const SyncItem& item, const MirrorRecord&) {
  const Reference there = reference(item.name);
  memory_.of(there).forget(key_of(there));
  RepositorySink::Options options{.upload = options_.upload};
  if (item.reference && item.reference->domain() == there.domain()) {
    options.source_path = item.reference->path();
  }
  options.find_source = [uploads = uploads_](const Digest& digest) {
    return uploads->find(digest);
  };
  auto sink = std::make_unique<RepositorySink>(options_.connect(there), std::move(options));
  return std::make_unique<SharedSink<Uploads>>(uploads_, there.path(), std::move(sink));
}

void RegistryTarget::note(const SyncItem& item, const SyncPresent& written) {
  const Reference there = reference(item.name);
  memory_.of(there).set(key_of(there), written);
}

std::vector<std::string> RegistryTarget::list(const std::string& repository) {
  std::vector<std::string> names;
  try {
    for (const std::string& tag : options_.connect(reference(repository)).tags()) {
      names.push_back(str(repository, ':', tag));
    }
  } catch (const NotFound&) {
    return {};
  }
  return names;
}

void RegistryTarget::remove(const std::vector<std::string>& names, Observer&) {
  for (const std::string& name : names) {
    const Reference there = reference(name);
    memory_.of(there).forget(key_of(there));
    Repository repository = options_.connect(there);
    const auto context = [&] { return str("remove ", quoted(place(name))); };
    in_context(context, [&] { delete_tag(repository, there.tag().value_or("latest")); });
  }
}

}  // namespace lade::registry
