// Asking the person at the terminal.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace lade::cli {

/// Whether what is typed can be seen.
enum class Echo { shown, hidden };

/// Writes `question` to standard output and reads one line from standard input, without its end;
/// nothing at the end of the input. With Echo::hidden standard input must be a terminal, and it
/// echoes again however this ends. Throws Error, Cancelled.
std::optional<std::string> ask(std::string_view question, Echo echo, const std::stop_token& stop);

/// All that is left of standard input, at most 64 KiB. Throws InvalidData, SystemError, Cancelled.
std::string read_input(const std::stop_token& stop);

}  // namespace lade::cli
