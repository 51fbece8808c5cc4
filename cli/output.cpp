#include "cli/output.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"

#include <fcntl.h>
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

void write_digest_file(const std::string& path, const Digest& digest) {
  const Fd file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(file, as_bytes(digest.text()), path);
}

void write_message(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace lade::cli
