// argv to Invocation.
#pragma once

#include "cli/arguments.hpp"
#include "cli/options.hpp"

#include <string>
#include <vector>

namespace lade::cli {

/// Parses the words after the program's name. Throws UsageError, with the verb's help as the hint.
Invocation parse(const std::vector<std::string>& words);

/// The verb that a command line names, as far as it can be told without parsing it: its exit codes
/// apply even when the rest cannot be parsed.
std::string verb_of(const std::vector<std::string>& words);

/// Whether there is a verb of that name.
bool has_verb(const std::string& name);

/// The options of a verb, but for `--help`; parsing them fills `arguments`. REQUIRES: has_verb().
OptionSet declare_verb(const std::string& name, VerbArguments& arguments);

/// The names of all verbs.
std::vector<std::string> verb_names();

/// Every option of a verb with its dashes, for the test that its help page names them all.
std::vector<std::string> options_of(const std::string& verb);

}  // namespace lade::cli
