// Layers that try to reach what is outside of their root.
#pragma once

#include "tests/snapshot/tar_builder.hpp"

#include <string>
#include <vector>

namespace lade::test {

enum class AttackOutcome { applied, refused };

/// Layers, the bottom one first, and what is to come of them.
struct Attack {
  const char* name;
  std::vector<TarBuilder> layers;
  AttackOutcome outcome;
};

/// `host` is the absolute path of a directory of the host, with a file `host` and
/// `directory/inner`.
inline std::vector<Attack> attacks(const std::string& host) {
  const auto tar = [] { return TarBuilder(); };
  const TarEntry wide{.type = '1', .mode = 0777, .uid = 4, .mtime = 4, .link = "s"};
  const TarBuilder links_out = tar().symlink("d", host).symlink("f", host + "/host");
  TarBuilder linked_chmod = tar().symlink("s", host + "/host");
  linked_chmod.add("h", wide, "");
  std::string climb;
  for (int i = 0; i < 30; ++i) climb += "../";
  return {
      {"CVE_2014_6407_through_an_absolute_link",
       {tar().symlink("x", host).file("x/host", "evil").directory("x/directory", 0777)},
       AttackOutcome::applied},
      {"CVE_2014_6407_through_a_climbing_link",
       {tar().symlink("x", climb + host).file("x/host", "evil").file("x/new", "evil")},
       AttackOutcome::applied},
      {"through_a_chain_of_links",
       {tar()
            .symlink("a", "b")
            .symlink("b", "c/d")
            .symlink("c", "/")
            .file("a/x", "x")
            .symlink("e", "f/../g")
            .symlink("f", host + "/directory")
            .file("e/x", "x")},
       AttackOutcome::applied},
      {"through_links_of_proc",
       {tar()
            .symlink("r", "/proc/self/root")
            .file("r" + host + "/host", "evil")
            .symlink("c", "/proc/self/cwd")
            .file("c/evil", "evil")
            .symlink("d", "/proc/1/root")
            .file("d" + host + "/new", "evil")},
       AttackOutcome::applied},
      {"CVE_2021_29136_root_as_a_link", {tar().symlink("./", host)}, AttackOutcome::refused},
      {"CVE_2021_29136_root_as_a_link_without_a_slash",
       {tar().symlink(".", host)},
       AttackOutcome::refused},
      {"CVE_2021_29136_root_as_a_link_of_one_slash",
       {tar().symlink("/", host)},
       AttackOutcome::refused},
      {"CVE_2021_29136_root_as_a_hard_link",
       {tar().file("f", "f").hardlink("./", "f")},
       AttackOutcome::refused},
      {"CVE_2021_32760_chmod_of_a_link_with_two_names", {linked_chmod}, AttackOutcome::applied},
      {"CVE_2021_41089_attributes_of_a_link",
       {links_out, tar()
                       .directory("d", 0777, {.uid = 9, .pax = {{"SCHILY.xattr.user.k", "v"}}})
                       .file("f", "x", {.mode = 04777, .uid = 9})},
       AttackOutcome::applied},
      {"CVE_2025_47290_a_directory_replaced_by_a_link",
       {tar()
            .directory("a")
            .file("a/host", "first")
            .symlink("a", host)
            .file("a/host", "evil")
            .file("a/new", "evil")
            .whiteout("a/.wh.host")
            .whiteout("a/.wh..wh..opq")},
       AttackOutcome::applied},
      {"CVE_2025_47290_a_parent_replaced_by_a_link",
       {tar()
            .directory("a")
            .directory("a/directory")
            .file("a/directory/inner", "first")
            .symlink("a", host)
            .file("a/directory/inner", "evil")},
       AttackOutcome::applied},
      {"CVE_2025_47290_a_link_replaced_by_a_link",
       {tar()
            .directory("d")
            .symlink("l", "d")
            .file("l/x", "x")
            .symlink("l", host)
            .file("l/host", "evil")},
       AttackOutcome::applied},
      {"hard_link_to_the_host", {tar().hardlink("h", host + "/host")}, AttackOutcome::refused},
      {"hard_link_through_a_link",
       {tar().symlink("d", host).hardlink("h", "d/host")},
       AttackOutcome::refused},
      {"hard_link_through_a_link_below",
       {links_out, tar().hardlink("h", "d/host")},
       AttackOutcome::refused},
      {"hard_link_to_a_link_to_the_host",
       {links_out, tar().hardlink("h", "f")},
       AttackOutcome::applied},
      {"writing_over_a_hard_link_to_a_link",
       {links_out, tar().hardlink("h", "f").file("h", "evil").file("f", "evil")},
       AttackOutcome::applied},
      {"links_of_a_lower_layer",
       {links_out, tar().file("d/host", "evil").whiteout("d/.wh.inner").file("f/x", "x")},
       AttackOutcome::applied},
      {"whiteouts_through_a_link",
       {tar().symlink("d", host).whiteout("d/.wh.host").whiteout("d/.wh..wh..opq")},
       AttackOutcome::applied},
      {"CVE_2023_0778_a_name_with_dots",
       {tar().file("../outside/host", "evil")},
       AttackOutcome::refused},
      {"dots_after_a_link",
       {tar().symlink("d", host).file("d/../host", "evil")},
       AttackOutcome::refused},
      {"whiteout_with_dots", {tar().whiteout("../outside/.wh.host")}, AttackOutcome::refused},
      {"whiteout_of_the_parent",
       {tar().directory("d").whiteout("d/.wh...")},
       AttackOutcome::refused},
      {"whiteout_of_the_directory_itself",
       {tar().directory("d").whiteout("d/.wh..")},
       AttackOutcome::refused},
      {"CVE_2025_11395_hard_link_with_dots",
       {tar().hardlink("h", "../outside/host")},
       AttackOutcome::refused},
      {"a_pipe_where_a_file_is_read_later",
       {tar().device("etc", '6', 0, 0), tar().hardlink("h", "etc")},
       AttackOutcome::applied},
      {"whiteouts_and_hard_links_to_what_they_removed",
       {links_out, tar().whiteout(".wh.d").whiteout(".wh.f").hardlink("h", "d/host")},
       AttackOutcome::refused},
      {"a_ring_of_links",
       {tar().symlink("a", "b").symlink("b", "a").file("a/x", "x")},
       AttackOutcome::refused},
  };
}

}  // namespace lade::test
