#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/mirror_views.hpp"
#include "cli/output.hpp"
#include "cli/policy.hpp"
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

/// What `--signatures` judges by: a policy, which must be there.
class VerifyTrust {
 public:
  VerifyTrust(const App& app, const RegistryAccess& access, const std::stop_token& stop)
      : policy_(make_policy_check(demanding(app), stop)),
        trust_{*policy_,
               [&access](const Reference& image, ImageSource& source, const Digest& manifest) {
                 return access.signatures(image)->read(source, manifest);
               }} {}

  const registry::MirrorTrust* operator*() const { return &trust_; }

 private:
  static App demanding(App app) {
    app.global.missing_policy = MissingPolicy::fails;
    return app;
  }

  std::unique_ptr<registry::PolicyCheck> policy_;
  registry::MirrorTrust trust_;
};

registry::VerifyOptions verify_options(const MirrorVerifyArguments& arguments,
                                       const registry::MirrorTrust* trust) {
  using registry::VerifyOptions;
  return {
      .diff_ids = arguments.diff_ids ? VerifyOptions::DiffIds::check : VerifyOptions::DiffIds::skip,
      .blobs = arguments.read ? VerifyOptions::Blobs::read : VerifyOptions::Blobs::ask,
      .jobs = arguments.jobs,
      .trust = trust};
}

/// An image of the repository that was named, as a policy calls it.
registry::ImageScope scope_in(const Reference& repository, const ManifestKey& key) {
  const char* separator = std::holds_alternative<Digest>(key) ? "@" : ":";
  return registry::docker_scope(
      Reference::parse(str(repository.repository(), separator, to_string(key))));
}

int report(const MirrorVerifyArguments& arguments, const MirrorReportView& view) {
  write_result(arguments.format == OutputFormat::json ? mirror_report_json(view)
                                                      : mirror_report_text(view));
  return view.check.is_whole() ? exit_code::done : exit_code::refused;
}

int verify_registry(const MirrorVerifyArguments& arguments, registry::VerifyOptions options,
                    const RegistryAccess& access, const Job& job) {
  const Reference reference = registry_reference(arguments.place);
  registry::Repository repository = access.open_direct(reference);
  std::vector<ManifestKey> keys;
  if (reference.digest() || reference.tag()) {
    keys = {manifest_key(reference)};
  } else {
    for (std::string& tag : repository.tags()) keys.emplace_back(std::move(tag));
  }
  options.scope = [&](const ManifestKey& key) { return scope_in(reference, key); };
  MirrorCheck check = registry::verify_repository(repository, keys, options, job);
  if (!arguments.repair) return report(arguments, {.place = arguments.place, .check = check});
  registry::Repository from = access.open_direct(registry_reference(arguments.from.value()));
  const MirrorRepair repair =
      registry::repair_repository(repository, std::move(check), from, keys, options, job);
  return report(arguments, {.place = arguments.place, .check = repair.after, .repair = &repair});
}

int verify_directory(const MirrorVerifyArguments& arguments, const registry::VerifyOptions& options,
                     const RegistryAccess& access, const Job& job) {
  std::string path = arguments.place;
  if (path.starts_with(k_layout)) path = path.substr(k_layout.size());
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
  options.flag("--signatures", verify.signatures);
  options.flag("--repair", verify.repair);
  options.value("--from", verify.from);
  options.number("--jobs", verify.jobs, k_jobs);
  options.flag("-q,--quiet", verify.quiet);
  declare(options, verify.registry);
  declare(options, verify.transfer);
  options.check([&] {
    const bool is_remote = verify.place.starts_with(k_docker);
    if (verify.from && !verify.repair) throw UsageError("--from needs --repair");
    if (is_remote && verify.repair && !verify.from) {
      throw UsageError("--repair of a registry needs --from docker://NAME");
    }
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
    std::optional<VerifyTrust> trust;
    if (arguments.signatures) trust.emplace(app, access, interrupt.stop());
    const registry::VerifyOptions options = verify_options(arguments, trust ? **trust : nullptr);
    return arguments.place.starts_with(k_docker)
               ? verify_registry(arguments, options, access, job)
               : verify_directory(arguments, options, access, job);
  });
}

}  // namespace lade::cli
