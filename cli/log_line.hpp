// Lines as logrus writes them, the logger of skopeo and podman: scripts look for `level=fatal`.
#pragma once

#include "base/template/value.hpp"

#include <string>
#include <string_view>

namespace lade::cli {

enum class LogLevel { info, warning, fatal };

/// Where a line goes: a terminal gets `FATA[0000] message`, anything else
/// `time="…" level=fatal msg="…"`.
struct LogStyle {
  bool is_terminal = false;
  go::Time time;  ///< now
};

/// The style for standard error, now.
LogStyle stderr_style();

/// One line with its end. Control characters of `message` are escaped.
std::string log_line(LogLevel level, std::string_view message, const LogStyle& style);

}  // namespace lade::cli
