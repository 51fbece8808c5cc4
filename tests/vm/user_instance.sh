#!/usr/bin/env bash
# Usage: user_instance.sh FILES LADE
# Run as root where systemd is the first process: an unprivileged user with a systemd of its own, to which the host's
# delegates cgroups, runs user_inside.sh.
set -euo pipefail
user=lade-vm-user
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
id "$user" >/dev/null 2>&1 || useradd --create-home --home-dir "/home/$user" --shell /bin/bash "$user"
grep -q "^$user:" /etc/subuid || echo "$user:200000:65536" >>/etc/subuid
grep -q "^$user:" /etc/subgid || echo "$user:200000:65536" >>/etc/subgid
loginctl enable-linger "$user"
uid=$(id -u "$user")
for ((count = 0; count < 300; count++)); do
  [[ ! -S /run/user/$uid/bus ]] || break
  sleep 0.1
done
systemd-run --quiet --user --machine "$user@.host" --pipe --wait --collect --property Delegate=yes \
  bash "$here/user_inside.sh" "$1" "$2"
