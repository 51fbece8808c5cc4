#include "snapshot/tar_reader.hpp"

#include "base/error.hpp"
#include "base/tar_format.hpp"
#include "base/text.hpp"
#include "snapshot/pax_headers.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <vector>

namespace lade::snapshot {

namespace {

// What may be read before one entry, or one piece of its data, is known: long names, pax records,
// the map of a sparse file. libarchive keeps all of it in memory, some of it several times.
constexpr std::uint64_t k_header_cap = 4 * 1024 * 1024;
constexpr std::int64_t k_no_id = std::numeric_limits<std::uint32_t>::max();

/// The character set UTF-8: libarchive converts the names of pax headers from UTF-8 to the
/// thread's, and in the "C" locale would not give their bytes back. Loading it costs more than
/// reading a header, so a reader does it once.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    if (locale_ != nullptr) ::freelocale(locale_);
  }

  /// While it lives the thread has that locale; the process's is not the library's to change.
  class InUse {
   public:
    explicit InUse(const Utf8Locale& utf8)
        : previous_(utf8.locale_ != nullptr ? ::uselocale(utf8.locale_) : nullptr) {}
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;
    ~InUse() {
      if (previous_ != nullptr) ::uselocale(previous_);
    }

   private:
    locale_t previous_;
  };

 private:
  locale_t locale_;
};

EntryType type_of(archive_entry* entry, const std::string& path) {
  if (archive_entry_hardlink(entry) != nullptr) return EntryType::hardlink;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return EntryType::regular;
    case AE_IFDIR:
      return EntryType::directory;
    case AE_IFLNK:
      return EntryType::symlink;
    case AE_IFCHR:
      return EntryType::character;
    case AE_IFBLK:
      return EntryType::block;
    case AE_IFIFO:
      return EntryType::fifo;
    default:
      throw InvalidData(str("tar entry ", quoted(path), ": unknown type"));
  }
}

/// chown() takes -1 for "leave as it is" and wraps larger numbers to 0 (CVE-2024-40635).
std::uint32_t checked_id(std::int64_t id, const char* kind, const std::string& path) {
  if (id < 0 || id >= k_no_id) {
    throw InvalidData(str("tar entry ", quoted(path), ": ", kind, ' ', id, " is out of range"));
  }
  return static_cast<std::uint32_t>(id);
}

dev_t checked_device(archive_entry* entry, const std::string& path) {
  const std::uint64_t high = archive_entry_rdevmajor(entry);
  const std::uint64_t low = archive_entry_rdevminor(entry);
  // What the kernel can represent: 12 bits of major and 20 of minor.
  if (high >= (1U << 12U) || low >= (1U << 20U)) {
    throw InvalidData(str("tar entry ", quoted(path), ": device number out of range"));
  }
  return makedev(static_cast<unsigned>(high), static_cast<unsigned>(low));
}

std::vector<Xattr> xattrs_of(archive_entry* entry) {
  std::vector<Xattr> xattrs;
  if (archive_entry_xattr_reset(entry) == 0) return xattrs;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    xattrs.push_back({name, std::string(static_cast<const char*>(value), size)});
  }
  return xattrs;
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : text;
}

