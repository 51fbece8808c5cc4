// Whose certificates are trusted for TLS.
#pragma once

#include <string>

namespace lade::registry {

/// Where the system has certificates; empty where it has none.
struct SystemTrust {
  std::string directory;
  std::string bundle;  ///< a file of PEM
};

/// What a connection trusts.
struct Trust {
  std::string directory;  ///< of hashed names, instead of the system's bundle; or empty
  std::string pem;        ///< trusted besides the directory, else instead of the bundle
  std::string bundle;     ///< the system's bundle, to be tried after the directory; or empty
};

/// Decides where trust comes from. Looking one certificate up in the system's directory is free;
/// parsing its whole bundle costs 60 ms, for each worker's first connection. `extra_pem` is trusted
/// besides. Throws SystemError.
Trust choose_trust(const SystemTrust& system, const std::string& extra_pem);

/// The bundle instead of the directory. REQUIRES: there is one. Throws SystemError.
Trust with_bundle(const Trust& trust);

}  // namespace lade::registry
