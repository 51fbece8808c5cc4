#include "cli/sync_views.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <nlohmann/json.hpp>

namespace lade::cli {

namespace {

using nlohmann::ordered_json;
using registry::SyncedImage;

std::string_view outcome_word(SyncedImage::Outcome outcome) {
  switch (outcome) {
    case SyncedImage::Outcome::pending:
      return "pending";
    case SyncedImage::Outcome::copied:
      return "copied";
    case SyncedImage::Outcome::unchanged:
      return "unchanged";
    case SyncedImage::Outcome::failed:
      return "failed";
  }
  return "";
}

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  }
}

/// `1.2 s`.
std::string seconds(std::chrono::milliseconds duration) {
  const auto tenths = duration.count() / 100;
  return str(tenths / 10, '.', tenths % 10, " s");
}

ordered_json image_json(const registry::SyncItem& item, const SyncedImage& image,
                        const registry::SyncTarget& target) {
  ordered_json json{{"source", item.origin()},
                    {"destination", target.place(item.name)},
                    {"outcome", outcome_word(image.outcome)}};
  if (image.source) json["sourceDigest"] = image.source->text();
  if (image.digest) json["digest"] = image.digest->text();
  if (image.failure) json["error"] = text_of(image.failure);
  return json;
}

}  // namespace

std::string sync_summary(const SyncOutcome& outcome) {
  const registry::SyncReport& report = outcome.report;
  const std::size_t failed = report.failed + outcome.listing.failures.size();
  std::string text = str("Synced ", report.copied + report.unchanged, " images from ",
                         outcome.listing.sources, " sources: ", report.copied, " copied, ",
                         report.unchanged, " unchanged, ", failed, " failed");
  if (!outcome.pruned.empty()) text += str(", ", outcome.pruned.size(), " removed");
  return str(text, "; blobs: ", report.blobs_fetched, " copied (", human_size(report.bytes_fetched),
             "), ", report.blobs_reused, " reused; ", seconds(report.duration));
}

std::string sync_report_json(const SyncOutcome& outcome) {
  const registry::SyncReport& report = outcome.report;
  ordered_json images = ordered_json::array();
  for (std::size_t i = 0; i < report.images.size(); ++i) {
    images.push_back(image_json(outcome.listing.items[i], report.images[i], outcome.target));
  }
  ordered_json removed = ordered_json::array();
  for (const std::string& name : outcome.pruned) removed.push_back(outcome.target.place(name));
  ordered_json errors = ordered_json::array();
  for (const auto& failure : outcome.listing.failures) errors.push_back(text_of(failure));
  const ordered_json json{{"copied", report.copied},
                          {"unchanged", report.unchanged},
                          {"failed", report.failed},
                          {"blobsCopied", report.blobs_fetched},
                          {"blobsReused", report.blobs_reused},
                          {"bytesCopied", report.bytes_fetched},
                          {"milliseconds", report.duration.count()},
                          {"images", std::move(images)},
                          {"removed", std::move(removed)},
                          {"sourcesFailed", std::move(errors)}};
  return json.dump(4, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace lade::cli
