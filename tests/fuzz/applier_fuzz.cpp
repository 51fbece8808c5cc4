#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/observer.hpp"
#include "base/stream.hpp"
#include "base/text.hpp"
#include "snapshot/apply.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/sealed_tar.hpp"
#include "tests/fuzz/targets.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

namespace lade::fuzz {

namespace {

/// A directory for all runs of the process, in memory, with the host's file beside the root.
class Place {
 public:
  Place() : path_(make()), directory_(Directory::open(path_)) {
    directory_.write_file("host", "host", 0600);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    for (const std::string& name : directory_.list()) directory_.remove_tree(name);
    ::rmdir(path_.c_str());
  }

  const Directory& directory() const noexcept { return directory_; }

  void check_host() const {
    for (const std::string& name : directory_.list()) {
      check(name == "host" || name == "root", "nothing appears beside the root");
    }
    const auto st = directory_.find_stat("host");
    check(st && S_ISREG(st->st_mode) && st->st_nlink == 1 && (st->st_mode & 07777U) == 0600,
          "the host's file is what it was");
    check(read_whole(directory_.open_file("host", O_RDONLY), 100, "host") == "host",
          "the host's file has its content");
  }

 private:
  static std::string make() {
    std::string path =
        ::access("/dev/shm", W_OK) == 0 ? "/dev/shm/lade-fuzz-XXXXXX" : "/tmp/lade-fuzz-XXXXXX";
    check(::mkdtemp(path.data()) != nullptr, "there is a place to unpack to");
    return path;
  }

  std::string path_;
  Directory directory_;
};

void unpack(const Place& place, const std::string& tar) {
  const Directory root = place.directory().ensure_child("root", 0700);
  StringSource source(tar);
  NullObserver nobody;
  // Little of everything, so that a run is short.
  const snapshot::ApplyOptions options{.overlay = snapshot::overlay_xattrs_of_process(),
                                       .limits = {.entries = 300,
                                                  .tar_size = 1U << 20U,
                                                  .holes = 1U << 20U,
                                                  .names = 1U << 18U,
                                                  .directories = 1U << 20U}};
  try {
    const auto layer = snapshot::apply_layer(source, root, options, {{}, nobody});
    check(layer.tar_size == tar.size(), "a layer is read to its end");
    check(layer.diff_id.digest == Digest::of(tar), "the DiffID is that of all bytes");
  } catch (const Error& error) {
    const std::string_view line = error.what();
    check(line.find('\n') == std::string_view::npos, "messages are one line");
  }
  place.check_host();
  place.directory().remove_tree("root");
}

}  // namespace

void fuzz_applier(std::string_view input) {
  static const Place place;
  unpack(place, std::string(input));
  unpack(place, sealed_tar(std::string(input)));
}

}  // namespace lade::fuzz
