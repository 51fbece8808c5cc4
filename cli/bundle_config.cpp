#include "cli/bundle_config.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/bundle_config.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <optional>
#include <utility>

namespace lade::cli {

namespace {

constexpr std::size_t k_user_file_cap = 1024 * 1024;

/// A file of an image: nothing that it leads to outside, nothing that blocks, nothing endless.
std::string read_user_file(const Directory& rootfs, const std::string& path) {
  const auto found = rootfs.find_in_root(path, O_PATH);
  if (!found || !S_ISREG(stat_of(*found, path).st_mode)) return "";
  const auto file = rootfs.find_in_root(path, O_RDONLY | O_NONBLOCK);
  return file ? read_whole(*file, k_user_file_cap, path) : "";
}

runner::ResolvedUser user_of(const ImageConfig& image, const Directory* rootfs) {
  if (rootfs != nullptr) {
    return runner::resolve_user(image.process.user, read_user_file(*rootfs, "/etc/passwd"),
                                read_user_file(*rootfs, "/etc/group"));
  }
  try {
    return runner::resolve_user(image.process.user, "", "");
  } catch (const Error&) {
    return {};  // nobody can tell who a name is without the files of the image
  }
}

/// The options without which a bind mount of that file is refused in a user namespace.
std::optional<std::vector<std::string>> locked_mount_options(const char* path) {
  struct statvfs st {};
  if (::statvfs(path, &st) != 0) return std::nullopt;
  std::vector<std::string> options;
  const std::pair<unsigned long, const char*> flags[] = {
      {ST_NODEV, "nodev"},     {ST_NOEXEC, "noexec"},     {ST_NOSUID, "nosuid"},
      {ST_NOATIME, "noatime"}, {ST_RELATIME, "relatime"}, {ST_NODIRATIME, "nodiratime"}};
  for (const auto& [flag, name] : flags) {
    if ((st.f_flag & flag) != 0) options.emplace_back(name);
  }
  return options;
}

std::vector<runner::BundleIdMapping> mappings_of(const snapshot::IdMap& map) {
  std::vector<runner::BundleIdMapping> mappings;
  for (const auto& range : map) mappings.push_back({range.container, range.host, range.size});
  return mappings;
}

snapshot::IdMap map_of(const std::vector<std::string>& texts) {
  snapshot::IdMap map;
  for (const std::string& text : texts) map.push_back(snapshot::parse_id_range(text));
  return map;
}

}  // namespace

void declare(OptionSet& options, OwnerFlags& owners) {
  options.value("--uid-map", owners.uid_maps);
  options.value("--gid-map", owners.gid_maps);
  options.flag("--rootless", owners.rootless);
}

snapshot::Ownership ownership_of(const OwnerFlags& owners) {
  snapshot::Ownership ownership{map_of(owners.uid_maps), map_of(owners.gid_maps), owners.rootless};
  if (owners.rootless && ownership.uids.empty()) ownership.uids = {{0, ::geteuid(), 1}};
  if (owners.rootless && ownership.gids.empty()) ownership.gids = {{0, ::getegid(), 1}};
  return ownership;
}

void require_image(const std::string& image) {
  if (image.empty()) throw UsageError("missing mandatory argument: --image");
}

std::string bundle_config(const ImageConfig& image, const Directory* rootfs,
                          const snapshot::Ownership& ownership) {
  runner::BundleOptions options{.user = user_of(image, rootfs),
                                .uids = mappings_of(ownership.uids),
                                .gids = mappings_of(ownership.gids),
                                .rootless = ownership.rootless};
  if (ownership.rootless) options.resolv_conf = locked_mount_options("/etc/resolv.conf");
  return runner::make_bundle_config(image, options);
}

}  // namespace lade::cli
