#include "store/container_record.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/process_identity.hpp"
#include "base/text.hpp"
#include "store/locked.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace lade::store {

namespace {

constexpr std::size_t k_record_cap = 4096;
constexpr const char* k_file = "record";

}  // namespace

void write_container_record(const Directory& directory, const ContainerRecord& record) {
  const std::string text =
      str("image ", record.image.text(), "\nlifetime ", record.ephemeral ? "ephemeral" : "kept",
          "\nname ", record.name, "\nboot ", record.boot, "\n");
  if (!record.ephemeral) return directory.write_file(k_file, text, 0600);
  // What dies with its process need not outlive the machine: no fsync at every start.
  const Fd file = directory.open_file(k_file, O_WRONLY | O_CREAT | O_EXCL, 0600);
  write_all(file, as_bytes(text), directory.path_of(k_file));
}

std::optional<ContainerRecord> find_container_record(const Directory& directory,
                                                     const std::string& id) {
  const auto file = directory.find_file(k_file, O_RDONLY | O_NONBLOCK);
  if (!file) return std::nullopt;
  std::optional<Digest> image;
  bool ephemeral = false;
  std::string name;
  std::string boot;
  for (const std::string& line : split(read_whole(*file, k_record_cap, k_file), '\n')) {
    if (line.starts_with("image ")) image = Digest::try_parse(line.substr(6));
    if (line == "lifetime ephemeral") ephemeral = true;
    if (line.starts_with("name ")) name = line.substr(5);
    if (line.starts_with("boot ")) boot = line.substr(5);
  }
  if (!image) return std::nullopt;
  return ContainerRecord{id, *image, ephemeral, name, boot};
}

std::vector<ContainerRecord> kept_containers(const Directory& containers) {
  std::vector<ContainerRecord> kept;
  for (const std::string& id : containers.list()) {
    const auto st = containers.find_stat(id);
    if (!st || !S_ISDIR(st->st_mode)) continue;
    auto record = find_container_record(containers.child(id), id);
    if (record && !record->ephemeral && record->boot.empty()) kept.push_back(std::move(*record));
  }
  return kept;
}

std::optional<ContainerRecord> find_container(const Directory& containers,
                                              const std::string& text) {
  constexpr std::size_t k_least_digits = 3;
  std::vector<ContainerRecord> beginning;
  for (ContainerRecord& record : kept_containers(containers)) {
    if (record.id == text || (!text.empty() && record.name == text)) return std::move(record);
    if (text.size() >= k_least_digits && record.id.starts_with(text)) {
      beginning.push_back(std::move(record));
    }
  }
  if (beginning.empty()) return std::nullopt;
  if (beginning.size() > 1) {
    throw InvalidData(str("container id ", quoted(text), " is the beginning of several"));
  }
  return std::move(beginning.front());
}

bool is_leftover(const ContainerRecord& record, const std::optional<Fd>& claim) {
  if (record.ephemeral) return claim.has_value();
  return !record.boot.empty() && record.boot != boot_id();
}

bool is_mounted(const Directory& container) {
  struct statx st {};
  if (::statx(container.fd(), k_mount_point, AT_SYMLINK_NOFOLLOW, 0, &st) != 0) return false;
  return (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

std::vector<ContainerRecord> containers_of(const Directory& containers, const Digest& image) {
  std::vector<ContainerRecord> found;
  for (const std::string& id : containers.list()) {
    const auto st = containers.find_stat(id);
    if (!st || !S_ISDIR(st->st_mode)) continue;
    const Directory directory = containers.child(id);
    auto record = find_container_record(directory, id);
    if (!record || record->image != image) continue;
    if (is_leftover(*record, record->ephemeral ? claim_abandoned(containers, id) : std::nullopt)) {
      continue;
    }
    found.push_back(std::move(*record));
  }
  return found;
}

}  // namespace lade::store
