#include "snapshot/verify.hpp"

#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/store_access.hpp"
#include "cli/transfer.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"
#include "registry/copy.hpp"
#include "snapshot/image_sink.hpp"
#include "store/image_source.hpp"

namespace lade::cli {

namespace {

using snapshot::VerifyReport;

/// Everything that repairing needs.
struct Repair {
  store::Store& store;
  const RegistryAccess& registries;
  const VerifyArguments& arguments;
  const Job& job;

  /// Brings an image back from one place; its names are those that it has.
  void copy(const store::StoredImage& image, ImageSource& source, const ManifestKey& key) const {
    std::vector<Reference> names = image.names;
    if (names.empty()) names = image.digests;
    snapshot::LocalImageSink sink(store, std::move(names), job);
    registry::copy_image(source, sink,
                         {.source_key = key,
                          .sink_key = key,
                          .platform = image.platform,
                          .jobs = arguments.jobs,
                          .retry = retry_policy({}, job.observer)},
                         job);
  }

  /// From its own blobs if they are all here, else from where it came.
  void run(const store::StoredImage& image, bool has_blobs) const {
    const auto context = [&] { return str("repair image ", quoted(image.id.text())); };
    in_context(context, [&] {
      if (has_blobs) {
        store::StoredImageSource source(store, image);
        return copy(image, source, source.key());
      }
      if (image.digests.empty()) throw NotFound("it is not known where it came from");
      const Reference& origin = image.digests.front();
      auto source = registries.open(origin, registry::Reading::image);
      copy(image, source, image.manifest.digest);
    });
  }
};

bool has_all_blobs(const store::Store& store, const store::StoredImage& image,
                   const VerifyReport& report) {
  for (const Digest& blob : store.blobs_of(image.id)) {
    if (report.damaged_blobs.contains(blob)) return false;
  }
  return true;
}

std::string report_text(const VerifyReport& report) {
  std::string text;
  for (const snapshot::Finding& finding : report.findings) {
    text += str(finding.object, ": ", finding.problem, '\n');
  }
  for (const store::StoredImage& image : report.damaged_images) {
    text += str("image ", image.id.text(), ": needs what is damaged\n");
  }
  for (const std::string& stray : report.strays) text += str(stray, ": no image needs it\n");
  text += str(
      report.blobs, " blobs, ", report.layers, " layers: ",
      report.findings.empty()
          ? "all as they were"
          : str(report.findings.size(), report.findings.size() == 1 ? " problem" : " problems"));
  if (report.unrecorded > 0) {
    text += str("; ", report.unrecorded, " layers have no record and were not compared");
  }
  return text + '\n';
}

void print(const VerifyReport& report, const VerifyArguments& arguments) {
  write_result(arguments.format == OutputFormat::json ? pretty_json(verify_value(report))
                                                      : report_text(report));
}

}  // namespace

void declare_options(OptionSet& options, VerifyArguments& verify) {
  options.flag("--repair", verify.repair);
  options.number("--jobs", verify.jobs, k_jobs);
  declare_format(options, verify.format);
  declare(options, verify.registry);
}

int run_verb(const App& app, const VerifyArguments& arguments) {
  store::Store store = open_store(app);
  const InterruptWatch interrupt;
  const auto observer = make_progress(app.global.progress);
  const Job job{interrupt.stop(), *observer};
  VerifyReport report = snapshot::verify_store(store, arguments.jobs, job);
  if (arguments.repair && !(report.findings.empty() && report.strays.empty())) {
    for (const snapshot::Finding& finding : report.findings) {
      observer->note(NoteLevel::info, str(finding.object, ": ", finding.problem));
    }
    const RegistryAccess registries(app, arguments.registry, job);
    const Repair repair{store, registries, arguments, job};
    snapshot::discard_damaged(store, report);
    for (const store::StoredImage& image : report.damaged_images) {
      repair.run(image, has_all_blobs(store, image, report));
    }
    store.collect();
    report = snapshot::verify_store(store, arguments.jobs, job);
  }
  print(report, arguments);
  if (report.findings.empty()) return exit_code::done;
  if (report.findings.back().object == "index" || report.findings.front().object == "index") {
    observer->note(NoteLevel::info, "`lade reindex` rebuilds the index from the files");
  }
  return exit_code::refused;
}

}  // namespace lade::cli
