#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/template/report.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/verb_options.hpp"
#include "cli/views.hpp"

namespace lade::cli {

namespace {

/// `6 h`, `90 s`: in the largest unit without a rest.
std::string span_text(std::chrono::seconds span) {
  const auto seconds = span.count();
  if (seconds > 0 && seconds % 3600 == 0) return str(seconds / 3600, " h");
  if (seconds > 0 && seconds % 60 == 0) return str(seconds / 60, " min");
  return str(seconds, " s");
}

std::string rate_limit_table(const std::string& domain, const registry::RateLimit& limit) {
  std::string text = str("Registry   ", domain, '\n');
  if (!limit.is_stated()) return text + "no limit stated\n";
  if (limit.limit) text += str("Limit      ", *limit.limit, '\n');
  if (limit.remaining) text += str("Remaining  ", *limit.remaining, '\n');
  if (limit.window) text += str("Window     ", span_text(*limit.window), '\n');
  if (!limit.source.empty()) text += str("Source     ", printable(limit.source), '\n');
  return text;
}

}  // namespace

void declare_options(OptionSet& options, RateLimitArguments& rate_limit) {
  options.argument("reference", rate_limit.reference);
  declare_format(options, rate_limit.format, rate_limit.pattern);
  declare(options, rate_limit.registry);
}

int run_verb(const App& app, const RateLimitArguments& arguments) {
  const Reference reference = registry_reference(arguments.reference).with_default_tag();
  const InterruptWatch interrupt;
  const auto observer = make_progress(ProgressStyle::none);
  const RegistryAccess registries(app, arguments.registry, {interrupt.stop(), *observer});
  const auto limit =
      in_context([&] { return str("ask for the rate limit of ", quoted(reference.domain())); },
                 [&] {
                   registry::Repository repository(
                       reference, registries.direct(reference.repository()), interrupt.stop());
                   return repository.rate_limit(manifest_key(reference));
                 });
  const go::Value value = rate_limit_value(reference.domain(), limit);
  switch (arguments.format) {
    case OutputFormat::json:
      write_result(pretty_json(value));
      break;
    case OutputFormat::pattern:
      write_result(go::render_report(
          {.name = "ratelimit", .rows = {value}, .headers = go::headers_of(*value.as_record())},
          arguments.pattern));
      break;
    case OutputFormat::table:
      write_result(rate_limit_table(reference.domain(), limit));
  }
  return 0;
}

}  // namespace lade::cli
