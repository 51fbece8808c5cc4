#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/sync/mirror_bundle.hpp"
#include "registry/sync/mirror_walk.hpp"

namespace lade::registry {

namespace {

constexpr std::string_view k_state_head = "# lade mirror state 1";
constexpr std::string_view k_bundle_head = "# lade mirror bundle 1";

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string from_dash(const std::string& text) {
  return text == "-" ? "" : text;
}

/// Names that a line of words can hold; others were not given by lade.
const std::string& checked_name(const std::string& name) {
  for (const char c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 127) {
      throw InvalidData(str("the name ", quoted(name), " has blanks or control characters"));
    }
  }
  if (name == "-") throw InvalidData("an image is called `-`");
  return name;
}

std::string image_line(const std::string& name, const Descriptor& image) {
  const MirrorRecord record = MirrorRecord::of(image);
  return str("image ", image.digest.text(), ' ', image.size, ' ', image.media_type, ' ',
             or_dash(checked_name(name)), ' ', record.digest ? record.digest->text() : "-", ' ',
             or_dash(checked_name(record.selection)), ' ', or_dash(checked_name(record.origin)),
             '\n');
}

std::string blob_line(std::string_view word, const Digest& digest, std::uint64_t size) {
  return str(word, ' ', digest.text(), ' ', size, '\n');
}

/// Reads the lines of a file that begins with `head`.
class Lines {
 public:
  Lines(std::string_view text, std::string_view head, std::string_view document)
      : lines_(split(text, '\n')), document_(document) {
    if (lines_.front() != head) fail();
  }

  /// The words of the next line that has any; none at the end.
  std::vector<std::string> next() {
    while (++at_ < lines_.size()) {
      if (!lines_[at_].empty()) return split(lines_[at_], ' ');
    }
    return {};
  }

  Digest digest(const std::vector<std::string>& words, std::size_t index) const {
    const auto digest = index < words.size() ? Digest::try_parse(words[index]) : std::nullopt;
    if (!digest) fail();
    return *digest;
  }

  std::uint64_t size(const std::vector<std::string>& words, std::size_t index) const {
    const auto size =
        index < words.size() ? parse_number<std::uint64_t>(words[index]) : std::nullopt;
    if (!size) fail();
    return *size;
  }

  std::pair<std::string, Descriptor> image(const std::vector<std::string>& words) const {
    if (words.size() != 8) fail();
    const MirrorRecord record{from_dash(words[7]), Digest::try_parse(words[5]),
                              from_dash(words[6])};
    Descriptor image{words[3], digest(words, 1), size(words, 2)};
    image.annotations = record.annotations();
    return {from_dash(words[4]), std::move(image)};
  }

  [[noreturn]] void fail() const {
    throw InvalidData(str(quoted(document_), ": line ", at_ + 1, " is not as lade writes it"));
  }

 private:
  std::vector<std::string> lines_;
  std::string_view document_;
  std::size_t at_ = 0;
};

}  // namespace

MirrorState MirrorState::of(const OciLayout& layout) {
  MirrorState state;
  MirrorWalker walker(layout);
  const MirrorWalker::Visitor visitor{
      .see =
          [&](const Descriptor& blob, BlobRole) {
            if (layout.find_blob_size(blob.digest) == blob.size) {
              state.blobs.emplace(blob.digest, blob.size);
            } else if (blob.urls.empty()) {
              throw NotFound(str("the mirror lacks the blob ", quoted(blob.digest.text()), " of ",
                                 blob.size, " bytes"));
            }
          },
      .broken =
          [&](const Descriptor& manifest, const Error& problem) {
            throw InvalidData(
                str("manifest ", quoted(manifest.digest.text()), ": ", problem.what()));
          }};
  const LayoutIndex index = layout.read_index();
  for (const LayoutEntry& entry : index.entries()) {
    // A manifest without a name is as its digest: what refers to others is kept so.
    const std::string name = entry.name.empty() ? entry.descriptor.digest.text() : entry.name;
    walker.walk(entry.descriptor, visitor);
    Descriptor image{entry.descriptor.media_type, entry.descriptor.digest, entry.descriptor.size};
    image.annotations = MirrorRecord::of(entry.descriptor).annotations();
    state.images.emplace(name, std::move(image));
  }
  return state;
}

MirrorState MirrorState::parse(std::string_view text, std::string_view document) {
  MirrorState state;
  Lines lines(text, k_state_head, document);
  for (auto words = lines.next(); !words.empty(); words = lines.next()) {
    if (words[0] == "image") {
      state.images.insert(lines.image(words));
    } else if (words[0] == "blob") {
      state.blobs.emplace(lines.digest(words, 1), lines.size(words, 2));
    } else {
      lines.fail();
    }
  }
  return state;
}

std::string MirrorState::text() const {
  std::string text = str(k_state_head, '\n');
  for (const auto& [name, image] : images) text += image_line(name, image);
  for (const auto& [digest, size] : blobs) text += blob_line("blob", digest, size);
  return text;
}

BundleHead BundleHead::parse(std::string_view text) {
  constexpr std::string_view document = "bundle";
  const auto end = text.rfind("end ");
  Lines lines(text, k_bundle_head, document);
  BundleHead head;
  for (auto words = lines.next(); !words.empty(); words = lines.next()) {
    if (words[0] == "image") {
      head.images.insert(lines.image(words));
    } else if (words[0] == "gone" && words.size() == 3) {
      head.gone.emplace(words[2], lines.digest(words, 1));
    } else if (words[0] == "have") {
      head.contained.emplace(lines.digest(words, 1), lines.size(words, 2));
    } else if (words[0] == "need") {
      head.needed.emplace(lines.digest(words, 1), lines.size(words, 2));
    } else if (words[0] == "end") {
      if (lines.digest(words, 1) != Digest::of(text.substr(0, end)) || !lines.next().empty()) break;
      return head;
    } else {
      lines.fail();
    }
  }
  throw InvalidData("the bundle's list of contents is not whole, or was changed");
}

std::string BundleHead::text() const {
  std::string text = str(k_bundle_head, '\n');
  for (const auto& [name, image] : images) text += image_line(name, image);
  for (const auto& [name, digest] : gone) {
    text += str("gone ", digest.text(), ' ', checked_name(name), '\n');
  }
  for (const auto& [digest, size] : contained) text += blob_line("have", digest, size);
  for (const auto& [digest, size] : needed) text += blob_line("need", digest, size);
  return str(text, "end ", Digest::of(text).text(), '\n');
}

}  // namespace lade::registry
