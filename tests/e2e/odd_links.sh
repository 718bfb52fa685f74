#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# sanitize: no
# Goal: a host whose IPv6 address swallows every packet costs less than a second where its IPv4 address lives, and ends with a
# plain message where it does not; and a clock that is wrong by an hour or by ten years costs no token, and is named where a
# certificate's dates are refused because of it.
#
# In namespaces of its own, for the addresses and the names. Not with sanitizers: their runtime must be the first library of a
# process, and so must the one that shifts its clock.
. "$(dirname "$0")/lib/apart.sh"
. "$(dirname "$0")/lib/common.sh"
. "$LIB/links.sh"
need ip jq curl python3 openssl faketime
cd "$T" || exit 1

# ---- what stands where

# DEAD is a neighbour whose hardware address nobody has: packets leave for it, and nothing ever comes back, not even an error.
DEAD=2001:db8::2
cat >hole <<END
ip link set lo up &&
	ip link add here type veth peer name there && ip link set here up && ip link set there up &&
	ip address add 2001:db8::1/64 dev here nodad && ip neigh add $DEAD lladdr 02:00:00:00:00:02 dev here nud permanent
END
sh hole 2>/dev/null || skip "no link over IPv6 in a network namespace"
printf '%s\n' "127.0.0.1 localhost" "$DEAD two.test" "127.0.0.1 two.test" "$DEAD dead.test" "127.0.0.1 clock.test" >hosts
mount --bind hosts /etc/hosts || skip "no mounts in a namespace"

start_bad src --image app=64k,64k
start_bad slow --image long=8k*100 --rate 250000

# ---- IPv6 that leads nowhere

# Most of this is waiting; the rest is tried meanwhile. In a network of its own again, so as not to be counted there.
launch dead 25 unshare -n sh -c 'sh hole && exec "$@"' sh "$IMGPACK" fetch "dead.test:5000/test/app:1" -o dead.tar \
	--plain-http dead.test:5000 --retries 0

# What went out over IPv6 and was no neighbours' talk: here, attempts to connect to DEAD.
attempts() {
	awk '$1 == "Ip6OutRequests" { all = $2 } $1 == "Icmp6OutMsgs" { talk = $2 } END { print all - talk }' /proc/net/snmp6
}

step "one address dead, one alive: 20 fetches"
first=$(python3 -c 'import socket; print(socket.getaddrinfo("two.test", 1, type=socket.SOCK_STREAM)[0][4][0])')
same "the dead address is this system's first choice" "$first" "$DEAD"
forget_diary "$src"
tries=0
while [ "$tries" -lt 20 ]; do
	tries=$((tries + 1))
	before=$(attempts)
	date +%s.%N >>began
	exits 0 imgpack fetch "two.test:${src#*:}/test/app:1" -o app.tar --plain-http "two.test:${src#*:}" --retries 0
	[ "$(attempts)" -gt "$before" ] || fail "the dead address was not even tried"
	rm app.tar
done
# From a program's start to its first question, in milliseconds. The median: one that a busy machine held up says nothing.
median=$(diary "$src" | jq -s --slurpfile began began 'map(.time) as $asked |
	[$began[] as $b | ([$asked[] | select(. >= $b)] | min) - $b] | sort | .[length / 2 | floor] * 1000 | ceil')
[ "$median" -le 1000 ] || fail "connected after $median ms, of 1000"
echo "$tries fetches, half of them asked their first question $median ms after they were started"

# ---- clocks

# The clock of imgpack alone is shifted. The monotonic clocks stay as they are, as on a machine whose date is wrong.
export DONT_FAKE_MONOTONIC=1
SKEWS="-10y -3600 +3600 +10y"

step "tokens by a wrong clock"
asked() {
	jq -c 'select(.on == "tokens")' "$1.diary" | wc -l
}
# The service says truly when it gave its token out: for this clock long ago, or yet to come.
start_tokens front "$src" --issued ""
for skew in +0 $SKEWS; do
	: >front.diary
	exits 0 faketime -m -f "$skew" "$IMGPACK" fetch "$front/test/app:1" -o token.tar --retries 0
	rm token.tar
	same "tokens asked for by a clock at $skew" "$(asked front)" 1
done

# A fetch of some seconds, in the midst of which the clock is set, and set again.
step "a clock that is set while a fetch is under way"
library=$(faketime -m -f +0 printenv LD_PRELOAD)
start_tokens steady "$slow"
echo +0 >clock
launch long 20 env "LD_PRELOAD=$library" "FAKETIME_TIMESTAMP_FILE=$T/clock" FAKETIME_NO_CACHE=1 "$IMGPACK" fetch \
	"$steady/test/long:1" -o long.tar --retries 0
blobs_asked() {
	grep -c /blobs/ steady.diary
}
wait_for 10 grep -q /blobs/ steady.diary || fail "the fetch does not begin"
for skew in $SKEWS; do
	before=$(blobs_asked)
	echo "$skew" >clock
	sleep 0.5
	[ "$(blobs_asked)" -ge $((before + 2)) ] || fail "the fetch was over too soon for a clock at $skew"
done
# Awaited alone: the fetch from the dead address has its own time.
wait_for 20 test -s run/long.took || fail "the fetch does not end"
ended long 0 || fail "a fetch whose clock is set"
same "tokens asked for while the clock was set to and fro" "$(asked steady)" 1

step "certificates by a wrong clock"
# The authority's time is long; $T/hour.pem is good from half an hour ago to half an hour from now.
stamp() {
	date -u -d "$1" +%Y%m%d%H%M%SZ
}
{
	printf '[ca]\ndefault_ca = us\n[us]\ndatabase = index\nnew_certs_dir = .\nserial = serial\ndefault_md = sha256\n'
	printf 'policy = any\ncopy_extensions = copy\n[any]\ncommonName = supplied\n'
} >ca.cnf
: >index
echo 01 >serial
make_hour() {
	set -- -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes
	faketime -f -20y openssl req -x509 "$@" -days 15000 -subj /CN=authority -keyout ca.key -out ca.pem &&
		openssl req "$@" -subj /CN=hour -addext subjectAltName=DNS:clock.test -keyout hour.key -out hour.csr &&
		openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -startdate "$(stamp '-30 min')" \
			-enddate "$(stamp '+30 min')" -in hour.csr -out hour.pem
}
check "make a certificate for an hour" make_hour
start_bad locked --image app=64k --tls hour.pem hour.key
# by_clock CODE SKEW: a fetch behind TLS.
by_clock() {
	exits "$1" faketime -m -f "$2" "$IMGPACK" fetch "clock.test:${locked#*:}/test/app:1" -o tls.tar --cacert ca.pem --retries 0
}
by_clock 0 +0
for skew in $SKEWS; do
	by_clock 3 "$skew"
	case $skew in
	-*) says "its certificate is not valid yet (is this machine's clock right? It says " ;;
	*) says "its certificate has expired (is this machine's clock right? It says " ;;
	esac
	told=$(sed -n 's/.*It says \([-0-9]* [0-9:]* UTC\)).*/\1/p' err)
	apart=$(($(date +%s -d "$told") - $(faketime -f "$skew" date +%s)))
	[ "$apart" -ge -120 ] && [ "$apart" -le 0 ] || fail "the message tells another clock"
done

step "the dead address alone"
await
ended dead 3 || fail "a fetch from a dead address"
says "dead.test"
says "connect"
[ "$took" -ge 14 ] && [ "$took" -le 18 ] || fail "given up after $took s, of 15"
[ ! -e dead.tar ] || fail "a failed fetch left an archive"
echo "given up after $took s: $(tail -n 1 err)"
