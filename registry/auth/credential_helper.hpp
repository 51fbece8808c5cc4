// Docker's credential helpers: programs named docker-credential-NAME that keep passwords
// (https://github.com/docker/docker-credential-helpers). Each call is one program, asked over its
// standard input.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace lade::registry {

/// Where helpers are found and what they see; passed in, since the library reads no environment.
struct HelperPrograms {
  std::string search_path;               ///< the environment's PATH
  std::vector<std::string> environment;  ///< `NAME=value`
};

/// What a helper knows of one server. The user `<token>` means that the secret is an identity
/// token.
struct HelperSecret {
  std::string username;
  std::string secret;
};

/// One helper. All functions throw Error naming the helper, never a secret, and Cancelled.
class CredentialHelper {
 public:
  /// `name` is what the configuration calls it, e.g. `pass`. Throws InvalidData for a name that
  /// could be a path, NotFound if there is no such program.
  CredentialHelper(const HelperPrograms& programs, const std::string& name, std::stop_token stop);

  /// What it keeps for a server; nothing if it has none.
  std::optional<HelperSecret> find(const std::string& server) const;
  /// Keeps a secret, instead of what it had for that server.
  void store(const std::string& server, const HelperSecret& secret) const;
  /// Forgets a server; whether it knew it.
  bool erase(const std::string& server) const;
  /// The servers that it knows.
  std::vector<std::string> servers() const;

  /// `docker-credential-NAME`, for messages.
  const std::string& program() const noexcept { return program_; }

 private:
  struct Answer {
    bool found;
    std::string text;
  };
  Answer ask(const std::string& action, const std::string& input = "",
             const std::string& secret = "") const;

  std::string program_;
  std::string path_;
  std::vector<std::string> environment_;
  std::stop_token stop_;
};

}  // namespace lade::registry
