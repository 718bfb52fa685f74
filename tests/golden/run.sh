#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: the program's words are what they were: standard output, standard error and exit code of help and of usage errors,
# byte for byte. Each NAME.cmd here is a command line; NAME.out, NAME.err and NAME.exit are what it must give (no file:
# nothing; no NAME.exit: 2). `UPDATE=1 IMGPACK=... sh run.sh` writes them anew: read the diff before it is committed.
. "$(dirname "$0")/../e2e/lib/common.sh"

cases=$here
cd "$T" || exit 1
printf 'nginx:1\nquay.io/x:1 quay.io/y:2\n' >words.txt
printf '# nothing here\n\n' >empty.txt
printf '\377\376n\000' >utf16.txt

# same NAME.KIND GOT: GOT is the golden file's bytes, or empty where there is none.
same() {
	if [ -n "${UPDATE:-}" ]; then
		if [ -s "$2" ]; then cp "$2" "$cases/$1"; else rm -f "$cases/$1"; fi
		return 0
	fi
	golden=$cases/$1
	[ -f "$golden" ] || golden=/dev/null
	diff -u "$golden" "$2" >"$T/diff.log"
}

count=0
bad=
for file in "$cases"/*.cmd; do
	name=$(basename "$file" .cmd)
	# The words of a command line, quoted as for a shell; ours, so eval is no risk.
	eval "set -- $(cat "$file")"
	env -u NO_COLOR TERM=xterm "$IMGPACK" "$@" >got.out 2>got.err </dev/null
	echo $? >got.exit
	[ "$(cat got.exit)" != 2 ] || : >got.exit
	for kind in out err exit; do
		same "$name.$kind" "got.$kind" || {
			echo "$name.$kind: imgpack $*" >&2
			cat "$T/diff.log" >&2
			bad="$bad $name.$kind"
		}
	done
	count=$((count + 1))
done
[ -z "$bad" ] || fail "not as they were:$bad"
[ "$count" -ge 40 ] || fail "only $count cases were found"
