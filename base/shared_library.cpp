#include "base/shared_library.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <dlfcn.h>

namespace lade {

std::unique_ptr<SharedLibrary> SharedLibrary::find(const std::string& soname) {
  // Lazily, since most of what it and its own libraries call is never called here; and for good,
  // since unmapping it all just before the end would only cost time.
  void* handle = ::dlopen(soname.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) return nullptr;
  return std::unique_ptr<SharedLibrary>(new SharedLibrary(handle, soname));
}

SharedLibrary::~SharedLibrary() {
  ::dlclose(handle_);
}

void* SharedLibrary::symbol(const char* name) const {
  void* address = ::dlsym(handle_, name);
  if (address == nullptr) throw Error(str("find ", quoted(name), " in ", quoted(soname_)));
  return address;
}

}  // namespace lade
