#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast is serve, and what does it cost, against docker-registry? CLIENTS clients at once (32) pull every blob of the image
# over loopback, into nothing; bytes a second, and the server's own CPU seconds a GB from /proc. Then serve's peak memory with 64.
# Wanted: at least 1.5 times the bytes a second, at most half of the CPU, at most 64 MiB.
#     MB=800 ROUNDS=3 CLIENTS=32 sh tests/bench/serve.sh
. "$(dirname "$0")/lib.sh"
need docker-registry jq curl
CLIENTS=${CLIENTS:-32}
big_image
start_registry distribution
push_images "$distribution" big
python3 "$SOURCE_DIR/fixtures/image/layout.py" "$T/image" "$T/big.tar" big=docker.io/test/big:1 || fail "layout.py"
start_serve serve "$T/big.tar"
jq -r '.layers[].digest' "$T/image/blobs/${digest#sha256:}" >"$T/blobs"
echo "image: $bytes bytes; $CLIENTS clients; $(nproc) cores"

# ticks PID: CPU of the process so far, in hundredths of a second.
ticks() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}
# pull HOST: one client.
pull() {
	sed "s|.*|url = http://$1/v2/test/big/blobs/&\noutput = /dev/null|" "$T/blobs" | curl -sf -K - || fail "a pull"
}
# round NAME CLIENTS: MB/s, and CPU seconds a GB.
round() {
	eval "round_host=\$$1 round_pid=\$${1}_pid"
	round_ticks=$(ticks "$round_pid")
	round_start=$(date +%s.%N)
	round_pids=
	round_i=0
	while [ "$round_i" -lt "$2" ]; do
		pull "$round_host" &
		round_pids="$round_pids $!"
		round_i=$((round_i + 1))
	done
	for round_p in $round_pids; do
		wait "$round_p" || fail "a client of $1"
	done
	awk -v name="$1" -v n="$2" -v bytes="$bytes" -v t="$(($(ticks "$round_pid") - round_ticks))" -v from="$round_start" \
		-v to="$(date +%s.%N)" 'BEGIN {
			printf "%s %.0f %.4f\n", name, n * bytes / 1e6 / (to - from), t / 100 / (n * bytes / 1e9) }'
}
median() {
	awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$T/rounds" | sort -n |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

i=0
while [ "$i" -lt "$ROUNDS" ]; do
	for name in serve distribution; do
		round "$name" "$CLIENTS" | tee -a "$T/rounds"
	done
	i=$((i + 1))
done
round serve 64 >"$T/with64"
awk -v a="$(median serve 2)" -v b="$(median distribution 2)" -v c="$(median serve 3)" -v d="$(median distribution 3)" 'BEGIN {
	printf "serve %d MB/s, docker-registry %d MB/s: %.2f times; CPU a GB %.3f s and %.3f s: %.2f times\n", a, b, a / b, c, d, c / d }'
echo "peak memory of serve after 64 clients: $(awk '/^VmHWM/ { print $2 }' "/proc/$serve_pid/status") kB (of it its own: \
$(awk '/^RssAnon/ { print $2 }' "/proc/$serve_pid/status") kB)"
