#include "registry/transports/archive_file.hpp"

#include "base/compress.hpp"
#include "base/error.hpp"
#include "base/temporary_file.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace lade::registry {

namespace {

constexpr std::uint64_t k_largest_ratio = 200;

std::size_t read_at(const Fd& file, std::uint64_t offset, std::span<std::byte> buffer,
                    const std::string& path) {
  for (;;) {
    const ssize_t count =
        ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) throw SystemError(errno, str("read ", lade::quoted(path)));
  }
}

/// A part of a file, without the file's position.
class RangeSource final : public Source {
 public:
  RangeSource(const Fd& file, std::uint64_t offset, std::uint64_t size, const std::string& path)
      : file_(file), offset_(offset), remaining_(size), path_(path) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), remaining_));
    if (wanted == 0) return 0;
    const std::size_t count = read_at(file_, offset_, buffer.first(wanted), path_);
    if (count == 0)
      throw InvalidData(str(lade::quoted(path_), " became shorter while it was read"));
    offset_ += count;
    remaining_ -= count;
    return count;
  }

 private:
  const Fd& file_;
  std::uint64_t offset_;
  std::uint64_t remaining_;
  const std::string& path_;
};

/// Opens what a path names for reading; links are followed, since the user named them.
Fd open_archive(const std::string& path) {
  try {
    return open_file(path, O_RDONLY);
  } catch (const SystemError& error) {
    if (error.code() != ENOENT) throw;
    throw NotFound(str("no archive at ", lade::quoted(path)));
  }
}

/// Unpacks a stream into a file without a name.
Fd spool(Source& stream, const std::string& path, const ArchiveOptions& options) {
  const Directory directory = Directory::open(options.temporary_directory);
  Fd file = open_unnamed(directory);
  std::uint64_t packed = 0;
  std::uint64_t unpacked = 0;
  TapSource counted(stream, [&](std::span<const std::byte> piece) { packed += piece.size(); });
  const auto plain = decompress(counted);
  TapSource bounded(*plain, [&](std::span<const std::byte> piece) {
    unpacked += piece.size();
    if (unpacked > options.unpacked_freely && unpacked / k_largest_ratio > packed) {
      throw InvalidData(str("it unpacks to more than ", k_largest_ratio, " times its size"));
    }
  });
  FdSink sink(file, str("a file in ", directory.path()));
  in_context([&] { return str("unpack ", lade::quoted(path)); },
             [&] { pump(bounded, sink, options.stop); });
  return file;
}

bool is_plain_file(const Fd& file, const std::string& path) {
  const struct stat st = stat_of(file, path);
  if (S_ISDIR(st.st_mode)) throw InvalidData(str(lade::quoted(path), " is a directory"));
  if (!S_ISREG(st.st_mode)) return false;
  // What is not at its beginning was read from before, by whoever passed it on.
  if (::lseek(file.get(), 0, SEEK_CUR) != 0) return false;
  std::array<std::byte, k_compression_head> head{};
  const std::size_t count = read_at(file, 0, head, path);
  return find_compression(std::span(head).first(count)) == Compression::none;
}

}  // namespace

ArchiveFile::ArchiveFile(std::string path, Fd file, bool is_in_place)
    : path_(std::move(path)),
      file_(std::move(file)),
      is_in_place_(is_in_place),
      index_(TarIndex::read(
          [this](std::uint64_t offset, std::span<std::byte> buffer) {
            return read_at(file_, offset, buffer, path_);
          },
          static_cast<std::uint64_t>(stat_of(file_, path_).st_size), path_)) {}

ArchiveFile ArchiveFile::open(const std::string& path, const ArchiveOptions& options) {
  Fd file = open_archive(path);
  const bool is_in_place = in_context([&] { return str("read ", lade::quoted(path)); },
                                      [&] { return is_plain_file(file, path); });
  if (is_in_place) return {path, std::move(file), true};
  FdSource stream(std::move(file), path);
  return {path, spool(stream, path, options), false};
}

const TarEntry& ArchiveFile::get(std::string_view name) const {
  if (const TarEntry* entry = index_.find_file(name)) return *entry;
  throw InvalidData(str("archive ", lade::quoted(path_), " has no member ", lade::quoted(name)));
}

std::unique_ptr<Source> ArchiveFile::open(const TarEntry& entry, std::uint64_t offset) const {
  const std::uint64_t begin = std::min(offset, entry.size);
  return std::make_unique<RangeSource>(file_, entry.offset + begin, entry.size - begin, path_);
}

std::string ArchiveFile::read(const TarEntry& entry, std::size_t cap) const {
  const std::string what = str("member ", lade::quoted(entry.name), " of ", lade::quoted(path_));
  if (entry.size > cap) throw InvalidData(str(what, " is larger than ", human_size(cap)));
  return read_all(*open(entry), cap, what);
}

}  // namespace lade::registry
