// Keys of a scratch GNUPGHOME, made with the real gpg.
#pragma once

#include "base/process.hpp"
#include "base/text.hpp"
#include "registry/signing/gpg.hpp"
#include "tests/registry/fixture.hpp"

#include <sys/stat.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace lade::registry {

/// A user who has gpg.
class GpgUser {
 public:
  GpgUser() : home_(scratch_.path() + "/home") {
    ::mkdir(home_.c_str(), 0700);
    // Few rounds for passphrases, which are not what is tested.
    scratch_.write("home/gpg-agent.conf", "s2k-count 65536\n");
  }
  GpgUser(const GpgUser&) = delete;
  GpgUser& operator=(const GpgUser&) = delete;
  /// The agent of this home is told to go.
  ~GpgUser() {
    if (const auto gpgconf = find_program(k_path, "gpgconf")) {
      call_program({.path = *gpgconf,
                    .arguments = {"--kill", "gpg-agent"},
                    .environment = program().environment});
    }
  }

  static bool is_installed() { return find_program(k_path, "gpg").has_value(); }

  GpgProgram program() const {
    return {.search_path = k_path,
            .environment = {"GNUPGHOME=" + home_, str("PATH=", k_path)},
            .temporary = scratch_.path()};
  }

  /// Runs gpg with the arguments; what it wrote.
  std::string run(std::vector<std::string> arguments, const std::string& input = "") const {
    arguments.insert(arguments.begin(), {"--batch", "--no-tty", "--yes"});
    const ProgramResult result = call_program({.path = find_program(k_path, "gpg").value(),
                                               .arguments = std::move(arguments),
                                               .environment = program().environment,
                                               .input = input});
    if (result.exit_code != 0) throw std::runtime_error("gpg: " + result.errors);
    return result.output;
  }

  /// Makes a key; its fingerprint. `expire` as gpg takes it: `never`, `seconds=1`. With a faked
  /// time (`20200101T000000!`) it is made then.
  std::string make_key(const std::string& name, const std::string& expire = "never",
                       const std::string& time = "", const std::string& passphrase = "") const {
    std::vector<std::string> arguments{"--pinentry-mode",
                                       "loopback",
                                       "--passphrase",
                                       passphrase,
                                       "--quick-gen-key",
                                       str(name, " <", name, "@lab.example>"),
                                       "ed25519",
                                       "sign",
                                       expire};
    if (!time.empty()) arguments.insert(arguments.begin(), {"--faked-system-time", time});
    run(std::move(arguments));
    for (const std::string& line : split(run({"--with-colons", "--list-keys", name}), '\n')) {
      if (line.starts_with("fpr:")) return split(line, ':').at(9);
    }
    throw std::runtime_error("gpg made no key");
  }

  std::string export_key(const std::string& fingerprint) const {
    return run({"--export", fingerprint});
  }

  const Scratch& scratch() const { return scratch_; }

 private:
  static constexpr const char* k_path = "/usr/local/bin:/usr/bin:/bin";
  Scratch scratch_;
  std::string home_;
};

}  // namespace lade::registry
