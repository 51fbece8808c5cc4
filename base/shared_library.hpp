// A library that is loaded when it is needed rather than when the program starts
// (docs/decisions/0001-linking.md).
#pragma once

#include <memory>
#include <string>

namespace lade {

/// A dlopen()ed library. It stays loaded as long as this object lives.
class SharedLibrary {
 public:
  /// Loads the library of that soname; nothing if it is not installed.
  static std::unique_ptr<SharedLibrary> find(const std::string& soname);
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;
  ~SharedLibrary();

  /// The address of a function; throws Error if the library has none of that name.
  template <class Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(symbol(name));
  }

 private:
  SharedLibrary(void* handle, std::string soname) : handle_(handle), soname_(std::move(soname)) {}
  void* symbol(const char* name) const;

  void* handle_;
  std::string soname_;
};

}  // namespace lade
