#include "store/container_record.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "store/locked.hpp"

#include <fcntl.h>

namespace lade::store {

namespace {

constexpr std::size_t k_record_cap = 4096;
constexpr const char* k_file = "record";

}  // namespace

void write_container_record(const Directory& directory, const ContainerRecord& record) {
  const std::string text = str("image ", record.image.text(), "\nlifetime ",
                               record.ephemeral ? "ephemeral" : "kept", "\n");
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
  for (const std::string& line : split(read_whole(*file, k_record_cap, k_file), '\n')) {
    if (line.starts_with("image ")) image = Digest::try_parse(line.substr(6));
    if (line == "lifetime ephemeral") ephemeral = true;
  }
  if (!image) return std::nullopt;
  return ContainerRecord{id, *image, ephemeral};
}

std::vector<ContainerRecord> containers_of(const Directory& containers, const Digest& image) {
  std::vector<ContainerRecord> found;
  for (const std::string& id : containers.list()) {
    const auto st = containers.find_stat(id);
    if (!st || !S_ISDIR(st->st_mode)) continue;
    const Directory directory = containers.child(id);
    auto record = find_container_record(directory, id);
    if (!record || record->image != image) continue;
    if (record->ephemeral && claim_abandoned(containers, id)) continue;
    found.push_back(std::move(*record));
  }
  return found;
}

}  // namespace lade::store
