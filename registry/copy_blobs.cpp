#include "registry/copy_blobs.hpp"

#include "base/broadcast.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/verified_source.hpp"
#include "registry/copy_targets.hpp"
#include "registry/http.hpp"
#include "registry/resuming_source.hpp"

#include <algorithm>
#include <functional>

namespace lade::registry {

namespace {

/// Notes whether a failure came from reading, not from what was done with the bytes.
class WatchedSource final : public Source, public HashedStream {
 public:
  WatchedSource(Source& inner, HashedStream& hashed) : inner_(inner), hashed_(hashed) {}
  std::size_t read(std::span<std::byte> buffer) override {
    reading_ = true;
    const std::size_t count = inner_.read(buffer);
    reading_ = false;
    return count;
  }
  PatientHasher& hasher() noexcept override { return hashed_.hasher(); }
  bool failed() const { return reading_; }

 private:
  Source& inner_;
  HashedStream& hashed_;
  bool reading_ = false;
};

/// Reads a blob as a verified stream, and says how that went.
class BlobReader {
 public:
  BlobReader(ImageSource& source, const Descriptor& descriptor, KeptBytes kept,
             ResumingSource::Options options, Meter& meter)
      : stop_(options.stop),
        bytes_(source, descriptor, std::move(kept), std::move(options)),
        verified_(bytes_, descriptor),
        metered_(verified_,
                 [this, &meter](std::span<const std::byte> piece) {
                   if (stop_.stop_requested()) throw Cancelled();
                   meter.see(piece.size());
                 }),
        watched_(metered_, verified_) {
    meter.restart();
  }

  Source& stream() { return watched_; }
  bool failed() const { return watched_.failed(); }
  std::uint64_t fetched() const { return bytes_.fetched(); }
  bool is_pieced() const { return bytes_.is_pieced(); }

 private:
  std::stop_token stop_;
  ResumingSource bytes_;
  VerifiedSource verified_;
  TapSource metered_;
  WatchedSource watched_;
};

/// Decides whether a blob is worth another attempt.
class Attempts {
 public:
  Attempts(const RetryPolicy& retry, Observer& observer, std::stop_token stop)
      : retry_(retry), observer_(observer), stop_(std::move(stop)) {}

  /// Once more as a whole if it came in pieces that do not fit together.
  bool again_after(const Refused& error, const BlobReader& reader) {
    if (is_afresh_ || !reader.is_pieced()) return false;
    is_afresh_ = true;
    observer_.note(NoteLevel::warning, str(error.what(), ": fetching it afresh"));
    return true;
  }

  /// After what a destination said, having waited. The source has tried for itself.
  bool again_after(const HttpError& error) {
    const auto delay = delay_before_retry(retry_, attempt_++, error);
    if (delay) wait_for(*delay, stop_);
    return delay.has_value();
  }

 private:
  const RetryPolicy& retry_;
  Observer& observer_;
  std::stop_token stop_;
  int attempt_ = 1;
  bool is_afresh_ = false;
};

/// Streams one blob to `take`, as often as need be. `begin` gives what is kept of it; nothing if it
/// is here meanwhile. The bytes that were fetched, or nothing. `is_source_fault` is set when what
/// it throws came from reading.
template <class Begin, class Take>
std::optional<std::uint64_t> fetch_blob(ImageSource& source, const Descriptor& descriptor,
                                        const ResumingSource::Options& options, Task& task,
                                        Observer& observer, bool& is_source_fault, Begin&& begin,
                                        Take&& take) {
  Meter meter(task);
  Attempts attempts(options.retry, observer, options.stop);
  for (;;) {
    std::optional<KeptBytes> kept = begin();
    if (!kept) return std::nullopt;
    BlobReader reader(source, descriptor, *std::move(kept), options, meter);
    try {
      take(reader.stream());
      return reader.fetched();
    } catch (const Refused& error) {
      is_source_fault = reader.failed();
      if (!attempts.again_after(error, reader)) throw;
    } catch (const HttpError& error) {
      is_source_fault = reader.failed();
      if (is_source_fault || !attempts.again_after(error)) throw;
    } catch (const Error&) {
      is_source_fault = reader.failed();
      throw;
    }
  }
}

/// `sha256:…` of a layer, `config sha256:…` of what is no layer.
std::string label_of(const BlobItem& item) {
  const std::string digest = item.descriptor.digest.text();
  return item.what == "layer" ? digest : str(item.what, ' ', digest);
}

/// One blob to the destinations that need it.
class BlobCopy {
 public:
  BlobCopy(const BlobCopying& how, const BlobItem& item, std::stop_token stop)
      : how_(how),
        item_(item),
        stop_(std::move(stop)),
        task_(how.observer, how.kind, label_of(item), item.descriptor.size) {}

