#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A line that is far away and limits each connection: one layer of 60 MB at 4 MB/s a connection, 40 MB/s in all, 100 ms round
# trip. imgpack fetch must be at least 6 times as fast as crane pull (or skopeo, where crane is not here), which has one
# connection a layer; eight ranges fetched by curl show what the line allows with as many connections.
#
#     BUILD_DIR=build ROUNDS=3 CRANE="chroot /srv/peers crane" PEER_DIR=/srv/peers/out sh tests/bench/link.sh
#
# LINK_SIZE, LINK_EACH, LINK_ALL, LINK_TRIP: another line. CONNECTIONS: of imgpack and of curl's ranges (8).
. "$(dirname "$0")/lib.sh"
. "$LIB/links.sh"
need jq curl
CONNECTIONS=${CONNECTIONS:-8}
bytes=${LINK_SIZE:-60000000}
start_bad far --image "layer=$bytes" --seed 60
start_relay line "$far" --each "${LINK_EACH:-4000000}" --all "${LINK_ALL:-40000000}" --round-trip "${LINK_TRIP:-100}"
digest=$(layer_of "$far" layer)
echo "one layer of $bytes bytes; each connection ${LINK_EACH:-4000000} B/s, all ${LINK_ALL:-40000000} B/s," \
	"round trip ${LINK_TRIP:-100} ms; $(nproc) cores"

add "imgpack fetch" "$IMGPACK" fetch "$line/test/layer:1" -o "$T/i.tar" --platform linux/amd64 --connections "$CONNECTIONS"
number=0
while [ "$number" -lt "$CONNECTIONS" ]; do
	[ "$number" -eq 0 ] || echo next
	printf 'url = "http://%s/v2/test/layer/blobs/%s"\nrange = "%d-%d"\noutput = "%s/curl-%02d"\n' "$line" "$digest" \
		$((bytes * number / CONNECTIONS)) $((bytes * (number + 1) / CONNECTIONS - 1)) "$T" "$number"
	number=$((number + 1))
done >"$T/curl.config"
add "curl, $CONNECTIONS ranges" sh -c "$CURL -sfZ --parallel-immediate --parallel-max $CONNECTIONS -K '$T/curl.config'"
peer=
if have "$CRANE"; then
	peer="crane pull"
	add "$peer" sh -c "$CRANE pull --insecure --platform linux/amd64 $line/test/layer:1 '$PEER_SEES/c.tar'"
elif have "$SKOPEO"; then
	peer="skopeo copy to oci-archive"
	add "$peer" sh -c "rm -f '$T/o.tar'; $SKOPEO --insecure-policy copy -q --src-tls-verify=false \
		docker://$line/test/layer:1 oci-archive:$T/o.tar:1"
fi
compare >"$T/table"
cat "$T/table"
rm -f "$PEER_DIR/c.tar"

check "the archive that came over the line" holds_layers "$T/i.tar" "$far" layer
same "curl's ranges put together" "$(cat "$T"/curl-[0-9]* | sha256sum | cut -d' ' -f1)" "${digest#sha256:}"
# wall NAME: the median of a row.
wall() {
	awk -v n="$1" 'index($0, n) == 1 { print $(split(n, words, " ") + 1) }' "$T/table"
}
[ -n "$peer" ] || exit 0
ratio=$(echo "$(wall "$peer") $(wall "imgpack fetch")" | awk '{ printf "%.1f", $1 / $2 }')
echo "imgpack fetch is $ratio times as fast as $peer"
awk -v r="$ratio" 'BEGIN { exit r < 6 }' || fail "less than 6 times as fast"
