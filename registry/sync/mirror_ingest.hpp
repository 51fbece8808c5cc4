// The blobs that a mirror is being sent: each in a file of its own in `.lade-ingest`, locked by who
// writes it, left there when he dies, and in its place as soon as it is whole.
#pragma once

#include "base/directory.hpp"
#include "base/stream.hpp"
#include "oci/descriptor.hpp"
#include "registry/transports/oci_layout.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

namespace lade::registry {

/// One blob on its way into a layout. Its destruction lets the next writer have it; what was
/// written stays to be continued.
class MirrorBlob {
 public:
  /// Waits until nobody else, in this process or another, writes the blob. Nothing if it is in its
  /// place by then. `ingest` is the layout's directory for this. Throws Cancelled.
  static std::unique_ptr<MirrorBlob> claim(const OciLayout& layout, const Directory& ingest,
                                           const Descriptor& descriptor,
                                           const std::stop_token& stop);

  /// The same, whatever is in its place: to be written from the beginning, and put over that.
  static std::unique_ptr<MirrorBlob> replace(const OciLayout& layout, const Directory& ingest,
                                             const Descriptor& descriptor,
                                             const std::stop_token& stop);

  /// How many bytes of its beginning are here; the next write() is of the whole stream all the
  /// same, and skips them.
  std::uint64_t kept() const noexcept { return kept_; }
  /// Reads what is kept.
  std::unique_ptr<Source> reader() const;

  /// Takes the next piece of the stream.
  void write(std::span<const std::byte> piece);
  /// After the end of a stream whose digest was right: makes the blob durable and puts it into its
  /// place, over whatever is there.
  void finish();
  /// Forgets what was written: it is not what it should be.
  void discard();

 private:
  static Fd lock_file(const Directory& ingest, const std::string& name, const std::stop_token& stop,
                      const std::function<bool()>& is_needless);
  MirrorBlob(const OciLayout& layout, const Directory& ingest, const Descriptor& descriptor,
             Fd file);

  const OciLayout& layout_;
  const Directory& ingest_;
  Digest digest_;
  std::string name_;
  Fd file_;
  std::uint64_t kept_ = 0;
  std::uint64_t position_ = 0;  ///< in the stream
  std::uint64_t flushed_ = 0;   ///< whose write-back has begun
};

}  // namespace lade::registry
