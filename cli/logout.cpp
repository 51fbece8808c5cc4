// In skopeo's words, since scripts read them.
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/verb_options.hpp"
#include "registry/auth/auth_file.hpp"
#include "registry/auth/login.hpp"

#include <fcntl.h>

namespace lade::cli {

namespace {

/// A file that was named must be there: a typing error must not look like success.
void check_accessible(const std::string& file) {
  in_context([] { return std::string("credential file is not accessible"); },
             [&] { open_file(file, O_PATH); });
}

}  // namespace

void declare_options(OptionSet& options, LogoutArguments& logout) {
  options.optional_argument(logout.registry);
  options.flag("-a,--all", logout.all);
  options.flag("--tls-verify", logout.connection.tls_verify);
  declare_auth_files(options, logout.connection, logout.compat_auth_file);
  options.check([&] {
    const bool given = !logout.registry.empty();
    if (!given && !logout.all) throw UsageError("please provide a registry to log out from");
    if (given && logout.all) throw UsageError("--all takes no arguments");
  });
}

int run_verb(const App& app, const LogoutArguments& arguments) {
  const InterruptWatch interrupt;
  registry::AuthFiles files{app.environment.auth_files,
                            {app.environment.search_path, app.environment.variables}};
  const auto& file =
      arguments.compat_auth_file ? arguments.compat_auth_file : arguments.connection.auth_file;
  if (file) {
    check_accessible(*file);
    files.paths = {*file};
  }
  const registry::AuthStore store(files.paths.front(), files.helpers, interrupt.stop());
  if (arguments.all) {
    store.erase_all();
    write_result("Removed login credentials for all registries\n");
    return 0;
  }
  const registry::LoginTarget target = registry::parse_login_target(arguments.registry);
  if (store.erase(target.key)) {
    write_result(str("Removed login credentials for ", target.key, '\n'));
    return 0;
  }
  Error error("not logged into " + target.key);
  const auto other =
      registry::find_credentials(files, target.registry, target.repository, interrupt.stop());
  if (other.credentials) {
    error.set_hint(
        str("credentials that are used for it come from ", quoted(other.credentials->origin)));
  }
  throw error;
}

}  // namespace lade::cli
