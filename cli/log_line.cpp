#include "cli/log_line.hpp"

#include "base/template/text_form.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace lade::cli {

namespace {

struct LevelWords {
  std::string_view name;
  std::string_view mark;
  int colour;
};

LevelWords words_of(LogLevel level) {
  switch (level) {
    case LogLevel::info:
      return {"info", "INFO", 36};
    case LogLevel::warning:
      return {"warning", "WARN", 33};
    case LogLevel::fatal:
      return {"fatal", "FATA", 31};
  }
  return {};
}

/// A value of `key=value`: in quotes unless it is one plain word.
std::string value_text(std::string_view text) {
  const auto is_plain = [](char c) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return is_word || std::string_view("-._/@^+").find(c) != std::string_view::npos;
  };
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), is_plain);
  return plain ? std::string(text) : go::quote(text);
}

/// A message for a terminal: its lines, and nothing that could act on it.
std::string terminal_text(std::string_view message) {
  std::string out;
  for (const std::string& line : split(message, '\n')) {
    if (!out.empty()) out += '\n';
    out += printable(line);
  }
  if (out.size() < 44) out.resize(44, ' ');
  return out;
}

}  // namespace

LogStyle stderr_style() {
  const Timestamp current = now();
  const std::time_t seconds = current.seconds;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return {::isatty(STDERR_FILENO) != 0, {{current.seconds, 0}, static_cast<int>(local.tm_gmtoff)}};
}

std::string log_line(LogLevel level, std::string_view message, const LogStyle& style) {
  const LevelWords words = words_of(level);
  if (style.is_terminal) {
    return str("\x1b[", words.colour, "m", words.mark, "\x1b[0m[0000] ", terminal_text(message),
               " \n");
  }
  return str("time=\"", go::json_time(style.time), "\" level=", words.name,
             " msg=", value_text(message), '\n');
}

}  // namespace lade::cli
