#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The deep sweeps of failing calls: what tests/fault/sweep_*.sh take a part of, in full. Prints what it does, the number of points
# and what was wrong; ends with 1 if anything was. About an hour on 2 cores.
#
#     sh tests/sweep.sh              all of these, in this order
#     sh tests/sweep.sh kill short   these alone
#
#     kill        (8 min)  a fetch is killed before, or in the middle of, each of its calls on files; six beginnings: fresh, over
#                          an old archive, after a kill, after a kill with another layout, that once more, with another archive
#     error       (10 min) each such call fails once, or from then on, with ENOSPC, EDQUOT, EFBIG, EIO, EACCES
#     short       (3 min)  1,000 seeds of short writes and reads and of EINTR: identical output
#     memory      (20 min) each allocation of the program's own code fails once, in some twenty stories (fault/lib/memory.py).
#                          Own: what the program's code asks for, by its return address; libraries have tests of their own
#     libraries   (8 min)  the same stories, one in forty of all allocations from the program's first one on. OpenSSL 3.0 crashes
#                          by itself when its set-up runs out of memory; that is counted and not judged
#     together    (4 min)  200 rounds of sixteen fetches into one output, one of them killed
#     disk        (1 min)  real small disks (fault/disk_full.sh; as root, for mount)
#     order       (1 min)  write, fsync, rename, fsync of the folder (fault/sync_order.sh)
#
# IMGPACK names the program (build/imgpack); SEED another choice of points; KEEP=1 keeps the folders of wrong ones. Not for the
# sanitizer build: its allocator stands in front of the preload.
SOURCE_DIR=${SOURCE_DIR:-$(CDPATH='' cd "$(dirname "$0")/.." && pwd)}
. "$SOURCE_DIR/tests/e2e/lib/common.sh"
. "$SOURCE_DIR/tests/fault/lib/sweeps.sh"
build_preloads
SEED=${SEED:-1}
[ $# -gt 0 ] || set -- kill error short memory libraries together disk order
failed=

for word in "$@"; do
	step "$word"
	# One that finds something must not keep the others from being run.
	(
		trap - EXIT
		case $word in
		kill) sweep files kill --scale 3 --count 2400 --seed "$SEED" ;;
		error) sweep files error --scale 4 --count 4000 --seed "$SEED" ;;
		short) sweep files short --count 1000 --seed "$SEED" ;;
		memory) memory own ;;
		libraries) memory all --every 40 --seed "$SEED" ;;
		together) sweep parallel together --count 200 --seed "$SEED" ;;
		disk) sh "$SOURCE_DIR/tests/fault/disk_full.sh" ;;
		order) sh "$SOURCE_DIR/tests/fault/sync_order.sh" ;;
		*) fail "kill, error, short, memory, libraries, together, disk or order, not $word" ;;
		esac
	)
	case $? in 0 | 77) ;; *) failed="$failed $word" ;; esac
done
[ -z "$failed" ] || fail "these found something:$failed"
