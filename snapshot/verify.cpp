#include "snapshot/verify.hpp"

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/stream.hpp"
#include "base/text.hpp"
#include "oci/image_config.hpp"
#include "snapshot/layer_record.hpp"
#include "snapshot/staged_layer.hpp"
#include "store/blob_writer.hpp"
#include "store/layer_description.hpp"

#include <fcntl.h>

#include <algorithm>
#include <optional>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_record_cap = std::size_t{1} << 30;
constexpr std::size_t k_most_differences = 5;  // that are told of one layer

/// What is wrong with a blob; nothing if it is what its name says.
std::optional<std::string> problem_of(const store::Store& store, const Descriptor& blob,
                                      const std::stop_token& stop, Task& task) {
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
    task.advance(count);
    if (stop.stop_requested()) throw Cancelled();
  }
  const std::string found = hasher.finish_hex();
  if (found != blob.digest.hex()) return str("has another digest: ", found);
  return std::nullopt;
}

/// A layer compared with its record.
struct LayerCheck {
  bool recorded = true;
  bool indexed = true;  ///< whether the index says of it what it is
  std::vector<std::string> problems;
};

bool is_same_layer(const store::StoredLayer& a, const store::StoredLayer& b) {
  return store::layer_description(a) == store::layer_description(b);
}

LayerCheck check_layer(const store::Store& store, const store::StoredLayer& layer,
                       const std::stop_token& stop, const BytesRead& on_bytes) {
  if (!store.layers().exists(layer.key)) return {.problems = {"is missing"}};
  const Directory directory = store.layers().child(layer.key);
  if (!directory.exists("tree")) return {.problems = {"its files are missing"}};
  const auto described = store::find_layer_description(store.layers(), layer.key);
  if (!described) return {.problems = {"its description is missing or damaged"}};
  const auto record = directory.find_file(k_layer_record, O_RDONLY | O_NONBLOCK);
  LayerCheck check{.recorded = record.has_value(), .indexed = is_same_layer(*described, layer)};
  if (!record) return check;
  const std::string before = read_whole(*record, k_record_cap, directory.path_of(k_layer_record));
  const std::string now = record_layer(directory.child("tree"), {}, stop, on_bytes);
  for (const LayerDifference& each : compare_records(before, now, k_most_differences)) {
    check.problems.push_back(str(quoted(each.path), ' ', each.what));
  }
  return check;
}

/// check_layer(); `task` is told of as many bytes as the layer's tar has, whatever was read.
LayerCheck check_and_tell(const store::Store& store, const store::StoredLayer& layer,
                          const std::stop_token& stop, Task& task) {
  std::uint64_t left = layer.tar_size;
  const auto tell = [&](std::uint64_t count) {
    const std::uint64_t told = std::min(count, left);
    left -= told;
    task.advance(told);
  };
  LayerCheck check;
  try {
    check = check_layer(store, layer, stop, tell);
  } catch (const SystemError& error) {
    // Removed while it was read: no finding then, see drop_removed().
    if (error.code() != ENOENT) throw;
    check.problems = {error.what()};
  }
  task.advance(left);
  return check;
}

/// Images that the index puts together otherwise than their configs do.
void check_images(const store::Store& store, VerifyReport& report) {
  for (const store::StoredImage& image : store.list_images()) {
    if (report.damaged_blobs.contains(image.id)) continue;
    const auto is_here = [&] { return store.find_image(image.id.text()).has_value(); };
    try {
      const ImageConfig config = parse_image_config(store.read_config(image));
      const auto layers = store.layers_of(image.id);
      const bool same =
          std::equal(layers.begin(), layers.end(), config.diff_ids.begin(), config.diff_ids.end(),
                     [](const store::StoredLayer& layer, const DiffId& diff_id) {
                       return layer.diff_id == diff_id;
                     });
      if (same || !is_here()) continue;
      report.findings.push_back(
          {"index", str("image ", image.id.text(), " has other layers than its config says")});
    } catch (const Error& error) {
      if (is_here()) report.findings.push_back({"index", error.what()});
    }
  }
}

void find_strays(store::Store& store, VerifyReport& report) {
  const store::Collected garbage = store.collect({.dry_run = true});
  for (const Digest& blob : garbage.blobs) report.strays.push_back("blob " + blob.text());
  for (const std::string& key : garbage.layers) report.strays.push_back("layer " + key);
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

namespace {

/// What is looked at, and who hears of it.
struct Checks {
  const store::Store& store;
  Task& blobs;
  Task& layers;
  Sync<VerifyReport> report;

  void check_blob(const Descriptor& blob, const std::stop_token& stop) {
    const auto problem = problem_of(store, blob, stop, blobs);
    if (!problem) return;
    auto locked = report.lock();
    locked->findings.push_back({"blob " + blob.digest.text(), *problem});
    locked->damaged_blobs.insert(blob.digest);
  }

  void check_layer(const store::StoredLayer& layer, const std::stop_token& stop) {
    const LayerCheck check = check_and_tell(store, layer, stop, layers);
    auto locked = report.lock();
    if (!check.recorded) ++locked->unrecorded;
    if (!check.indexed) {
      locked->findings.push_back(
          {"index", str("layer ", layer.key, " is another one than the index says")});
    }
    for (const std::string& problem : check.problems) {
      locked->findings.push_back({"layer " + layer.key, problem});
      locked->damaged_layers.insert(layer.key);
    }
  }
};

/// Reads everything that the index knows.
VerifyReport check_contents(const store::Store& store, const store::Contents& contents,
                            std::size_t jobs, const Job& job) {
  std::uint64_t blob_bytes = 0;
  for (const Descriptor& blob : contents.blobs) blob_bytes += blob.size;
  std::uint64_t layer_bytes = 0;
  for (const store::StoredLayer& layer : contents.layers) layer_bytes += layer.tar_size;
  const std::size_t blobs = contents.blobs.size();
  Task blob_task(job.observer, TaskKind::verify, str(blobs, " blobs"), blob_bytes);
  Task layer_task(job.observer, TaskKind::verify, str(contents.layers.size(), " layers"),
                  layer_bytes);
  Checks checks{store, blob_task, layer_task, {}};
  parallel_for_each(blobs + contents.layers.size(), jobs, job.stop,
                    [&](std::size_t i, const std::stop_token& stop) {
                      if (i < blobs) return checks.check_blob(contents.blobs[i], stop);
                      checks.check_layer(contents.layers[i - blobs], stop);
                    });
  blob_task.finish();
  layer_task.finish();
  VerifyReport report = std::move(*checks.report.lock());
  report.blobs = blobs;
  report.layers = contents.layers.size();
  return report;
}

}  // namespace

VerifyReport verify_store(store::Store& store, std::size_t jobs, const Job& job) {
  VerifyReport report = check_contents(store, store.contents(), jobs, job);
  drop_removed(store, report);
  check_images(store, report);
  for (const std::string& problem : store.check_index()) {
    report.findings.push_back({"index", problem});
  }
  find_strays(store, report);
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
