// Debian's docker-registry as a child process, with one image put straight into its storage.
#pragma once

#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "tests/registry/fixture.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

namespace lade::registry {

/// Whether a program can be run by its name.
inline bool is_installed(const std::string& program) {
  const char* path = ::getenv("PATH");
  for (const std::string& directory : split(path == nullptr ? "" : path, ':')) {
    if (::access(str(directory, '/', program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

/// A port that was free a moment ago.
inline std::uint16_t free_port() {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

/// Serves `app:1`, an image of one layer, until it is destroyed.
class DockerRegistry {
 public:
  /// `http` and `rest` are pieces of its configuration (YAML, flow style): what follows `addr`, and
  /// further lines.
  explicit DockerRegistry(const std::string& http = "", const std::string& rest = "") {
    put_image();
    const std::string config = scratch_.write(
        "config.yml", str("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n",
                          "storage: {filesystem: {rootdirectory: ", scratch_.path(), "/data}}\n",
                          "http: {addr: \"", authority(), "\"", http, "}\n", rest, "\n"));
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const Fd null = open_file("/dev/null", O_WRONLY);
      ::dup2(null.get(), 1);
      ::dup2(null.get(), 2);
      ::execlp("docker-registry", "docker-registry", "serve", config.c_str(), nullptr);
      ::_exit(127);
    }
    wait_for_port();
  }
  DockerRegistry(const DockerRegistry&) = delete;
  DockerRegistry& operator=(const DockerRegistry&) = delete;
  ~DockerRegistry() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  std::string authority() const { return str("127.0.0.1:", port_); }
  Reference reference() const { return Reference::parse(authority() + "/app:1"); }

  static const std::string& layer() {
    static const std::string bytes(3'000'000, 'L');
    return bytes;
  }

 private:
  void put(const std::string& path, const std::string& content) {
    const std::string whole = str("data/docker/registry/v2/", path);
    std::filesystem::create_directories(
        std::filesystem::path(str(scratch_.path(), '/', whole)).parent_path());
    scratch_.write(whole, content);
  }
  Descriptor put_blob(const std::string& bytes, std::string_view type) {
    const Descriptor blob{std::string(type), Digest::of(bytes), bytes.size()};
    const std::string& hex = blob.digest.hex();
    put(str("blobs/sha256/", hex.substr(0, 2), '/', hex, "/data"), bytes);
    put(str("repositories/app/_layers/sha256/", hex, "/link"), blob.digest.text());
    return blob;
  }
  void put_image() {
    const auto json = [](const Descriptor& blob) {
      return str(R"({"mediaType":")", blob.media_type, R"(","digest":")", blob.digest.text(),
                 R"(","size":)", blob.size, "}");
    };
    const Descriptor config = put_blob("{}", media_type::oci_config);
    const Descriptor content = put_blob(layer(), media_type::oci_layer);
    const Descriptor manifest =
        put_blob(str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_manifest,
                     R"(","config":)", json(config), R"(,"layers":[)", json(content), "]}"),
                 media_type::oci_manifest);
    const std::string link = str("sha256/", manifest.digest.hex(), "/link");
    for (const std::string& place :
         {"revisions/" + link, "tags/1/index/" + link, std::string("tags/1/current/link")}) {
      put("repositories/app/_manifests/" + place, manifest.digest.text());
    }
  }
  void wait_for_port() const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    for (int i = 0; i < 1000; ++i) {
      const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw Error("docker-registry does not answer");
  }

  Scratch scratch_;
  std::uint16_t port_ = free_port();
  pid_t process_ = -1;
};

}  // namespace lade::registry
