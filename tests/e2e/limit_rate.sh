#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# serial: yes
# sanitize: no
# Goal: --limit-rate holds within 5 % over 10 seconds, whatever the number of connections, for a download and for an upload,
# and in no five seconds do noticeably more bytes move; and a wait for the limit is not taken for a stall.
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq curl python3
RATE=2000000

# start_meter NAME HOST:PORT: servers/meter.py in front of it; $NAME is its HOST:PORT, $T/NAME.meter what it counts.
start_meter() {
	meter_port=$(free_port)
	spawn "$1" python3 "$SERVERS/meter.py" "$meter_port" "$2" "$T/$1.meter"
	wait_for 20 answers "http://127.0.0.1:$meter_port/v2/" || fail "start_meter: no answer"
	eval "$1=127.0.0.1:\$meter_port"
}

# holds TEXT METER: the average within 5 %, the busiest five seconds within 10 %.
holds() {
	holds_have=$(python3 "$SERVERS/meter.py" rate "$T/$2.meter") || fail "$1"
	echo "$1: $holds_have bytes a second (average, busiest 5 s), limit $RATE"
	same "$1" "$(echo "$holds_have" | awk -v r="$RATE" '{
		print ($1 > r * 0.95 && $1 < r * 1.05 && $2 < r * 1.1) ? "within" : "outside" }')" within
}

check "make a large image" python3 "$SOURCE_DIR/fixtures/image/image.py" make "$T/image" --big 30
start_registry src
start_registry dst
push_images "$src" big
cd "$T" || exit 1

step "a download over eight connections"
start_meter down "$src"
# A limit over the whole run leaves each connection long pauses: the shortest stall timeout must not mind.
exits 0 imgpack fetch "$down/test/big:1" -o big.tar --platform linux/amd64 --limit-rate "$RATE" --stall-timeout 1
[ "$(wc -c <big.tar)" -gt $((RATE * 10)) ] || fail "the image is too small for a measurement of 10 seconds"
holds "eight connections" down

step "a download over one connection"
start_meter one "$src"
exits 0 imgpack fetch "$one/test/big:1" -o one.tar --platform linux/amd64 --limit-rate 2M --connections 1
holds "one connection" one

step "an upload"
start_meter up "$dst"
exits 0 imgpack load big.tar --to "registry:$up" --limit-rate 2000k --stall-timeout 1
holds "an upload" up
