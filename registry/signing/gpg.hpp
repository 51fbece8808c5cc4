// OpenPGP signatures, made and verified by the `gpg` program (docs/decisions/0010): gpg.cpp is the
// one file that knows it.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// The `gpg` of this host.
struct GpgProgram {
  std::string search_path;               ///< as PATH: where `gpg` is looked for
  std::vector<std::string> environment;  ///< `NAME=value`; names the user's GNUPGHOME or HOME
  std::string temporary = "/tmp";        ///< where private keyrings are made
  std::stop_token stop;
};

/// A message that exactly one key signed.
struct SignedMessage {
  std::string content;
  std::string fingerprint;          ///< of the key that signed, upper-case hex
  std::string primary_fingerprint;  ///< of the key that one belongs to; often the same
};

/// A set of public keys that signatures are verified with. Verifying refuses, as Refused, whatever
/// is not one message with one good signature: a bad, expired or revoked one or one by an expired,
/// revoked or unknown key, several, or none.
class Keyring {
 public:
  virtual ~Keyring() = default;
  /// The fingerprints of the primary keys that were put in; nothing for the user's own keyring,
  /// which is not asked.
  virtual const std::vector<std::string>& fingerprints() const = 0;
  virtual SignedMessage verify(std::string_view message) const = 0;
};

/// A keyring of exactly the keys in `blobs` (armored or not), in a directory of its own that is
/// removed with it. Throws InvalidData for a blob that has no key, Error with a hint where there is
/// no gpg.
std::unique_ptr<Keyring> make_keyring(const GpgProgram& gpg, const std::vector<std::string>& blobs);

/// The keyring of the user who runs gpg.
std::unique_ptr<Keyring> open_user_keyring(const GpgProgram& gpg);

/// Whose key signs, and how it is unlocked.
struct SigningKey {
  std::string fingerprint;                ///< or anything that names it to gpg
  std::optional<std::string> passphrase;  ///< without line ends; else gpg's agent asks
};

/// `content` as a signed message, by a key of the user's own keyring. Throws Error with what gpg
/// said, UsageError for a passphrase that cannot be one.
std::string sign_message(const GpgProgram& gpg, const SigningKey& key, std::string_view content);

/// What a message contains, unverified, and the identifier of the key that claims to have signed
/// it (16 hex digits). For people who look into signatures; decides nothing.
struct UntrustedMessage {
  std::string content;
  std::string key_id;
};
UntrustedMessage read_untrusted_message(const GpgProgram& gpg, std::string_view message);

}  // namespace lade::registry
