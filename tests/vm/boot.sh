#!/usr/bin/env bash
# Usage: boot.sh KERNEL_DIRECTORY DIRECTORY SCRIPT
# Runs SCRIPT, as root, in a virtual machine whose first process is systemd, with cgroup version 2 only. The machine's
# root is this host's, read-only, with a tmpfs over it: all that is installed here is there. DIRECTORY is there too, at
# the same place; SCRIPT is in it. What the script prints is printed; the exit code is the script's, 77 if there can be no
# such machine here. KERNEL_DIRECTORY: an unpacked kernel package of Debian's (scripts/vm-host fetches one).
# VM_ACCEL and VM_CPU (qemu's; default: emulation), VM_CPUS, VM_MEMORY (MiB), VM_TIMEOUT (s), VM_APPEND (kernel
# arguments).
set -euo pipefail
kernel_directory=$(realpath "$1")
directory=$(realpath "$2")
script=$(realpath "$3")
[[ $script == "$directory"/* ]] || { echo "boot.sh: $script is not below $directory" >&2; exit 64; }
virtiofsd=/usr/lib/qemu/virtiofsd
lacking() { echo "boot.sh: this needs $*" >&2; exit 77; }
command -v qemu-system-x86_64 >/dev/null || lacking "qemu-system-x86_64 (package qemu-system-x86)"
[[ -x $virtiofsd ]] || lacking "$virtiofsd (package qemu-system-common)"
[[ -x /lib/systemd/systemd ]] || lacking "systemd to be installed"
[[ -x /bin/busybox ]] || lacking "/bin/busybox (package busybox-static)"
[[ $EUID -eq 0 ]] || lacking "root, who may read all of /"
mountpoint -q / || lacking "a root that is a mount point"
kernel=$(ls "$kernel_directory"/boot/vmlinuz-* 2>/dev/null | tail -n 1) || lacking "a kernel in $kernel_directory"
memory=${VM_MEMORY:-2048}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/lade-vm.XXXXXX")
share=""
clean_up() {
  [[ -z $share ]] || kill "$share" 2>/dev/null || true
  [[ -z $share ]] || wait "$share" 2>/dev/null || true
  rm -rf --one-file-system "$scratch"
}
trap clean_up EXIT

# --- what the kernel starts: loads the modules, makes the root, and hands over to systemd ---

mkdir -p "$scratch/initrd/bin" "$scratch/initrd/modules"
cp /bin/busybox "$scratch/initrd/bin/"
modules=""
# Takes a module along, after those that it needs. One that is built into the kernel has no file.
take_module() {
  local file needed
  file=$(find "$kernel_directory/lib/modules" -name "$1.ko" | head -n 1)
  [[ -n $file && ! -e $scratch/initrd/modules/$1.ko ]] || return 0
  cp "$file" "$scratch/initrd/modules/"
  for needed in $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr , ' '); do take_module "$needed"; done
  modules+=" $1"
}
for module in virtio_pci virtiofs overlay virtio_blk bfq dummy veth; do take_module "$module"; done
cat >"$scratch/initrd/init" <<E2
#!/bin/busybox sh
set -ex
/bin/busybox --install /bin
mkdir -p /proc /sys /dev /lower /over /root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in $modules; do insmod "/modules/\$module.ko"; done
mount -t virtiofs -o ro host /lower
mount -t tmpfs -o mode=755 tmpfs /over
mkdir /over/upper /over/work
mount -t overlay -o lowerdir=/lower,upperdir=/over/upper,workdir=/over/work,xino=off overlay /root
# What the host has in these is none of the machine's business, and long to look through.
for place in tmp var; do mount -t tmpfs -o mode=755 tmpfs "/root/\$place"; done
chmod 1777 /root/tmp
mkdir -p /root/var/lib /root/var/log /root/var/cache
mkdir -m 1777 /root/var/tmp
ln -s /run /root/var/run
mkdir /root/lade-vm
mount -t virtiofs -o ro files /root/lade-vm
: >/root/etc/fstab
echo lade-vm >/root/etc/hostname
echo 0123456789abcdef0123456789abcdef >/root/etc/machine-id
rm -rf /root/etc/systemd/system
mkdir -p /root/etc/systemd/system
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
  systemd-hwdb-update.service systemd-journal-catalog-update.service systemd-firstboot.service ldconfig.service \
  systemd-update-done.service systemd-sysusers.service systemd-machine-id-commit.service systemd-timesyncd.service \
  systemd-random-seed.service systemd-binfmt.service systemd-modules-load.service systemd-update-utmp.service \
  systemd-pstore.service systemd-tmpfiles-setup-dev.service systemd-boot-system-token.service apparmor.service e2scrub_reap.service; do
  ln -s /dev/null "/root/etc/systemd/system/\$unit"
done
cat >/root/etc/systemd/system/lade-vm.target <<U
[Unit]
Requires=basic.target
Wants=dbus.socket systemd-logind.service lade-vm.service
After=basic.target
AllowIsolate=yes
U
cat >/root/etc/systemd/system/lade-vm.service <<U
[Unit]
After=basic.target dbus.socket systemd-logind.service
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
TimeoutStartSec=infinity
Environment=HOME=/root LANG=C.UTF-8 ${VM_ENVIRONMENT:-}
ExecStart=/bin/bash -c 'stty -F /dev/ttyS1 raw -echo; /bin/bash "/lade-vm${script#"$directory"}"; code=\\\$\\\$?; echo; echo "lade-vm: exit code \\\$\\\$code"'

StandardOutput=file:/dev/ttyS1
StandardError=inherit
TasksMax=infinity
Delegate=yes
U
cd /
# A second procfs, out of sight, would let user namespaces mount what the host's own hides from them.
umount /proc /sys /dev
exec switch_root /root /lib/systemd/systemd --unit=lade-vm.target
E2
chmod +x "$scratch/initrd/init"
(cd "$scratch/initrd" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1 >"$scratch/initrd.gz")

# --- the host's files, which the machine can only read ---

cat >"$scratch/share.sh" <<'E2'
set -euo pipefail
scratch=$1 directory=$2 virtiofsd=$3
mkdir "$scratch/host"
mount --bind / "$scratch/host"
for place in /usr /etc /var; do
  ! mountpoint -q "$place" || { mount --bind "$place" "$scratch/host$place" && mount -o remount,bind,ro "$scratch/host$place"; }
done
mount -o remount,bind,ro "$scratch/host"
mkdir "$scratch/files"
mount --bind "$directory" "$scratch/files"
mount -o remount,bind,ro "$scratch/files"
for name in host files; do
  "$virtiofsd" --socket-path="$scratch/$name.socket" -o source="$scratch/$name" -o cache=always -o log_level=err >"$scratch/$name.log" 2>&1 &
done
wait
E2
unshare --mount --propagation private --pid --fork --kill-child bash "$scratch/share.sh" "$scratch" "$directory" "$virtiofsd" &
share=$!
for ((count = 0; count < 200; count++)); do
  [[ ! -S $scratch/host.socket || ! -S $scratch/files.socket ]] || break
  sleep 0.05
done
truncate -s 64M "$scratch/disk"

# --- the machine ---

accel=${VM_ACCEL:-tcg,thread=multi,tb-size=512}
status=0
timeout -k 5 "${VM_TIMEOUT:-600}" qemu-system-x86_64 -accel "$accel" -cpu "${VM_CPU:-Nehalem}" -M q35 -smp "${VM_CPUS:-2}" -m "$memory" \
  -object "memory-backend-memfd,id=memory,size=${memory}M,share=on" -numa node,memdev=memory \
  -nodefaults -no-user-config -display none -no-reboot \
  -chardev "socket,id=host,path=$scratch/host.socket" -device vhost-user-fs-pci,chardev=host,tag=host \
  -chardev "socket,id=files,path=$scratch/files.socket" -device vhost-user-fs-pci,chardev=files,tag=files \
  -drive "file=$scratch/disk,format=raw,if=virtio" \
  -serial "file:$scratch/console" -chardev "file,id=out,path=$scratch/out" -device isa-serial,chardev=out,index=1 \
  -kernel "$kernel" -initrd "$scratch/initrd.gz" \
  -append "console=ttyS0 quiet loglevel=3 panic=-1 no_timer_check mitigations=off systemd.unified_cgroup_hierarchy=1 systemd.show_status=no ${VM_APPEND:-}" \
  </dev/null >"$scratch/qemu" 2>&1 &
machine=$!
: >>"$scratch/out"
tail -f --pid="$machine" -s 0.2 "$scratch/out" &
printer=$!
wait "$machine" || status=$?
wait "$printer" || true
[[ $status -eq 0 ]] || { echo "boot.sh: the machine ended with $status"; cat "$scratch/qemu"; }
code=$(sed -n 's/^lade-vm: exit code \([0-9]*\).*/\1/p' "$scratch/out" | tail -n 1)
if [[ -z $code ]]; then
  echo "boot.sh: the script did not end; the console said:"
  grep -v 'Job .* running' "$scratch/console" | tail -n 40
  code=1
fi
exit "$code"
