# `--progress json`: one object a line on standard error, sums that agree with it, and a reader that may go away.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program python3
start_registry plain
make_layout image --padding 4
push team/app:1
app=docker://$registry/team/app:1
cd "$work"

# Reads events from $1; fails unless each task begins, only grows and ends once, and the summary says $2 (python).
check_events() {
  python3 - "$1" "$2" <<'PYTHON' || fail "the events are wrong"
import json, sys
tasks, ended, summary = {}, {}, None
for line in open(sys.argv[1]):
    assert summary is None, "something after the summary"
    event = json.loads(line)
    name = event["event"]
    if name == "summary":
        summary = event
        continue
    if name == "note":
        assert event["level"] in ("info", "warning") and event["text"]
        continue
    task = event["task"]
    if name == "begin":
        assert task not in tasks and event["done"] == 0
    else:
        before = tasks[task]
        assert task not in ended
        assert event["done"] >= before["done"]
        assert all(event[key] == before[key] for key in ("kind", "label", "total"))
    tasks[task] = event
    if name == "end":
        ended[task] = event["outcome"]
assert set(tasks) == set(ended), "a task did not end"
blobs = [event for event in tasks.values() if event["kind"] in ("fetch", "push") and event["total"] is not None]
outcomes = [event["outcome"] for event in blobs]
assert summary["blobs_copied"] == outcomes.count("done"), summary
assert summary["blobs_reused"] == outcomes.count("reused"), summary
assert summary["bytes"] == sum(event["done"] for event in blobs), summary
assert summary["seconds"] >= 0
assert eval(sys.argv[2], {"s": summary, "blobs": blobs}), (summary, blobs)
PYTHON
}

step "a copy"
check lade --progress json copy --src-tls-verify=false "$app" oci:layout:1
expect_no_out
check_events stderr 's["images"] == 1 and s["blobs_reused"] == 0 and s["failed"] == 0 and s["blobs_copied"] > 1'
check_events stderr 'all(b["label"].replace("config ", "").startswith("sha256:") and b["done"] == b["total"] for b in blobs)'

step "the same again: everything is there"
check lade --progress json copy --src-tls-verify=false "$app" oci:layout:2
check_events stderr 's["images"] == 1 and s["blobs_copied"] == 0 and s["bytes"] == 0 and s["blobs_reused"] > 1'

step "a pull, and a push"
if [[ $EUID -eq 0 ]]; then
  check lade --progress json pull --tls-verify=false "$app"
  check_events stderr 's["images"] == 1 and s["blobs_copied"] > 1'
  check lade --progress json push --tls-verify=false "$registry/team/app:1" "docker://$registry/other/app:1"
  check_events stderr 's["images"] == 1'
fi

step "a failure: the events, and then the line"
make_layout broken --padding 1
start_fake "$layout" --fault layer
run lade --progress json copy --retry-times 0 --src-tls-verify=false "docker://$registry/x:1" oci:broken-copy:1
expect_status 4
grep '^{' stderr >events
check_events events 's["images"] == 0 and s["failed"] > 0'
expect_equal "$(grep -vc '^{' stderr)" 1 "lines that are no events"

step "a reader that goes away does not end the copy"
set +o pipefail
lade --progress json copy --src-tls-verify=false "$app" oci:alone:1 2>&1 >/dev/null | head -n 1 >/dev/null
expect_equal "${PIPESTATUS[0]}" 0 "exit code"
set -o pipefail
check lade copy -q oci:alone:1 oci:from-alone:1
check diff -r alone from-alone

step "plain lines and their sum"
check lade --progress plain copy --src-tls-verify=false "$app" oci:plain:1
expect_err_matches '1 image, [0-9]+ blobs copied, [0-9.]+ MiB in [0-9.]+ s'
check lade --progress plain copy --src-tls-verify=false "$app" oci:plain:1
expect_err_matches '0 blobs copied, 0 B in [0-9.]+ s; [0-9]+ already there'
check lade copy -q --src-tls-verify=false "$app" oci:plain:1
expect_equal "$err" ""
