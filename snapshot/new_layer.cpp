#include "snapshot/new_layer.hpp"

#include "base/broadcast.hpp"
#include "base/compress.hpp"
#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/tar_format.hpp"
#include "base/text.hpp"
#include "oci/media_type.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <functional>
#include <stop_token>

namespace lade::snapshot {

namespace {

/// Of blobs that are made while somebody waits: larger by a few per cent, and several times faster.
constexpr int k_fast_gzip = 1;

/// Counts the zeros that a stream ends in: a tar's end is two blocks of them.
class EndMark {
 public:
  void see(std::span<const std::byte> piece) {
    const auto last = std::find_if(piece.rbegin(), piece.rend(),
                                   [](std::byte each) { return each != std::byte{0}; });
    const auto zeros = static_cast<std::uint64_t>(last - piece.rbegin());
    zeros_ = last == piece.rend() ? zeros_ + zeros : zeros;
    size_ += piece.size();
  }

  /// A tar that was cut between two members looks whole to every reader; this tells it.
  void require() const {
    if (size_ == 0) throw InvalidData("there is nothing in it, not even an empty tar");
    if (zeros_ >= 2 * tar::k_block) return;
    InvalidData error("the tar has no end: it was cut short");
    error.set_hint("if it is whole nevertheless, append 1024 zero bytes to it");
    throw error;
  }

 private:
  std::uint64_t zeros_ = 0;
  std::uint64_t size_ = 0;
};

std::unique_ptr<StagedLayer> unpack(const store::Store& store, Source& plain, const Job& job) {
  SniffedSource sniffed(plain);
  // The blob's readers unpack it once.
  if (sniffed.sniff() != Compression::none) throw InvalidData("it is compressed twice");
  EndMark end;
  TapSource seen(sniffed, [&](std::span<const std::byte> piece) { end.see(piece); });
  auto layer = std::make_unique<StagedLayer>(store, seen, nullptr, job);
  end.require();
  return layer;
}

/// Two things done with one stream at the same time. The first failure ends both, and the reading.
void read_together(Source& source, std::span<const std::function<void(Source&)>> takers,
                   const std::stop_token& stop) {
  std::stop_source ended;
  const std::stop_callback forward(stop, [&] { ended.request_stop(); });
  Sync<std::exception_ptr> first;
  std::vector<std::function<void(Source&)>> watched;
  for (const auto& taker : takers) {
    watched.emplace_back([&](Source& bytes) {
      try {
        taker(bytes);
      } catch (...) {
        auto failure = first.lock();
        if (!ended.stop_requested()) *failure = std::current_exception();
        ended.request_stop();
      }
    });
  }
  try {
    broadcast(source, watched, ended.get_token());
  } catch (const Cancelled&) {
    if (!*first.lock()) throw;
  }
  if (const auto failure = *first.lock()) std::rethrow_exception(failure);
}

}  // namespace

StagedNewLayer stage_new_layer(const store::Store& store, Source& tar, const Job& job) {
  SniffedSource given(tar);
  const bool is_gzip = given.sniff() == Compression::gzip;
  const auto inflated = is_gzip ? nullptr : decompress(given);
  std::unique_ptr<StagedLayer> layer;
  auto blob = std::make_unique<store::NewBlob>(store);
  const std::array<std::function<void(Source&)>, 2> takers{
      [&](Source& bytes) {
        const auto plain = is_gzip ? decompress(bytes) : nullptr;
        layer = unpack(store, plain ? *plain : bytes, job);
      },
      [&](Source& bytes) {
        const auto format = is_gzip ? Compression::none : Compression::gzip;
        pump(*compress(bytes, format, k_fast_gzip), *blob);
      }};
  read_together(inflated ? *inflated : given, takers, job.stop);
  const Descriptor descriptor = blob->finish(std::string(media_type::oci_layer_gzip));
  return {std::move(layer), std::move(blob), descriptor};
}

}  // namespace lade::snapshot
