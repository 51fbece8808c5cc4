// The kinds of destinations that a sync has: a registry, a mirror directory, and skopeo's tree of
// `dir:` images.
#pragma once

#include "registry/repository.hpp"
#include "registry/repository_sink.hpp"
#include "registry/sync/sync_state.hpp"
#include "registry/sync/sync_target.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace lade::registry {

/// A registry, or a namespace of one. What is remembered of it is believed for a week as long as
/// the tag is on the repository's list, which costs one request for each repository; other tags are
/// asked for one by one.
class RegistryTarget final : public SyncTarget {
 public:
  /// Opens a repository of the destination; called from several threads.
  using Connect = std::function<Repository(const Reference&)>;

  /// Whether what is remembered counts, or each tag is asked for.
  enum class Belief { remembered, asked };

  struct Options {
    std::string root;  ///< `HOST[:PORT][/PATH]`
    UploadOptions upload;
    Connect connect;
    Belief belief = Belief::remembered;
  };

  RegistryTarget(Options options, SyncMemory memory);

  std::optional<SyncPresent> find(const SyncItem& item) override;
  std::unique_ptr<ImageSink> open(const SyncItem& item, const MirrorRecord& record) override;
  ManifestKey key(const SyncItem& item) const override;
  std::string place(const std::string& name) const override;
  TaskKind kind() const override { return TaskKind::push; }
  void note(const SyncItem& item, const SyncPresent& written) override;
  std::vector<std::string> list(const std::string& repository) override;
  void remove(const std::vector<std::string>& names, Observer& observer) override;
  void save() override { memory_.save(); }

 private:
  Reference reference(const std::string& name) const;
  bool is_listed(const Reference& there);
  bool is_believed(const SyncPresent& known, const Reference& there);

  Options options_;
  SyncMemory memory_;
  /// The tags of repositories, each listed once.
  struct Listed {
    std::mutex listing;
    std::optional<std::set<std::string>> tags;
  };
  Sync<std::map<std::string, std::shared_ptr<Listed>>> listed_;
  /// Which blobs are being sent to which repository: each is sent once, others wait.
  struct Uploads;
  std::shared_ptr<Uploads> uploads_;
};

/// A mirror directory: one OCI layout, whose images are called by their names here.
class LayoutTarget final : public SyncTarget {
 public:
  /// Nothing is made before something is written.
  LayoutTarget(std::string path, std::stop_token stop);

  std::optional<SyncPresent> find(const SyncItem& item) override;
  std::unique_ptr<ImageSink> open(const SyncItem& item, const MirrorRecord& record) override;
  ManifestKey key(const SyncItem& item) const override { return item.name; }
  std::string place(const std::string& name) const override;
  TaskKind kind() const override { return TaskKind::fetch; }
  void note(const SyncItem&, const SyncPresent&) override {}
  std::vector<std::string> list(const std::string& repository) override;
  /// Blobs go only if no other process writes to the mirror.
  void remove(const std::vector<std::string>& names, Observer& observer) override;
  void save() override {}

 private:
  MirrorDirectory& mirror();

  std::string path_;
  std::stop_token stop_;
  std::map<std::string, SyncPresent> known_;  ///< by name, when it was opened
  Sync<std::unique_ptr<MirrorDirectory>> mirror_;
};

/// A directory that has a directory for each image, as skopeo makes it.
class DirectoryTarget final : public SyncTarget {
 public:
  DirectoryTarget(std::string path, std::stop_token stop);

  /// Throws Refused for a directory that holds something else than an image.
  std::optional<SyncPresent> find(const SyncItem& item) override;
  std::unique_ptr<ImageSink> open(const SyncItem& item, const MirrorRecord& record) override;
  ManifestKey key(const SyncItem&) const override { return std::string(); }
  std::string place(const std::string& name) const override;
  TaskKind kind() const override { return TaskKind::fetch; }
  void note(const SyncItem& item, const SyncPresent& written) override;
  std::vector<std::string> list(const std::string& repository) override;
  void remove(const std::vector<std::string>& names, Observer& observer) override;
  void save() override { state_.save(); }

 private:
  std::string path_of(const std::string& name) const;

  std::string path_;
  std::stop_token stop_;
  SyncState state_;
};

}  // namespace lade::registry
