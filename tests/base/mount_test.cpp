#include "base/mount.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "tests/base/scratch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace lade {
namespace {

constexpr int k_not_permitted = 77;

/// Runs `body(scratch)` in a mount namespace of its own and returns its exit code. The scratch
/// directory is a tmpfs, which carries any kind of overlay.
template <class Body>
int in_mount_namespace(Body&& body) {
  const ScratchDirectory scratch;
  const int status = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", "", MS_REC | MS_PRIVATE, "") != 0 ||
        ::mount("tmpfs", scratch.path().c_str(), "tmpfs", 0, "") != 0) {
      return k_not_permitted;
    }
    return body(Directory::open(scratch.path()));
  });
  return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

/// A directory holding a file `NAME` and a file `common`, both with its name as content.
std::string make_layer(const Directory& parent, const std::string& name) {
  const Directory layer = parent.ensure_child(name, 0755);
  layer.write_file(name, name, 0644);
  layer.write_file("common", name, 0644);
  return layer.path();
}

std::string content(const Directory& directory, const std::string& name) {
  return read_whole(directory.open_file(name, O_RDONLY), 100, name);
}

TEST(OverlayMount, StacksLayersTheTopmostFirst) {
  const int code = in_mount_namespace([](const Directory& scratch) {
    const OverlayConfig config{
        .lowers = {make_layer(scratch, "top"), make_layer(scratch, "bottom")},
        .upper = scratch.ensure_child("upper", 0755).path(),
        .work = scratch.ensure_child("work", 0755).path()};
    const Directory root(make_overlay_mount(config), "root");
    if (content(root, "common") != "top" || content(root, "bottom") != "bottom") return 1;
    root.write_file("new", "x", 0644);
    root.remove_file("bottom");
    const Directory upper = scratch.child("upper");
    if (!upper.exists("new") || !scratch.child("bottom").exists("bottom")) return 2;
    return 0;
  });
  if (code == k_not_permitted) GTEST_SKIP() << "needs root, to mount";
  EXPECT_EQ(code, 0);
}

/// How often the kernel has said `text` since `log`, /dev/kmsg, was read last.
int count_in_log(const Fd& log, const std::string& text) {
  int count = 0;
  std::array<char, 8192> record{};
  for (;;) {
    const ssize_t size = ::read(log.get(), record.data(), record.size());
    if (size < 0 && errno == EPIPE) continue;  // Some were overwritten.
    if (size <= 0) return count;
    const std::string_view line(record.data(), static_cast<std::size_t>(size));
    count += line.find(text) != std::string_view::npos ? 1 : 0;
  }
}

TEST(OverlayMount, TheKernelHasNothingToComplainOf) {
  const Fd log(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!log.valid() || ::lseek(log.get(), 0, SEEK_END) < 0) GTEST_SKIP() << "needs the kernel's log";
  constexpr int k_rounds = 20;
  const int code = in_mount_namespace([](const Directory& scratch) {
    const OverlayConfig config{.lowers = {make_layer(scratch, "a"), make_layer(scratch, "b")}};
    for (int i = 0; i < k_rounds; ++i) make_overlay_mount(config);
    return 0;
  });
  if (code == k_not_permitted) GTEST_SKIP() << "needs root, to mount";
  EXPECT_EQ(code, 0);
  // Others may make the kernel complain, but not that often in this moment.
  EXPECT_LT(count_in_log(log, "overlayfs: failed to resolve"), k_rounds);
}

TEST(OverlayMount, WithoutUpperIsReadOnly) {
  for (const std::size_t layers : {1u, 2u}) {
    const int code = in_mount_namespace([&](const Directory& scratch) {
      OverlayConfig config{.lowers = {make_layer(scratch, "a")}};
      if (layers == 2) config.lowers.push_back(make_layer(scratch, "b"));
      const Directory target = scratch.ensure_child("target", 0755);
      attach_mount(make_overlay_mount(config), target.handle(), target.path());
      const Directory root = Directory::open(target.path());
      if (content(root, "common") != "a") return 1;
      try {
        root.write_file("new", "x", 0644);
      } catch (const SystemError& error) {
        return error.code() == EROFS ? 0 : 2;
      }
      return 3;
    });
    if (code == k_not_permitted) GTEST_SKIP() << "needs root, to mount";
    EXPECT_EQ(code, 0) << layers;
  }
}

TEST(OverlayMount, TakesMoreLayersThanAPageOfOptionsNames) {
  const int code = in_mount_namespace([](const Directory& scratch) {
    OverlayConfig config;
    const Directory long_name = scratch.ensure_child(std::string(200, 'n'), 0755);
    for (int i = 0; i < 120; ++i) {
      config.lowers.push_back(make_layer(long_name, str("layer", i)));
    }
    const Directory root(make_overlay_mount(config), "root");
    return content(root, "layer119") == "layer119" ? 0 : 1;
  });
  if (code == k_not_permitted) GTEST_SKIP() << "needs root, to mount";
  EXPECT_EQ(code, 0);
}

TEST(OverlayMount, ErrorsCarryTheKernelsReason) {
  const int code = in_mount_namespace([](const Directory& scratch) {
    try {
      make_overlay_mount({.lowers = {make_layer(scratch, "a"), scratch.path_of("missing")}});
    } catch (const SystemError& error) {
      const std::string_view line = error.what();
      return error.code() == ENOENT && line.find("missing") != std::string_view::npos ? 0 : 1;
    }
    return 2;
  });
  if (code == k_not_permitted) GTEST_SKIP() << "needs root, to mount";
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace lade
