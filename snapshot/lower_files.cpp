#include "snapshot/lower_files.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/copy_up.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace lade::snapshot {

Found LowerFiles::copy(const Directory& lower, const std::string& path, const Found& file) {
  const auto [copy, is_new] = copies_.try_emplace({file.st.st_dev, file.st.st_ino});
  const Directory& attic = attic_.open();
  if (is_new) {
    copy->second = std::to_string(copies_.size());
    copy_up(file.directory.open_file(file.name, O_PATH), xattrs_of_tree(lower), attic, copy->second,
            metadata_);
  }
  names_[path] = copy->second;
  return {Directory(duplicate(attic.handle()), attic.path()), copy->second,
          attic.find_stat(copy->second).value(), is_new};
}

void LowerFiles::link(const std::string& copy, const Directory& parent,
                      const std::string& name) const {
  const int result = ::linkat(attic_.directory().fd(), copy.c_str(), parent.fd(), name.c_str(), 0);
  if (result < 0 && errno == EMLINK) return;  // the name goes on to mean the file below
  check_syscall(result, [&] { return str("link to ", quoted(parent.path_of(name))); });
}

void LowerFiles::clear() {
  attic_.clear();
  copies_.clear();
  names_.clear();
}

}  // namespace lade::snapshot
