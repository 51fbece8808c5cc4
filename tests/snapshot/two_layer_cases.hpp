// Two-layer images and what a container must see of them, whatever the order of the upper entries.
#pragma once

#include "tests/snapshot/harness.hpp"

#include <ostream>
#include <string>
#include <vector>

namespace lade::test {

inline TarBuilder lower_layer() {
  TarBuilder lower;
  lower.directory("foo").file("foo/old", "old");
  lower.directory("etc").file("etc/passwd", "root", {.mode = 0640, .gid = 42});
  lower.directory("tmp", 01777);
  lower.directory("victim").file("victim/v", "v");
  lower.directory("usr").directory("usr/lib").file("usr/lib/libc", "c").symlink("lib", "usr/lib");
  lower.directory("secret", 0700, {.uid = 7, .gid = 8, .pax = {{"SCHILY.xattr.user.k", "v"}}});
  lower.symlink("abs", "/usr");
  lower.file("plain", "plain");
  return lower;
}

/// What the lower layer alone looks like.
inline Listing lower_view() {
  return {{"/", "dir 0755 0:0"},
          {"foo", "dir 0755 0:0"},
          {"foo/old", "file 0644 0:0 old"},
          {"etc", "dir 0755 0:0"},
          {"etc/passwd", "file 0640 0:42 root"},
          {"tmp", "dir 1777 0:0"},
          {"victim", "dir 0755 0:0"},
          {"victim/v", "file 0644 0:0 v"},
          {"usr", "dir 0755 0:0"},
          {"usr/lib", "dir 0755 0:0"},
          {"usr/lib/libc", "file 0644 0:0 c"},
          {"lib", "link 0:0 usr/lib"},
          {"secret", "dir 0700 7:8 user.k=v"},
          {"abs", "link 0:0 /usr"},
          {"plain", "file 0644 0:0 plain"}};
}

struct Case {
  const char* name;
  TarBuilder upper;
  std::vector<std::string> gone;  ///< of the lower view
  Listing changed;                ///< added to it, or in place of what was there
};

inline std::ostream& operator<<(std::ostream& out, const Case& each) {
  return out << each.name;
}

inline const std::vector<std::string> k_foo_gone = {"foo", "foo/old"};
inline const Listing k_new_foo = {{"foo", "dir 0755 0:0"}, {"foo/new", "file 0644 0:0 new"}};

inline std::vector<Case> cases() {
  const auto tar = [] { return TarBuilder(); };
  return {
      {"nothing", tar(), {}, {}},
      {"whiteout_then_directory_then_file",
       tar().whiteout(".wh.foo").directory("foo").file("foo/new", "new"), k_foo_gone, k_new_foo},
      {"whiteout_then_file_in_it", tar().whiteout(".wh.foo").file("foo/new", "new"), k_foo_gone,
       k_new_foo},
      {"file_in_it_then_whiteout", tar().file("foo/new", "new").whiteout(".wh.foo"), k_foo_gone,
       k_new_foo},
      {"directory_and_file_then_whiteout",
       tar().directory("foo").file("foo/new", "new").whiteout(".wh.foo"), k_foo_gone, k_new_foo},
      {"whiteout_of_a_file_of_this_layer",
       tar().directory("foo").file("foo/new", "new").whiteout("foo/.wh.new"),
       {},
       {{"foo/new", "file 0644 0:0 new"}}},
      {"whiteout_before_a_file_of_this_layer",
       tar().whiteout("foo/.wh.old").file("foo/old", "mine"),
       {},
       {{"foo/old", "file 0644 0:0 mine"}}},
      {"opaque_after_the_entries",
       tar().directory("foo").file("foo/new", "new").whiteout("foo/.wh..wh..opq"),
       {"foo/old"},
       k_new_foo},
      {"opaque_before_the_entries",
       tar().whiteout("foo/.wh..wh..opq").directory("foo").file("foo/new", "new"),
       {"foo/old"},
       k_new_foo},
      {"opaque_without_a_directory_entry", tar().whiteout("secret/.wh..wh..opq"), {}, {}},
      {"opaque_keeps_the_attributes_below",
       tar().whiteout("secret/.wh..wh..opq").file("secret/s", "s"),
       {},
       {{"secret/s", "file 0644 0:0 s"}}},
      {"whiteouts_in_an_opaque_directory",
       tar().whiteout("foo/.wh.old").whiteout("foo/.wh.x").whiteout("foo/.wh..wh..opq"),
       {"foo/old"},
       {}},
      {"whiteouts_below_an_opaque_directory",
       tar().whiteout("usr/lib/.wh.libc").whiteout("usr/.wh..wh..opq"),
       {"usr/lib", "usr/lib/libc"},
       {}},
      {"opaque_root",
       tar().file("only", "one").whiteout(".wh..wh..opq"),
       {"foo", "foo/old", "etc", "etc/passwd", "tmp", "victim", "victim/v", "usr", "usr/lib",
        "usr/lib/libc", "lib", "secret", "abs", "plain"},
       {{"only", "file 0644 0:0 one"}}},
      {"hard_link_to_a_lower_file",
       tar().hardlink("link", "etc/passwd"),
       {},
       {{"link", "file 0640 0:42 root x2"}, {"etc/passwd", "file 0640 0:42 root x2"}}},
      {"hard_link_to_a_lower_file_through_a_lower_link",
       tar().hardlink("link", "lib/libc"),
       {},
       {{"link", "file 0644 0:0 c x2"}, {"usr/lib/libc", "file 0644 0:0 c x2"}}},
      {"hard_link_before_its_target",
       tar().hardlink("link", "later").file("later", "l"),
       {},
       {{"link", "file 0644 0:0 l x2"}, {"later", "file 0644 0:0 l x2"}}},
      {"hard_link_to_a_lower_file_that_is_replaced_after",
       tar().hardlink("link", "etc/passwd").file("etc/passwd", "new"),
       {},
       {{"link", "file 0640 0:42 root"}, {"etc/passwd", "file 0644 0:0 new"}}},
      {"hard_link_to_a_lower_file_then_a_link_in_place_of_its_directory",
       tar().hardlink("link", "foo/old").symlink("foo", "etc"),
       {"foo/old"},
       {{"link", "file 0644 0:0 old"}, {"foo", "link 0:0 etc"}}},
      {"hard_link_to_a_lower_file_then_a_link_to_a_directory_with_such_a_name",
       tar().file("own/old", "mine").hardlink("link", "foo/old").symlink("foo", "own"),
       {"foo/old"},
       {{"own", "dir 0755 0:0"},
        {"own/old", "file 0644 0:0 mine"},
        {"link", "file 0644 0:0 old"},
        {"foo", "link 0:0 own"}}},
      {"hard_link_through_a_lower_link_that_leads_elsewhere_after",
       tar().hardlink("link", "lib/libc").symlink("lib", "etc"),
       {},
       {{"link", "file 0644 0:0 c x2"},
        {"usr/lib/libc", "file 0644 0:0 c x2"},
        {"lib", "link 0:0 etc"}}},
      {"hard_link_through_a_link_of_this_layer_to_what_a_whiteout_hides",
       tar().symlink("way", "usr/lib").whiteout("usr/lib/.wh.libc").hardlink("link", "way/libc"),
       {"usr/lib/libc"},
       {{"way", "link 0:0 usr/lib"}, {"link", "file 0644 0:0 c"}}},
      {"hard_link_over_a_lower_file",
       tar().file("a", "a").hardlink("plain", "a"),
       {},
       {{"a", "file 0644 0:0 a x2"}, {"plain", "file 0644 0:0 a x2"}}},
      {"hard_link_to_a_hard_link_to_a_lower_file",
       tar().hardlink("one", "etc/passwd").hardlink("two", "one"),
       {},
       {{"one", "file 0640 0:42 root x3"},
        {"two", "file 0640 0:42 root x3"},
        {"etc/passwd", "file 0640 0:42 root x3"}}},
      {"hard_link_to_a_lower_file_that_becomes_a_directory",
       tar().hardlink("link", "plain").file("plain/x", "x"),
       {},
       {{"link", "file 0644 0:0 plain"},
        {"plain", "dir 0755 0:0"},
        {"plain/x", "file 0644 0:0 x"}}},
      {"hard_link_to_a_lower_file_that_a_directory_entry_replaces",
       tar().hardlink("link", "plain").directory("plain", 0700),
       {},
       {{"link", "file 0644 0:0 plain"}, {"plain", "dir 0700 0:0"}}},
      {"hard_link_to_a_lower_file_that_has_whiteouts_below_its_name",
       tar().whiteout("plain/x/.wh.y").hardlink("link", "plain"),
       {},
       {{"link", "file 0644 0:0 plain x2"}, {"plain", "file 0644 0:0 plain x2"}}},
      {"hard_link_and_a_whiteout_of_its_name",
       tar().hardlink("plain", "etc/passwd").whiteout(".wh.plain"),
       {},
       {{"plain", "file 0640 0:42 root x2"}, {"etc/passwd", "file 0640 0:42 root x2"}}},
      {"hard_link_to_what_an_opaque_directory_hides",
       tar().hardlink("link", "foo/old").whiteout("foo/.wh..wh..opq"),
       {"foo/old"},
       {{"link", "file 0644 0:0 old"}}},
      {"hard_link_to_what_a_whiteout_above_it_hides",
       tar().hardlink("link", "foo/old").whiteout(".wh.foo"),
       k_foo_gone,
       {{"link", "file 0644 0:0 old"}}},
      {"hard_link_after_the_whiteout_of_its_target",
       tar().whiteout("etc/.wh.passwd").hardlink("link", "etc/passwd"),
       {"etc/passwd"},
       {{"link", "file 0640 0:42 root"}}},
      {"hard_link_after_an_opaque_directory_that_hides_its_target",
       tar().whiteout("foo/.wh..wh..opq").hardlink("link", "foo/old"),
       {"foo/old"},
       {{"link", "file 0644 0:0 old"}}},
      {"hard_links_after_the_whiteout_of_a_directory_above_their_target",
       tar().whiteout(".wh.usr").hardlink("one", "usr/lib/libc").hardlink("two", "usr/lib/libc"),
       {"usr", "usr/lib", "usr/lib/libc"},
       {{"one", "file 0644 0:0 c x2"}, {"two", "file 0644 0:0 c x2"}}},
      {"hard_link_after_a_file_in_place_of_the_directory_of_its_target",
       tar().file("foo/own", "o").file("foo", "f").hardlink("link", "foo/old"),
       {"foo/old"},
       {{"foo", "file 0644 0:0 f"}, {"link", "file 0644 0:0 old"}}},
      {"hard_link_through_a_lower_link_that_is_hidden",
       tar().whiteout(".wh.lib").whiteout("usr/lib/.wh.libc").hardlink("link", "lib/libc"),
       {"lib", "usr/lib/libc"},
       {{"link", "file 0644 0:0 c"}}},
      {"hard_link_to_a_hidden_name_that_comes_again",
       tar().whiteout(".wh.plain").hardlink("link", "plain").file("plain", "mine"),
       {},
       {{"link", "file 0644 0:0 plain"}, {"plain", "file 0644 0:0 mine"}}},
      {"hard_link_before_its_target_in_a_directory_that_becomes_a_file",
       tar().hardlink("foo/link", "later").file("foo", "f").file("later", "l"),
       {"foo/old"},
       {{"foo", "file 0644 0:0 f"}, {"later", "file 0644 0:0 l"}}},
      {"hard_link_to_a_hard_link_before_its_target_in_place_of_a_lower_file",
       tar().hardlink("plain", "later").hardlink("link", "plain").file("later", "l"),
       {},
       {{"plain", "file 0644 0:0 l x3"},
        {"link", "file 0644 0:0 l x3"},
        {"later", "file 0644 0:0 l x3"}}},
      {"hard_link_before_its_target_in_a_directory_that_becomes_a_link",
       tar()
           .hardlink("foo/link", "one")
           .hardlink("etc/link", "two")
           .symlink("foo", "etc")
           .file("one", "1")
           .file("two", "2"),
       {"foo/old"},
       {{"foo", "link 0:0 etc"},
        {"one", "file 0644 0:0 1"},
        {"two", "file 0644 0:0 2 x2"},
        {"etc/link", "file 0644 0:0 2 x2"}}},
      {"hard_link_in_a_directory_that_becomes_a_ring_of_links",
       tar().hardlink("foo/x/link", "plain").symlink("foo/x", "/foo/x"),
       {},
       {{"foo/x", "link 0:0 /foo/x"}}},
      {"whiteouts_through_a_ring_of_links",
       tar().symlink("a", "b").symlink("b", "a").whiteout("a/.wh.x").whiteout("a/.wh..wh..opq"),
       {},
       {{"a", "link 0:0 b"}, {"b", "link 0:0 a"}}},
      {"hard_links_after_an_opaque_root",
       tar()
           .whiteout(".wh.plain")
           .whiteout(".wh..wh..opq")
           .hardlink("one", "plain")
           .hardlink("two", "usr/lib/libc"),
       {"foo", "foo/old", "etc", "etc/passwd", "tmp", "victim", "victim/v", "usr", "usr/lib",
        "usr/lib/libc", "lib", "secret", "abs", "plain"},
       {{"one", "file 0644 0:0 plain"}, {"two", "file 0644 0:0 c"}}},
      {"hard_link_that_a_later_entry_replaces",
       tar().hardlink("link", "etc/passwd").file("link", "mine"),
       {},
       {{"link", "file 0644 0:0 mine"}}},
      {"hard_link_in_a_directory_that_becomes_a_file",
       tar().hardlink("foo/link", "etc/passwd").file("foo", "f"),
       {"foo/old"},
       {{"foo", "file 0644 0:0 f"}}},
      {"file_below_a_file_of_the_same_layer",
       tar().file("foo", "f").file("foo/x", "x"),
       {"foo/old"},
       {{"foo/x", "file 0644 0:0 x"}}},
      {"whiteouts_below_what_is_a_file",
       tar().whiteout("plain/.wh.x").whiteout("plain/.wh..wh..opq"),
       {},
       {}},
      {"implied_parent_keeps_its_mode",
       tar().file("tmp/x", "x"),
       {},
       {{"tmp/x", "file 0644 0:0 x"}}},
      {"implied_parent_keeps_owner_and_xattrs",
       tar().file("secret/x", "x"),
       {},
       {{"secret/x", "file 0644 0:0 x"}}},
      {"implied_parent_is_a_lower_link",
       tar().file("lib/new", "n"),
       {},
       {{"usr/lib/new", "file 0644 0:0 n"}}},
      {"implied_parent_is_a_lower_absolute_link",
       tar().file("abs/lib/new", "n").whiteout("abs/lib/.wh.libc"),
       {"usr/lib/libc"},
       {{"usr/lib/new", "file 0644 0:0 n"}}},
      {"forged_opaque_xattr",
       tar()
           .directory("victim", 0755, {.pax = {{"SCHILY.xattr.trusted.overlay.opaque", "y"}}})
           .file("victim/n", "n"),
       {},
       {{"victim", "dir 0755 0:0 trusted.overlay.opaque=y"}, {"victim/n", "file 0644 0:0 n"}}},
      {"whiteout_below_a_whiteout",
       tar().whiteout(".wh.foo").whiteout("foo/.wh.old"),
       k_foo_gone,
       {}},
      {"whiteout_after_one_below_it",
       tar().whiteout("foo/.wh.old").whiteout(".wh.foo"),
       k_foo_gone,
       {}},
      {"whiteout_of_nothing", tar().whiteout(".wh.nothing").whiteout("foo/.wh.nothing"), {}, {}},
      {"whiteout_in_a_directory_that_is_nowhere", tar().whiteout("no/such/.wh.x"), {}, {}},
      {"whiteout_in_a_new_directory",
       tar().directory("new").whiteout("new/.wh.x").file("new/y", "y"),
       {},
       {{"new", "dir 0755 0:0"}, {"new/y", "file 0644 0:0 y"}}},
      {"whiteout_through_a_lower_link", tar().whiteout("lib/.wh.libc"), {"usr/lib/libc"}, {}},
      {"directory_over_a_file",
       tar().directory("plain").file("plain/x", "x"),
       {},
       {{"plain", "dir 0755 0:0"}, {"plain/x", "file 0644 0:0 x"}}},
      {"implied_directory_over_a_file",
       tar().file("plain/x", "x"),
       {},
       {{"plain", "dir 0755 0:0"}, {"plain/x", "file 0644 0:0 x"}}},
      {"file_over_a_directory", tar().file("foo", "f"), {"foo/old"}, {{"foo", "file 0644 0:0 f"}}},
      {"directory_over_a_file_over_a_directory",
       tar().file("foo", "f").directory("foo").file("foo/new", "new"),
       {"foo/old"},
       k_new_foo},
      {"directory_over_a_lower_link",
       tar().directory("lib").file("lib/x", "x"),
       {},
       {{"lib", "dir 0755 0:0"}, {"lib/x", "file 0644 0:0 x"}}},
      {"the_root_entry",
       tar().directory("./", 0711, {.uid = 5, .gid = 6}),
       {},
       {{"/", "dir 0711 5:6"}}},
      {"bookkeeping_of_aufs",
       tar().directory(".wh..wh.plnk").file(".wh..wh.plnk/1.2", "x").file(".wh..wh.aufs", ""),
       {},
       {}},
  };
}

/// What both layers together look like.
inline Listing expected_view(const Case& each) {
  Listing expected = lower_view();
  for (const auto& path : each.gone) expected.erase(path);
  for (const auto& [path, line] : each.changed) expected[path] = line;
  return expected;
}

}  // namespace lade::test
