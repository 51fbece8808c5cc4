#include "cli/policy.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <memory>

namespace lade::cli {

namespace {

constexpr std::size_t k_passphrase_cap = 64 * 1024;

registry::ImageScope scope_of(const registry::RegistryImageName& name) {
  return registry::docker_scope(name.reference);
}
registry::ImageScope scope_of(const registry::LayoutImageName& name) {
  return registry::path_scope("oci", registry::explicit_path(name.path));
}
registry::ImageScope scope_of(const registry::DirectoryImageName& name) {
  return registry::path_scope("dir", registry::explicit_path(name.path));
}
registry::ImageScope scope_of(const registry::LayoutArchiveImageName& archive) {
  return registry::path_scope("oci-archive", registry::explicit_path(archive.name.path));
}
registry::ImageScope scope_of(const registry::DockerArchiveImageName& name) {
  return registry::plain_scope("docker-archive", name.path, name.reference);
}
registry::ImageScope scope_of(const registry::StoreImageName& name) {
  return registry::plain_scope("store", name.name, std::nullopt);
}

}  // namespace

registry::GpgProgram gpg_program(const App& app, std::stop_token stop) {
  return {.search_path = app.environment.search_path,
          .environment = app.environment.variables,
          .temporary = app.environment.temporary_directory,
          .stop = std::move(stop)};
}

std::unique_ptr<registry::PolicyCheck> make_policy_check(const App& app, std::stop_token stop) {
  const GlobalOptions& global = app.global;
  if (global.require_signed && global.insecure_policy) {
    throw UsageError("--require-signed and --insecure-policy exclude each other");
  }
  std::optional<registry::Policy> policy = registry::Policy::accept_anything();
  if (!global.insecure_policy) {
    registry::PolicyFiles files = app.environment.policy;
    files.explicit_file = global.policy;
    policy = registry::find_policy(files);
    if (!policy && global.missing_policy == MissingPolicy::fails) {
      throw Error(
          str("Error loading trust policy: no policy.json file found at any of the "
              "following: ",
              quoted(files.user_file), ", ", quoted(files.system_file)));
    }
    if (!policy) policy = registry::Policy::accept_anything();
  }
  return std::make_unique<registry::PolicyCheck>(
      *std::move(policy), gpg_program(app, std::move(stop)),
      global.require_signed ? registry::RequireSigned::always
                            : registry::RequireSigned::as_policy_says);
}

registry::RegistriesD read_registries_d(const App& app) {
  registry::RegistriesDDirectories directories = app.environment.registries_d;
  directories.explicit_directory = app.global.registries_d;
  return registry::load_registries_d(directories);
}

registry::ImageScope image_scope(const registry::ImageName& name) {
  return std::visit([](const auto& place) { return scope_of(place); }, name);
}

CopyTrust::CopyTrust(const App& app, const SignatureFlags& flags, const std::stop_token& stop)
    : policy_(make_policy_check(app, stop)), flags_(flags) {
  if (!flags.sign_by) return;
  signer_.emplace(gpg_program(app, stop),
                  registry::SigningKey{.fingerprint = *flags.sign_by,
                                       .passphrase = read_passphrase(flags.passphrase_file)});
}

registry::CopySignatures CopyTrust::request(const registry::PolicyGate& gate) const {
  registry::CopySignatures wanted = request();
  wanted.gate = &gate;
  return wanted;
}

registry::CopySignatures CopyTrust::request() const {
  using registry::SourceSignatures;
  registry::CopySignatures wanted;
  if (!flags_.remove) wanted.of_images = SourceSignatures::copy;
  if (!flags_.remove && !flags_.remove_of_lists) wanted.of_lists = SourceSignatures::copy;
  if (signer_) wanted.signer = &*signer_;
  if (flags_.identity) wanted.identity = Reference::parse(*flags_.identity);
  return wanted;
}

std::optional<std::string> read_passphrase(const std::optional<std::string>& path) {
  if (!path) return std::nullopt;
  std::string text = read_file(*path, k_passphrase_cap);
  text.resize(std::min(text.size(), text.find('\n')));
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace lade::cli
