// lade answers to several names, as busybox does: called as `skopeo`, it takes that program's
// command line, and speaks and ends as that program does. The verbs behind are the same.
#pragma once

#include "cli/arguments.hpp"
#include "cli/report.hpp"

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lade::cli {

/// What a name decides: how words are read, and what failures look like.
class Personality {
 public:
  virtual ~Personality() = default;
  /// The words after the program's name. Throws UsageError.
  virtual Invocation parse(const std::vector<std::string>& words) = 0;
  /// The verb that the words name, as far as it can be told without parsing them.
  virtual std::string verb_of(const std::vector<std::string>& words) const = 0;
  /// What is said of a failure of `verb`, and the exit code.
  virtual Report describe(const std::exception_ptr& failure, const std::string& verb,
                          Detail detail) const = 0;
};

/// The personality for the name that the program was called by, which may be a path; lade's own for
/// any name that means nothing. `oci` as the first of lade's words makes it an OCI runtime's.
std::unique_ptr<Personality> make_personality(std::string_view called_as,
                                              std::string_view first_word = {});

/// skopeo's.
std::unique_ptr<Personality> make_skopeo();

/// umoci's.
std::unique_ptr<Personality> make_umoci();

/// That of an OCI runtime: runc's and crun's.
std::unique_ptr<Personality> make_oci_runtime();

}  // namespace lade::cli
