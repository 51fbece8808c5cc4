#include "snapshot/bundle.hpp"

#include "base/error.hpp"
#include "base/stream.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/json_writer.hpp"
#include "snapshot/mtree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_meta_cap = 1024 * 1024;
constexpr std::string_view k_meta_version = "2";

void write_map(JsonWriter& json, std::string_view name, const IdMap& map) {
  json.name(name);
  if (map.empty()) {
    json.raw("null");
    return;
  }
  json.begin_array();
  for (const IdRange& range : map) {
    json.begin_object();
    json.member("containerID", std::uint64_t{range.container});
    json.member("hostID", std::uint64_t{range.host});
    json.member("size", std::uint64_t{range.size});
    json.end_object();
  }
  json.end_array();
}

std::uint32_t id_of(const JsonNode& node) {
  const std::uint64_t id = node.size();
  if (id > 0xffffffffU) node.fail("is no id");
  return static_cast<std::uint32_t>(id);
}

IdMap read_map(const JsonNode& options, std::string_view name) {
  IdMap map;
  const auto ranges = options.find(name);
  if (!ranges) return map;
  for (const JsonNode& range : ranges->items()) {
    map.push_back(
        {id_of(range.get("containerID")), id_of(range.get("hostID")), id_of(range.get("size"))});
  }
  return map;
}

Descriptor read_descriptor(const JsonNode& node) {
  Descriptor descriptor{node.get("mediaType").text(), Digest::parse(node.get("digest").text()),
                        node.get("size").size()};
  if (const auto annotations = node.find("annotations")) {
    descriptor.annotations = annotations->text_map();
  }
  return descriptor;
}

/// A regular file of a bundle, which may be anybody's.
std::string read_bundle_file(const Directory& bundle, const std::string& name, std::size_t cap) {
  const auto file = bundle.find_file(name, O_RDONLY | O_NONBLOCK);
  if (!file) throw NotFound(str("there is no ", quoted(bundle.path_of(name))));
  return read_whole(*file, cap, bundle.path_of(name));
}

void write_bundle_file(const Directory& bundle, const std::string& name, std::string_view content) {
  const Fd file = bundle.open_file(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(file, as_bytes(content), bundle.path_of(name));
}

bool is_there(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0;
}

/// Removes a tree whose directory's path is a user's own.
void remove_at(const std::string& path) {
  const auto slash = path.find_last_not_of('/');
  const std::string trimmed = path.substr(0, slash + 1);
  const auto cut = trimmed.rfind('/');
  const std::string parent = cut == std::string::npos ? "." : trimmed.substr(0, cut + 1);
  Directory::open(parent).remove_tree(trimmed.substr(cut == std::string::npos ? 0 : cut + 1));
}

}  // namespace

std::string write_bundle_meta(const BundleMeta& meta) {
  JsonWriter json;
  json.begin_object();
  json.member("umoci_version", k_meta_version);
  json.name("from_descriptor_path").begin_object().name("descriptor_walk").begin_array();
  for (const Descriptor& descriptor : meta.path) {
    json.begin_object();
    json.member("mediaType", descriptor.media_type);
    json.member("digest", descriptor.digest.text());
    json.member("size", descriptor.size);
    if (descriptor.annotations) json.maybe_member("annotations", *descriptor.annotations);
    json.end_object();
  }
  json.end_array().end_object();
  json.name("map_options").begin_object();
  write_map(json, "uid_mappings", meta.ownership.uids);
  write_map(json, "gid_mappings", meta.ownership.gids);
  json.name("rootless").flag(meta.ownership.rootless);
  json.end_object().end_object();
  return json.take() + '\n';
}

BundleMeta parse_bundle_meta(std::string_view bytes) {
  const JsonValue document = parse_json(bytes, k_bundle_meta);
  const JsonNode root(document, k_bundle_meta);
  const JsonNode version = root.get("umoci_version");
  if (version.text() != k_meta_version) version.fail("is a version that is not understood");
  if (const auto mode = root.find("whiteout_mode"); mode && mode->size() != 0) {
    mode->fail("is a form of whiteouts that is not understood");
  }
  BundleMeta meta;
  const JsonNode walk = root.get("from_descriptor_path").get("descriptor_walk");
  for (const JsonNode& node : walk.items()) meta.path.push_back(read_descriptor(node));
  if (meta.path.empty()) walk.fail("is empty");
  if (const auto options = root.find("map_options")) {
    meta.ownership.uids = read_map(*options, "uid_mappings");
    meta.ownership.gids = read_map(*options, "gid_mappings");
    if (const auto rootless = options->find("rootless")) {
      meta.ownership.rootless = rootless->flag();
    }
  }
  return meta;
}

