// Standard output carries results only; a result that cannot be written is an error.
#pragma once

#include "base/stream.hpp"
#include "oci/digest.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace lade::cli {

/// Writes all of `text` to standard output. Throws SystemError (a full disk, a closed descriptor).
void write_result(std::string_view text);

/// Lets `write` write to a file that appears when it is whole, replacing one of that name; `-` is
/// standard output.
void write_output(const std::string& path, const std::function<void(Sink&)>& write);

/// `--digestfile`: the digest alone, without a newline, as skopeo and podman write it.
void write_digest_file(const std::string& path, const Digest& digest);

/// Writes to standard error; what cannot be written there is lost.
void write_message(std::string_view text) noexcept;

}  // namespace lade::cli