  void run() {
    const std::vector<std::size_t> needing = find_needing();
    const std::uint64_t before = fetched_;
    if (needing.size() == 1) send_to_one(needing.front());
    if (needing.size() > 1) send_to_several(needing);
    const bool is_reused = needing.empty() || (fetched_ == before && item_.descriptor.size > 0);
    task_.finish(is_reused ? Outcome::reused : Outcome::done);
  }

 private:
  const Descriptor& descriptor() const { return item_.descriptor; }
  ImageSink& sink(std::size_t index) const { return how_.targets[index].sink; }

  /// Does something at a destination; what fails there is said of this blob.
  template <class Work>
  bool attempt(std::size_t index, Work&& work) {
    return how_.targets.attempt(index, [&] { in_context([&] { return context(); }, work); });
  }

  std::string context() const {
    return (how_.kind == TaskKind::push ? "push " : "fetch ") +
           described(item_.what, item_.descriptor);
  }

  std::vector<std::size_t> find_needing() {
    std::vector<std::size_t> needing;
    for (const std::size_t index : how_.targets.alive()) {
      if (item_.part == BlobItem::Part::referrer && !sink(index).takes_referrers()) continue;
      bool is_there = false;
      const bool answered = attempt(index, [&] { is_there = sink(index).has_blob(descriptor()); });
      if (answered && is_there) count(index, std::nullopt);
      if (answered && !is_there) needing.push_back(index);
    }
    return needing;
  }

  void count(std::size_t index, std::optional<std::uint64_t> bytes) {
    if (bytes == 0 && descriptor().size > 0) bytes = std::nullopt;
    how_.targets.update(index, [&](CopyResult& result) {
      ++(bytes ? result.blobs_fetched : result.blobs_reused);
      result.bytes_fetched += bytes.value_or(0);
    });
  }

  ResumingSource::Options options() const { return {how_.retry, how_.limiter, stop_}; }

  void send_to_one(std::size_t index) {
    bool is_source_fault = false;
    std::exception_ptr source_fault;
    attempt(index, [&] {
      try {
        const auto bytes = fetch_blob(
            how_.source, descriptor(), options(), task_, how_.observer, is_source_fault,
            [&] { return sink(index).begin_blob(descriptor(), stop_); },
            [&](Source& stream) { sink(index).put_blob(descriptor(), stream); });
        fetched_ += bytes.value_or(0);
        count(index, bytes);
      } catch (const Error&) {
        if (!is_source_fault) throw;
        source_fault = std::current_exception();
      }
    });
    if (source_fault) throw_source_fault(source_fault);
  }

  /// What the source did wrong concerns all destinations.
  [[noreturn]] void throw_source_fault(const std::exception_ptr& fault) const {
    in_context([&] { return context(); }, [&] { std::rethrow_exception(fault); });
    throw Error("not reached");
  }

  void send_to_several(std::vector<std::size_t> needing) {
    Meter meter(task_);
    Attempts attempts(how_.retry, how_.observer, stop_);
    while (!needing.empty()) {
      KeptBytes kept = begin_at(needing);
      if (needing.empty()) return;
      BlobReader reader(how_.source, descriptor(), std::move(kept), options(), meter);
      try {
        needing = broadcast_to(needing, reader, attempts);
      } catch (const Refused& error) {
        if (!attempts.again_after(error, reader)) throw_source_fault(std::current_exception());
      } catch (const Error&) {
        throw_source_fault(std::current_exception());
      }
    }
  }

