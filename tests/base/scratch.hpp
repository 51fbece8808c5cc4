// A scratch directory that a test owns, and a child process to try things in that cannot be undone.
#pragma once

#include "base/directory.hpp"

#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <stdexcept>
#include <string>

namespace lade {

/// A fresh directory, by default under the system's temporary one, removed with all below it at the
/// end.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(const std::string& parent = testing::TempDir())
      : path_(make(parent)), directory_(Directory::open(path_)) {}
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    for (const std::string& name : directory_.list()) directory_.remove_tree(name);
    ::rmdir(path_.c_str());
  }

  const Directory& operator*() const { return directory_; }
  const Directory* operator->() const { return &directory_; }
  const std::string& path() const { return path_; }

 private:
  static std::string make(const std::string& parent) {
    std::string path = parent + "/lade-base-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
    return path;
  }

  std::string path_;
  Directory directory_;
};

/// Runs `body` in a forked child and returns its wait status; the child's exit code is what `body`
/// returns, or 99 if it throws.
template <class Body>
int in_child(Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 99;
    try {
      code = body();
    } catch (const std::exception& error) {
      ::dprintf(2, "child: %s\n", error.what());
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace lade
