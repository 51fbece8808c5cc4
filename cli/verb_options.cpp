#include "cli/verb_options.hpp"

#include "base/error.hpp"
#include "base/template/report.hpp"
#include "base/text.hpp"
#include "cli/transfer.hpp"

namespace lade::cli {

void declare(OptionSet& options, RegistryFlags& flags) {
  options.flag("--tls-verify", flags.tls_verify);
  options.value("--cert-dir", flags.cert_dir);
  options.value("--authfile", flags.auth_file);
  options.value("--creds", flags.credentials);
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

void declare_compat_auth_file(OptionSet& options) {
  options.value("--compat-auth-file", [](const std::string& file) {
    throw UsageError(str("--compat-auth-file ", quoted(file),
                         ": writing Docker's format is not supported; use --authfile"));
  });
}

}  // namespace lade::cli
