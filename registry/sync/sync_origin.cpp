#include "registry/sync/sync_origin.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/transports/directory_source.hpp"
#include "registry/transports/layout_source.hpp"

namespace lade::registry {

namespace {

/// A stream that holds a slot until it is dropped.
class SlottedStream final : public Source {
 public:
  SlottedStream(std::unique_ptr<Source> inner, HostBudget::Slot slot)
      : slot_(std::move(slot)), inner_(std::move(inner)) {}
  std::size_t read(std::span<std::byte> buffer) override { return inner_->read(buffer); }

 private:
  HostBudget::Slot slot_;  // given back after the connection
  std::unique_ptr<Source> inner_;
};

/// A repository within its host's budget.
class RegistryOrigin final : public SyncOrigin, public ImageSource {
 public:
  RegistryOrigin(MirroredRepository repository, HostBudget& budget, std::stop_token stop)
      : repository_(std::move(repository)), budget_(budget), stop_(std::move(stop)) {}

  ImageSource& source() override { return *this; }
  Descriptor head(const ManifestKey& key) override {
    const auto slot = budget_.take(stop_);
    return repository_.head(key);
  }

  RawManifest manifest(const ManifestKey& key) override {
    const auto slot = budget_.take(stop_);
    return repository_.manifest(key);
  }
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override {
    return open_blob(descriptor, {.stop = stop_}).bytes;
  }
  BlobStream open_blob(const Descriptor& descriptor, const BlobRequest& request) override {
    auto slot = budget_.take(request.stop);
    BlobStream stream = repository_.open_blob(descriptor, request);
    stream.bytes = std::make_unique<SlottedStream>(std::move(stream.bytes), std::move(slot));
    return stream;
  }
  Descriptor describe_blob(const Digest& digest) override {
    const auto slot = budget_.take(stop_);
    return repository_.describe_blob(digest);
  }
  std::vector<Descriptor> list_referrers(const Digest& manifest) override {
    const auto slot = budget_.take(stop_);
    return repository_.list_referrers(manifest);
  }
  bool has_many_names() const override { return repository_.has_many_names(); }
  std::vector<std::string> signatures(const Digest& manifest) override {
    return repository_.signatures(manifest);
  }

 private:
  MirroredRepository repository_;
  HostBudget& budget_;
  std::stop_token stop_;
};

/// A place on the disk, where to look is to read.
template <class Place>
class LocalOrigin final : public SyncOrigin {
 public:
  explicit LocalOrigin(Place place) : place_(std::move(place)) {}
  ImageSource& source() override { return place_; }
  Descriptor head(const ManifestKey& key) override { return place_.manifest(key).descriptor(); }

 private:
  Place place_;
};

/// An image of a mirror, where what belongs to it is called by full names, too.
class MirrorSource final : public ImageSource {
 public:
  MirrorSource(const std::string& path, std::string name)
      : layout_(OciLayout::open(path)), name_(std::move(name)) {}

  RawManifest manifest(const ManifestKey& key) override {
    const auto* tag = std::get_if<std::string>(&key);
    if (tag == nullptr || *tag == name_) return layout_.manifest(key);
    return layout_.manifest(str(repository_of(name_), ':', *tag));
  }
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override {
    return layout_.blob(descriptor);
  }
  std::vector<Descriptor> list_referrers(const Digest& manifest) override {
    return layout_.list_referrers(manifest);
  }
  bool has_many_names() const override { return true; }

 private:
  OciLayoutSource layout_;
  std::string name_;
};

}  // namespace

HostBudget::Slot HostBudget::take(const std::stop_token& stop) {
  auto taken = taken_.lock();
  freed_.wait(taken.guard(), stop, [&] { return *taken < slots_; });
  if (stop.stop_requested()) throw Cancelled();
  ++*taken;
  return Slot(*this);
}

void HostBudget::give_back() {
  --*taken_.lock();
  freed_.notify_one();
}

HostBudget& HostBudgets::get(const std::string& host) {
  auto budgets = budgets_.lock();
  auto& budget = (*budgets)[host];
  if (!budget) budget = std::make_unique<HostBudget>(slots_);
  return *budget;
}

std::unique_ptr<ImageSource> open_mirror_image(const std::string& path, const std::string& name) {
  return std::make_unique<MirrorSource>(path, name);
}

std::unique_ptr<SyncOrigin> open_origin(const SyncItem& item, const OpenRepository& open,
                                        HostBudgets& budgets, const std::stop_token& stop) {
  switch (item.from) {
    case SyncFrom::registry:
      return std::make_unique<RegistryOrigin>(open(*item.reference),
                                              budgets.get(item.reference->domain()), stop);
    case SyncFrom::layout:
      return std::make_unique<LocalOrigin<MirrorSource>>(
          MirrorSource(item.path, to_string(item.key)));
    case SyncFrom::directory:
      return std::make_unique<LocalOrigin<DirectorySource>>(DirectorySource(item.path));
  }
  throw Error("open a source of an unknown kind");
}

}  // namespace lade::registry
