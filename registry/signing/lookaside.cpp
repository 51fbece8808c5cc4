#include "registry/signing/lookaside.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "registry/signing/stored_signature.hpp"

#include <fcntl.h>

#include <optional>

namespace lade::registry {

namespace {

constexpr std::string_view k_file_scheme = "file://";

bool is_web(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

/// The directory of a `file:` URL, with its `%20` decoded.
std::string path_of(std::string_view url) {
  std::string_view rest = url.substr(k_file_scheme.size());
  std::string path;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != '%') {
      path += rest[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = rest.substr(i + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc{} || digits.size() != 2 || end != digits.data() + 2 || byte == 0) {
      throw InvalidData(str("the lookaside ", quoted(url), " is no URL"));
    }
    path += static_cast<char>(byte);
    i += 2;
  }
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (!path.starts_with('/')) {
    throw InvalidData(str("the lookaside ", quoted(url), " is not `file://` and an absolute path"));
  }
  return path;
}

std::string directory_name(const std::string& repository, const Digest& manifest) {
  return str('/', repository, '@', manifest.algorithm_name(), '=', manifest.hex());
}

std::string signature_name(std::size_t index) {
  return str("signature-", index + 1);
}

std::optional<std::string> find_file(const std::string& path) {
  try {
    return read_file(path, k_signature_cap);
  } catch (const SystemError& error) {
    if (error.code() == ENOENT || error.code() == ENOTDIR) return std::nullopt;
    throw;
  }
}

std::optional<std::string> find_page(HttpClient& client, const std::string& url) {
  const auto parsed = Url::parse(url);
  if (!parsed) throw InvalidData(str("the lookaside ", quoted(url), " is no URL"));
  Response response = send_following(client, {.url = *parsed});
  if (response.status == 404) {
    drain(response);
    return std::nullopt;
  }
  if (response.status != 200) throw make_http_error(response);
  return read_all(*response.body, k_signature_cap, "signature");
}

template <class Find>
std::vector<std::string> read_until_missing(const std::string& url, Find&& find) {
  std::vector<std::string> signatures;
  while (auto bytes = find(signatures.size())) {
    if (signatures.size() == k_signature_limit) {
      throw InvalidData(str("the lookaside ", quoted(url), " gives more than ", k_signature_limit,
                            " signatures of one image"));
    }
    signatures.push_back(*std::move(bytes));
  }
  return signatures;
}

}  // namespace

std::vector<std::string> read_lookaside(const std::string& url, const std::string& repository,
                                        const Digest& manifest, const MakeHttpClient& make_client) {
  if (url.starts_with(k_file_scheme)) {
    const std::string directory = path_of(url) + directory_name(repository, manifest);
    return read_until_missing(url, [&](std::size_t index) {
      return find_file(str(directory, '/', signature_name(index)));
    });
  }
  if (!is_web(url)) {
    throw InvalidData(
        str("the lookaside ", quoted(url), " is of no supported kind: file, http or https"));
  }
  std::string base = url;
  while (base.ends_with('/')) base.pop_back();
  const auto client = make_client();
  return read_until_missing(url, [&](std::size_t index) {
    return find_page(*client,
                     str(base, directory_name(repository, manifest), '/', signature_name(index)));
  });
}

void write_lookaside(const std::string& url, const std::string& repository, const Digest& manifest,
                     const std::vector<std::string>& signatures) {
  if (signatures.empty()) return;
  if (!url.starts_with(k_file_scheme)) {
    Error error(
        str("write signatures to the lookaside ", quoted(url), ": only `file:` can be written to"));
    error.set_hint("configure a `lookaside-staging` in registries.d");
    throw error;
  }
  const std::string path = path_of(url) + directory_name(repository, manifest);
  const Directory directory = Directory::ensure(path, 0755);
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    directory.write_file(signature_name(i), signatures[i], 0644);
  }
  for (std::size_t i = signatures.size(); directory.remove_file(signature_name(i)); ++i) {
  }
  directory.sync();
}

std::size_t remove_lookaside(const std::string& url, const std::string& repository,
                             const Digest& manifest) {
  if (!url.starts_with(k_file_scheme)) return 0;
  const std::string path = path_of(url) + directory_name(repository, manifest);
  try {
    const Directory directory = Directory::open(path);
    std::size_t count = 0;
    while (directory.remove_file(signature_name(count))) ++count;
    return count;
  } catch (const SystemError& error) {
    if (error.code() == ENOENT || error.code() == ENOTDIR) return 0;
    throw;
  }
}

}  // namespace lade::registry
