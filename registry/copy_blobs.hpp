// Blobs on their way from one place to others: verified, metered, retried.
#pragma once

#include "base/observer.hpp"
#include "oci/transport.hpp"
#include "registry/connection.hpp"
#include "registry/rate_limiter.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace lade::registry {

class CopyTargets;

/// A small blob (a config) as a whole, verified. At most `cap` bytes, else InvalidData; retried.
std::string read_blob(ImageSource& source, const Descriptor& descriptor, std::size_t cap,
                      const Job& job, const RetryPolicy& retry = {});

/// One blob to copy, and what it is called in messages.
struct BlobItem {
  Descriptor descriptor;
  std::string_view what;  ///< `config`, `layer`
  /// What a layer is when it is unpacked, where that is to be checked.
  std::optional<DiffId> diff_id = {};
  /// Whether it belongs to the image, or only to what refers to it, which not all places take.
  enum class Part { image, referrer };
  Part part = Part::image;
};

/// What all blobs of one copy have in common.
struct BlobCopying {
  ImageSource& source;
  CopyTargets& targets;
  const RetryPolicy& retry;
  RateLimiter* limiter;
  TaskKind kind;  ///< what is said of each blob
  Observer& observer;
};

/// The policy, with the server's wishes told to the observer unless somebody else hears them.
RetryPolicy with_listener(RetryPolicy retry, Observer& observer);

/// ``layer `sha256:…` (3.4 MiB)``.
std::string described(std::string_view what, const Descriptor& descriptor);

/// Reports bytes to a task; those of a retry only as far as they are new.
class Meter {
 public:
  explicit Meter(Task& task) : task_(task) {}
  void restart() { seen_ = 0; }
  void see(std::size_t count);

 private:
  Task& task_;
  std::uint64_t seen_ = 0;
  std::uint64_t reported_ = 0;
};

/// Streams one blob, verified and to its end, to `take`; again from the beginning where that may
/// mend it.
void read_blob_to(const BlobCopying& how, const BlobItem& item, const std::stop_token& stop,
                  const std::function<void(Source&)>& take);

/// Copies one blob to all destinations that have not got it, by reading it once.
void copy_blob(const BlobCopying& how, const BlobItem& item, const std::stop_token& stop);

}  // namespace lade::registry
