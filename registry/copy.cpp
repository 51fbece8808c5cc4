#include "registry/copy.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/image_config.hpp"
#include "oci/verified_source.hpp"
#include "registry/blob_list.hpp"
#include "registry/copy_manifests.hpp"
#include "registry/copy_targets.hpp"
#include "registry/http.hpp"
#include "registry/referrer_trees.hpp"
#include "registry/schema1.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace lade::registry {

namespace {

/// Whether a registry does not take a manifest for what it is, so that another format may do.
bool is_about_format(const HttpError& error) {
  const bool is_refusal = error.status() >= 400 && error.status() < 500;
  return error.status() == 415 ||
         (is_refusal && (error.code() == "MANIFEST_INVALID" || error.code() == "UNSUPPORTED"));
}

/// One copy, from the name to the commit.
class Copy {
 public:
  Copy(ImageSource& source, std::span<const CopyTarget> targets, const CopyRequest& request,
       OnFailure on_failure, const Job& job)
      : source_(source),
        targets_(targets, on_failure),
        count_(targets.size()),
        request_(request),
        job_(job),
        retry_(with_listener(request.retry, job.observer)),
        signatures_(source, request.signatures),
        read_config_([this](const Descriptor& config) -> const std::string& {
          return config_bytes(config);
        }) {}

  void run() {
    tree_ = read_tree(source_, request_.source_key, request_.instances, request_.platform);
    signatures_.begin(tree_);
    convert_schema1();
    find_referrers();
    choose_formats();
    copy_blobs();
    targets_.for_each_alive([&](std::size_t index) { put_manifests(index); });
    targets_.for_each_alive([&](std::size_t index) { commit(index); });
  }

  std::vector<CopyOutcome> take() { return targets_.take(); }

 private:
  // ---- what there is

  /// Schema 1 is only read: what is in it goes on as if it had been schema 2.
  void convert_schema1() {
    for (TreeNode& node : tree_.nodes) {
      if (node.raw.kind() != ManifestKind::schema1) continue;
      if (request_.changes.digests == Digests::preserve) throw_not_preserved();
      const Schema1Image image = parse_schema1(node.raw.bytes);
      std::vector<KnownLayer> layers;
      for (const Schema1Image::Step& step : image.steps) {
        if (!step.throwaway) layers.push_back(look_into(step.blob));
      }
      Schema2Image converted = to_schema2(image, layers);
      configs_.emplace(Digest::of(converted.config), std::move(converted.config));
      node.raw = std::move(converted.manifest);
      job_.observer.note(NoteLevel::info, "converted from Docker's schema 1");
    }
  }

  /// The size and the DiffID of a layer of which only the digest is known: by unpacking it.
  KnownLayer look_into(const Digest& digest) {
    const BlobItem item{source_.describe_blob(digest), "layer"};
    Hasher hasher(HashAlgorithm::sha256);
    const BlobCopying how = copying();
    const auto context = [&] { return "read " + described(item.what, item.descriptor); };
    in_context(context, [&] {
      read_blob_to(how, item, job_.stop, [&](Source& bytes) {
        hasher = Hasher(HashAlgorithm::sha256);
        const auto plain = decompress(bytes);
        std::vector<std::byte> buffer(k_copy_buffer);
        while (const std::size_t count = plain->read(buffer)) {
          hasher.update(std::span(buffer).first(count));
        }
      });
    });
    return {item.descriptor, {Digest::parse("sha256:" + hasher.finish_hex())}};
  }

  void find_referrers() {
    if (request_.referrers == ReferrersToo::no) return;
    referrers_ = registry::find_referrers(source_, tree_, request_.platform);
    if (referrers_.empty()) return;
    for (const std::size_t index : targets_.alive()) {
      if (targets_[index].sink.takes_referrers()) continue;
      job_.observer.note(NoteLevel::warning,
                         str(prefix(index), referrers_.size(),
                             " manifests that refer to the image cannot be kept there"));
    }
  }

