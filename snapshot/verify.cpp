#include "snapshot/verify.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/stream.hpp"
#include "base/text.hpp"
#include "snapshot/layer_record.hpp"
#include "snapshot/staged_layer.hpp"
#include "store/blob_writer.hpp"

#include <fcntl.h>

#include <algorithm>
#include <optional>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_record_cap = std::size_t{1} << 30;
constexpr std::size_t k_most_differences = 5;  // that are told of one layer

/// What is wrong with a blob; nothing if it is what its name says.
std::optional<std::string> problem_of(const store::Store& store, const Descriptor& blob,
                                      const std::stop_token& stop) {
  const auto file = store.blobs().find_file(blob.digest.hex(), O_RDONLY | O_NONBLOCK);
  if (!file) return "is missing";
  const auto st = stat_of(*file, blob.digest.text());
  if (!S_ISREG(st.st_mode)) return "is not a file";
  if (static_cast<std::uint64_t>(st.st_size) != blob.size) {
    return str("has ", st.st_size, " bytes, not ", blob.size);
  }
  Hasher hasher(blob.digest.algorithm());
  FdSource bytes(duplicate(*file), blob.digest.text());
  std::vector<std::byte> buffer(k_copy_buffer);
  while (const std::size_t count = bytes.read(buffer)) {
    hasher.update(std::span(buffer).first(count));
    if (stop.stop_requested()) throw Cancelled();
  }
  const std::string found = hasher.finish_hex();
  if (found != blob.digest.hex()) return str("has another digest: ", found);
  return std::nullopt;
}

/// A layer compared with its record.
struct LayerCheck {
  bool recorded = true;
  std::vector<std::string> problems;
};

LayerCheck check_layer(const store::Store& store, const store::StoredLayer& layer,
                       const std::stop_token& stop) {
  if (!store.layers().exists(layer.key)) return {.problems = {"is missing"}};
  const Directory directory = store.layers().child(layer.key);
  const auto record = directory.find_file(k_layer_record, O_RDONLY | O_NONBLOCK);
  if (!directory.exists("tree")) return {.problems = {"its files are missing"}};
  if (!record) return {.recorded = false};
  const std::string before = read_whole(*record, k_record_cap, directory.path_of(k_layer_record));
  const std::string now = record_layer(directory.child("tree"), {}, stop);
  LayerCheck check;
  for (const LayerDifference& each : compare_records(before, now, k_most_differences)) {
    check.problems.push_back(str(quoted(each.path), ' ', each.what));
  }
  return check;
}

/// Forgets what concerns things that the index does not know any more.
void drop_removed(const store::Store& store, VerifyReport& report) {
  const store::Contents contents = store.contents();
  std::set<std::string> known{"index"};
  for (const Descriptor& blob : contents.blobs) known.insert("blob " + blob.digest.text());
  for (const store::StoredLayer& layer : contents.layers) known.insert("layer " + layer.key);
  std::erase_if(report.findings,
                [&](const Finding& finding) { return !known.contains(finding.object); });
  std::erase_if(report.damaged_blobs,
                [&](const Digest& digest) { return !known.contains("blob " + digest.text()); });
  std::erase_if(report.damaged_layers,
                [&](const std::string& key) { return !known.contains("layer " + key); });
}

std::vector<store::StoredImage> images_that_need(const store::Store& store,
                                                 const VerifyReport& report) {
  std::vector<store::StoredImage> images;
  for (store::StoredImage& image : store.list_images()) {
    const auto blobs = store.blobs_of(image.id);
    const auto layers = store.layers_of(image.id);
    const bool blob = std::any_of(blobs.begin(), blobs.end(), [&](const Digest& digest) {
      return report.damaged_blobs.contains(digest);
    });
    const bool layer = std::any_of(
        layers.begin(), layers.end(),
        [&](const store::StoredLayer& each) { return report.damaged_layers.contains(each.key); });
    if (blob || layer) images.push_back(std::move(image));
  }
  return images;
}

}  // namespace

VerifyReport verify_store(const store::Store& store, std::size_t jobs, const Job& job) {
  const store::Contents contents = store.contents();
  Sync<VerifyReport> shared;
  for (const std::string& problem : store.check_index()) {
    shared.lock()->findings.push_back({"index", problem});
  }
  const std::size_t blobs = contents.blobs.size();
  const auto check_one = [&](std::size_t i, const std::stop_token& stop) {
    if (i < blobs) {
      const Descriptor& blob = contents.blobs[i];
      const auto problem = problem_of(store, blob, stop);
      if (!problem) return;
      auto report = shared.lock();
      report->findings.push_back({"blob " + blob.digest.text(), *problem});
      report->damaged_blobs.insert(blob.digest);
      return;
    }
    const store::StoredLayer& layer = contents.layers[i - blobs];
    const LayerCheck check = check_layer(store, layer, stop);
    auto report = shared.lock();
    if (!check.recorded) ++report->unrecorded;
    for (const std::string& problem : check.problems) {
      report->findings.push_back({"layer " + layer.key, problem});
      report->damaged_layers.insert(layer.key);
    }
  };
  parallel_for_each(blobs + contents.layers.size(), jobs, job.stop, check_one);

  VerifyReport report = std::move(*shared.lock());
  report.blobs = blobs;
  report.layers = contents.layers.size();
  drop_removed(store, report);
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.object < b.object; });
  report.damaged_images = images_that_need(store, report);
  return report;
}

void discard_damaged(store::Store& store, const VerifyReport& report) {
  const store::CommitLock lock(store.root());
  for (const store::StoredImage& image : report.damaged_images) {
    const auto running = store.running_on(image.id);
    if (running.empty()) continue;
    Busy error(str("repair image ", quoted(image.id.text()), ": container ",
                   quoted(running.front()), " is running on it"));
    error.set_hint("stop it, then repair again");
    throw error;
  }
  for (const std::string& key : report.damaged_layers) store.discard(store.layers(), key);
  for (const Digest& digest : report.damaged_blobs) store.discard(store.blobs(), digest.hex());
}

}  // namespace lade::snapshot
