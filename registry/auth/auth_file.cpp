#include "registry/auth/auth_file.hpp"

#include "base/directory.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/manifest.hpp"

#include <fcntl.h>
#include <limits.h>
#include <nlohmann/json.hpp>
#include <stdlib.h>
#include <sys/file.h>

#include <algorithm>
#include <map>
#include <memory>

namespace lade::registry {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view k_what = "auth file";
constexpr mode_t k_file_mode = 0600;
constexpr mode_t k_directory_mode = 0700;

/// The document, checked by the bounded parser before the one that keeps what it does not know.
Json parse_document(std::string_view text) {
  if (trim(text).empty()) return Json::object();
  const JsonValue checked = parse_json(text, k_what);
  const JsonNode root(checked, k_what);
  root.names();
  if (const auto auths = root.find("auths")) auths->names();
  try {
    return Json::parse(text);
  } catch (const Json::exception&) {
    // The checking parser does not mind numbers that fit no type.
    throw InvalidData(str("invalid ", k_what, ": a number is too large"));
  }
}

/// The entries, sorted as Go sorts the keys of a map.
std::map<std::string, Json> entries_of(const Json& document) {
  std::map<std::string, Json> entries;
  const auto auths = document.find("auths");
  if (auths == document.end() || auths->is_null()) return entries;
  for (const auto& [key, value] : auths->items()) entries[key] = value;
  return entries;
}

std::string render(const Json& document, const std::map<std::string, Json>& entries) {
  Json result = Json::object();
  Json& auths = result["auths"] = Json::object();
  for (const auto& [key, value] : entries) auths[key] = value;
  const auto helpers = document.find("credHelpers");
  if (helpers != document.end()) result["credHelpers"] = *helpers;
  for (const auto& [name, value] : document.items()) {
    if (name != "auths" && name != "credHelpers") result[name] = value;
  }
  return result.dump(1, '\t');
}

bool is_namespaced(std::string_view key) {
  return key.find('/') != std::string_view::npos;
}

/// Where a file is in the end, behind links; it need not exist.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> resolved(::realpath(path.c_str(), nullptr),
                                                          &::free);
  if (resolved) return resolved.get();
  if (errno == ENOENT) return path;
  throw SystemError(errno, str("open ", lade::quoted(path)));
}

/// A file of a directory that nobody else who asks for it changes while this object lives.
class LockedFile {
 public:
  explicit LockedFile(const std::string& path) {
    const std::string real = real_path(path);
    const auto slash = real.rfind('/');
    const bool has_parent = slash != std::string::npos;
    const std::string parent = has_parent ? real.substr(0, std::max<std::size_t>(slash, 1)) : ".";
    name_ = has_parent ? real.substr(slash + 1) : real;
    directory_ = Directory::ensure(parent, k_directory_mode);
    while (::flock(directory_.fd(), LOCK_EX) != 0) {
      if (errno != EINTR) throw SystemError(errno, str("lock ", lade::quoted(directory_.path())));
    }
  }

  std::string read() const {
    const auto file = directory_.find_file(name_, O_RDONLY);
    return file ? read_whole(*file, k_manifest_cap, directory_.path_of(name_)) : std::string();
  }

  void write(const std::string& text) const {
    directory_.write_file(name_, text, k_file_mode);
    directory_.sync();
  }

 private:
  Directory directory_;
  std::string name_;
};

}  // namespace

std::string with_auth_entry(std::string_view text, const std::string& key,
                            const Credentials& credentials) {
  const Json document = parse_document(text);
  auto entries = entries_of(document);
  Json& entry = entries[key] = Json::object();
  entry["auth"] = base64_encode(str(credentials.username, ':', credentials.password));
  if (!credentials.identity_token.empty()) entry["identitytoken"] = credentials.identity_token;
  return render(document, entries);
}

AuthRemoval without_auth_entry(std::string_view text, const std::string& key) {
  const Json document = parse_document(text);
  auto entries = entries_of(document);
  const auto means_it = [&](const auto& entry) {
    if (entry.first == key) return true;
    return !is_namespaced(key) && registry_of_key(entry.first) == registry_of_key(key);
  };
  const bool found = std::erase_if(entries, means_it) > 0;
  return {render(document, entries), found};
}

std::string without_auth_entries(std::string_view text) {
  return render(parse_document(text), {});
}

AuthStore::AuthStore(std::string path, HelperPrograms helpers, std::stop_token stop)
    : path_(std::move(path)), helpers_(std::move(helpers)), stop_(std::move(stop)) {}

/// The name of the helper that keeps `key`; empty if the file does.
std::string AuthStore::helper_for(std::string_view text, const std::string& key) const {
  if (trim(text).empty()) return "";
  const JsonValue document = parse_json(text, k_what);
  const JsonNode root(document, k_what);
  const std::string registry = key.substr(0, key.find('/'));
  std::string helper;
  if (const auto helpers = root.find("credHelpers")) {
    for (const std::string& name : server_names(registry)) {
      if (helper.empty()) helper = helpers->find_text(name);
    }
  }
  if (helper.empty()) helper = root.find_text("credsStore");
  if (!helper.empty() && is_namespaced(key)) {
    throw UsageError(str("credentials for ", lade::quoted(key), ": the helper ",
                         lade::quoted(helper), " (", lade::quoted(path_),
                         ") keeps them for whole registries only"));
  }
  return helper;
}

std::string AuthStore::store(const std::string& key, const Credentials& credentials) const {
  const auto context = [&] { return str("store credentials in ", lade::quoted(path_)); };
  return in_context(context, [&] {
    const LockedFile file(path_);
    const std::string text = file.read();
    const std::string name = helper_for(text, key);
    if (name.empty()) {
      file.write(with_auth_entry(text, key, credentials));
      return path_;
    }
    const CredentialHelper helper(helpers_, name, stop_);
    helper.store(server_names(key).front(), {credentials.username, credentials.password});
    // An entry of an earlier time would be found before the helper's.
    if (auto removal = without_auth_entry(text, key); removal.found) file.write(removal.text);
    return helper.program();
  });
}

bool AuthStore::erase(const std::string& key) const {
  const auto context = [&] { return str("remove credentials from ", lade::quoted(path_)); };
  return in_context(context, [&] {
    const LockedFile file(path_);
    const std::string text = file.read();
    AuthRemoval removal = without_auth_entry(text, key);
    if (removal.found) file.write(removal.text);
    const std::string name = is_namespaced(key) ? "" : helper_for(text, key);
    if (name.empty()) return removal.found;
    const CredentialHelper helper(helpers_, name, stop_);
    for (const std::string& server : server_names(key)) {
      // Some helpers do not mind being told to forget what they do not know.
      if (helper.find(server) && helper.erase(server)) removal.found = true;
    }
    return removal.found;
  });
}

void AuthStore::erase_all() const {
  const auto context = [&] { return str("remove credentials from ", lade::quoted(path_)); };
  in_context(context, [&] {
    const LockedFile file(path_);
    const std::string text = file.read();
    std::vector<std::pair<std::string, std::string>> kept;  // by a helper, for a server
    if (!trim(text).empty()) {
      const JsonValue document = parse_json(text, k_what);
      if (const auto helpers = JsonNode(document, k_what).find("credHelpers")) {
        for (const auto& [server, helper] : helpers->text_map()) kept.emplace_back(helper, server);
      }
    }
    file.write(without_auth_entries(text));
    for (const auto& [name, server] : kept) {
      const CredentialHelper helper(helpers_, name, stop_);
      if (helper.find(server)) helper.erase(server);
    }
  });
}

}  // namespace lade::registry
