#include "registry/copy.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "registry/http.hpp"
#include "registry/resuming_source.hpp"

#include <algorithm>
#include <map>

namespace lade::registry {

namespace {

constexpr std::size_t k_deepest_index = 4;
constexpr std::size_t k_most_named_platforms = 20;

std::string described(std::string_view what, const Descriptor& descriptor) {
  return str(what, ' ', quoted(descriptor.digest.text()), " (", human_size(descriptor.size), ')');
}

/// ``linux/amd64, linux/arm/v7``, for the message that none of them fits.
std::string available_platforms(const Index& index) {
  std::vector<std::string> names;
  for (const Descriptor& entry : index.manifests) {
    if (!entry.platform || entry.platform->os == "unknown") continue;
    if (names.size() == k_most_named_platforms) {
      names.emplace_back("…");
      break;
    }
    names.push_back(printable(to_string(*entry.platform)));
  }
  return names.empty() ? "none" : join(names, ", ");
}

const Descriptor& choose_entry(const RawManifest& raw, const Index& index,
                               const Platform& platform) {
  if (const Descriptor* entry = find_platform(index.manifests, platform)) return *entry;
  throw NotFound(str("no image for ", quoted(to_string(platform)), " in the index ",
                     quoted(raw.digest.text()), ": available: ", available_platforms(index)));
}

/// The manifest that an index entry describes, checked against it, whatever the source did.
RawManifest fetch_entry(ImageSource& source, const Descriptor& entry) {
  RawManifest raw = source.manifest(entry.digest);
  if (raw.bytes.size() != entry.size ||
      Digest::of(raw.bytes, entry.digest.algorithm()) != entry.digest) {
    throw Refused(
        str("manifest ", quoted(entry.digest.text()), " is not what its index says it is"));
  }
  return raw;
}

/// Reports bytes to a task; those of a retry only as far as they are new.
class Meter {
 public:
  explicit Meter(Task& task) : task_(task) {}
  void restart() { seen_ = 0; }
  void see(std::size_t count) {
    seen_ += count;
    if (seen_ <= reported_) return;
    task_.advance(seen_ - reported_);
    reported_ = seen_;
  }

 private:
  Task& task_;
  std::uint64_t seen_ = 0;
  std::uint64_t reported_ = 0;
};

/// How blobs are fetched.
struct Fetching {
  ImageSource& source;
  const RetryPolicy& retry;
  RateLimiter* limiter;
  TaskKind kind;  ///< what is said of each blob
  Observer& observer;
};

/// Notes whether a failure came from reading, not from what was done with the bytes.
class WatchedSource final : public Source {
 public:
  explicit WatchedSource(Source& inner) : inner_(inner) {}
  std::size_t read(std::span<std::byte> buffer) override {
    reading_ = true;
    const std::size_t count = inner_.read(buffer);
    reading_ = false;
    return count;
  }
  bool failed() const { return reading_; }

