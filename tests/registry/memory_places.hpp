// Places in memory for tests of copies: what is there, what was asked for, what arrived, in which
// order; and the images that are put there.
#pragma once

#include "base/compress.hpp"
#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/stream.hpp"
#include "base/text.hpp"
#include "oci/transport.hpp"
#include "registry/copy.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lade::registry {

/// Everything by digest, and names for some of it. Counts how often each blob is read.
class MemorySource final : public ImageSource {
 public:
  RawManifest manifest(const ManifestKey& key) override {
    const auto found = manifests.find(to_string(key));
    if (found == manifests.end()) throw NotFound(str("no manifest ", lade::quoted(to_string(key))));
    return found->second;
  }
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override {
    ++(*reads_.lock())[descriptor.digest];
    const auto found = blobs.find(descriptor.digest);
    if (found == blobs.end()) throw NotFound("no blob " + descriptor.digest.text());
    return std::make_unique<StringSource>(found->second);
  }
  Descriptor describe_blob(const Digest& digest) override {
    return {"", digest, blobs.at(digest).size()};
  }
  std::vector<Descriptor> list_referrers(const Digest& manifest) override {
    return referrers[manifest];
  }
  bool has_many_names() const override { return true; }

  Descriptor add_blob(const std::string& bytes, std::string_view type) {
    blobs.insert_or_assign(Digest::of(bytes), bytes);
    return {std::string(type), Digest::of(bytes), bytes.size()};
  }
  Descriptor add_manifest(std::string bytes, std::string_view type, const std::string& name = "") {
    const RawManifest raw = RawManifest::make(std::move(bytes), std::string(type));
    manifests.insert_or_assign(raw.digest.text(), raw);
    if (!name.empty()) manifests.insert_or_assign(name, raw);
    return raw.descriptor();
  }
  int reads(const Digest& digest) { return (*reads_.lock())[digest]; }

  std::map<std::string, RawManifest> manifests;
  std::map<Digest, std::string> blobs;
  std::map<Digest, std::vector<Descriptor>> referrers;

 private:
  Sync<std::map<Digest, int>> reads_;
};

/// Keeps what it is given and in what order.
class MemorySink final : public ImageSink {
 public:
  struct State {
    std::map<Digest, std::string> blobs;
    std::vector<std::string> events;
    std::vector<std::pair<std::string, RawManifest>> manifests;
  };

  bool has_blob(const Descriptor& descriptor) override {
    return state_.lock()->blobs.contains(descriptor.digest);
  }
  bool accepts(std::string_view media_type) const override {
    return accepted.empty() || accepted.contains(std::string(media_type));
  }
  bool takes_referrers() const override { return with_referrers; }
  void put_blob(const Descriptor& descriptor, Source& bytes) override {
    if (on_blob) on_blob(descriptor);
    std::string text = read_all(bytes, 1 << 30, "blob");
    auto state = state_.lock();
    state->blobs[descriptor.digest] = std::move(text);
    state->events.emplace_back("blob");
  }
  void put_manifest(const RawManifest& manifest, const ManifestKey& key) override {
    if (on_manifest) on_manifest(manifest);
    auto state = state_.lock();
    state->events.emplace_back("manifest");
    state->manifests.emplace_back(to_string(key), manifest);
  }
  void commit() override { state_.lock()->events.emplace_back("commit"); }

  Sync<State>::Locked state() { return state_.lock(); }
  bool committed() {
    auto state = state_.lock();
    return !state->events.empty() && state->events.back() == "commit";
  }
  /// The keys of manifests in the order in which they came.
  std::vector<std::string> keys() {
    std::vector<std::string> keys;
    for (const auto& [key, manifest] : state_.lock()->manifests) keys.push_back(key);
    return keys;
  }
  /// The manifest that was put last under a key.
  RawManifest manifest(const std::string& key) {
    auto state = state_.lock();
    for (auto i = state->manifests.rbegin(); i != state->manifests.rend(); ++i) {
      if (i->first == key) return i->second;
    }
    throw NotFound("nothing was put under " + key);
  }

