// A lookaside: a directory or a web server that keeps signatures of images at registries, as
// `BASE/REPOSITORY@sha256=HEX/signature-N` with N from 1.
#pragma once

#include "oci/digest.hpp"
#include "registry/http.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lade::registry {

/// More signatures of one image than this are taken for a server that answers anything.
inline constexpr std::size_t k_signature_limit = 128;

/// Makes the client that http: and https: lookasides are asked with.
using MakeHttpClient = std::function<std::unique_ptr<HttpClient>()>;

/// All signatures of a manifest at the lookaside `url` (`file:///…`, `http://…`, `https://…`), up
/// to the first one that is missing. `repository` is the path without the registry's name. Throws
/// HttpError, SystemError, InvalidData.
std::vector<std::string> read_lookaside(const std::string& url, const std::string& repository,
                                        const Digest& manifest, const MakeHttpClient& make_client);

/// Makes `signatures` the signatures of a manifest at a `file:` lookaside; what it has beyond them
/// is removed. Without any signature nothing is touched. Throws Error for other URLs, with a hint.
void write_lookaside(const std::string& url, const std::string& repository, const Digest& manifest,
                     const std::vector<std::string>& signatures);

/// Removes all signatures of a manifest from a `file:` lookaside; how many there were. Others are
/// left alone.
std::size_t remove_lookaside(const std::string& url, const std::string& repository,
                             const Digest& manifest);

}  // namespace lade::registry
