#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# Goal: a secret reaches its one origin and nobody else, wherever a server, a proxy, a .netrc or a look-alike host would have
# it go (tests/servers/canary_cases.py); and none is printed or left behind when things fail and servers quote what they were
# sent (tests/servers/canary_faults.py). Hosts, addresses and ports are real ones, in a network namespace of their own.
if [ -z "${SECRETS_INSIDE:-}" ]; then
	# A user namespace gives root's rights where we are not root.
	[ "$(id -u)" -eq 0 ] && SECRETS_INSIDE=-nm || SECRETS_INSIDE=-Urnm
	export SECRETS_INSIDE
	if unshare "$SECRETS_INSIDE" true 2>/dev/null; then
		exec unshare "$SECRETS_INSIDE" sh "$0"
	fi
	SECRETS_INSIDE=
fi
. "$(dirname "$0")/lib/common.sh"
[ -n "$SECRETS_INSIDE" ] || skip "no network namespace can be made here"
need ip mount openssl python3
mkdir "$T/canary"

for what in cases faults; do
	step "$what"
	python3 -B "$SERVERS/canary.py" "$what" "$IMGPACK" "$T/canary" >"$T/out" 2>"$T/err" || {
		cat "$T/out" "$T/err" >&2
		fail "a secret went astray, or a case proves nothing"
	}
	cat "$T/out"
	rm -rf "$T/canary" && mkdir "$T/canary"
done

step "no option takes a password from the command line"
for option in --password -p --token; do
	for verb in login fetch load; do
		exits 2 imgpack $verb registry.example/x "$option" canary
		same "not echoed" "$(grep -c canary "$T/err")" 0
	done
done
