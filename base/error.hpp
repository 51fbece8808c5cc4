// The one error tree. Classes say what a caller can do about a failure, not where it came from.
// An error carries its innermost message and the contexts it passed on its way up; it is rendered
// once, at the end, as one line: `outermost context: …: innermost message`.
#pragma once

#include <cerrno>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace lade {

/// The root of all failures. Messages are lower case, name the object in back-quotes, end in the
/// cause and have no final stop.
class Error : public std::exception {
 public:
  explicit Error(std::string message);

  /// The whole line: contexts from the outermost to the innermost, then the message.
  const char* what() const noexcept override { return line_.c_str(); }

  /// The innermost message alone.
  const std::string& message() const noexcept { return message_; }

  /// The contexts, innermost first.
  const std::vector<std::string>& context() const noexcept { return context_; }

  /// Prepends what was being done when this error passed; see in_context().
  void add_context(std::string context);

  /// How to mend it, for a line of its own after the error; empty when not known.
  const std::string& hint() const noexcept { return hint_; }

  /// Sets the hint unless a deeper layer, which knew more, has set one already.
  void set_hint(std::string hint);

 private:
  void render();

  std::string message_;
  std::string hint_;
  std::vector<std::string> context_;
  std::string line_;
};

/// A system call failed. The message is `WHAT: STRERROR`.
class SystemError : public Error {
 public:
  SystemError(int code, const std::string& what);

  /// The errno of the failed call.
  int code() const noexcept { return code_; }

 private:
  int code_;
};

/// A request to a registry failed: in transport (status 0) or by the answer's status.
class HttpError : public Error {
 public:
  struct Details {
    int status = 0;          ///< HTTP status, 0 when no answer was received
    bool retryable = false;  ///< whether the same request may succeed a little later
    std::optional<std::chrono::seconds> retry_after;  ///< what the server asked us to wait
    std::string code;  ///< the first error code of the body, e.g. `MANIFEST_UNKNOWN`, or empty
    bool elsewhere = false;  ///< not the registry answered, but a store that it sent us to
  };

  HttpError(Details details, std::string message);

  int status() const noexcept { return details_.status; }
  bool retryable() const noexcept { return details_.retryable; }
  std::optional<std::chrono::seconds> retry_after() const noexcept { return details_.retry_after; }
  const std::string& code() const noexcept { return details_.code; }

  /// Whether the registry refused for want of (valid) credentials: 401 or 403.
  bool unauthorized() const noexcept {
    return !details_.elsewhere && (details_.status == 401 || details_.status == 403);
  }
  /// Whether it was not the registry that answered, but another host that it redirected to.
  bool elsewhere() const noexcept { return details_.elsewhere; }

 private:
  Details details_;
};

/// What the user named (image, tag, blob, container) does not exist.
class NotFound : public Error {
 public:
  using Error::Error;
};

/// Bytes from outside are not what they must be: malformed JSON, a bad tar, an impossible size.
/// Never retried.
class InvalidData : public Error {
 public:
  using Error::Error;
};

/// A check that protects the user said no: digest, size or DiffID mismatch, policy, signature.
/// Exit code 4.
class Refused : public InvalidData {
 public:
  using InvalidData::InvalidData;
};

/// Somebody else holds what is needed: a lock, the database. Trying again later may help.
class Busy : public Error {
 public:
  using Error::Error;
};

/// The command line is wrong. Exit code 64.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// The user asked to stop. Not an Error, so that no `catch (const Error&)` swallows it. Exit 130.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

/// Runs `body`; an Error that leaves it gets `context()` (evaluated only then) prepended.
template <class Context, class Body>
decltype(auto) in_context(Context&& context, Body&& body) {
  try {
    return body();
  } catch (Error& error) {
    error.add_context(context());
    throw;
  }
}

/// Returns `result` of a system call, or throws SystemError from errno with `what()` if it is -1.
template <class Result, class What>
Result check_syscall(Result result, What&& what) {
  if (result == static_cast<Result>(-1)) {
    const int code = errno;
    throw SystemError(code, what());
  }
  return result;
}

/// The text of an errno value, thread-safe.
std::string errno_text(int code);

}  // namespace lade
