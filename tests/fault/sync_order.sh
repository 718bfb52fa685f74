#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: every write, then fsync of the file, then rename, then fsync of the folder, in this order, read from strace's log. A
# kill sweep cannot see a missing fsync (the page cache survives the process), so the order itself is looked at. And the
# checker is tried on logs that lack each of the four.
# sanitize: no (the order of calls is the same)
. "$(dirname "$0")/../e2e/lib/common.sh"
need docker-registry strace jq
start_registry src
push_images "$src" app app2
cd "$T" || exit 1
mkdir out.d

cat >order.py <<'END'
"""order.py LOG FINAL: the calls that touch FINAL's temporary file and its folder must come in the right order."""
import os
import re
import sys

log, final = sys.argv[1], os.path.abspath(sys.argv[2])
folder = os.path.dirname(final)
writes, syncs, renames, folder_syncs, others = [], [], [], [], []
pending = {}
number = 0
for line in open(log, errors="replace"):
    pid, _, call = line.partition(" ")
    call = call.strip()
    # A call that another thread's output cut in two counts at its end.
    cut = re.match(r"(.*) <unfinished \.\.\.>$", call)
    if cut:
        pending[pid] = cut.group(1)
        continue
    rest = re.match(r"<\.\.\. \w+ resumed>(.*)$", call)
    if rest:
        call = pending.pop(pid, "") + rest.group(1)
    number += 1
    name = call.split("(")[0]
    failed = re.search(r"= -1 ", call)
    # Descriptors are shown with their whole path (-y), rename's names as the program gave them.
    part = re.search(re.escape(os.path.basename(final)) + r"\.part(?!\.)", call)
    if name in ("write", "pwrite64", "pwritev", "pwritev2", "writev", "ftruncate", "fallocate") and part and not failed:
        writes.append(number)
    elif name in ("fsync", "fdatasync") and part and not failed:
        syncs.append(number)
    elif name in ("fsync", "fdatasync") and "<%s>" % folder in call and not failed:
        folder_syncs.append(number)
    elif name in ("rename", "renameat", "renameat2") and part and not failed:
        # What is set aside gets another name.
        if os.path.abspath(re.findall(r'"([^"]*)"', call)[-1]) == final:
            renames.append(number)
    elif name in ("write", "pwrite64", "writev", "pwritev") and "<%s>" % final in call:
        others.append(number)

def must(holds, what):
    if not holds:
        sys.exit(what)

must(writes, "no write to the temporary file")
must(len(renames) == 1, "%d renames" % len(renames))
must(any(max(writes) < s < renames[0] for s in syncs), "no fsync between the last write and the rename")
must(max(writes) < renames[0], "a write after the rename")
must(any(s > renames[0] for s in folder_syncs), "no fsync of the folder after the rename")
must(not others, "something was written to the final name")
END

# traced NAME: fetches the image under strace.
traced() {
	untraced_leaks strace -f -y -qq -o calls -e trace=write,pwrite64,pwritev,writev,fallocate,ftruncate,fsync,fdatasync,/rename \
		"$IMGPACK" fetch "$src/test/$1:1" -o out.d/a.tar --platform linux/amd64 >out 2>err || fail "a fetch under strace"
}
# killed NAME: a fetch of the image dies at a late write, and leaves its part and its journal.
killed() {
	rm -f out.d/*
	untraced_leaks strace -f -qq -o killed.calls -e trace=pwrite64 -e inject=pwrite64:signal=KILL:when=22 \
		"$IMGPACK" fetch "$src/test/$1:1" -o out.d/a.tar --platform linux/amd64 --connections 1 >out 2>err
	[ -s out.d/a.tar.part.journal ] && [ ! -e out.d/a.tar ] || fail "a fetch that was to be killed"
}

step "the order of a fetch that goes on"
killed app
traced app
says "of an earlier run are used"
check "the order of one that goes on" python3 order.py calls out.d/a.tar

step "the order of one that finds another archive's beginning"
killed app2
traced app
says "of an earlier run are used"
grep -q 'a.tar.part.old"' calls || fail "nothing was set aside"
check "the order of one that sets aside" python3 order.py calls out.d/a.tar

step "the order of a fetch"
rm -f out.d/*
traced app
check "write, fsync, rename, fsync of the folder" python3 order.py calls out.d/a.tar

step "the checker can fail"
for lacking in 'write\|fallocate' 'fsync([0-9]*<[^>]*part>' 'rename' "fsync([0-9]*<$T/out.d>"; do
	grep -v "$lacking" calls >lame
	refuse "the order without $lacking" python3 order.py lame out.d/a.tar
done
# The file synced too early.
{
	grep 'fsync(.*part' calls
	grep -v 'fsync(.*part' calls
} >lame
refuse "a sync before the writes" python3 order.py lame out.d/a.tar
