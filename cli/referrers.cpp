#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/template/report.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"
#include "registry/copy.hpp"

#include <algorithm>

namespace lade::cli {

namespace {

constexpr const char* k_created = "org.opencontainers.image.created";

/// When a referrer says that it was made, or empty.
std::string created_text(const Descriptor& descriptor) {
  if (!descriptor.annotations) return "";
  const auto found = descriptor.annotations->find(k_created);
  if (found == descriptor.annotations->end()) return "";
  const auto time = parse_rfc3339(found->second);
  return time ? format_rfc3339(*time) : std::string();
}

std::string referrers_table(const std::vector<Descriptor>& referrers) {
  std::size_t digest_width = 6;
  std::size_t type_width = 13;
  for (const Descriptor& referrer : referrers) {
    digest_width = std::max(digest_width, referrer.digest.text().size());
    type_width = std::max(type_width, printable(referrer.artifact_type).size());
  }
  std::string text;
  const auto add = [&](std::string digest, std::string type, std::string size,
                       const std::string& created) {
    digest.resize(std::max(digest.size(), digest_width), ' ');
    type.resize(std::max(type.size(), type_width), ' ');
    size.resize(std::max<std::size_t>(size.size(), 10), ' ');
    const std::string line = str(digest, "  ", type, "  ", size, "  ", created);
    text += str(trim(line), '\n');
  };
  add("DIGEST", "ARTIFACT TYPE", "SIZE", "CREATED");
  for (const Descriptor& referrer : referrers) {
    add(referrer.digest.text(), printable(referrer.artifact_type), human_size(referrer.size),
        created_text(referrer));
  }
  return text;
}

std::string referrers_report(const ReferrersView& view, const std::string& pattern) {
  go::Report report{.name = "referrers"};
  for (const Descriptor& referrer : view.referrers) {
    report.rows.push_back(referrer_row(view.repository, referrer));
  }
  const go::Value heading = referrer_row(view.repository, view.subject);
  report.headers = go::headers_of(*heading.as_record());
  return go::render_report(report, pattern);
}

ReferrersView find_referrers(const RegistryAccess& registries, const ReferrersArguments& arguments,
                             const Reference& reference) {
  auto repository = registries.open(reference, registry::Reading::image);
  const ManifestKey key = manifest_key(reference);
  const Descriptor subject =
      arguments.platform
          ? registry::resolve_image(repository, key, chosen_platform(arguments.platform))
                .raw.descriptor()
          : repository.manifest(key).descriptor();
  auto found = repository.referrers(subject.digest, arguments.artifact_type);
  return {reference.repository(), subject, std::move(found.manifests)};
}

}  // namespace

void declare_options(OptionSet& options, ReferrersArguments& referrers) {
  options.argument("reference", referrers.reference);
  options.value("--artifact-type", referrers.artifact_type);
  options.value("--platform", referrers.platform);
  declare_format(options, referrers.format, referrers.pattern);
  declare(options, referrers.registry);
}

int run_verb(const App& app, const ReferrersArguments& arguments) {
  const Reference reference = registry_reference(arguments.reference).with_default_tag();
  const InterruptWatch interrupt;
  const auto observer = make_progress(ProgressStyle::none);
  const RegistryAccess registries(app, arguments.registry, {interrupt.stop(), *observer});
  const ReferrersView view =
      in_context([&] { return str("list the referrers of ", quoted(reference.text())); },
                 [&] { return find_referrers(registries, arguments, reference); });
  switch (arguments.format) {
    case OutputFormat::json:
      write_result(pretty_json(referrers_value(view)));
      break;
    case OutputFormat::pattern:
      write_result(referrers_report(view, arguments.pattern));
      break;
    case OutputFormat::table:
      write_result(referrers_table(view.referrers));
  }
  return 0;
}

}  // namespace lade::cli
