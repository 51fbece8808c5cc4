// What the tests of this folder share.
#pragma once

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/stream.hpp"
#include "oci/descriptor.hpp"
#include "registry/repository.hpp"
#include "tests/support/fake_registry.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <string>

namespace lade::registry {

/// Options for a fake registry: plain HTTP allowed, hardly any waiting.
inline ConnectionOptions fake_options() {
  ConnectionOptions options;
  options.tls_verify = TlsVerify::no;
  options.retry.first_delay = std::chrono::milliseconds(1);
  return options;
}

inline ConnectionOptions options_for(const std::string& username, const std::string& password) {
  ConnectionOptions options = fake_options();
  options.credentials = Credentials{username, password, "--creds"};
  return options;
}

/// The whole of a blob.
inline std::string fetch(Repository& repository, const Descriptor& descriptor) {
  const auto source = repository.blob(descriptor);
  return read_all(*source, 1 << 30, "blob");
}

/// The error that `body` must end in; fails the test if it does not.
template <class Expected>
Expected error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Expected& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  throw Error("no error was thrown");
}

/// A directory that is removed with all below it.
class Scratch {
 public:
  Scratch() {
    std::string name = "/tmp/lade-registry-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw SystemError(errno, "mkdtemp");
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { Directory::open("/tmp").remove_tree(path_.substr(5)); }

  const std::string& path() const { return path_; }
  /// Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& content) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << content;
    return path;
  }

 private:
  std::string path_;
};

}  // namespace lade::registry
