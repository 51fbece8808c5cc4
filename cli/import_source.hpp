// Where `import` reads its tar: a file, a pipe, standard input or an HTTP server.
#pragma once

#include "base/stream.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace lade::cli {

/// A stream that was opened.
struct ImportSource {
  std::unique_ptr<Source> bytes;
  std::optional<std::uint64_t> size;  ///< bytes, where it is known
  std::optional<Timestamp> modified;  ///< of a file
};

/// Opens `place`: `-` is standard input, `http://…` and `https://…` are fetched, anything else is a
/// file. Reading ends in Cancelled as soon as a stop is requested. Throws UsageError for a
/// terminal, NotFound, SystemError, HttpError.
ImportSource open_import(const std::string& place, const std::stop_token& stop);

}  // namespace lade::cli
