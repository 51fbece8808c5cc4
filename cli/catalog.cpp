#include "registry/catalog.hpp"

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

/// `HOST[:PORT]` as references write it. Throws UsageError for anything else.
std::string registry_domain(std::string_view text) {
  std::string_view host = text.substr(text.starts_with("docker://") ? 9 : 0);
  if (host.ends_with('/')) host.remove_suffix(1);
  UsageError error(str("catalog: ", quoted(text), ": not the name of a registry"));
  error.set_hint("a registry is HOST or HOST:PORT, as in localhost:5000");
  if (host.empty() || host.find('/') != std::string_view::npos) throw error;
  try {
    const Reference any = Reference::parse(str(host, "/any"));
    // A name that is no host has become a part of Docker Hub's paths.
    if (any.path() == "any" || any.path() == "library/any") return any.domain();
  } catch (const UsageError&) {
    throw error;
  }
  throw error;
}

/// A row for each repository, of the members Registry and Repository.
std::string catalog_report(const std::string& domain, const std::vector<std::string>& names,
                           const std::string& pattern) {
  const auto row = [&](const std::string& name) {
    return go::Record{{{"Registry", "Registry", go::Value::text(domain)},
                       {"Repository", "Repository", go::Value::text(name)}}};
  };
  go::Report report{.name = "catalog", .headers = go::headers_of(row(""))};
  for (const std::string& name : names) {
    report.rows.push_back(go::Value::record(row(name), "repository"));
  }
  return go::render_report(report, pattern);
}

}  // namespace

void declare_options(OptionSet& options, CatalogArguments& catalog) {
  options.argument("registry", catalog.registry_name);
  declare_format(options, catalog.format, catalog.pattern);
  options.flag("--full-ref", catalog.full_ref);
  declare(options, catalog.registry);
}

int run_verb(const App& app, const CatalogArguments& arguments) {
  const std::string domain = registry_domain(arguments.registry_name);
  const InterruptWatch interrupt;
  const auto observer = make_progress(ProgressStyle::none);
  const RegistryAccess registries(app, arguments.registry, {interrupt.stop(), *observer});
  auto names = in_context(
      [&] { return str("list the repositories of ", quoted(domain)); },
      [&] { return registry::list_catalog(domain, registries.direct(domain), interrupt.stop()); });
  if (arguments.full_ref) {
    for (std::string& name : names) name = str(domain, '/', name);
  }
  if (arguments.format == OutputFormat::json) {
    write_result(pretty_json(catalog_value(domain, names)));
  } else if (arguments.format == OutputFormat::pattern) {
    write_result(catalog_report(domain, names, arguments.pattern));
  } else if (!names.empty()) {
    write_result(join(names, "\n") + "\n");
  }
  return 0;
}

}  // namespace lade::cli
