#include "base/error.hpp"

#include <cstring>
#include <utility>

namespace lade {

Error::Error(std::string message) : message_(std::move(message)), line_(message_) {}

void Error::add_context(std::string context) {
  context_.push_back(std::move(context));
  render();
}

void Error::set_hint(std::string hint) {
  if (hint_.empty()) hint_ = std::move(hint);
}

void Error::render() {
  line_.clear();
  for (auto it = context_.rbegin(); it != context_.rend(); ++it) line_ += *it + ": ";
  line_ += message_;
}

SystemError::SystemError(int code, const std::string& what)
    : Error(what + ": " + errno_text(code)), code_(code) {}

HttpError::HttpError(Details details, std::string message)
    : Error(std::move(message)), details_(std::move(details)) {}

std::string errno_text(int code) {
  char buffer[128];
  return strerror_r(code, buffer, sizeof buffer);
}

}  // namespace lade
