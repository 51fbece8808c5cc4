#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "oci/default_runtime_spec.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <optional>

namespace lade::cli {

void declare_options(OptionSet& options, OciSpecArguments& spec) {
  options.value("-b,--bundle", spec.bundle);
  options.flag("--rootless", spec.rootless);
}

int run_verb(const App&, const OciSpecArguments& arguments) {
  std::optional<SpecUserIds> user;
  if (arguments.rootless) user = SpecUserIds{::geteuid(), ::getegid(), {}};
  const std::string text = make_default_runtime_spec(user);
  const Directory bundle = Directory::open(arguments.bundle);
  in_context([] { return std::string("write a configuration"); },
             [&] {
               const Fd file = bundle.open_file("config.json", O_WRONLY | O_CREAT | O_EXCL, 0666);
               write_all(file, as_bytes(text), "config.json");
             });
  return exit_code::done;
}

}  // namespace lade::cli
