// The shell functions that explain()'s scripts use: what lade does in one of its own calls and a
// shell in several.
#pragma once

#include <string>
#include <string_view>

namespace lade::runner {

/// The functions that `script` calls, and those that they call.
std::string shell_functions_for(std::string_view script);

}  // namespace lade::runner
