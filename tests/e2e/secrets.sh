#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a secret reaches its one origin and nobody else, wherever a server, a proxy, a .netrc or a look-alike host would have
# it go (tests/servers/canary_cases.py); and none is printed or left behind when things fail and servers quote what they were
# sent (tests/servers/canary_faults.py). Hosts, addresses and ports are real ones, in network namespaces of their own.
# sanitize: no (unit/registry_hostile is there)
. "$(dirname "$0")/lib/common.sh"
need unshare ip mount openssl python3
[ -e /proc/net/if_inet6 ] || skip "no IPv6 here"
# Where we are not root, a user namespace gives root's rights inside.
[ "$(id -u)" -eq 0 ] && apart=-nm || apart=-Urnm
unshare $apart ip link set lo up 2>/dev/null || skip "no network namespace can be made here"

step "where secrets go, and what is printed and left"
for what in cases faults; do
	mkdir "$T/$what"
	spawn "$what" unshare $apart python3 -B "$SERVERS/canary.py" "$what" "$IMGPACK" "$T/$what"
	eval "${what}_pid=\$spawned"
done
# shellcheck disable=SC2154
wait "$cases_pid" || fail "a secret went to a wrong place, or a case proves nothing"
# shellcheck disable=SC2154
wait "$faults_pid" || fail "a secret was printed or left, or a scene proves nothing"
cat "$T/cases.log" "$T/faults.log"

step "no option takes a password from the command line"
for option in --password -p --token; do
	for verb in login fetch load; do
		exits 2 imgpack $verb registry.example/x "$option" canary
		says_not canary
	done
done
