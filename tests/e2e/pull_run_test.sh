# Pull an image from a registry and run it: the slice that everything else stands on.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
start_registry plain
make_layout image --env GREETING=hello --cmd '["/bin/sh", "-c", "echo the command of the image"]'
push team/app:1
image=$registry/team/app:1

step "pull prints the image's id and nothing else on stdout"
check lade pull --tls-verify=false "$image"
expect_out "$(layout_image_id)"
expect_clean_store

step "a second pull fetches nothing new and says the same"
check lade pull --quiet --tls-verify=false "$image"
expect_out "$(layout_image_id)"
expect_equal "$err" "" "quiet pull on stderr"

step "with the registry gone the image still runs"
stop_server "$registry_process"
check lade run --rm "$image"
expect_out "the command of the image"

step "the image's settings reach the process"
check lade run --rm "$image" /bin/sh -c 'echo $GREETING; pwd; id -u; echo $$; cat /proc/1/comm; true'
expect_out $'hello\n/work\n0\n1\nsh'

step "options win over the image"
check lade run --rm -e GREETING=bye -e EXTRA=more -w /tmp -u user -h boat "$image" \
  /bin/sh -c 'echo $GREETING $EXTRA; pwd; id -u; id -g; id -G; hostname; echo $HOME'
expect_out $'bye more\n/tmp\n1000\n1000\n1000 2000\nboat\n/home/user'

step "the entry point can be replaced"
check lade run --rm --entrypoint /bin/echo "$image" one two
expect_out "one two"

step "standard input is empty unless asked for"
run bash -c 'echo typed | "$0" run --rm "$1" cat' "$LADE" "$image"
expect_status 0
expect_out ""
run bash -c 'echo typed | "$0" run --rm -i "$1" cat' "$LADE" "$image"
expect_status 0
expect_out "typed"

step "a volume is the host's directory, read-only when asked"
mkdir "$work/shared"
check lade run --rm -v "$work/shared:/shared" "$image" /bin/sh -c 'echo made inside >/shared/file'
expect_equal "$(cat "$work/shared/file")" "made inside"
run lade run --rm -v "$work/shared:/shared:ro" "$image" /bin/sh -c 'echo again >/shared/file'
expect_status 1
expect_equal "$(cat "$work/shared/file")" "made inside"

step "a container changes its own layer only"
check lade run --rm "$image" /bin/sh -c 'rm -r /opt && echo changed >/etc/passwd'
check lade run --rm "$image" /bin/sh -c 'ls -d /opt && head -n 1 /etc/passwd'
expect_out $'/opt\nroot:x:0:0:root:/root:/bin/sh'
expect_equal "$(find "$LADE_ROOT/containers" -mindepth 1 2>/dev/null)" "" "containers after --rm"

step "the network is the loopback interface, up, unless it is the host's"
check lade run --rm "$image" /bin/sh -c 'ls /sys/class/net; cat /sys/class/net/lo/flags'
expect_out $'lo\n0x9'
check lade run --rm --network host "$image" /bin/sh -c 'readlink /proc/self/ns/net'
expect_out "$(readlink /proc/self/ns/net)"

step "the container does not see or change the host"
check lade run --rm "$image" /bin/sh -c 'ls /proc | grep -c "^[0-9]"; cat /proc/sys/kernel/hostname | wc -c'
run lade run --rm "$image" /bin/sh -c 'echo 1 >/proc/sys/kernel/sysrq'
[[ $status -ne 0 ]] || fail "a container could write to /proc/sys"
run lade run --rm "$image" /bin/sh -c 'mount -t tmpfs none /tmp'
[[ $status -ne 0 ]] || fail "a container could mount"

step "a trace says where the time went, and nothing else changes"
run lade run --rm --trace "$image" /bin/sh -c 'echo hello; exit 3'
expect_status 3
expect_out hello
for phase in 'lade +open the store' 'lade +clone' 'container +mount /proc' 'container +seccomp' \
  'lade +until the program was executed' "lade +remove the container's directory"; do
  grep -Eq "^[0-9]+ +[0-9]+ +$phase\$" "$work/stderr" || fail "no $phase in the trace: $(cat "$work/stderr")"
done

step "a dry run prints the plan and does nothing"
check lade run --dry-run "$image" /bin/sh -c 'echo this is not run >/dev/kmsg'
[[ -n $out ]] || fail "no plan"
expect_equal "$(find "$LADE_ROOT/containers" -mindepth 1 2>/dev/null)" "" "containers after --dry-run"
