// Inside cli/: skopeo's words for names that are wrong, and for failures that it has words for.
#pragma once

#include "base/error.hpp"
#include "cli/arguments.hpp"

#include <string>

namespace lade::cli {

/// A verb has not got the arguments that it needs; skopeo prints the verb's help then.
class WrongArity final : public UsageError {
 public:
  using UsageError::UsageError;
};

/// Checks the arguments that are images, so that what is wrong is said as skopeo says it. Throws
/// UsageError, WrongArity.
void check_names(const VerbArguments& arguments);

/// Whether an image's name is that of an archive at standard output: `docker-archive:/dev/stdout`.
bool names_standard_output(const std::string& name);

/// The message for an error: lade's line, with the words that skopeo's users look for.
std::string skopeo_message(const Error& error);

}  // namespace lade::cli
