#include "cli/image_change.hpp"

#include "base/compress.hpp"
#include "base/error.hpp"
#include "base/temporary_file.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/image_names.hpp"
#include "cli/store_access.hpp"
#include "oci/verified_source.hpp"
#include "registry/transports/layout_sink.hpp"
#include "registry/transports/layout_source.hpp"
#include "snapshot/image_sink.hpp"
#include "store/image_source.hpp"

#include <unistd.h>

#include <utility>

namespace lade::cli {

namespace {

Compression compression_for(LayerCompression wanted, const Manifest& manifest) {
  switch (wanted) {
    case LayerCompression::none:
      return Compression::none;
    case LayerCompression::gzip:
      return Compression::gzip;
    case LayerCompression::zstd:
      return Compression::zstd;
    case LayerCompression::automatic:
      break;
  }
  // As the topmost layer that is compressed: who can read that one can read the new one.
  for (auto layer = manifest.layers.rbegin(); layer != manifest.layers.rend(); ++layer) {
    if (layer->media_type.ends_with("zstd")) return Compression::zstd;
    if (layer->media_type.ends_with("gzip")) return Compression::gzip;
  }
  return Compression::gzip;
}

std::string layer_type(Compression compression) {
  const std::string plain(media_type::oci_layer);
  return compression == Compression::none ? plain : str(plain, '+', name_of(compression));
}

OpenedImage open_from_bundle(const App& app, const std::string& text,
                             const std::vector<Descriptor>& path) {
  if (names_layout(text) || app.global.name == ProgramName::umoci) {
    const LayoutName name = parse_layout_name(text);
    return open_manifest(
        std::make_unique<registry::OciLayoutSource>(registry::OciLayout::open(name.path)), path);
  }
  const auto store = std::make_shared<const store::Store>(open_store(app));
  for (const store::StoredImage& image : store->list_images()) {
    if (image.manifest.digest != path.back().digest) continue;
    OpenedImage opened =
        open_manifest(std::make_unique<store::StoredImageSource>(*store, image), path);
    opened.keeper = store;
    return opened;
  }
  throw NotFound(str("the image of the bundle, ", quoted(path.back().digest.text()),
                     ", is not in the store, and there is no OCI layout at ", quoted(text)));
}

/// Where the image is, for what is on its way there.
Directory scratch_for(const App& app, const std::string& text) {
  if (names_layout(text)) return Directory::open(parse_layout_name(text).path);
  return Directory::open(app.environment.temporary_directory);
}

}  // namespace

void declare(OptionSet& options, HistoryFlags& history) {
  options.flag("--no-history", history.none);
  options.value("--history.author", history.author);
  options.value("--history.comment", history.comment);
  options.value("--history.created", history.created);
  options.value("--history.created_by", history.created_by);
  options.check([&] {
    const std::pair<const char*, bool> given[] = {{"author", history.author.has_value()},
                                                  {"comment", history.comment.has_value()},
                                                  {"created", history.created.has_value()},
                                                  {"created_by", history.created_by.has_value()}};
    for (const auto& [name, is_given] : given) {
      if (!history.none || !is_given) continue;
      throw UsageError(str("--no-history and --history.", name, " may not be specified together"));
    }
  });
}

void declare_compress(OptionSet& options, LayerCompression& compression) {
  options.choice("--compress", compression,
                 {{"auto", LayerCompression::automatic},
                  {"gzip", LayerCompression::gzip},
                  {"zstd", LayerCompression::zstd},
                  {"none", LayerCompression::none}});
}

void declare_tag(OptionSet& options, std::optional<std::string>& tag) {
  options.value("--tag", tag);
  options.check([&] {
    if (tag) check_layout_tag(*tag, "--tag");
  });
}

std::string creation_time(const App& app) {
  const auto epoch = source_date_epoch(app.environment);
  return format_rfc3339(epoch ? Timestamp{.seconds = *epoch} : now());
}

std::optional<HistoryEntry> history_entry(const App& app, const HistoryFlags& flags,
                                          const std::string& created_by,
                                          const std::string& author) {
  if (flags.none) return std::nullopt;
  HistoryEntry entry{.created = creation_time(app), .created_by = created_by, .author = author};
  if (flags.author) entry.author = *flags.author;
  if (flags.comment) entry.comment = *flags.comment;
  if (flags.created_by) entry.created_by = *flags.created_by;
  if (flags.created) {
    const auto time = parse_rfc3339(*flags.created);
    if (!time) throw UsageError(str("--history.created: ", quoted(*flags.created), " is no time"));
    entry.created = format_rfc3339(*time);
  }
  return entry;
}

/// What the sink stands on, and what the image is called there.
struct ImageChange::Place {
  std::shared_ptr<void> keeper;
  std::unique_ptr<ImageSink> sink;
  ManifestKey key;
};

ImageChange::ImageChange(const App& app, const std::string& text, const Job& job)
    : app_(app),
      text_(text),
      job_(job),
      image_(open_image(app, text)),
      edit_(image_.raw, image_.config_bytes) {
  if (image_.path.size() > 1) {
    throw InvalidData(str(quoted(text), " is an index of several images, which cannot be changed"));
  }
}

ImageChange::ImageChange(const App& app, const std::string& text,
                         const std::vector<Descriptor>& path, const Job& job)
    : app_(app),
      text_(text),
      job_(job),
      image_(open_from_bundle(app, text, path)),
      edit_(image_.raw, image_.config_bytes) {}

std::unique_ptr<ImageChange::Place> ImageChange::open_place(const App& app, const std::string& text,
                                                            const std::optional<std::string>& tag,
                                                            const Job& job) {
  if (names_layout(text)) {
    const LayoutName name = parse_layout_name(text);
    return std::make_unique<Place>(
        Place{{},
              std::make_unique<registry::OciLayoutSink>(open_layout(name.path), job.stop),
              tag.value_or(name.tag)});
  }
  const Reference name = local_name(text);
  const Reference reference = tag ? name.with_tag(*tag) : name;
  const auto store = std::make_shared<store::Store>(open_store(app));
  return std::make_unique<Place>(
      Place{store, std::make_unique<snapshot::LocalImageSink>(*store, std::vector{reference}, job),
            *reference.tag()});
}

void ImageChange::add_layer(Source& tar, LayerCompression wanted,
                            const std::optional<HistoryEntry>& history) {
  const Compression compression = compression_for(wanted, image_.manifest);
  const Directory scratch = scratch_for(app_, text_);
  Fd file = open_unnamed(scratch);
  FdSink out(file, scratch.path());
  Hasher plain(HashAlgorithm::sha256);
  Hasher packed(HashAlgorithm::sha256);
  std::uint64_t plain_size = 0;
  TapSource hashed(tar, [&](std::span<const std::byte> piece) {
    plain.update(piece);
    plain_size += piece.size();
  });
  const auto compressed = compress(hashed, compression);
  TapSource bytes(*compressed, [&](std::span<const std::byte> piece) { packed.update(piece); });
  const std::uint64_t size = pump(bytes, out, job_.stop);
  const Descriptor layer{layer_type(compression),
                         Digest::parse(str("sha256:", packed.finish_hex())), size};
  edit_.add_layer(layer, DiffId{Digest::parse(str("sha256:", plain.finish_hex()))}, plain_size);
  blobs_.emplace_back(layer, std::move(file));
  if (history) {
    edit_.add_history(*history);
  } else {
    job_.observer.note(NoteLevel::warning,
                       "new layer has no history entry -- this will confuse many tools!");
  }
}

Descriptor ImageChange::commit(const std::optional<std::string>& tag) {
  const RawManifest raw = edit_.manifest();
  const Manifest manifest = parse_manifest(raw.bytes);
  const auto place = open_place(app_, text_, tag, job_);
  ImageSink& sink = *place->sink;
  const auto put = [&](const Descriptor& descriptor, std::unique_ptr<Source> bytes) {
    if (sink.has_blob(descriptor) || !sink.begin_blob(descriptor, job_.stop)) return;
    VerifiedSource verified(*bytes, descriptor);
    sink.put_blob(descriptor, verified);
  };
  for (auto& [descriptor, file] : blobs_) {
    check_syscall(::lseek(file.get(), 0, SEEK_SET), [] { return std::string("rewind a layer"); });
    put(descriptor, std::make_unique<FdSource>(std::move(file), descriptor.digest.text()));
  }
  for (const Descriptor& layer : manifest.layers) {
    if (!sink.has_blob(layer)) put(layer, image_.source->blob(layer));
  }
  put(manifest.config, std::make_unique<StringSource>(edit_.config_text()));
  sink.put_manifest(raw, place->key);
  sink.commit();
  return raw.descriptor();
}

}  // namespace lade::cli
