// In skopeo's order and words, since scripts read them.
#include "registry/auth/login.hpp"

#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/prompt.hpp"
#include "cli/verb_options.hpp"
#include "registry/auth/auth_file.hpp"

namespace lade::cli {

namespace {

using registry::Credentials;

/// Go's form of a quoted name, which skopeo prints; what could do harm in it is escaped.
std::string in_double_quotes(const std::string& text) {
  return str('"', printable(text), '"');
}

/// One login, from what is known to what is stored.
class Login {
 public:
  Login(const App& app, const LoginArguments& arguments, std::stop_token stop)
      : arguments_(arguments),
        stop_(std::move(stop)),
        observer_(make_quiet_progress(app.global.name)),
        target_(registry::parse_login_target(arguments.registry)),
        options_(RegistryAccess(app, with_compat_file(arguments), {stop_, *observer_})
                     .direct(target_.registry)) {}

  int run() {
    const auto known =
        registry::find_credentials(options_.auth_files, target_.registry, target_.repository, stop_)
            .credentials;
    if (arguments_.get_login) return print_login(known);
    if (known && !known->identity_token.empty()) {
      throw Error("currently logged in, auth file contains an Identity token");
    }
    if (are_still_good(known)) return 0;
    const Credentials given = ask_for_credentials(known);
    check(given);
    const registry::AuthStore store(options_.auth_files.paths.front(), options_.auth_files.helpers,
                                    stop_);
    const std::string place = store.store(key_in_file(), given);
    if (arguments_.verbose) write_result(str("Used:  ", printable(place), '\n'));
    write_result("Login Succeeded!\n");
    return 0;
  }

 private:
  /// Credentials are looked for in the file that they go to.
  static RegistryFlags with_compat_file(const LoginArguments& arguments) {
    RegistryFlags flags = arguments.connection;
    if (arguments.compat_auth_file) flags.auth_file = arguments.compat_auth_file;
    return flags;
  }

  /// The name of the registry in the file: Docker knows no namespaces, and its Hub as a URL.
  std::string key_in_file() const {
    if (!arguments_.compat_auth_file) return target_.key;
    if (!target_.repository.empty()) {
      throw Error(
          str("Credentials cannot be recorded in Docker-compatible format with namespaced "
              "key ",
              in_double_quotes(target_.key)));
    }
    return target_.registry == "docker.io" ? "https://index.docker.io/v1/" : target_.key;
  }

  int print_login(const std::optional<Credentials>& known) const {
    if (!known || known->username.empty()) throw Error("not logged into " + target_.key);
    write_result(printable(known->username) + '\n');
    return 0;
  }

  /// Whether nothing was given and what is stored lets us in.
  bool are_still_good(const std::optional<Credentials>& known) const {
    const bool given = arguments_.username || arguments_.password || arguments_.password_stdin;
    if (given || !known || known->username.empty() || known->password.empty()) return false;
    write_result(str("Authenticating with existing credentials for ", target_.key, '\n'));
    try {
      registry::check_credentials(target_, *known, options_, stop_);
      write_result(
          str("Existing credentials are valid. Already logged in to ", target_.registry, '\n'));
      return true;
    } catch (const HttpError& error) {
      if (!error.unauthorized()) throw;
    }
    write_result("Existing credentials are invalid, please enter valid username and password\n");
    return false;
  }

  Credentials ask_for_credentials(const std::optional<Credentials>& known) const {
    Credentials given{arguments_.username.value_or(""), arguments_.password.value_or(""),
                      "the command line"};
    if (arguments_.password_stdin) {
      // As skopeo: the lines, without their ends.
      for (std::string& line : split(read_input(stop_), '\n')) {
        if (line.ends_with('\r')) line.pop_back();
        given.password += line;
      }
    }
    if (given.username.empty()) {
      const std::string user = known ? known->username : "";
      const std::string question =
          user.empty() ? "Username: " : str("Username (", printable(user), "): ");
      given.username = trim(ask(question, Echo::shown, stop_).value_or(""));
      if (given.username.empty()) given.username = user;
    }
    if (given.password.empty()) {
      given.password = ask("Password: ", Echo::hidden, stop_).value_or("");
    }
    given.username = trim(given.username);
    if (given.username.empty()) throw UsageError("login: no user name given");
    if (given.username.find(':') != std::string::npos) {
      throw UsageError("login: a user name cannot have a colon");
    }
    return given;
  }

  void check(const Credentials& given) const {
    try {
      registry::check_credentials(target_, given, options_, stop_);
    } catch (const HttpError& error) {
      if (!error.unauthorized()) throw;
      throw HttpError(
          {.status = error.status(), .code = error.code()},
          str("logging into ", in_double_quotes(target_.key), ": invalid username/password"));
    }
  }

  const LoginArguments& arguments_;
  std::stop_token stop_;
  std::unique_ptr<Observer> observer_;
  registry::LoginTarget target_;
  registry::ConnectionOptions options_;
};

/// skopeo's rules, in its words.
void check_login(const LoginArguments& login) {
  if (login.registry.empty()) throw UsageError("please provide a registry to log in to");
  if (login.password_stdin && login.password) {
    throw UsageError("can't specify both --password-stdin and --password");
  }
  if (login.password_stdin && login.username.value_or("").empty()) {
    throw UsageError("must provide --username with --password-stdin");
  }
}

}  // namespace

void declare_options(OptionSet& options, LoginArguments& login) {
  options.optional_argument(login.registry);
  options.value("-u,--username", login.username);
  options.value("-p,--password", login.password);
  options.flag("--password-stdin", login.password_stdin);
  options.flag("--get-login", login.get_login);
  options.flag("-v,--verbose", login.verbose);
  options.flag("--tls-verify", login.connection.tls_verify);
  options.value("--cert-dir", login.connection.cert_dir);
  declare_auth_files(options, login.connection, login.compat_auth_file);
  options.check([&] { check_login(login); });
}

int run_verb(const App& app, const LoginArguments& arguments) {
  const InterruptWatch interrupt;
  return Login(app, arguments, interrupt.stop()).run();
}

}  // namespace lade::cli
