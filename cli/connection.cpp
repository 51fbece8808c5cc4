#include "cli/connection.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/policy.hpp"
#include "registry/curl.hpp"
#include "registry/host.hpp"
#include "registry/short_names.hpp"
#include "registry/warnings.hpp"

#include <array>

namespace lade::cli {

namespace {

constexpr std::string_view k_docker = "docker://";
constexpr std::array<std::string_view, 7> k_other_transports{
    "oci:",           "oci-archive:",        "docker-archive:", "dir:",
    "docker-daemon:", "containers-storage:", "store:"};

registry::ConnectionOptions connection_options(const App& app, const RegistryFlags& flags) {
  registry::ConnectionOptions options;
  if (flags.tls_verify == false) options.tls_verify = registry::TlsVerify::no;
  options.cert_dir = flags.cert_dir;
  options.cert_roots = app.environment.certificate_roots;
  if (flags.credentials) {
    options.credentials = registry::parse_credentials(*flags.credentials, "--creds");
  }
  if (flags.username) {
    options.credentials =
        registry::Credentials{*flags.username, flags.password.value_or(""), "--username"};
  }
  options.bearer_token = flags.token;
  if (!flags.anonymous) options.auth_files.paths = app.environment.auth_files;
  if (flags.auth_file && !flags.anonymous) options.auth_files.paths = {*flags.auth_file};
  options.auth_files.helpers = {app.environment.search_path, app.environment.variables};
  options.user_agent = "lade/" LADE_VERSION;
  if (!app.global.user_agent_prefix.empty()) {
    options.user_agent = str(app.global.user_agent_prefix, ' ', options.user_agent);
  }
  return options;
}

}  // namespace

RegistryAccess::RegistryAccess(const App& app, const RegistryFlags& flags, Job job,
                               registry::RetryPolicy retry)
    : options_(connection_options(app, flags)),
      tls_verify_(flags.tls_verify),
      job_(std::move(job)),
      pool_(std::make_shared<registry::RepositoryPool>()) {
  options_.hosts = std::make_shared<registry::HostPool>();
  options_.retry = std::move(retry);
  registry::RegistriesFiles files = app.environment.registries;
  if (app.global.registries_conf) files.explicit_file = app.global.registries_conf;
  conf_ = registry::load_registries_conf(files);
  registries_d_ = read_registries_d(app);
  default_lookaside_ = app.environment.registries_d.default_lookaside;
  options_.warnings =
      std::make_shared<registry::WarningLog>([&observer = job_.observer](const std::string& text) {
        observer.note(NoteLevel::warning, text);
      });
}

registry::ConnectionOptions RegistryAccess::direct(std::string_view name) const {
  const registry::Location location = registry::direct_location(conf_, name);
  registry::ConnectionOptions options = options_;
  if (!tls_verify_) options.tls_verify = location.tls_verify;
  if (location.proxy) options.proxy = location.proxy;
  return options;
}

std::unique_ptr<registry::Repository> RegistryAccess::connect(
    const registry::PullEndpoint& endpoint, const Reference& logical) const {
  registry::ConnectionOptions options = options_;
  if (!tls_verify_) options.tls_verify = endpoint.tls_verify;
  if (endpoint.proxy) options.proxy = endpoint.proxy;
  // `--creds` are for the registry that was named, not for its mirrors.
  if (endpoint.reference.domain() != logical.domain()) {
    options.credentials.reset();
    options.bearer_token.reset();
  }
  auto repository =
      std::make_unique<registry::Repository>(pool_->get(endpoint.reference, options, job_.stop));
  repository->use_signatures(signatures(logical));
  return repository;
}

registry::Repository RegistryAccess::open_direct(const Reference& reference) const {
  registry::Repository repository =
      pool_->get(reference, direct(reference.repository()), job_.stop);
  repository.use_signatures(signatures(reference));
  return repository;
}

std::shared_ptr<const registry::RegistrySignatures> RegistryAccess::signatures(
    const Reference& reference) const {
  const auto make_client = [verify = tls_verify_.value_or(true), options = options_,
                            stop = job_.stop] {
    return registry::make_curl_client(
        {.tls_verify = verify ? registry::TlsVerify::yes : registry::TlsVerify::no,
         .user_agent = options.user_agent,
         .connect_timeout = options.connect_timeout,
         .stall_timeout = options.stall_timeout,
         .stop = stop});
  };
  return std::make_shared<registry::RegistrySignatures>(
      reference,
      registry::find_places(registries_d_, registry::docker_scope(reference), default_lookaside_),
      make_client);
}

registry::MirroredRepository RegistryAccess::open(const Reference& reference,
                                                  registry::Reading reading) const {
  const auto note = [job = job_](const registry::PullEndpoint& endpoint, const Error& error) {
    job.observer.note(NoteLevel::warning,
                      str("mirror ", quoted(endpoint.reference.repository()), ": ", error.what()));
  };
  return {registry::plan_pull(conf_, reference, reading),
          [this, reference](const auto& endpoint) { return connect(endpoint, reference); }, note};
}

std::vector<Reference> RegistryAccess::candidates(std::string_view name) const {
  if (has_transport(name)) return {registry_reference(name)};
  const auto resolution = registry::resolve_short_name(conf_, name);
  const std::string how = resolution.describe(name);
  if (!how.empty() && resolution.by != registry::ResolvedBy::built_in) {
    job_.observer.note(NoteLevel::info, how);
  }
  return resolution.candidates;
}

bool has_transport(std::string_view text) {
  if (text.starts_with(k_docker)) return true;
  for (const std::string_view transport : k_other_transports) {
    if (text.starts_with(transport)) return true;
  }
  return false;
}

Reference registry_reference(std::string_view text) {
  for (const std::string_view transport : k_other_transports) {
    if (text.starts_with(transport)) {
      throw UsageError(str("transport ", quoted(transport), " is not supported here yet"));
    }
  }
  if (text.starts_with(k_docker)) text.remove_prefix(k_docker.size());
  return Reference::parse(text);
}

ManifestKey manifest_key(const Reference& reference) {
  if (reference.digest()) return *reference.digest();
  return reference.tag().value_or("latest");
}

Platform chosen_platform(const std::optional<std::string>& option) {
  return option ? parse_platform(*option) : host_platform();
}

}  // namespace lade::cli