std::string mtree_name(const Descriptor& manifest) {
  return str(manifest.digest.algorithm_name(), '_', manifest.digest.hex(), ".mtree");
}

void write_specification(const Directory& directory, const std::string& name,
                         const Directory& rootfs, const ContentDigests& known,
                         const std::stop_token& stop) {
  const Fd file = directory.open_file(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  FdSink sink(file, directory.path_of(name));
  MtreeWriter writer(sink);
  walk_tree(rootfs, known, stop,
            [&](const std::string& path, const InodeRecord& record) { writer.add(path, record); });
  writer.finish();
}

NewBundle::NewBundle(const std::string& path) : path_(path), made_(!is_there(path)) {
  directory_ = Directory::ensure(path, 0700);
  try {
    for (const char* name : {k_bundle_config, k_bundle_rootfs}) {
      if (directory_.exists(name)) {
        throw Error(str(quoted(directory_.path_of(name)), " already exists"));
      }
    }
    // Others must not get at what is in there: it may have set-user-id programs.
    check_syscall(::fchmod(directory_.fd(), 0700), [&] { return str("chmod ", quoted(path)); });
    rootfs_ = directory_.ensure_child(k_bundle_rootfs, 0700);
  } catch (...) {
    if (made_) remove_at(path_);
    throw;
  }
}

NewBundle::~NewBundle() {
  if (kept_) return;
  try {
    if (made_) {
      remove_at(path_);
      return;
    }
    directory_.remove_tree(k_bundle_rootfs);
    for (const std::string& name : files_) directory_.remove_file(name);
  } catch (const Error&) {
    return;  // nobody to tell in a destructor
  }
}

void NewBundle::write(const std::string& name, std::string_view content) {
  files_.push_back(name);
  write_bundle_file(directory_, name, content);
}

void NewBundle::describe(const BundleMeta& meta, const ContentDigests& known,
                         const std::stop_token& stop) {
  files_.push_back(mtree_name(meta.manifest()));
  write_specification(directory_, files_.back(), rootfs_, known, stop);
  write(k_bundle_meta, write_bundle_meta(meta));
}

NewRootfs::NewRootfs(const std::string& path) : path_(path), made_(!is_there(path)) {
  directory_ = Directory::ensure(path, 0700);
  if (!directory_.list().empty()) throw Error(str(quoted(path), " already exists"));
}

NewRootfs::~NewRootfs() {
  if (kept_) return;
  try {
    if (made_) {
      remove_at(path_);
      return;
    }
    for (const std::string& name : directory_.list()) directory_.remove_tree(name);
  } catch (const Error&) {
    return;  // nobody to tell in a destructor
  }
}

Bundle Bundle::open(const std::string& path) {
  const std::string meta_path = str(path, '/', k_bundle_meta);
  if (!is_there(meta_path)) throw NotFound(str("there is no ", quoted(meta_path)));
  Directory directory = Directory::open(path);
  BundleMeta meta = parse_bundle_meta(read_bundle_file(directory, k_bundle_meta, k_meta_cap));
  Directory rootfs = directory.child(k_bundle_rootfs);
  return {std::move(directory), std::move(rootfs), std::move(meta)};
}

InodeRecords Bundle::read_specification() const {
  const std::string name = mtree_name(meta_.manifest());
  return in_context([&] { return str("read ", quoted(directory_.path_of(name))); },
                    [&] { return parse_mtree(read_bundle_file(directory_, name, k_mtree_cap)); });
}

void Bundle::refresh(const BundleMeta& meta, const std::stop_token& stop) {
  const std::string before = mtree_name(meta_.manifest());
  const std::string after = mtree_name(meta.manifest());
  write_specification(directory_, after, rootfs_, {}, stop);
  if (before != after) directory_.remove_file(before);
  write_bundle_file(directory_, k_bundle_meta, write_bundle_meta(meta));
  meta_ = meta;
}

}  // namespace lade::snapshot
