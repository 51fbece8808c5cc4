#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/mirror_views.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/transfer.hpp"
#include "cli/verb_options.hpp"
#include "cli/verbs.hpp"

namespace lade::cli {

namespace {

using registry::MirrorCheck;
using registry::MirrorRepair;

constexpr std::string_view k_docker = "docker://";
constexpr std::string_view k_layout = "oci:";

registry::VerifyOptions verify_options(const MirrorVerifyArguments& arguments) {
  using registry::VerifyOptions;
  return {
      .diff_ids = arguments.diff_ids ? VerifyOptions::DiffIds::check : VerifyOptions::DiffIds::skip,
      .blobs = arguments.read ? VerifyOptions::Blobs::read : VerifyOptions::Blobs::ask,
      .jobs = arguments.jobs};
}

int report(const MirrorVerifyArguments& arguments, const MirrorReportView& view) {
  write_result(arguments.format == OutputFormat::json ? mirror_report_json(view)
                                                      : mirror_report_text(view));
  return view.check.is_whole() ? exit_code::done : exit_code::refused;
}

int verify_registry(const MirrorVerifyArguments& arguments, const RegistryAccess& access,
                    const Job& job) {
  const Reference reference = registry_reference(arguments.place);
  registry::Repository repository = access.open_direct(reference);
  std::vector<ManifestKey> keys;
  if (reference.digest() || reference.tag()) {
    keys = {manifest_key(reference)};
  } else {
    for (std::string& tag : repository.tags()) keys.emplace_back(std::move(tag));
  }
  const MirrorCheck check =
      registry::verify_repository(repository, keys, verify_options(arguments), job);
  return report(arguments, {.place = arguments.place, .check = check});
}

int verify_directory(const MirrorVerifyArguments& arguments, const RegistryAccess& access,
                     const Job& job) {
  std::string path = arguments.place;
  if (path.starts_with(k_layout)) path = path.substr(k_layout.size());
  const registry::VerifyOptions options = verify_options(arguments);
  MirrorCheck check = registry::verify_layout(registry::OciLayout::open(path), options, job);
  if (!arguments.repair) return report(arguments, {.place = path, .check = check});
  const auto open = [&](const std::string& origin) -> std::unique_ptr<ImageSource> {
    return std::make_unique<registry::Repository>(access.open_direct(registry_reference(origin)));
  };
  registry::MirrorDirectory mirror(path, job.stop);
  const MirrorRepair repair = registry::repair_mirror(
      mirror, std::move(check), arguments.from.value_or(""), open, options, job);
  return report(arguments, {.place = path, .check = repair.after, .repair = &repair});
}

}  // namespace

void declare_options(OptionSet& options, MirrorVerifyArguments& verify) {
  options.argument("directory or image", verify.place);
  declare_format(options, verify.format);
  options.flag("--diffid", verify.diff_ids);
  options.flag("--read", verify.read);
  options.flag("--repair", verify.repair);
  options.value("--from", verify.from);
  options.number("--jobs", verify.jobs, k_jobs);
  options.flag("-q,--quiet", verify.quiet);
  declare(options, verify.registry);
  declare(options, verify.transfer);
  options.check([&] {
    const bool is_remote = verify.place.starts_with(k_docker);
    if (verify.from && !verify.repair) throw UsageError("--from needs --repair");
    if (is_remote && verify.repair) throw UsageError("--repair is for mirror directories");
    if (is_remote && verify.diff_ids) throw UsageError("--diffid is for mirror directories");
    if (verify.from && !verify.from->starts_with(k_docker)) {
      throw UsageError(str("--from ", quoted(*verify.from), ": expected docker://NAME"));
    }
  });
}

int run_verb(const App& app, const MirrorVerifyArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const RegistryAccess access(app, arguments.registry, job,
                              retry_policy(arguments.transfer, *observer));
  const auto context = [&] { return str("verify ", quoted(arguments.place)); };
  return in_context(context, [&] {
    return arguments.place.starts_with(k_docker) ? verify_registry(arguments, access, job)
                                                 : verify_directory(arguments, access, job);
  });
}

}  // namespace lade::cli
