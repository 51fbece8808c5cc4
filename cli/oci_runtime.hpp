// What the verbs of the OCI runtime share.
#pragma once

#include "cli/verbs.hpp"
#include "runner/lifecycle.hpp"

namespace lade::cli {

/// The runtime that the options before the verb describe; warnings go to standard error.
runner::Runtime open_runtime(const App& app);

/// `--bundle`, `--config`, `--pid-file`, `--console-socket`, `--preserve-fds`, and the id.
void declare(OptionSet& options, OciBundleArguments& arguments);
/// The same as the runner takes them; descriptors that LISTEN_FDS announces are added.
runner::NewContainer new_container(const App& app, const OciBundleArguments& arguments);

}  // namespace lade::cli
