# Run by sh within a container: what explain_compare.py compares, in sections.
echo "== mountinfo"
cat /proc/self/mountinfo
echo "== status"
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs)' /proc/self/status
echo "== namespaces"
for each in /proc/self/ns/*; do echo "${each##*/} $(readlink "$each")"; done
echo "== stat"
cat /proc/$$/stat
echo "== environment"
tr '\n\0' '~\n' </proc/$$/environ | sort
echo "== process"
tr '\0' ' ' </proc/$$/cmdline | head -c 20
echo
pwd
umask
cat /proc/$$/oom_score_adj /proc/$$/personality
uname -nm
ionice -p $$
cat /proc/sys/kernel/domainname
cat /proc/$$/timens_offsets 2>/dev/null
ls /proc/$$/fd
echo "== limits"
cat /proc/$$/limits
echo "== devices"
ls -lnR /dev | awk '/^[bc]/ { print $1, $3, $4, $5, $6, $10 } /^[-dlps]/ { print $1, $3, $4, $9 " " $10 " " $11 } /^.dev/' | grep -v ' [0-9][0-9]*$'
echo "== masked"
for each in /proc/acpi /proc/kcore /proc/keys /proc/timer_list /proc/interrupts /sys/firmware /sys/dev/block; do
  if [ -d "$each" ]; then ls -A "$each" | wc -l; elif [ -e "$each" ]; then head -c 1 "$each" 2>/dev/null | wc -c; else echo none; fi
done
echo "== sysctl"
(cd /proc/sys && grep -H . net/ipv4/ping_group_range net/ipv4/ip_forward net/ipv4/ip_default_ttl kernel/msgmax kernel/shm_rmid_forced 2>/dev/null)
echo "== network"
ls /sys/class/net
cat /sys/class/net/lo/flags
echo "== cgroup"
cat /proc/self/cgroup
for each in memory/memory.limit_in_bytes pids/pids.max cpu/cpu.shares cpuset/cpuset.cpus devices/devices.list; do
  if [ -e "/sys/fs/cgroup/$each" ]; then head -n 40 "/sys/fs/cgroup/$each"; fi
done
echo "== files"
cat /etc/hostname /etc/hosts /etc/resolv.conf 2>/dev/null
ls -lna / /tmp /work /mnt /data 2>/dev/null | awk '{ print $1, $3, $4, $9, $10, $11 }'
true
