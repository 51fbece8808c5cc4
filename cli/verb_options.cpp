#include "cli/verb_options.hpp"

#include "base/error.hpp"
#include "base/template/report.hpp"
#include "base/text.hpp"
#include "cli/transfer.hpp"
#include "oci/reference.hpp"

namespace lade::cli {

namespace {

/// What skopeo refuses, in its words.
void check_credentials(const RegistryFlags& flags) {
  const auto exclude = [](bool one, bool other, std::string_view names) {
    if (one && other) throw UsageError(str(names, " cannot be specified at the same time"));
  };
  const auto demand = [](bool given, bool wanted, std::string_view problem) {
    if (wanted && !given) throw UsageError(std::string(problem));
  };
  exclude(flags.credentials.has_value(), flags.anonymous, "creds and no-creds");
  exclude(flags.username.has_value(), flags.anonymous, "username and no-creds");
  exclude(flags.credentials.has_value(), flags.username.has_value(), "creds and username");
  demand(flags.password.has_value(), flags.username.has_value(),
         "password must be specified when username is specified");
  demand(flags.username.has_value(), flags.password.has_value(),
         "username must be specified when password is specified");
}

}  // namespace

void declare_side(OptionSet& options, const std::string& side, RegistryFlags& flags) {
  const auto name = [&](std::string_view rest) { return str("--", side, '-', rest); };
  options.flag(name("tls-verify"), flags.tls_verify);
  options.value(name("cert-dir"), flags.cert_dir);
  options.value(name("authfile"), flags.auth_file);
  options.value(str(name("creds"), ",--", side.substr(0, 1), "creds"), flags.credentials);
  options.value(name("username"), flags.username);
  options.value(name("password"), flags.password);
  options.value(name("registry-token"), flags.token);
  options.flag(name("no-creds"), flags.anonymous);
  options.check([&] { check_credentials(flags); });
}

void declare(OptionSet& options, RegistryFlags& flags) {
  options.flag("--tls-verify", flags.tls_verify);
  options.value("--cert-dir", flags.cert_dir);
  options.value("--authfile", flags.auth_file);
  options.value("--creds", flags.credentials);
}

void declare_all(OptionSet& options, RegistryFlags& flags) {
  declare(options, flags);
  options.value("--username", flags.username);
  options.value("--password", flags.password);
  options.value("--registry-token", flags.token);
  options.flag("--no-creds", flags.anonymous);
  options.check([&] { check_credentials(flags); });
}

void declare(OptionSet& options, TransferFlags& flags) {
  options.number("--retry-times", flags.retry_times, k_retries);
  options.value("--retry-delay",
                [&](const std::string& text) { flags.retry_delay = parse_delay(text); });
  options.value("--limit-rate",
                [&](const std::string& text) { flags.limit_rate = parse_rate(text); });
}

void declare_format(OptionSet& options, OutputFormat& format) {
  options.value("--format", [&](const std::string& text) {
    if (text != "json" && text != "table") {
      throw UsageError(
          str("--format ", quoted(text), ": only json and table are supported, not templates"));
    }
    format = text == "json" ? OutputFormat::json : OutputFormat::table;
  });
}

void declare_format(OptionSet& options, OutputFormat& format, std::string& pattern) {
  options.value("--format", [&](const std::string& text) {
    if (go::asks_for_json(text)) {
      format = OutputFormat::json;
    } else if (text == "table") {
      format = OutputFormat::table;
    } else if (go::is_template(text)) {
      format = OutputFormat::pattern;
      pattern = text;
    } else {
      throw UsageError(str("--format ", quoted(text), ": expected json, table or a Go template"));
    }
  });
}

void declare_auth_files(OptionSet& options, RegistryFlags& flags,
                        std::optional<std::string>& compat_file) {
  options.value("--authfile", flags.auth_file);
  options.value("--compat-auth-file", compat_file);
  options.check([&] {
    if (!flags.auth_file || !compat_file) return;
    throw UsageError(
        "options for paths to the credential file and to the Docker-compatible credential file "
        "can not be set simultaneously");
  });
}

void declare(OptionSet& options, SignatureFlags& flags) {
  options.flag("--remove-signatures", flags.remove);
  options.flag("--remove-list-signatures", flags.remove_of_lists);
  options.value("--sign-by", flags.sign_by);
  options.value("--sign-passphrase-file", flags.passphrase_file);
  options.value("--sign-identity", flags.identity);
  for (const char* value :
       {"--sign-by-sigstore", "--sign-by-sigstore-private-key", "--sign-by-sq-fingerprint"}) {
    options.refused_value(value);
  }
  options.check([&] {
    if (!flags.identity) return;
    const Reference identity = Reference::parse(*flags.identity);
    if (identity.tag() || identity.digest()) return;
    throw UsageError(str("--sign-identity: ", quoted(*flags.identity),
                         " must be a fully specified reference, with a tag or a digest"));
  });
}

}  // namespace lade::cli
