#include "cli/output.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"

#include <unistd.h>

namespace lade::cli {

void write_result(std::string_view text) {
  Fd out(STDOUT_FILENO);
  try {
    write_all(out, as_bytes(text), "standard output");
  } catch (...) {
    out.release();
    throw;
  }
  out.release();
}

void write_message(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace lade::cli
