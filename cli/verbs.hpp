// One function a verb, each in its own file. Each returns the process's exit code or throws.
#pragma once

#include "cli/arguments.hpp"
#include "cli/environment.hpp"

namespace lade::cli {

/// What every verb is given: built by run_program(), passed down, never global.
struct App {
  Environment environment;
  GlobalOptions global;
};

int run_verb(const App& app, const PullArguments& arguments);
int run_verb(const App& app, const CopyArguments& arguments);
int run_verb(const App& app, const ImagesArguments& arguments);
int run_verb(const App& app, const InspectArguments& arguments);
int run_verb(const App& app, const ListTagsArguments& arguments);
int run_verb(const App& app, const LoginArguments& arguments);
int run_verb(const App& app, const LogoutArguments& arguments);
int run_verb(const App& app, const RunArguments& arguments);
int run_verb(const App& app, const RmiArguments& arguments);
int run_verb(const App& app, const VersionArguments& arguments);
int run_verb(const App& app, const HelpArguments& arguments);

}  // namespace lade::cli
