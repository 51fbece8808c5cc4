// A directory with the files of a registries.conf test, removed with its content.
#pragma once

#include "base/directory.hpp"
#include "base/error.hpp"
#include "registry/registries_conf.hpp"
#include "registry/registries_toml.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <string_view>

namespace lade::registry {

class ConfFiles {
 public:
  ConfFiles() : path_(::testing::TempDir() + "/conf-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw SystemError(errno, "make a directory");
  }
  ~ConfFiles() {
    const auto slash = path_.find_last_of('/');
    Directory::open(path_.substr(0, slash)).remove_tree(path_.substr(slash + 1));
  }
  ConfFiles(const ConfFiles&) = delete;
  ConfFiles& operator=(const ConfFiles&) = delete;

  /// The path of `name` in here.
  std::string path(const std::string& name) const { return path_ + "/" + name; }

  /// Writes a file into a directory below, which is made if need be.
  std::string write(const std::string& directory, const std::string& name,
                    std::string_view text) const {
    Directory::ensure(path(directory), 0700).write_file(name, text, 0600);
    return path(directory + "/" + name);
  }

  /// What /etc, a home directory and the cache are to lade.
  RegistriesFiles files() const {
    return {.user_file = path("home/registries.conf"),
            .user_drop_ins = path("home/registries.conf.d"),
            .system_file = path("etc/registries.conf"),
            .system_drop_ins = path("etc/registries.conf.d"),
            .alias_cache = path("cache/short-name-aliases.conf")};
  }

 private:
  std::string path_;
};

/// A configuration of one main file with this text.
inline RegistriesConf conf_of(std::string_view text) {
  const ConfFiles files;
  RegistriesFiles paths;
  paths.explicit_file = files.write("etc", "registries.conf", text);
  return load_registries_conf(paths);
}

/// The line of the Error that `body` throws, "" if it throws none; its class must be `Kind`.
template <class Kind, class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Kind& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another class of error: " << error.what();
  }
  return "";
}

}  // namespace lade::registry
