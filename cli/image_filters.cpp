#include "cli/image_filters.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/stored_images.hpp"
#include "oci/image_config.hpp"
#include "store/container_record.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <optional>

namespace lade::cli {

namespace {

constexpr std::string_view k_known =
    "after, before, containers, dangling, id, intermediate, label, label!, manifest, readonly, "
    "reference, since or until";

bool parse_flag(const std::string& key, const std::string& text) {
  for (const char* word : {"true", "t", "1", "True", "TRUE", "T"}) {
    if (text == word) return true;
  }
  for (const char* word : {"false", "f", "0", "False", "FALSE", "F"}) {
    if (text == word) return false;
  }
  throw UsageError(str("--filter ", key, ": expected true or false, not ", quoted(text)));
}

/// A Go duration in seconds; nothing if it is none.
std::optional<std::int64_t> find_duration(std::string_view text) {
  std::int64_t total = 0;
  bool is_any = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_number<std::uint32_t>(text.substr(0, end));
    if (!number || end == text.size()) return std::nullopt;
    const char unit = text[end];
    const std::int64_t seconds = unit == 'h' ? 3600 : unit == 'm' ? 60 : unit == 's' ? 1 : 0;
    if (seconds == 0) return std::nullopt;
    total += *number * seconds;
    is_any = true;
    text.remove_prefix(end + 1);
  }
  return is_any ? std::optional(total) : std::nullopt;
}

Timestamp created_or_never(const store::StoredImage& image) {
  return image.created.value_or(Timestamp{});
}

}  // namespace

Timestamp parse_moment(std::string_view text, const Timestamp& current) {
  if (const auto seconds = parse_number<std::int64_t>(text)) return {*seconds, 0};
  if (const auto ago = find_duration(text)) return {current.seconds - *ago, current.nanoseconds};
  for (const std::string& whole : {std::string(text), str(text, 'Z'), str(text, "T00:00:00Z")}) {
    if (const auto time = parse_rfc3339(whole)) return *time;
  }
  throw UsageError(str(quoted(text),
                       " is no time: expected seconds since 1970, a date, RFC 3339 or "
                       "a duration like 36h"));
}

bool fits_name(const Reference& name, const std::string& pattern) {
  const std::string tag = name.tag() ? str(':', *name.tag()) : std::string();
  const std::string repository = name.repository();
  const std::string last = repository.substr(repository.rfind('/') + 1);
  const std::array<std::string, 6> forms{repository + tag, name.path(),       last + tag,
                                         repository,       name.path() + tag, last};
  return std::any_of(forms.begin(), forms.end(), [&](const std::string& form) {
    return ::fnmatch(pattern.c_str(), form.c_str(), FNM_PATHNAME) == 0;
  });
}

ImageFilters::ImageFilters(const store::Store& store, const std::vector<std::string>& texts)
    : store_(store) {
  for (const std::string& text : texts) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos) {
      throw UsageError(str("--filter ", quoted(text), ": expected KEY=VALUE"));
    }
    add(text.substr(0, at), text.substr(at + 1));
  }
}

void ImageFilters::add(const std::string& key, const std::string& value) {
  if (key == "reference") references_.push_back(value);
  const bool is_label = key.starts_with("label");
  // Each label has a key of its own, so that all of them must be there.
  by_key_[is_label ? str(key, '=', value) : key].push_back(make(key, value));
}

bool ImageFilters::pass(const store::StoredImage& image) const {
  return std::all_of(by_key_.begin(), by_key_.end(), [&](const auto& each) {
    return std::any_of(each.second.begin(), each.second.end(),
                       [&](const Filter& filter) { return filter(image); });
  });
}

std::vector<const Reference*> ImageFilters::names_meant(const store::StoredImage& image) const {
  std::vector<const Reference*> all;
  std::vector<const Reference*> meant;
  for (const Reference& name : image.names) {
    all.push_back(&name);
    const bool fits = std::any_of(references_.begin(), references_.end(),
                                  [&](const std::string& each) { return fits_name(name, each); });
    if (fits) meant.push_back(&name);
  }
  return meant.empty() ? all : meant;
}

ImageFilters::Filter ImageFilters::make(const std::string& key, const std::string& value) const {
  if (key == "reference") return make_reference(value);
  if (key == "label") return make_label(value);
  if (key == "label!") {
    return [has = make_label(value)](const auto& image) { return !has(image); };
  }
  if (key == "dangling") {
    return [wanted = parse_flag(key, value)](const auto& image) {
      return is_dangling(image) == wanted;
    };
  }
  if (key == "containers") {
    return [this, wanted = parse_flag(key, value)](const auto& image) {
      return store::containers_of(store_.containers(), image.id).empty() != wanted;
    };
  }
  // No image here is a step of a build, in another store, or a list.
  if (key == "intermediate" || key == "readonly" || key == "manifest") {
    return [wanted = parse_flag(key, value)](const auto&) { return !wanted; };
  }
  if (key == "id") {
    return [value](const auto& image) { return image.id.hex().starts_with(value); };
  }
  return make_created(key, value);
}

ImageFilters::Filter ImageFilters::make_label(const std::string& value) const {
  const std::size_t at = value.find('=');
  const std::string name = value.substr(0, at);
  const auto wanted = at == std::string::npos ? std::nullopt : std::optional(value.substr(at + 1));
  return [this, name, wanted](const store::StoredImage& image) {
    const ImageConfig config = parse_image_config(store_.read_config(image));
    if (!config.process.labels) return false;
    const auto found = config.process.labels->find(name);
    return found != config.process.labels->end() && (!wanted || found->second == *wanted);
  };
}

ImageFilters::Filter ImageFilters::make_reference(const std::string& value) const {
  std::optional<Digest> named;
  try {
    if (const auto image = store_.find_image(value)) named = image->id;
  } catch (const InvalidData&) {
    // The beginning of several ids, and perhaps a name.
  }
  return [value, named](const store::StoredImage& image) {
    const auto fits = [&](const Reference& name) { return fits_name(name, value); };
    return image.id == named || std::any_of(image.names.begin(), image.names.end(), fits);
  };
}

ImageFilters::Filter ImageFilters::make_created(const std::string& key,
                                                const std::string& value) const {
  if (key == "until") {
    return [until = parse_moment(value, now())](const auto& image) {
      return created_or_never(image) < until;
    };
  }
  if (key != "since" && key != "after" && key != "before") {
    throw UsageError(str("--filter ", quoted(key), ": unknown, expected ", k_known));
  }
  return [other = created_or_never(store_.get_image(value)),
          is_before = key == "before"](const auto& image) {
    return is_before ? created_or_never(image) < other : created_or_never(image) > other;
  };
}

}  // namespace lade::cli
