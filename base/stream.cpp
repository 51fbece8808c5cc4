#include "base/stream.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace lade {

std::uint64_t pump(Source& source, Sink& sink, const std::stop_token& stop) {
  std::vector<std::byte> buffer(k_copy_buffer);
  std::uint64_t total = 0;
  for (;;) {
    if (stop.stop_requested()) throw Cancelled();
    const std::size_t count = source.read(buffer);
    if (count == 0) return total;
    sink.write(std::span(buffer).first(count));
    total += count;
  }
}

std::string read_all(Source& source, std::size_t cap, std::string_view what) {
  std::string text;
  std::vector<std::byte> buffer(k_copy_buffer);
  while (const std::size_t count = source.read(buffer)) {
    text += as_text(std::span(buffer).first(count));
    if (text.size() > cap) throw InvalidData(str(what, " is larger than ", human_size(cap)));
  }
  return text;
}

std::size_t FdSource::read(std::span<std::byte> buffer) {
  return read_some(fd_, buffer, name_);
}

void FdSink::write(std::span<const std::byte> data) {
  write_all(fd_, data, name_);
}

std::size_t StringSource::read(std::span<std::byte> buffer) {
  const std::size_t count = std::min(buffer.size(), text_.size() - position_);
  std::memcpy(buffer.data(), text_.data() + position_, count);
  position_ += count;
  return count;
}

std::size_t TapSource::read(std::span<std::byte> buffer) {
  const std::size_t count = inner_.read(buffer);
  if (count > 0) see_(buffer.first(count));
  return count;
}

}  // namespace lade