Entry convert(archive_entry* entry) {
  Entry result;
  result.path = text_or_empty(archive_entry_pathname(entry));
  result.type = type_of(entry, result.path);
  if (result.type == EntryType::hardlink) {
    result.target = text_or_empty(archive_entry_hardlink(entry));
  } else if (result.type == EntryType::symlink) {
    result.target = text_or_empty(archive_entry_symlink(entry));
  } else if (result.type == EntryType::character || result.type == EntryType::block) {
    result.device = checked_device(entry, result.path);
  }
  const std::int64_t size = archive_entry_size(entry);
  if (size < 0) throw InvalidData(str("tar entry ", quoted(result.path), ": negative size"));
  result.size = static_cast<std::uint64_t>(size);
  result.attributes.mode = archive_entry_perm(entry) & 07777U;
  result.attributes.uid = checked_id(archive_entry_uid(entry), "uid", result.path);
  result.attributes.gid = checked_id(archive_entry_gid(entry), "gid", result.path);
  result.attributes.mtime = {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
  result.attributes.xattrs = xattrs_of(entry);
  return result;
}

/// What libarchive makes of names with a NUL is their beginning, and of -1.5 it makes -1 + 0.5.
void amend(Entry& entry, const PaxNotes& notes) {
  if (notes.has_nul_in_name) {
    throw InvalidData(str("tar entry ", quoted(entry.path), "…: a NUL in a name"));
  }
  timespec& time = entry.attributes.mtime;
  constexpr auto earliest = std::numeric_limits<time_t>::min();
  if (!notes.is_before_epoch || time.tv_nsec == 0 || time.tv_sec == earliest) return;
  time = {time.tv_sec - 1, 1'000'000'000 - time.tv_nsec};
}

}  // namespace

struct TarReader::State {
  explicit State(PieceSource& tar) : source(tar) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (reader != nullptr) archive_read_free(reader);
  }

  /// libarchive's read callback. No exception may cross C: it waits in `failure`.
  static la_ssize_t read(archive*, void* self, const void** data) {
    auto& state = *static_cast<State*>(self);
    try {
      const auto piece = state.held.empty() ? state.next_piece() : state.held;
      state.held = {};
      state.taken += piece.size();
      if (state.in_header && state.taken > k_header_cap) {
        throw InvalidData(str("layer's tar: headers of more than ", k_header_cap, " bytes after ",
                              quoted(state.current)));
      }
      *data = piece.data();
      return static_cast<la_ssize_t>(piece.size());
    } catch (...) {
      state.failure = std::current_exception();
      return ARCHIVE_FATAL;
    }
  }

  /// The piece that was there goes; of headers that begin in it a copy is kept.
  std::span<const std::byte> next_piece() {
    if (keeps_headers) {
      const std::uint64_t from = std::max(headers_from, piece_from);
      headers += as_text(piece.subspan(static_cast<std::size_t>(from - piece_from)));
    }
    piece_from += piece.size();
    piece = source.next();
    return piece;
  }

  void begin_headers() {
    keeps_headers = true;
    headers.clear();
    headers_from = reader == nullptr ? 0 : position();
  }

  std::uint64_t position() const {
    return static_cast<std::uint64_t>(archive_filter_bytes(reader, 0));
  }

  /// The headers of the member at hand, all of them, if there are several.
  std::string_view end_headers() {
    keeps_headers = false;
    const auto begin = static_cast<std::uint64_t>(archive_read_header_position(reader));
    const std::uint64_t end = position();
    if (end - begin <= tar::k_block) return {};
    if (begin < piece_from) {
      headers += as_text(piece.first(static_cast<std::size_t>(end - piece_from)));
      return std::string_view(headers).substr(static_cast<std::size_t>(begin - headers_from));
    }
    return as_text(piece.subspan(static_cast<std::size_t>(begin - piece_from),
                                 static_cast<std::size_t>(end - begin)));
  }

  /// Throws unless `code` is success. Warnings are about names that were kept as they are.
  void check(int code, const char* what) {
    if (failure) std::rethrow_exception(failure);
    if (code == ARCHIVE_OK || code == ARCHIVE_WARN) return;
    if (!recognised) throw InvalidData("layer is not a tar archive");
    const std::string cause = printable(text_or_empty(archive_error_string(reader)));
    throw InvalidData(current.empty()
                          ? str("layer's tar: ", what, ": ", cause)
                          : str("layer's tar: ", what, " after ", quoted(current), ": ", cause));
  }

  void open() {
    reader = archive_read_new();
    if (reader == nullptr) throw SystemError(ENOMEM, "read a tar");
    archive_read_support_format_tar(reader);
    archive_read_set_option(reader, "tar", "hdrcharset", "BINARY");
    archive_read_set_option(reader, "tar", "mac-ext", nullptr);
    archive_read_set_option(reader, "tar", "read_concatenated_archives", nullptr);
    check(archive_read_open(reader, this, nullptr, &State::read, nullptr), "open");
  }

  /// Leaves out what is left of an entry's data, of which there may be any amount.
  void skip_data() {
    in_header = false;
    const int code = archive_read_data_skip(reader);
    if (code != ARCHIVE_EOF) check(code, "skip data");
    begin_header();
  }

  void begin_header() {
    in_header = true;
    taken = 0;
  }

  void drain() {
    while (!next_piece().empty()) {
    }
  }

  PieceSource& source;
  Utf8Locale locale;
  std::span<const std::byte> piece;  ///< the last one
  std::uint64_t piece_from = 0;      ///< where it begins in the tar
  std::span<const std::byte> held;   ///< the first piece, until libarchive has seen it
  bool keeps_headers = false;
  std::uint64_t headers_from = 0;  ///< where in the tar `headers` begin
  std::string headers;             ///< of what is not in `piece` any more
  std::uint64_t taken = 0;         ///< bytes that libarchive has taken since begin_header()
  bool in_header = true;
  archive* reader = nullptr;
  bool recognised = false;
  bool ended = false;
  std::string current;
  std::exception_ptr failure;
};

TarReader::TarReader(PieceSource& tar) : state_(std::make_unique<State>(tar)) {}
TarReader::~TarReader() = default;

std::optional<Entry> TarReader::next() {
  if (state_->ended) return std::nullopt;
  const Utf8Locale::InUse names(state_->locale);
  if (state_->reader == nullptr) {
    state_->begin_headers();
    // libarchive takes no bytes at all for an unknown format; they are a tar without members.
    state_->held = state_->next_piece();
    if (state_->held.empty()) {
      state_->ended = true;
      return std::nullopt;
    }
    state_->open();
  }
  if (state_->recognised) {
    state_->skip_data();
    state_->begin_headers();
  }
  archive_entry* entry = nullptr;
  const int code = archive_read_next_header(state_->reader, &entry);
  if (code == ARCHIVE_EOF && !state_->failure) {
    state_->drain();
    state_->ended = true;
    return std::nullopt;
  }
  state_->check(code, "read a header");
  state_->recognised = true;
  Entry result = convert(entry);
  amend(result, look_at_pax(state_->end_headers()));
  state_->current = result.path;
  return result;
}

std::optional<DataBlock> TarReader::next_block() {
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  // The map of a sparse file is read with its first piece.
  state_->begin_header();
  const int code = archive_read_data_block(state_->reader, &data, &size, &offset);
  if (code == ARCHIVE_EOF && !state_->failure) return std::nullopt;
  state_->check(code, "read data");
  return DataBlock{std::span(static_cast<const std::byte*>(data), size),
                   static_cast<std::uint64_t>(offset)};
}

}  // namespace lade::snapshot
