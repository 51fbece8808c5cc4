#include "snapshot/tar_stream.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <functional>
#include <utility>

namespace lade::snapshot {

void TarStream::hash_rest() {
  const auto rest = std::exchange(unhashed_, {});
  if (blob_hasher_ == nullptr) return hasher_.update(rest);
  blob_hasher_->update_beside(hasher_, rest);
}

std::span<const std::byte> TarStream::next() {
  hash_rest();
  unhashed_ = pieces_.next();
  size_ += unhashed_.size();
  if (size_ > limit_) throw InvalidData(str("layer of more than ", limit_, " bytes"));
  return unhashed_;
}

void TarStream::hash_content(std::span<const std::byte> content, Hasher& hasher) {
  // Whatever pointers they are, this orders them.
  const std::less_equal<const std::byte*> not_after;
  const bool is_part =
      not_after(unhashed_.data(), content.data()) &&
      not_after(content.data() + content.size(), unhashed_.data() + unhashed_.size());
  if (!is_part || content.empty()) return hasher.update(content);
  const auto before = static_cast<std::size_t>(content.data() - unhashed_.data());
  hasher_.update(unhashed_.first(before));
  Hasher::update_both(hasher_, content, hasher, content);
  unhashed_ = unhashed_.subspan(before + content.size());
}

DiffId TarStream::diff_id() {
  hash_rest();
  return DiffId{Digest::parse(str("sha256:", hasher_.finish_hex()))};
}

}  // namespace lade::snapshot
