#include "registry/auth/credential_helper.hpp"

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace lade::registry {

namespace {

constexpr std::size_t k_output_cap = 1024 * 1024;
constexpr std::size_t k_reason_cap = 200;
// A helper may ask its user for a passphrase.
constexpr std::chrono::minutes k_timeout{2};
// The protocol's only way to say so: this text, and exit code 1.
constexpr std::string_view k_unknown = "credentials not found in native keychain";

/// A name becomes part of a file name.
void check_name(const std::string& name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (!name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), is_plain)) return;
  throw InvalidData(str("credential helper ", lade::quoted(name.substr(0, 64)),
                        ": not a name, which has letters, digits, `.`, `-` and `_`"));
}

/// The first line of what a helper says is wrong, unless it may hold a secret: the one that was
/// sent to it, or JSON, as its good answers are.
std::string reason(const ProgramResult& result, const std::string& secret) {
  for (const std::string& text : {result.output, result.errors}) {
    const std::string_view trimmed = trim(text);
    const std::string_view line = trim(trimmed.substr(0, trimmed.find('\n')));
    if (line.empty()) continue;
    const bool may_tell = text.find('{') != std::string::npos ||
                          (!secret.empty() && text.find(secret) != std::string::npos);
    return may_tell ? "" : str(": ", printable(line.substr(0, k_reason_cap)));
  }
  return "";
}

}  // namespace

CredentialHelper::CredentialHelper(const HelperPrograms& programs, const std::string& name,
                                   std::stop_token stop)
    : program_("docker-credential-" + name),
      environment_(programs.environment),
      stop_(std::move(stop)) {
  check_name(name);
  auto path = find_program(programs.search_path, program_);
  if (!path)
    throw NotFound(str("credential helper ", lade::quoted(program_), ": not found in PATH"));
  path_ = *std::move(path);
}

CredentialHelper::Answer CredentialHelper::ask(const std::string& action, const std::string& input,
                                               const std::string& secret) const {
  const auto context = [&] { return str("credential helper ", lade::quoted(program_)); };
  const ProgramResult result = in_context(context, [&] {
    return call_program({.path = path_,
                         .arguments = {action},
                         .environment = environment_,
                         .input = input,
                         .output_cap = k_output_cap,
                         .timeout = k_timeout,
                         .stop = stop_});
  });
  if (result.exit_code == 0) return {true, result.output};
  if (result.output.find(k_unknown) != std::string::npos) return {false, ""};
  throw Error(str("credential helper ", lade::quoted(program_), ' ', action, ": exit code ",
                  result.exit_code, reason(result, secret)));
}

std::optional<HelperSecret> CredentialHelper::find(const std::string& server) const {
  const Answer answer = ask("get", server);
  if (!answer.found) return std::nullopt;
  const std::string what = str("answer of ", program_);
  const JsonValue document = parse_json(answer.text, what);
  const JsonNode root(document, what);
  HelperSecret found{root.find_text("Username"), root.find_text("Secret")};
  if (found.username.empty() && found.secret.empty()) return std::nullopt;
  return found;
}

void CredentialHelper::store(const std::string& server, const HelperSecret& secret) const {
  const nlohmann::json message{
      {"ServerURL", server}, {"Username", secret.username}, {"Secret", secret.secret}};
  std::string text;
  try {
    text = message.dump();
  } catch (const nlohmann::json::exception&) {
    throw InvalidData(str("credential helper ", lade::quoted(program_),
                          " store: the user name or password is not UTF-8"));
  }
  ask("store", text, secret.secret);
}

bool CredentialHelper::erase(const std::string& server) const {
  return ask("erase", server).found;
}

std::vector<std::string> CredentialHelper::servers() const {
  const std::string what = str("answer of ", program_);
  const JsonValue document = parse_json(ask("list").text, what);
  return JsonNode(document, what).names();
}

}  // namespace lade::registry
