// Where a sync reads images: what it must know of a source besides how to read it.
#pragma once

#include "base/concurrency.hpp"
#include "oci/transport.hpp"
#include "registry/mirrored_repository.hpp"
#include "registry/sync/sync_plan.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

namespace lade::registry {

/// The source of one image.
class SyncOrigin {
 public:
  virtual ~SyncOrigin() = default;
  virtual ImageSource& source() = 0;
  /// What the image's key stands for, without a pull if there is a way.
  virtual Descriptor head(const ManifestKey& key) = 0;
};

/// How many requests and blobs may be in flight at one host. THREADS: all functions.
class HostBudget {
 public:
  explicit HostBudget(std::size_t slots) : slots_(slots) {}

  /// One slot, for as long as it lives.
  class Slot {
   public:
    explicit Slot(HostBudget& budget) : budget_(&budget) {}
    Slot(Slot&& other) noexcept : budget_(std::exchange(other.budget_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (budget_ != nullptr) budget_->give_back();
    }

   private:
    HostBudget* budget_;
  };

  /// Waits for a slot. Throws Cancelled.
  Slot take(const std::stop_token& stop);

 private:
  void give_back();

  std::size_t slots_;
  Sync<std::size_t> taken_;
  std::condition_variable_any freed_;
};

/// The budgets of all hosts of a run. THREADS: get().
class HostBudgets {
 public:
  explicit HostBudgets(std::size_t slots) : slots_(slots) {}
  HostBudget& get(const std::string& host);

 private:
  std::size_t slots_;
  Sync<std::map<std::string, std::unique_ptr<HostBudget>>> budgets_;
};

/// Opens an item's repository through its mirrors; called from several threads.
using OpenRepository = std::function<MirroredRepository(const Reference&)>;

/// Opens the place that an item is read from.
std::unique_ptr<SyncOrigin> open_origin(const SyncItem& item, const OpenRepository& open,
                                        HostBudgets& budgets, const std::stop_token& stop);

/// An image of a mirror directory; tags are those of its repository there.
std::unique_ptr<ImageSource> open_mirror_image(const std::string& path, const std::string& name);

}  // namespace lade::registry
