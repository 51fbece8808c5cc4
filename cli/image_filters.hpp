// `--filter` of `images` and `image prune`, with podman's keys.
#pragma once

#include "base/time.hpp"
#include "store/store.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lade::cli {

/// A moment as people write it: seconds since 1970, `2026-01-31`, RFC 3339, or a duration before
/// `current`, as in `36h` and `1h30m`. Throws UsageError.
Timestamp parse_moment(std::string_view text, const Timestamp& current);

/// Whether one of the names by which podman knows an image's name fits the shell pattern: with and
/// without registry, path and tag.
bool fits_name(const Reference& name, const std::string& pattern);

/// What all the filters of a command line let through. Of several with one key an image needs to
/// pass one, but for labels, all of which it must have.
class ImageFilters {
 public:
  /// `texts`: `KEY=VALUE`. Throws UsageError for what is no filter, NotFound for `since` and
  /// `before` an image that is not there. `store` must outlive it.
  ImageFilters(const store::Store& store, const std::vector<std::string>& texts);

  bool pass(const store::StoredImage& image) const;
  /// Which of the image's names were asked for by `reference`: all, where none was.
  std::vector<const Reference*> names_meant(const store::StoredImage& image) const;

 private:
  using Filter = std::function<bool(const store::StoredImage&)>;

  void add(const std::string& key, const std::string& value);
  Filter make(const std::string& key, const std::string& value) const;
  Filter make_label(const std::string& value) const;
  Filter make_reference(const std::string& value) const;
  Filter make_created(const std::string& key, const std::string& value) const;

  const store::Store& store_;
  std::vector<std::string> references_;
  std::map<std::string, std::vector<Filter>> by_key_;
};

}  // namespace lade::cli
