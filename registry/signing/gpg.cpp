#include "registry/signing/gpg.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "registry/signing/stored_signature.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include <algorithm>
#include <array>

namespace lade::registry {

namespace {

/// A directory that only we see, removed with all below it at the end.
class PrivateDirectory {
 public:
  explicit PrivateDirectory(const std::string& parent) : path_(parent + "/lade-gpg-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw SystemError(errno, str("make a directory in ", quoted(parent)));
    }
    parent_ = Directory::open(parent);
  }
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  ~PrivateDirectory() {
    try {
      parent_.remove_tree(path_.substr(path_.rfind('/') + 1));
    } catch (const Error&) {
      // It holds public keys only; whoever cleans the temporary directory removes it.
    }
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Directory parent_;
};

std::string find_gpg(const GpgProgram& gpg) {
  if (auto path = find_program(gpg.search_path, "gpg")) return *std::move(path);
  Error error("run `gpg`: it is not installed, and OpenPGP signatures need it");
  error.set_hint("install the package gpg");
  throw error;
}

/// The user's environment with messages in English and, for a private keyring, no other home.
std::vector<std::string> environment_of(const GpgProgram& gpg) {
  std::vector<std::string> environment;
  for (const std::string& entry : gpg.environment) {
    if (!entry.starts_with("LC_") && !entry.starts_with("LANG")) environment.push_back(entry);
  }
  environment.emplace_back("LC_ALL=C.UTF-8");
  return environment;
}

ProgramResult run_gpg(const GpgProgram& gpg, std::vector<std::string> arguments,
                      std::string_view input) {
  std::vector<std::string> all{"--batch", "--no-tty"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return call_program({.path = find_gpg(gpg),
                       .arguments = std::move(all),
                       .environment = environment_of(gpg),
                       .input = std::string(input),
                       .output_cap = 2 * k_signature_cap,
                       .stop = gpg.stop});
}

/// What gpg said last, for a message: without its name before it.
std::string complaint(const ProgramResult& result) {
  std::string last = "it failed";
  for (const std::string& line : split(result.errors, '\n')) {
    std::string_view text = trim(line);
    if (text.empty() || text.starts_with("[GNUPG:]")) continue;
    if (text.starts_with("gpg: ")) text.remove_prefix(5);
    last = printable(text);
  }
  return last;
}

/// One line of `--status-fd`: `[GNUPG:] KEYWORD WORD…`.
struct Status {
  std::string keyword;
  std::vector<std::string> words;
};

std::vector<Status> read_statuses(std::string_view text) {
  constexpr std::string_view k_prefix = "[GNUPG:] ";
  std::vector<Status> statuses;
  for (const std::string& line : split(text, '\n')) {
    if (!line.starts_with(k_prefix)) continue;
    std::vector<std::string> words = split(std::string_view(line).substr(k_prefix.size()), ' ');
    Status status{.keyword = words.front()};
    status.words.assign(words.begin() + 1, words.end());
    statuses.push_back(std::move(status));
  }
  return statuses;
}

Refused bad_signature(std::string_view why) {
  return Refused(str("invalid OpenPGP signature: ", why));
}

/// What a keyword says of the signature by `key`, if that is bad.
void refuse_bad(std::string_view keyword, const std::string& key) {
  struct Verdict {
    std::string_view keyword, before, after;
  };
  constexpr std::array<Verdict, 5> verdicts{{{"BADSIG", "the key ", " did not make it"},
                                             {"EXPSIG", "it by the key ", " has expired"},
                                             {"EXPKEYSIG", "the key ", " has expired"},
                                             {"REVKEYSIG", "the key ", " is revoked"},
                                             {"ERRSIG", "the key ", " is not known"}}};
  for (const Verdict& each : verdicts) {
    if (keyword == each.keyword) throw bad_signature(str(each.before, key, each.after));
  }
}

/// Finds the one good signature that gpg reports; refuses if it reports anything besides.
SignedMessage judge(const std::vector<Status>& statuses) {
  SignedMessage message;
  int signatures = 0;
  int good = 0;
  int valid = 0;
  int texts = 0;
  for (const auto& [keyword, words] : statuses) {
    const std::string key = words.empty() ? std::string() : printable(words.front());
    if (keyword == "NEWSIG") ++signatures;
    if (keyword == "PLAINTEXT") ++texts;
    if (keyword == "GOODSIG") ++good;
    if (keyword == "VALIDSIG" && words.size() >= 10) {
      ++valid;
      message.fingerprint = words[0];
      message.primary_fingerprint = words[9];
    }
    refuse_bad(keyword, key);
    if (keyword == "NODATA" || keyword == "UNEXPECTED" || keyword.starts_with("DECRYPTION_")) {
      throw bad_signature("it is not a signed message");
    }
  }
  if (signatures != 1 || good != 1 || valid != 1 || texts != 1) {
    throw bad_signature(str("the message has ", valid, " valid signatures, not one"));
  }
  return message;
}

/// Verifies with the keys of a home: the private one's, or the user's own.
class GpgKeyring final : public Keyring {
 public:
  GpgKeyring(GpgProgram gpg, std::unique_ptr<PrivateDirectory> home)
      : gpg_(std::move(gpg)), home_(std::move(home)) {}

  const std::vector<std::string>& fingerprints() const override { return fingerprints_; }

  void import(std::string_view blob) {
    std::vector<std::string> arguments = home_arguments();
    arguments.insert(arguments.end(), {"--status-fd", "1", "--import"});
    const ProgramResult result = run_gpg(gpg_, std::move(arguments), blob);
    bool found = false;
    for (const auto& [keyword, words] : read_statuses(result.output)) {
      if (keyword != "IMPORT_OK" || words.size() < 2) continue;
      found = true;
      if (std::find(fingerprints_.begin(), fingerprints_.end(), words[1]) == fingerprints_.end()) {
        fingerprints_.push_back(words[1]);
      }
    }
    if (!found) throw InvalidData(str("read OpenPGP keys: there are none: ", complaint(result)));
  }

  SignedMessage verify(std::string_view message) const override {
    // The content goes to a file of its own, so that standard output says what gpg thinks of it and
    // nothing else: what a message contains can look like anything.
    const PrivateDirectory scratch(gpg_.temporary);
    const std::string content = scratch.path() + "/content";
    std::vector<std::string> arguments = home_arguments();
    arguments.insert(arguments.end(),
                     {"--status-fd", "1", "--no-auto-key-retrieve", "--disable-dirmngr",
                      "--trust-model", "always", "--output", content, "--verify", "-"});
    const ProgramResult result = run_gpg(gpg_, std::move(arguments), message);
    SignedMessage verified = judge(read_statuses(result.output));
    if (result.exit_code != 0) throw bad_signature(complaint(result));
    verified.content = read_file(content, k_signature_cap);
    return verified;
  }

 private:
  /// A private home: no configuration, no agent, nothing but the keys that were put in.
  std::vector<std::string> home_arguments() const {
    if (!home_) return {};
    return {"--no-options", "--no-autostart", "--homedir", home_->path()};
  }

  GpgProgram gpg_;
  std::unique_ptr<PrivateDirectory> home_;
  std::vector<std::string> fingerprints_;
};

}  // namespace

std::unique_ptr<Keyring> make_keyring(const GpgProgram& gpg,
                                      const std::vector<std::string>& blobs) {
  auto keyring =
      std::make_unique<GpgKeyring>(gpg, std::make_unique<PrivateDirectory>(gpg.temporary));
  for (const std::string& blob : blobs) keyring->import(blob);
  return keyring;
}

std::unique_ptr<Keyring> open_user_keyring(const GpgProgram& gpg) {
  return std::make_unique<GpgKeyring>(gpg, nullptr);
}

std::string sign_message(const GpgProgram& gpg, const SigningKey& key, std::string_view content) {
  std::vector<std::string> arguments{"--local-user", key.fingerprint, "--sign", "--output", "-"};
  std::string input;
  if (key.passphrase) {
    if (key.passphrase->find('\n') != std::string::npos) {
      throw UsageError("invalid passphrase: must not contain a line break");
    }
    // gpg takes the first line of its input for the passphrase, and the rest is what it signs.
    arguments.insert(arguments.begin(), {"--pinentry-mode", "loopback", "--passphrase-fd", "0"});
    input = *key.passphrase + "\n";
  }
  input += content;
  const ProgramResult result = run_gpg(gpg, std::move(arguments), input);
  if (result.exit_code != 0 || result.output.empty()) {
    throw Error(str("sign with the key ", quoted(key.fingerprint), ": ", complaint(result)));
  }
  return result.output;
}

UntrustedMessage read_untrusted_message(const GpgProgram& gpg, std::string_view message) {
  const PrivateDirectory scratch(gpg.temporary);
  const std::string content = scratch.path() + "/content";
  const ProgramResult result =
      run_gpg(gpg,
              {"--no-options", "--no-autostart", "--homedir", scratch.path(), "--status-fd", "1",
               "--no-auto-key-retrieve", "--disable-dirmngr", "--output", content, "--verify", "-"},
              message);
  UntrustedMessage untrusted;
  for (const auto& [keyword, words] : read_statuses(result.output)) {
    // Nobody's keys are here, so that every signature is by an unknown key.
    if (keyword == "ERRSIG" && !words.empty()) untrusted.key_id = words.front();
  }
  if (untrusted.key_id.empty()) throw InvalidData("the input is not a signature");
  untrusted.content = read_file(content, k_signature_cap);
  return untrusted;
}

}  // namespace lade::registry