  /// Asks the destinations what they keep of it, and leaves out those that have it meanwhile. The
  /// most that any of them keeps, which is as good for all.
  KeptBytes begin_at(std::vector<std::size_t>& needing) {
    KeptBytes most;
    std::vector<std::size_t> left;
    for (const std::size_t index : needing) {
      std::optional<KeptBytes> kept;
      if (!attempt(index, [&] { kept = sink(index).begin_blob(descriptor(), stop_); })) continue;
      if (!kept) {
        count(index, std::nullopt);
        continue;
      }
      left.push_back(index);
      if (kept->size > most.size) most = *std::move(kept);
    }
    needing = std::move(left);
    return most;
  }

  /// Those that have to be served again.
  std::vector<std::size_t> broadcast_to(const std::vector<std::size_t>& needing, BlobReader& reader,
                                        Attempts& attempts) {
    std::vector<std::function<void(Source&)>> takers;
    for (const std::size_t index : needing) {
      takers.emplace_back(
          [this, index](Source& stream) { sink(index).put_blob(descriptor(), stream); });
    }
    const auto failures = broadcast(reader.stream(), takers, stop_);
    fetched_ += reader.fetched();
    std::vector<std::size_t> again;
    for (std::size_t i = 0; i < needing.size(); ++i) {
      if (!failures[i]) {
        count(needing[i], reader.fetched());
        continue;
      }
      attempt(needing[i], [&] {
        try {
          std::rethrow_exception(failures[i]);
        } catch (const HttpError& error) {
          if (!attempts.again_after(error)) throw;
          again.push_back(needing[i]);
        }
      });
    }
    return again;
  }

  const BlobCopying& how_;
  const BlobItem& item_;
  std::stop_token stop_;
  Task task_;
  std::uint64_t fetched_ = 0;
};

}  // namespace

void Meter::see(std::size_t count) {
  seen_ += count;
  if (seen_ <= reported_) return;
  task_.advance(seen_ - reported_);
  reported_ = seen_;
}

std::string described(std::string_view what, const Descriptor& descriptor) {
  return str(what, ' ', quoted(descriptor.digest.text()), " (", human_size(descriptor.size), ')');
}

RetryPolicy with_listener(RetryPolicy retry, Observer& observer) {
  if (!retry.on_wait) {
    retry.on_wait = [&observer](const HttpError& error, std::chrono::seconds wait) {
      observer.note(NoteLevel::info, str(error.what(), ": waiting ", wait.count(), " s"));
    };
  }
  return retry;
}

std::string read_blob(ImageSource& source, const Descriptor& descriptor, std::size_t cap,
                      const Job& job, const RetryPolicy& retry) {
  const auto context = [&] { return "fetch " + described("blob", descriptor); };
  return in_context(context, [&] {
    if (descriptor.size > cap) {
      throw InvalidData(str("it is larger than ", human_size(cap)));
    }
    Task task(job.observer, TaskKind::fetch, descriptor.digest.text(), descriptor.size);
    std::string text;
    const RetryPolicy policy = with_listener(retry, job.observer);
    bool is_source_fault = false;
    fetch_blob(
        source, descriptor, {policy, nullptr, job.stop}, task, job.observer, is_source_fault,
        [] { return std::optional(KeptBytes{}); },
        [&](Source& bytes) { text = read_all(bytes, cap, "the blob"); });
    task.finish();
    return text;
  });
}

void read_blob_to(const BlobCopying& how, const BlobItem& item, const std::stop_token& stop,
                  const std::function<void(Source&)>& take) {
  Task task(how.observer, how.kind, item.descriptor.digest.short_hex(), item.descriptor.size);
  bool is_source_fault = false;
  fetch_blob(
      how.source, item.descriptor, {how.retry, how.limiter, stop}, task, how.observer,
      is_source_fault, [] { return std::optional(KeptBytes{}); }, take);
  task.finish();
}

void copy_blob(const BlobCopying& how, const BlobItem& item, const std::stop_token& stop) {
  BlobCopy(how, item, stop).run();
}

}  // namespace lade::registry
