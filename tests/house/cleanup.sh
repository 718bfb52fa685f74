#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a script with set -e that uses e2e/lib/common.sh, as quickstart.sh does, ends with its own exit code, and leaves
# neither its folder nor its servers behind.
. "$(dirname "$0")/../e2e/lib/common.sh"
need docker-registry

step "two servers under set -e"
cat >"$T/script.sh" <<'END'
set -eu
. "$SOURCE_DIR/tests/e2e/lib/common.sh"
start_registry one
start_registry two
cut -d' ' -f2 "$T/pids" >"$OUT/servers"
echo "$T" >"$OUT/folder"
exit "$WANT"
END
for want in 0 5; do
	status=0
	OUT=$T WANT=$want sh "$T/script.sh" || status=$?
	same "the exit code" "$status" "$want"
	[ ! -e "$(cat "$T/folder")" ] || fail "its folder stays"
	same "servers" "$(wc -l <"$T/servers")" 2
	while read -r pid; do
		! kill -0 "$pid" 2>/dev/null || fail "server $pid still runs"
	done <"$T/servers"
done
