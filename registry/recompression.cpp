#include "registry/recompression.hpp"

#include "base/error.hpp"
#include "base/temporary_file.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "registry/copy_targets.hpp"
#include "registry/http.hpp"

#include <unistd.h>

namespace lade::registry {

namespace {

/// A layer in its new form.
struct Spooled {
  Fd file;
  NewLayer layer;
};

/// Writes the new form of what `compressed` is into `spooled`, which is emptied first.
void spool(Source& compressed, const DiffId& diff_id, const Recompression& wanted, Spooled& spooled,
           const std::stop_token& stop) {
  check_syscall(::ftruncate(spooled.file.get(), 0), [] { return "empty a temporary file"; });
  check_syscall(::lseek(spooled.file.get(), 0, SEEK_SET), [] { return "rewind a temporary file"; });
  Hasher plain_hash(diff_id.digest.algorithm());
  Hasher new_hash(HashAlgorithm::sha256);
  std::uint64_t size = 0;
  const auto plain = decompress(compressed);
  TapSource checked(*plain, [&](std::span<const std::byte> piece) { plain_hash.update(piece); });
  const auto result = compress(checked, wanted.to, wanted.level);
  TapSource counted(*result, [&](std::span<const std::byte> piece) {
    new_hash.update(piece);
    size += piece.size();
  });
  FdSink sink(spooled.file, "a temporary file");
  pump(counted, sink, stop);
  if (const std::string actual = plain_hash.finish_hex(); actual != diff_id.digest.hex()) {
    throw Refused(str("unpacked it is `", diff_id.digest.algorithm_name(), ':', actual,
                      "`, but the configuration says ", quoted(diff_id.digest.text())));
  }
  spooled.layer = {Digest::parse("sha256:" + new_hash.finish_hex()), size, wanted.to};
}

void put(const BlobCopying& how, std::size_t index, const Spooled& spooled,
         const std::stop_token& stop) {
  ImageSink& sink = how.targets[index].sink;
  const Descriptor descriptor{"application/octet-stream", spooled.layer.digest, spooled.layer.size};
  bool is_sent = false;
  with_retries(how.retry, stop, [&] {
    if (sink.has_blob(descriptor) || !sink.begin_blob(descriptor, stop)) return;
    // A descriptor of its own position: destinations are served one after the other from it.
    check_syscall(::lseek(spooled.file.get(), 0, SEEK_SET),
                  [] { return "rewind a temporary file"; });
    FdSource file(duplicate(spooled.file), "a temporary file");
    VerifiedSource verified(file, descriptor);
    sink.put_blob(descriptor, verified);
    is_sent = true;
  });
  how.targets.update(
      index, [&](CopyResult& result) { ++(is_sent ? result.blobs_fetched : result.blobs_reused); });
}

}  // namespace

bool is_recompressed(const Descriptor& layer, const DiffId& diff_id, const Recompression& wanted) {
  const auto type = parse_layer_type(layer.media_type);
  if (!type || type->foreign) return false;
  const Compression now = actual_compression(*type, layer.digest, diff_id);
  if (now == wanted.to) return false;
  return wanted.which == Recompression::Which::all || now == Compression::none;
}

NewLayer copy_recompressed(const BlobCopying& how, const BlobItem& item,
                           const Recompression& wanted, const std::string& scratch,
                           const std::stop_token& stop) {
  const auto context = [&] {
    return str("compress ", described(item.what, item.descriptor), " anew");
  };
  Spooled spooled{
      .file = in_context(context, [&] { return open_unnamed(Directory::open(scratch)); }),
      .layer = {item.descriptor.digest, item.descriptor.size}};
  in_context(context, [&] {
    read_blob_to(how, item, stop,
                 [&](Source& bytes) { spool(bytes, *item.diff_id, wanted, spooled, stop); });
  });
  how.targets.for_each_alive(
      [&](std::size_t index) { in_context(context, [&] { put(how, index, spooled, stop); }); });
  return spooled.layer;
}

}  // namespace lade::registry
