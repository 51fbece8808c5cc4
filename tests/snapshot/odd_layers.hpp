// Layers that the specification allows or is silent about, and that programs take differently:
// compared with other programs' by tests/e2e/peers.py.
#pragma once

#include "tests/snapshot/tar_builder.hpp"

#include <string>
#include <vector>

namespace lade::test {

/// Layers, the bottom one first.
struct OddLayers {
  const char* name;
  std::vector<TarBuilder> layers;
};

/// An access list of user::rwx user:1000:rwx group::r-x mask::rwx other::---, as the kernel keeps
/// it.
inline std::string access_list() {
  const auto entry = [](char tag, char perm, const std::string& id) {
    return std::string({tag, '\0', perm, '\0'}) + id;
  };
  const std::string none = "\xff\xff\xff\xff";
  return std::string("\x02\0\0\0", 4) + entry('\x01', 7, none) +
         entry('\x02', 7, std::string("\xe8\x03\0\0", 4)) + entry('\x04', 5, none) +
         entry('\x10', 7, none) + entry('\x20', 0, none);
}

inline std::vector<OddLayers> odd_layers() {
  const auto tar = [] { return TarBuilder(); };
  const auto pax = [](const std::string& key, const std::string& value) {
    return TarEntry{.pax = {{key, value}}};
  };
  const auto attribute = [&](const std::string& name, const std::string& value) {
    return pax("SCHILY.xattr." + name, value);
  };
  TarEntry linked{.type = '1', .mode = 0777, .uid = 9, .mtime = 9, .link = "f"};
  TarBuilder described_link = tar().file("f", "f");
  described_link.add("h", linked, "");
  TarBuilder global;
  global.add("pax_global_header", {.type = 'g'}, "19 comment=git ...\n");
  TarBuilder several = tar().directory("d").file("d/a", "a").file("d/b", "b").file("d/c", "c");
  const std::string capability("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  return {
      {"duplicate_file", {tar().file("f", "first").hardlink("h", "f").file("f", "second")}},
      {"duplicate_directory", {tar().directory("d", 0700).file("d/x", "x").directory("d", 0711)}},
      {"hard_link_with_attributes_of_its_own", {described_link}},
      {"hard_link_to_a_symbolic_link", {tar().symlink("s", "t").hardlink("h", "s")}},
      {"hard_link_to_nothing", {tar().hardlink("h", "nowhere")}},
      {"hard_link_to_a_directory", {tar().directory("d").hardlink("h", "d")}},
      {"hard_link_to_a_file_that_is_gone",
       {tar().file("foo/own", "o").file("foo", "f").hardlink("h", "foo/own")}},
      {"hard_links_in_a_ring", {tar().hardlink("one", "two").hardlink("two", "one")}},
      {"whiteout_that_is_a_directory", {several, tar().directory("d/.wh.a")}},
      {"whiteout_that_is_a_link", {several, tar().symlink("d/.wh.b", "/etc")}},
      {"whiteout_with_content", {several, tar().file("d/.wh.c", "content")}},
      {"directory_named_as_a_whiteout", {several, tar().file(".wh.name/file", "x")}},
      {"whiteout_of_no_name", {several, tar().whiteout("d/.wh.")}},
      {"whiteout_of_a_directory_by_a_slash", {several, tar().directory(".wh.d")}},
      {"whiteout_in_the_lowest_layer", {tar().file("f", "f").whiteout(".wh.g")}},
      {"device_0_0", {tar().file("f", "f"), tar().device("f", '3', 0, 0)}},
      {"device_numbers_beyond_the_kernels", {tar().device("d", '3', 4096, 0)}},
      {"devices_and_pipes",
       {tar().device("c", '3', 1, 3).device("b", '4', 7, 200).device("p", '6', 0, 0)}},
      {"last_owner", {tar().file("f", "f", {.uid = 4294967294, .gid = 4294967294})}},
      {"owner_that_chown_takes_for_none", {tar().file("f", "f", pax("uid", "4294967295"))}},
      {"owner_that_wraps", {tar().file("f", "f", pax("uid", "4294967296"))}},
      {"negative_owner", {tar().file("f", "f", pax("uid", "-1"))}},
      {"time_before_the_epoch", {tar().file("f", "f", pax("mtime", "-86400"))}},
      {"time_before_the_epoch_with_a_fraction", {tar().file("f", "f", pax("mtime", "-1.5"))}},
      {"time_with_nanoseconds", {tar().file("f", "f", pax("mtime", "1.123456789"))}},
      {"time_of_the_far_future", {tar().file("f", "f", pax("mtime", "99999999999"))}},
      {"time_beyond_all_years", {tar().file("f", "f", pax("mtime", "9223372036854775807"))}},
      {"name_that_is_not_utf8", {tar().file("caf\xe9", "x").file("caf\xc3\xa9", "y")}},
      {"long_name", {tar().file(std::string(255, 'n'), "x")}},
      {"name_too_long", {tar().file(std::string(256, 'n'), "x")}},
      {"absolute_name", {tar().file("/etc/f", "f").hardlink("/h", "/etc/f")}},
      {"dots_in_a_name", {tar().file("a/../f", "f")}},
      {"dot_in_a_name", {tar().file("./a/./f", "f")}},
      {"slashes_in_a_name", {tar().file("a//b///f", "f")}},
      {"nul_in_a_pax_path", {tar().file("x", "f", pax("path", std::string("a\0b", 3)))}},
      {"empty_name", {tar().file("", "f")}},
      {"global_pax_header", {tar().raw(global.bytes().substr(0, 1024)).file("f", "f")}},
      {"contiguous_file", {tar().file("f", "f", {.type = '7'})}},
      {"file_of_an_unknown_type", {tar().file("f", "f", {.type = 'Z'})}},
      {"empty_link", {tar().symlink("s", "")}},
      {"setuid", {tar().file("f", "f", {.mode = 06755, .uid = 7, .gid = 8})}},
      {"capability", {tar().file("f", "f", attribute("security.capability", capability))}},
      {"attribute_of_selinux",
       {tar().file("f", "f", attribute("security.selinux", "system_u:object_r:etc_t:s0"))}},
      {"attribute_of_a_link", {tar().raw([&] {
         TarBuilder one;
         TarEntry entry = attribute("trusted.k", "v");
         entry.type = '2';
         entry.link = "t";
         one.add("s", entry, "");
         return one.bytes().substr(0, one.bytes().size() - 1024);
       }())}},
      {"attribute_without_a_value", {tar().file("f", "f", attribute("user.k", ""))}},
      {"attribute_of_a_lower_file_is_gone",
       {tar().file("f", "f", attribute("user.k", "v")), tar().file("f", "g")}},
      {"attribute_of_a_lower_directory_is_gone",
       {tar().directory("d", 0755, attribute("user.k", "v")), tar().directory("d", 0700)}},
      {"default_access_list",
       {tar()
            .directory("d", 0750, attribute("system.posix_acl_default", access_list()))
            .file("d/f", "f", {.mode = 0600})
            .directory("d/e", 0700)}},
      {"access_list", {tar().file("f", "f", attribute("system.posix_acl_access", access_list()))}},
      {"nothing_but_a_root", {tar().directory("./", 0711, {.uid = 5, .gid = 6})}},
      {"root_of_a_layer_without_one",
       {tar().directory("./", 0711, {.uid = 5, .gid = 6}), tar().file("f", "f")}},
      {"no_entries", {tar()}},
      {"bytes_after_the_end", {tar().raw(tar().file("f", "f").bytes() + "after the end")}},
      {"implied_parents", {tar().file("a/b/f", "f")}},
      {"implied_parent_of_another_owner",
       {tar().directory("d", 0700, {.uid = 7, .gid = 8}), tar().file("d/f", "f")}},
      {"file_below_a_file", {tar().file("f", "f"), tar().file("f/g", "g")}},
      {"file_below_a_dangling_link", {tar().symlink("s", "nowhere").file("s/f", "f")}},
      {"directory_over_a_link_of_a_directory",
       {tar().directory("d").file("d/f", "f").symlink("s", "d"),
        tar().directory("s").file("s/g", "g")}},
  };
}

}  // namespace lade::test