  // ---- how it is to be written

  /// The formats to try at each destination, one after the other.
  void choose_formats() {
    formats_.resize(count_);
    targets_.for_each_alive([&](std::size_t index) {
      signatures_.check(targets_[index].sink, targets_[index].reference);
      formats_[index] = formats_for(targets_[index].sink);
      const FormatChoice first = formats_[index].front();
      if (!keeps_formats(tree_, first)) tell_conversion(index, *first);
    });
  }

  /// What was asked for; zstd asks for the OCI's format, since Docker's has none.
  FormatChoice wanted_format() const {
    const Changes& changes = request_.changes;
    const bool zstd = changes.recompression && changes.recompression->to == Compression::zstd;
    if (zstd && changes.format == ManifestFormat::v2s2) {
      throw InvalidData("Docker's format has no layers compressed by zstd");
    }
    return zstd ? FormatChoice(ManifestFormat::oci) : changes.format;
  }

  std::vector<FormatChoice> formats_for(const ImageSink& sink) const {
    const Changes& changes = request_.changes;
    const FormatChoice wanted = wanted_format();
    if (wanted && keeps_formats(tree_, wanted)) return {std::nullopt};
    std::vector<FormatChoice> formats;
    if (wanted) {
      formats.push_back(wanted);
    } else {
      for (const FormatChoice format : {FormatChoice(), FormatChoice(ManifestFormat::oci),
                                        FormatChoice(ManifestFormat::v2s2)}) {
        if (is_accepted(tree_, format, sink)) formats.push_back(format);
      }
    }
    const bool is_kept = !formats.empty() && !formats.front();
    if (signatures_.any() && !is_kept) throw_would_invalidate(tree_.top().digest);
    if (signatures_.any()) return {std::nullopt};
    if (changes.digests == Digests::preserve && !is_kept) throw_not_preserved();
    if (changes.digests == Digests::preserve) return {std::nullopt};
    if (formats.empty()) {
      throw InvalidData(
          str("a manifest of the type ", quoted(tree_.top().media_type), " cannot be kept there"));
    }
    return formats;
  }

  [[noreturn]] void throw_not_preserved() const {
    throw InvalidData(str("manifest ", quoted(tree_.top().digest.text()),
                          " would have to be changed, and its digest is to be preserved"));
  }

  void tell_conversion(std::size_t index, ManifestFormat format) const {
    job_.observer.note(NoteLevel::info,
                       str(prefix(index), "converted to the ", name_of(format), " format"));
  }

  /// Says in a note which destination it is about, where there are several.
  std::string prefix(std::size_t index) const {
    const std::string& name = targets_[index].name;
    return name.empty() ? name : name + ": ";
  }

  /// Whether configurations go everywhere as they are, and nobody looks into them.
  bool keeps_configs() const {
    return configs_.empty() && !request_.changes.recompression &&
           std::all_of(formats_.begin(), formats_.end(), [&](const auto& formats) {
             return formats.empty() || keeps_formats(tree_, formats.front());
           });
  }

  // ---- blobs

  std::vector<BlobItem> list_blobs() {
    BlobList blobs;
    const bool with_configs = keeps_configs();
    for (const TreeNode& node : tree_.nodes) {
      if (node.is_list()) continue;
      const Manifest manifest = parse_manifest(node.raw.bytes);
      if (with_configs) blobs.add({manifest.config, "config"});
      const std::vector<std::optional<DiffId>> diff_ids = find_diff_ids(manifest);
      for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
        if (is_left_out(manifest.layers[i])) continue;
        blobs.add({manifest.layers[i], "layer", diff_ids[i]});
      }
    }
    if (takes_referrers()) {
      for (const ReferrerTree& referrer : referrers_) blobs.add_referrer(referrer.tree);
    }
    return blobs.take();
  }

  bool takes_referrers() {
    const std::vector<std::size_t> alive = targets_.alive();
    return std::any_of(alive.begin(), alive.end(),
                       [&](std::size_t index) { return targets_[index].sink.takes_referrers(); });
  }

