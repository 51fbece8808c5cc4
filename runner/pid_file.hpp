// `--pid-file`.
#pragma once

#include <sys/types.h>

#include <string>

namespace lade::runner {

/// Writes a pid, alone and without a line's end, so that whoever waits for the file reads it whole.
void write_pid_file(const std::string& path, pid_t pid);

}  // namespace lade::runner