  std::set<std::string> accepted;  // media types; empty: all
  bool with_referrers = true;
  std::function<void(const Descriptor&)> on_blob;
  std::function<void(const RawManifest&)> on_manifest;

 private:
  Sync<State> state_;
};

/// Hears notes.
class NoteObserver final : public Observer {
 public:
  TaskId begin(TaskKind, std::string_view, std::optional<std::uint64_t>) noexcept override {
    return 0;
  }
  void advance(TaskId, std::uint64_t) noexcept override {}
  void end(TaskId, Outcome) noexcept override {}
  void note(NoteLevel, std::string_view text) noexcept override {
    *notes_.lock() += str(text, '\n');
  }
  std::string notes() { return *notes_.lock(); }

 private:
  Sync<std::string> notes_;
};

inline std::string compressed_text(const std::string& text, Compression format) {
  StringSource plain(text);
  return read_all(*compress(plain, format), 1 << 30, "text");
}

inline std::string plain_text(const std::string& bytes) {
  StringSource source(bytes);
  return read_all(*decompress(source), 1 << 30, "text");
}

/// How an image is made.
struct ImageMaker {
  ManifestFormat format = ManifestFormat::oci;
  Compression compression = Compression::gzip;
  std::string diff_id;  ///< instead of the right one of every layer

  std::string descriptor(const Descriptor& blob) const {
    return str(R"({"mediaType":")", blob.media_type, R"(","size":)", blob.size, R"(,"digest":")",
               blob.digest.text(), "\"}");
  }

  /// Adds an image of these layers (plain), of which `label` makes the configuration.
  Descriptor add(MemorySource& source, const std::string& label,
                 const std::vector<std::string>& layers, const std::string& name = "") const {
    std::vector<std::string> diff_ids;
    std::vector<std::string> entries;
    const std::string type = layer_media_type({compression}, format);
    for (const std::string& layer : layers) {
      const std::string right = Digest::of(layer).text();
      diff_ids.push_back(str('"', diff_id.empty() ? right : diff_id, '"'));
      entries.push_back(descriptor(source.add_blob(compressed_text(layer, compression), type)));
    }
    const bool oci = format == ManifestFormat::oci;
    const std::string config =
        str(R"({"architecture":"amd64","os":"linux","author":")", label,
            R"(","rootfs":{"type":"layers","diff_ids":[)", join(diff_ids, ","), "]}}");
    const auto manifest = oci ? media_type::oci_manifest : media_type::docker_manifest;
    const Descriptor config_blob =
        source.add_blob(config, oci ? media_type::oci_config : media_type::docker_config);
    return source.add_manifest(
        str(R"({"schemaVersion":2,"mediaType":")", manifest, R"(","config":)",
            descriptor(config_blob), R"(,"layers":[)", join(entries, ","), "]}"),
        manifest, name);
  }
};

/// An entry of a list; `more` are further members, each with a comma before it.
inline std::string list_entry(const Descriptor& manifest, const std::string& platform,
                              const std::string& more = "") {
  const auto parts = split(platform, '/');
  const std::string variant =
      parts.size() > 2 ? str(R"(,"variant":")", parts[2], '"') : std::string();
  return str(R"({"mediaType":")", manifest.media_type, R"(","digest":")", manifest.digest.text(),
             R"(","size":)", manifest.size, R"(,"platform":{"os":")", parts[0],
             R"(","architecture":")", parts[1], '"', variant, '}', more, '}');
}

inline Descriptor add_list(MemorySource& source, const std::vector<std::string>& entries,
                           const std::string& name = "",
                           std::string_view type = media_type::oci_index) {
  return source.add_manifest(str(R"({"schemaVersion":2,"mediaType":")", type, R"(","manifests":[)",
                                 join(entries, ","), "]}"),
                             type, name);
}

}  // namespace lade::registry
