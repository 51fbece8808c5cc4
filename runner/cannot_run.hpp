// Why a container's program did not start, when it is the program's fault.
#pragma once

#include "base/error.hpp"

#include <string>

namespace lade::runner {

/// The container's program cannot be started. `exit_code` is what a shell would say: 127 when there
/// is no such program, 126 when it is there but cannot be invoked.
class CannotRun final : public Error {
 public:
  CannotRun(int exit_code, std::string message)
      : Error(std::move(message)), exit_code_(exit_code) {}

  /// 126 or 127.
  int exit_code() const noexcept { return exit_code_; }

 private:
  int exit_code_;
};

}  // namespace lade::runner
