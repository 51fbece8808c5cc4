// Standard output carries results only; a result that cannot be written is an error.
#pragma once

#include "oci/digest.hpp"

#include <string>
#include <string_view>

namespace lade::cli {

/// Writes all of `text` to standard output. Throws SystemError (a full disk, a closed descriptor).
void write_result(std::string_view text);

/// `--digestfile`: the digest alone, without a newline, as skopeo and podman write it.
void write_digest_file(const std::string& path, const Digest& digest);

/// Writes to standard error; what cannot be written there is lost.
void write_message(std::string_view text) noexcept;

}  // namespace lade::cli
