#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a fetch that is killed at any of its calls on files, whose calls fail, or come back short, leaves the old archive or the
# new one under the final name, says so by its exit code, and the same command ends well afterwards with nothing left beside it.
# One point in some; tests/sweep.sh takes them all.
# timeout: 900
# sanitize: no
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$SOURCE_DIR/tests/fault/lib/sweeps.sh"
build_preloads

step "killed"
sweep files kill --every 20
step "failing calls"
sweep files error --every 60
step "short writes and interrupted calls"
sweep files short --count 20

command -v strace >/dev/null 2>&1 && strace -qq -o "$T/calls" -e inject=getppid:error=EIO true >/dev/null 2>&1 || exit 0
step "the same by a tracer, which does not depend on what the program calls its calls"
start_registry src
push_images "$src" app app2
cd "$T" || exit 1
exits 0 imgpack fetch "$src/test/app:1" -o good.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/app2:1" -o old.tar --platform linux/amd64
want=$(sha good.tar) old=$(sha old.tar) traced=0
for point in pwrite64:1 pwrite64:2 pwrite64:9 fallocate:1 fsync:1 fsync:2 /^rename:1 /^unlink:1 fchmod:1 fchmod:2 flock:1; do
	rm -rf out.d
	mkdir out.d
	cp old.tar out.d/a.tar
	strace -f -qq -o calls -e "trace=${point%:*}" -e "inject=${point%:*}:signal=KILL:when=${point#*:}" \
		"$IMGPACK" fetch "$src/test/app:1" -o out.d/a.tar --platform linux/amd64 -q 2>err
	grep -q 'killed by SIGKILL' calls || fail "no such call to be killed at: $point"
	case $(sha out.d/a.tar) in "$want" | "$old") ;; *) fail "$point: something else under the final name" ;; esac
	exits 0 imgpack fetch "$src/test/app:1" -o out.d/a.tar --platform linux/amd64 -q
	same "$point: the next run's archive" "$(sha out.d/a.tar)" "$want"
	same "$point: what stands there after it" "$(ls -A out.d)" a.tar
	traced=$((traced + 1))
done
echo "$traced points"