  bool is_left_out(const Descriptor& layer) const {
    if (request_.foreign_layers == ForeignLayers::refuse || layer.urls.empty()) return false;
    const auto type = parse_layer_type(layer.media_type);
    return type && type->foreign;
  }

  /// What the layers that are compressed anew have to be when they are unpacked.
  std::vector<std::optional<DiffId>> find_diff_ids(const Manifest& manifest) {
    std::vector<std::optional<DiffId>> found(manifest.layers.size());
    const auto& wanted = request_.changes.recompression;
    const auto is_of_files = [](const Descriptor& layer) { return is_layer_tar(layer.media_type); };
    const auto& layers = manifest.layers;
    if (!wanted || std::none_of(layers.begin(), layers.end(), is_of_files)) return found;
    const ImageConfig config = parse_image_config(config_bytes(manifest.config));
    if (config.diff_ids.size() != layers.size()) {
      throw InvalidData(str("configuration ", quoted(manifest.config.digest.text()), " is of ",
                            config.diff_ids.size(), " layers, but there are ", layers.size()));
    }
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (is_recompressed(layers[i], config.diff_ids[i], *wanted)) found[i] = config.diff_ids[i];
    }
    return found;
  }

  void copy_blobs() {
    const std::vector<BlobItem> items = list_blobs();
    const bool is_changed =
        std::any_of(items.begin(), items.end(), [](const BlobItem& item) { return item.diff_id; });
    if (is_changed && request_.changes.digests == Digests::preserve) throw_not_preserved();
    const BlobCopying how{source_,          targets_,      retry_,
                          request_.limiter, request_.kind, job_.observer};
    Sync<NewLayers*> new_layers(std::in_place, &new_layers_);
    const auto copy_one = [&](std::size_t index, const std::stop_token& stop) {
      const BlobItem& item = items[index];
      if (!item.diff_id) return copy_blob(how, item, stop);
      const Changes& changes = request_.changes;
      NewLayer layer = copy_recompressed(how, item, *changes.recompression, changes.scratch, stop);
      (*new_layers.lock())->emplace(item.descriptor.digest, std::move(layer));
    };
    parallel_for_each(items.size(), request_.jobs, job_.stop, copy_one);
  }

  BlobCopying copying() {
    return {source_, targets_, retry_, request_.limiter, request_.kind, job_.observer};
  }

  const std::string& config_bytes(const Descriptor& config) {
    const auto known = configs_.find(config.digest);
    if (known != configs_.end()) return known->second;
    std::string bytes = read_blob(source_, config, k_manifest_cap, job_, request_.retry);
    return configs_.emplace(config.digest, std::move(bytes)).first->second;
  }

  // ---- manifests

  void commit(std::size_t index) {
    Task task(job_.observer, TaskKind::commit, "image");
    targets_.commit(index);
    task.finish();
  }

  /// Puts all manifests, in the first format that the destination takes.
  void put_manifests(std::size_t index) {
    const auto& formats = formats_[index];
    for (std::size_t i = 0;; ++i) {
      try {
        return put_written(index, write_tree(tree_, formats[i], new_layers_, read_config_));
      } catch (const HttpError& error) {
        if (i + 1 == formats.size() || !is_about_format(error)) throw;
        job_.observer.note(NoteLevel::info, error.what());
        tell_conversion(index, *formats[i + 1]);
      }
    }
  }

  void put_written(std::size_t index, const WrittenTree& written) {
    ImageSink& sink = targets_[index].sink;
    if (request_.changes.digests == Digests::preserve && !written.is_same_as(tree_)) {
      throw_not_preserved();
    }
    if (!keeps_configs()) put_configs(index, written);
    const std::size_t last = written.manifests.size() - 1;
    for (std::size_t i = 0; i < last; ++i) {
      sink.put_manifest(written.manifests[i], written.manifests[i].digest);
    }
    const std::size_t referrers = put_referrers(index, written);
    sink.put_manifest(written.manifests[last], targets_[index].key);
    signatures_.put(sink, written, targets_[index].reference);
    targets_.update(index, [&](CopyResult& result) {
      result.referrers = referrers;
      result.source = tree_.top();
      result.manifest = written.manifests[last];
      result.listed = tree_.listed;
      result.images = static_cast<std::size_t>(
          std::count_if(tree_.nodes.begin(), tree_.nodes.end(),
                        [](const TreeNode& node) { return !node.is_list(); }));
    });
  }

  /// Puts what refers to manifests that stay what they are; how many.
  std::size_t put_referrers(std::size_t index, const WrittenTree& written) {
    ImageSink& sink = targets_[index].sink;
    if (referrers_.empty() || !sink.takes_referrers()) return 0;
    std::set<Digest> there;
    for (const RawManifest& raw : written.manifests) there.insert(raw.digest);
    std::size_t count = 0;
    for (const ReferrerTree& referrer : referrers_) {
      if (!there.contains(referrer.subject)) continue;
      const auto& nodes = referrer.tree.nodes;
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        const RawManifest& raw = nodes[i].raw;
        sink.put_manifest(raw, i + 1 == nodes.size() ? referrer.key : ManifestKey(raw.digest));
        there.insert(raw.digest);
      }
      ++count;
    }
    if (count < referrers_.size()) {
      job_.observer.note(NoteLevel::warning,
                         str(prefix(index), referrers_.size() - count,
                             " manifests are left out, since what they refer to was changed"));
    }
    return count;
  }

  /// The configurations that were not copied as blobs, since some destination gets others.
  void put_configs(std::size_t index, const WrittenTree& written) {
    for (const std::string& config : written.configs) {
      put_bytes(index, {std::string(media_type::oci_config), Digest::of(config), config.size()},
                config);
    }
    for (const RawManifest& raw : written.manifests) {
      if (raw.kind() != ManifestKind::image) continue;
      const Descriptor config = parse_manifest(raw.bytes).config;
      ImageSink& sink = targets_[index].sink;
      if (!sink.has_blob(config)) put_bytes(index, config, config_bytes(config));
    }
  }

  void put_bytes(std::size_t index, const Descriptor& descriptor, const std::string& bytes) {
    ImageSink& sink = targets_[index].sink;
    with_retries(retry_, job_.stop, [&] {
      if (sink.has_blob(descriptor) || !sink.begin_blob(descriptor, job_.stop)) return;
      StringSource text(bytes);
      VerifiedSource verified(text, descriptor);
      sink.put_blob(descriptor, verified);
    });
  }

  ImageSource& source_;
  CopyTargets targets_;
  std::size_t count_;
  const CopyRequest& request_;
  const Job& job_;
  RetryPolicy retry_;
  SignatureCopy signatures_;
  ReadConfig read_config_;
  ImageTree tree_;
  std::vector<ReferrerTree> referrers_;
  std::vector<std::vector<FormatChoice>> formats_;  // of each destination
  NewLayers new_layers_;
  std::map<Digest, std::string> configs_;
};

}  // namespace

std::vector<CopyOutcome> copy_image_to_all(ImageSource& source, std::span<const CopyTarget> targets,
                                           const CopyRequest& request, OnFailure on_failure,
                                           const Job& job) {
  Copy copy(source, targets, request, on_failure, job);
  try {
    copy.run();
  } catch (const NoTargetLeft&) {
    // Their outcomes say why.
  }
  return copy.take();
}

CopyResult copy_image(ImageSource& source, ImageSink& sink, const CopyRequest& request,
                      const Job& job) {
  const CopyTarget target{sink, request.sink_key, ""};
  std::vector<CopyOutcome> outcomes =
      copy_image_to_all(source, {&target, 1}, request, OnFailure::stop, job);
  if (outcomes.front().failure) std::rethrow_exception(outcomes.front().failure);
  return std::move(outcomes.front().result);
}

}  // namespace lade::registry
