#include "runner/runtime_root.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace lade::runner {

namespace {

constexpr const char* k_state_file = "state.json";
constexpr const char* k_config_file = "config.json";
constexpr const char* k_lock_file = "lock";

constexpr std::size_t k_file_cap = 32 * 1024 * 1024;

std::string read_whole_file(const Directory& directory, const std::string& name) {
  return read_whole(directory.open_file(name, O_RDONLY), k_file_cap, directory.path_of(name));
}

}  // namespace

NotFound no_container(const std::string& id) {
  // podman looks for these words.
  return NotFound(str("container ", quoted(id), " does not exist"));
}

bool is_container_id(std::string_view id) {
  constexpr std::size_t longest = 1024;
  if (id.empty() || id.size() > longest || id.front() == '.') return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || c == '.';
  });
}

Fd ContainerHome::lock() const {
  Fd file = directory_.open_file(k_lock_file, O_RDWR | O_CREAT, 0600);
  int result = 0;
  do {
    result = ::flock(file.get(), LOCK_EX);
  } while (result < 0 && errno == EINTR);
  check_syscall(result, [&] { return str("lock container ", quoted(id_)); });
  // Whoever held it may have removed the container.
  if (!directory_.exists(k_lock_file)) throw no_container(id_);
  return file;
}

void ContainerHome::write_state(const ContainerState& state) const {
  // Not flushed: what it says of processes means nothing after the next boot.
  directory_.replace_file(k_state_file, write_container_state(state), 0600);
}

std::optional<ContainerState> ContainerHome::find_state() const {
  const auto file = directory_.find_file(k_state_file, O_RDONLY);
  if (!file) return std::nullopt;
  return parse_container_state(read_whole(*file, k_file_cap, directory_.path_of(k_state_file)));
}

ContainerState ContainerHome::get_state() const {
  auto state = find_state();
  if (!state) throw no_container(id_);
  return *std::move(state);
}

void ContainerHome::write_config(std::string_view json) const {
  const Fd file = directory_.open_file(k_config_file, O_WRONLY | O_CREAT | O_EXCL, 0600);
  write_all(file, as_bytes(json), directory_.path_of(k_config_file));
}

std::string ContainerHome::read_config() const {
  return read_whole_file(directory_, k_config_file);
}

RuntimeRoot RuntimeRoot::open(const std::string& path) {
  Directory directory = Directory::ensure(path, 0700);
  const struct stat st = stat_of(directory.handle(), path);
  if (st.st_uid != ::geteuid()) {
    throw Error(
        str("use ", quoted(path), " for the states of containers: it belongs to user ", st.st_uid));
  }
  return RuntimeRoot(std::move(directory));
}

ContainerHome RuntimeRoot::reserve(const std::string& id) const {
  if (!is_container_id(id)) throw UsageError(str("invalid container id ", quoted(id)));
  if (::mkdirat(directory_.fd(), id.c_str(), 0700) != 0) {
    const int code = errno;
    if (code == EEXIST) throw Error(str("container with id ", quoted(id), " already exists"));
    throw SystemError(code, str("make ", quoted(directory_.path_of(id))));
  }
  return {directory_.child(id), id};
}

std::optional<ContainerHome> RuntimeRoot::find(const std::string& id) const {
  if (!is_container_id(id)) throw UsageError(str("invalid container id ", quoted(id)));
  if (!directory_.exists(id)) return std::nullopt;
  return ContainerHome(directory_.child(id), id);
}

std::optional<Fd> RuntimeRoot::lock(const ContainerHome& home) const {
  const auto is_gone = [&] {
    const struct stat theirs = stat_of(home.directory().handle(), home.id());
    struct stat now {};
    return ::fstatat(directory_.fd(), home.id().c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0 ||
           now.st_dev != theirs.st_dev || now.st_ino != theirs.st_ino;
  };
  try {
    Fd lock = home.lock();
    if (is_gone()) return std::nullopt;
    return lock;
  } catch (const Error&) {
    // In a removed directory there can be no lock.
    if (is_gone()) return std::nullopt;
    throw;
  }
}

ContainerHome RuntimeRoot::get(const std::string& id) const {
  auto found = find(id);
  if (!found) throw no_container(id);
  return *std::move(found);
}

std::vector<std::string> RuntimeRoot::ids() const {
  std::vector<std::string> names = directory_.list();
  std::erase_if(names, [](const std::string& name) { return !is_container_id(name); });
  return names;
}

std::string RuntimeRoot::seccomp_cache() const {
  return directory_.path_of(".seccomp");
}

void RuntimeRoot::remove(const std::string& id) const {
  directory_.remove_tree(id);
}

}  // namespace lade::runner