 private:
  Source& inner_;
  bool reading_ = false;
};

/// Streams one blob, verified and metered, to `take`; once more as a whole if it came in pieces
/// that do not fit together, and as often as the policy allows if the destination did not take it.
/// `begin` gives what is kept of it; nothing if it is here meanwhile. The bytes that were fetched,
/// or nothing.
template <class Begin, class Take>
std::optional<std::uint64_t> fetch_blob(const Fetching& how, const Descriptor& descriptor,
                                        Task& task, const std::stop_token& stop, Begin&& begin,
                                        Take&& take) {
  Meter meter(task);
  bool is_afresh = false;
  for (int attempt = 1;;) {
    std::optional<KeptBytes> kept = begin();
    if (!kept) return std::nullopt;
    meter.restart();
    ResumingSource bytes(how.source, descriptor, *std::move(kept), {how.retry, how.limiter, stop});
    VerifiedSource verified(bytes, descriptor);
    TapSource metered(verified, [&](std::span<const std::byte> piece) {
      if (stop.stop_requested()) throw Cancelled();
      meter.see(piece.size());
    });
    WatchedSource watched(metered);
    try {
      take(watched);
      return bytes.fetched();
    } catch (const Refused& error) {
      if (is_afresh || !bytes.is_pieced()) throw;
      is_afresh = true;
      how.observer.note(NoteLevel::warning, str(error.what(), ": fetching it afresh"));
    } catch (const HttpError& error) {
      // The source has tried for itself; this is what the destination said.
      if (watched.failed()) throw;
      const auto delay = delay_before_retry(how.retry, attempt++, error);
      if (!delay) throw;
      wait_for(*delay, stop);
    }
  }
}

/// The policy, with the server's wishes told to the observer unless somebody else hears them.
RetryPolicy with_listener(RetryPolicy retry, Observer& observer) {
  if (!retry.on_wait) {
    retry.on_wait = [&observer](const HttpError& error, std::chrono::seconds wait) {
      observer.note(NoteLevel::info, str(error.what(), ": waiting ", wait.count(), " s"));
    };
  }
  return retry;
}

/// One blob to copy, and what it is called in messages.
struct Item {
  const Descriptor* descriptor;
  std::string_view what;
};

/// Each blob once: the config first, then the layers from the largest to the smallest.
std::vector<Item> list_blobs(const Manifest& manifest) {
  std::map<Digest, std::uint64_t> sizes;
  std::vector<Item> items;
  const auto add = [&](const Descriptor& descriptor, std::string_view what) {
    const auto [known, is_new] = sizes.emplace(descriptor.digest, descriptor.size);
    if (!is_new && known->second != descriptor.size) {
      throw InvalidData(str("the manifest gives ", quoted(descriptor.digest.text()), " two sizes"));
    }
    if (is_new) items.push_back({&descriptor, what});
  };
  add(manifest.config, "config");
  for (const Descriptor& layer : manifest.layers) add(layer, "layer");
  std::stable_sort(items.begin() + 1, items.end(), [](const Item& a, const Item& b) {
    return a.descriptor->size > b.descriptor->size;
  });
  return items;
}

/// Copies one blob unless the sink has it. The bytes that were fetched; nothing if none were.
std::optional<std::uint64_t> copy_blob(const Fetching& how, ImageSink& sink, const Item& item,
                                       const std::stop_token& stop) {
  const Descriptor& descriptor = *item.descriptor;
  const auto context = [&] {
    return (how.kind == TaskKind::push ? "push " : "fetch ") + described(item.what, descriptor);
  };
  return in_context(context, [&]() -> std::optional<std::uint64_t> {
    Task task(how.observer, how.kind, descriptor.digest.short_hex(), descriptor.size);
    std::optional<std::uint64_t> fetched;
    if (!sink.has_blob(descriptor)) {
      fetched = fetch_blob(
          how, descriptor, task, stop, [&] { return sink.begin_blob(descriptor, stop); },
          [&](Source& bytes) { sink.put_blob(descriptor, bytes); });
    }
    if (fetched == 0 && descriptor.size > 0) fetched = std::nullopt;
    task.finish(fetched ? Outcome::done : Outcome::reused);
    return fetched;
  });
}

void copy_blobs(ImageSource& source, ImageSink& sink, const CopyRequest& request, const Job& job,
                CopyResult& result) {
  const std::vector<Item> items = list_blobs(result.image.manifest);
  const RetryPolicy retry = with_listener(request.retry, job.observer);
  const Fetching how{source, retry, request.limiter, request.kind, job.observer};
  Sync<CopyResult*> counts(std::in_place, &result);
  const auto copy_one = [&](std::size_t index, const std::stop_token& stop) {
    const auto bytes = copy_blob(how, sink, items[index], stop);
    auto locked = counts.lock();
    ++(bytes ? (*locked)->blobs_fetched : (*locked)->blobs_reused);
    (*locked)->bytes_fetched += bytes.value_or(0);
  };
  parallel_for_each(items.size(), request.jobs, job.stop, copy_one);
}

/// Puts the manifest, then the indexes from the innermost outwards; the outermost gets the name.
void put_manifests(ImageSink& sink, const ResolvedImage& image, const ManifestKey& name) {
  const auto& indexes = image.indexes;
  sink.put_manifest(image.raw, indexes.empty() ? name : ManifestKey(image.raw.digest));
  for (std::size_t i = indexes.size(); i-- > 0;) {
    sink.put_manifest(indexes[i], i == 0 ? name : ManifestKey(indexes[i].digest));
  }
}

}  // namespace

ResolvedImage resolve_image(ImageSource& source, const ManifestKey& key, const Platform& platform) {
  std::vector<RawManifest> indexes;
  RawManifest raw = source.manifest(key);
  while (raw.kind() == ManifestKind::index) {
    if (indexes.size() == k_deepest_index) {
      throw InvalidData(str("the index ", quoted(indexes.front().digest.text()),
                            " is nested deeper than ", k_deepest_index, " levels"));
    }
    const Index index = parse_index(raw.bytes);
    const Descriptor& entry = choose_entry(raw, index, platform);
    indexes.push_back(std::move(raw));
    raw = fetch_entry(source, entry);
  }
  if (raw.kind() == ManifestKind::schema1) {
    throw InvalidData(str("manifest ", quoted(raw.digest.text()),
                          " is of Docker's schema 1, which is not supported"));
  }
  if (raw.kind() != ManifestKind::image) {
    throw InvalidData(str("manifest ", quoted(raw.digest.text()), " is of the unknown type ",
                          quoted(raw.media_type)));
  }
  Manifest manifest = parse_manifest(raw.bytes);
  return {std::move(indexes), std::move(raw), std::move(manifest)};
}

void require_image(const ResolvedImage& image) {
  const Manifest& manifest = image.manifest;
  const std::string& config = manifest.config.media_type;
  if (config == media_type::oci_config || config == media_type::docker_config) return;
  // Docker's manifests were written with other types of configuration, and are images all the same.
  if (image.raw.media_type == media_type::docker_manifest) return;
  const std::string& type = manifest.artifact_type.empty() ? config : manifest.artifact_type;
  throw InvalidData(
      str("unsupported image-specific operation on artifact with type \"", printable(type), '"'));
}

std::string read_blob(ImageSource& source, const Descriptor& descriptor, std::size_t cap,
                      const Job& job, const RetryPolicy& retry) {
  const auto context = [&] { return "fetch " + described("blob", descriptor); };
  return in_context(context, [&] {
    if (descriptor.size > cap) {
      throw InvalidData(str("it is larger than ", human_size(cap)));
    }
    Task task(job.observer, TaskKind::fetch, descriptor.digest.short_hex(), descriptor.size);
    std::string text;
    const RetryPolicy policy = with_listener(retry, job.observer);
    fetch_blob(
        {source, policy, nullptr, TaskKind::fetch, job.observer}, descriptor, task, job.stop,
        [] { return std::optional(KeptBytes{}); },
        [&](Source& bytes) { text = read_all(bytes, cap, "the blob"); });
    task.finish();
    return text;
  });
}

CopyResult copy_image(ImageSource& source, ImageSink& sink, const CopyRequest& request,
                      const Job& job) {
  CopyResult result{.image = resolve_image(source, request.source_key, request.platform)};
  copy_blobs(source, sink, request, job, result);
  put_manifests(sink, result.image, request.sink_key);
  sink.commit();
  return result;
}

}  // namespace lade::registry
