#include "runner/explain/helpers.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace lade::runner {

namespace {

struct Helper {
  std::string_view name;
  std::string_view text;
};

/// Whoever calls another one comes after it.
constexpr std::array<Helper, 16> k_helpers{{
    {"within", R"SH(
# within PATH [strict]: sets $place, where a path of the container is for now. Links mean what they
# mean in the container; with `strict` there may be none. lade leaves this to the kernel (openat2,
# RESOLVE_IN_ROOT), so that nobody who changes a volume meanwhile can lead it elsewhere.
within() {
  local rest=$1 part link count=0
  place=$root
  while [[ $rest == *[!/]* ]]; do
    while [[ $rest == /* ]]; do rest=${rest#/}; done
    part=${rest%%/*}
    if [[ $rest == */* ]]; then rest=${rest#*/}; else rest=; fi
    case $part in
      .) ;;
      ..) if [[ $place != "$root" ]]; then place=${place%/*}; fi ;;
      *)
        if [[ ! -L $place/$part ]]; then
          place+=/$part
        elif [[ ${2-} == strict || $((++count)) -gt 40 ]]; then
          echo "a symbolic link is in the way: $1" >&2
          exit 125
        else
          link=$(readlink -- "$place/$part" && echo .)
          link=${link%$'\n.'}
          if [[ $link == /* ]]; then place=$root; fi
          rest=$link/$rest
        fi
        ;;
    esac
  done
}
)SH"},
    {"directory", R"SH(
# directory PATH [strict]: sets $place to a directory of the container, made if it is not there.
directory() {
  within "$@"
  mkdir -p -- "$place"
}
)SH"},
    {"file", R"SH(
# file PATH [strict]: the same for a file.
file() {
  within "$@"
  if [[ ! -e $place ]]; then
    mkdir -p -- "${place%/*}"
    : >"$place"
  fi
}
)SH"},
    {"change_mount", R"SH(
# change_mount PLACE WORD...: changes these flags of a mount and leaves its others. mount(2) can only
# set all of them; mount_setattr(2), which lade uses, is not in this mount(8).
change_mount() {
  local at=$1 mounted flags options= word
  shift
  while read -r _ _ _ _ mounted flags _; do
    printf -v mounted %b "$mounted"
    if [[ $mounted == "$at" ]]; then options=,$flags,; fi
  done </proc/self/mountinfo
  for word in "$@"; do
    case $word in
      noatime | strictatime | relatime)
        options=${options//,noatime,/,}
        options=${options//,relatime,/,}
        ;;
    esac
    options+=$word,
  done
  mount -i -o "remount,bind$options" none "$at"
}
)SH"},
    {"change_mounts", R"SH(
# change_mounts PLACE WORD...: the same for that mount and all below it, but for those that others cover:
# to lade they are in reach.
change_mounts() {
  local at=$1 mounted each
  local -a below=()
  shift
  while read -r _ _ _ _ mounted _; do
    printf -v mounted %b "$mounted"
    if [[ $mounted == "$at" || $mounted == "$at"/* ]]; then below+=("$mounted"); fi
  done </proc/self/mountinfo
  for each in "${below[@]}"; do change_mount "$each" "$@"; done
}
)SH"},
    {"bind", R"SH(
# bind --bind|--rbind SOURCE PATH [strict]: mounts a file or directory of the host.
bind() {
  local how=$1 source=$2 real
  shift 2
  if [[ -d $source ]]; then directory "$@"; else file "$@"; fi
  # lade has opened the source before there was a container. Here its root must stay out of what
  # is bound with all that is mounted below it.
  real=$(realpath -- "$source")
  if [[ $how == --rbind && $scratch/ == "${real%/}"/* ]]; then
    mount --make-unbindable "$root"
    mount -i "$how" -- "$source" "$place"
    mount --make-private "$root"
  else
    mount -i "$how" -- "$source" "$place"
  fi
}
)SH"},
    {"device", R"SH(
# device PATH TYPE MAJOR MINOR MODE UID GID: a node, in place of anything else that is there. In a
# user namespace, which cannot make any, that of the host is shown.
device() {
  local numbers reason type=$2
  local -a made=("$3" "$4")
  within "${1%/*}" strict
  mkdir -p -- "$place"
  place+=/${1##*/}
  if [[ $type == u ]]; then type=c; fi
  if [[ $type == p ]]; then made=(); fi
  printf -v numbers '%x:%x' "$3" "$4"
  if [[ ! -L $place ]] && test "-$type" "$place"; then
    if [[ $type == p || $(stat -c %t:%T -- "$place") == "$numbers" ]]; then return; fi
  fi
  if reason=$(mknod -m "$5" -- "$place.lade" "$type" "${made[@]}" 2>&1); then
    mv -T -- "$place.lade" "$place"
    if [[ $6:$7 != 0:0 ]]; then chown -h -- "$6:$7" "$place"; fi
    return
  fi
  if ! test "-$type" "$1"; then echo "$reason" >&2; return 1; fi
  : >>"$place"
  mount -i --bind -- "$1" "$place"
}
)SH"},
    {"symbolic_link", R"SH(
# symbolic_link PATH TARGET: a link in a directory without links on the way, unless something is there.
symbolic_link() {
  within "${1%/*}" strict
  mkdir -p -- "$place"
  place+=/${1##*/}
  if [[ ! -e $place && ! -L $place ]]; then ln -s -- "$2" "$place"; fi
}
)SH"},
    {"provide", R"SH(
# provide PATH [strict] <CONTENT: mounts a file without a name, which lives in the container's /dev.
provide() {
  within /dev strict
  local made=$place/.provided
  cat >"$made"
  file "$@"
  mount -i --bind -- "$made" "$place"
  rm -- "$made"
}
)SH"},
    {"make_readonly", R"SH(
# make_readonly PATH: with all that is mounted below it; a path that is not there is left alone.
make_readonly() {
  within "$1" strict
  if [[ ! -e $place ]]; then return; fi
  mount -i --rbind -- "$place" "$place"
  change_mounts "$place" ro
}
)SH"},
    {"mask", R"SH(
# mask PATH: hides a directory behind an empty one, a file behind /dev/null.
mask() {
  within "$1" strict
  if [[ ! -e $place ]]; then return; fi
  if [[ ! -d $place ]]; then
    local null=$root/dev/null
    if [[ -L $root/dev || -L $null || $(stat -c %t:%T -- "$null") != 1:3 ]]; then
      echo "/dev/null of the container is something else" >&2
      exit 125
    fi
    mount -i --bind -- "$null" "$place"
    change_mount "$place" ro nosuid noexec
  elif [[ -n ${empty-} ]]; then
    mount -i --bind -- "$empty" "$place"
  else
    mount -i -t tmpfs -o nosuid,nodev,noexec,mode=755,nr_blocks=1,nr_inodes=1 tmpfs "$place"
    change_mount "$place" ro
    empty=$place
  fi
}
)SH"},
    {"own_cgroup", R"SH(
# own_cgroup CONTROLLERS: sets $cgroup, where this process is in the hierarchy of these (none: version 2).
own_cgroup() {
  local list path
  while IFS=: read -r _ list path; do
    if [[ $list == "$1" ]]; then cgroup=$path; fi
  done </proc/self/cgroup
}
)SH"},
    {"make_cgroup", R"SH(
# make_cgroup MOUNT_POINT PATH [+CONTROLLER...]: sets $cgroup; what it makes goes at the end.
make_cgroup() {
  local rest=${2#/} above file
  cgroup=$1
  shift 2
  while [[ -n $rest ]]; do
    above=$cgroup
    cgroup+=/${rest%%/*}
    if [[ $rest == */* ]]; then rest=${rest#*/}; else rest=; fi
    if [[ $# -gt 0 ]]; then echo "$*" >"$above/cgroup.subtree_control"; fi
    if [[ -d $cgroup ]]; then continue; fi
    mkdir -- "$cgroup"
    cgroups=("$cgroup" "${cgroups[@]}")
    # Version 1: a cpuset takes no process before it has processors and memory.
    for file in cpuset.cpus cpuset.mems; do
      if [[ -e $cgroup/$file && ! -e $cgroup/cgroup.controllers ]]; then
        cat "$above/$file" >"$cgroup/$file"
      fi
    done
  done
}
)SH"},
    {"limit", R"SH(
# limit FILE VALUE [FILE VALUE...]: writes to the first of these that $cgroup has.
limit() {
  while [[ $# -gt 0 ]]; do
    if [[ -e $cgroup/$1 ]]; then
      printf %s "$2" >"$cgroup/$1"
      return
    fi
    shift 2
  done
  echo "a limit of the cgroup has no file here" >&2
}
)SH"},
    {"find_user", R"SH(
# find_user USER[:GROUP]: sets $uid, $gid, $groups and $home by the container's own passwd and group.
find_user() {
  local wanted=${1%%:*} group= passwd=/dev/null names=/dev/null name number first members path by
  if [[ $1 == *:* ]]; then group=${1#*:}; fi
  within /etc/passwd
  if [[ -f $place ]]; then passwd=$place; fi
  within /etc/group
  if [[ -f $place ]]; then names=$place; fi
  uid= gid=0 home=/ groups=--clear-groups
  for by in name number; do
    while [[ -z $uid ]] && IFS=: read -r name _ number first _ path _; do
      if [[ $name == \#* || ! $number =~ ^[0-9]+$ || ! $first =~ ^[0-9]+$ ]]; then continue; fi
      if [[ ${!by} == "$wanted" ]]; then uid=$number gid=$first home=${path:-/} members=$name; fi
    done < <(cat -- "$passwd" && echo)
  done
  if [[ -z $uid ]]; then
    if [[ ! $wanted =~ ^[0-9]+$ ]]; then echo "unable to find user $wanted" >&2; exit 126; fi
    uid=$wanted
  elif [[ -z $group ]]; then
    local user=$members list=
    while IFS=: read -r name _ number members; do
      if [[ $number =~ ^[0-9]+$ && ,$members, == *,"$user",* && ,$list, != *,$number,* ]]; then
        list+=${list:+,}$number
      fi
    done < <(cat -- "$names" && echo)
    if [[ -n $list ]]; then groups=--groups=$list; fi
  fi
  if [[ -n $group ]]; then
    gid=
    while [[ -z $gid ]] && IFS=: read -r name _ number _; do
      if [[ $name == "$group" && $number =~ ^[0-9]+$ ]]; then gid=$number; fi
    done < <(cat -- "$names" && echo)
    if [[ -z $gid && ! $group =~ ^[0-9]+$ ]]; then echo "unable to find group $group" >&2; exit 126; fi
    gid=${gid:-$group}
  fi
}
)SH"},
    {"grantable", R"SH(
# grantable CAPABILITY...: those that this process has, as setpriv wants them.
grantable() {
  local own each
  own=,$(setpriv --dump | sed -n 's/^Capability bounding set: //p'),
  for each in "$@"; do
    if [[ $own == *,"$each",* ]]; then printf ',+%s' "$each"; fi
  done
}
)SH"},
}};

bool is_boundary(char c) {
  return c == ' ' || c == '\n' || c == '(';
}

/// Whether a line has a name as a word that others follow.
bool has_call(std::string_view line, std::string_view name) {
  if (trim(line).starts_with('#')) return false;
  for (auto at = line.find(name); at != std::string_view::npos; at = line.find(name, at + 1)) {
    const auto end = at + name.size();
    if ((at == 0 || is_boundary(line[at - 1])) && end < line.size() && line[end] == ' ')
      return true;
  }
  return false;
}

bool has_calls(std::string_view script, std::string_view name) {
  const std::vector<std::string> lines = split(script, '\n');
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return has_call(line, name); });
}

}  // namespace

std::string shell_functions_for(std::string_view script) {
  std::string text;
  for (auto helper = k_helpers.rbegin(); helper != k_helpers.rend(); ++helper) {
    const bool is_called = has_calls(script, helper->name) || has_calls(text, helper->name);
    if (is_called) text.insert(0, helper->text);
  }
  return text;
}

}  // namespace lade::runner
