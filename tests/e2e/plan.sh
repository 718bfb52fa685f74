#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: what fetch --plan says is what the fetch then does: bytes, files, room, requests; and it downloads nothing but
# manifests and configs and writes nothing.
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
. "$LIB/links.sh"
need docker-registry jq curl
start_registry src
check "make the versions" sh "$SOURCE_DIR/fixtures/image/make.sh" "$T/image" --versions
push_images "$src" v1 v2 middle multi
cd "$T" || exit 1
images="$src/test/v1:1 $src/test/v2:1"

# plan WORD...: the plan of the images, its JSON in plan.json.
plan() {
	# shellcheck disable=SC2086
	exits 0 imgpack fetch $images --platform linux/amd64 --plan --json "$@"
	cp out plan.json
}
# of FILTER: a value of the plan.
of() {
	jq -r "$1" plan.json
}
# All files beside the archive, bytes.
on_disk() {
	cat "$1"/* | wc -c
}

step "the text, as a person reads it"
forget_log src
# shellcheck disable=SC2086
exits 0 imgpack fetch $images --platform linux/amd64 --plan
# The sizes are those of this machine's busybox.
sed -E -e "s/$src/HOST/" -e 's/^[0-9a-f]{12}/DIGEST/' -e 's/ +[0-9.]+ [kM]B/ N MB/g' out >text
cat >want <<'END'
DIGEST        PLATFORM     LAYERS     SIZE  DOWNLOAD  IMAGE
DIGEST  linux/amd64       5 N MB N MB  HOST/test/v1:1
DIGEST  linux/amd64       5 N MB N MB  HOST/test/v2:1

plan: 2 images; nothing was downloaded but manifests, nothing was written
download N MB
archive N MB
here N MB of disk
there N MB to carry, nothing is joined; a registry takes up to N MB,
           docker N MB while it loads and the room of the unpacked layers
END
check "the text" diff want text
same "no more than two manifests and two configs was downloaded" "$(access_log src | grep -c '^GET /v2/test')" 4

step "a plan's numbers are those of the fetch"
mkdir here
plan -o here/x.tar
same "nothing was written" "$(ls here)" ""
# shellcheck disable=SC2086
exits 0 imgpack fetch $images --platform linux/amd64 -o here/x.tar --json
same "archive" "$(of .bytes)" "$(wc -c <here/x.tar)"
same "id" "$(of .id)" "$(jq -r .id out)"
same "downloaded" "$(of .downloaded_bytes)" "$(jq .downloaded_bytes out)"
same "room here" "$(of .plan.here_bytes)" "$(on_disk here)"
same "lines add up" "$(of '[.plan.images[].download_bytes] | add')" \
	"$(of '[.images[].layers[] | {digest, bytes}] | unique | map(.bytes) | add')"
same "manifest requests" "$(of '.plan.manifest_requests[0].count')" 2
same "it fits" "$(of .plan.fits)" true

step "in chunks, with parity"
mkdir split
plan -o split/x.tar --split 1M --parity 1
# shellcheck disable=SC2086
exits 0 imgpack fetch $images --platform linux/amd64 -o split/x.tar --split 1M --parity 1 --json
same "chunks" "$(of '[.chunks[].bytes]')" "$(jq '[.chunks[].bytes]' out)"
same "room for chunks" "$(of .plan.here_bytes)" "$(on_disk split)"

step "what is there already"
plan -o y.tar --have-archive here/x.tar
same "nothing to download of layers" "$(of '[.plan.images[].download_bytes] | add')" 0
exits 0 imgpack fetch "$src/test/v1:1" --platform linux/amd64 -o v1.tar
plan -o y.tar --have v1.tar
same "left out" "$(of .left_out)" 5
same "and the changed layer" "$(of '[.plan.images[].download_bytes] | add')" \
	"$(of '[.images[].layers[] | select(.absent | not).bytes] | add')"
# shellcheck disable=SC2086
exits 0 imgpack fetch $images --platform linux/amd64 -o y.tar --have v1.tar
same "the thin archive's size" "$(of .bytes)" "$(wc -c <y.tar)"

step "an earlier run's bytes"
start_slow slow "$src" 400000
images="$slow/test/v1:1"
# shellcheck disable=SC2086
timeout -s INT 4 "$IMGPACK" fetch $images --platform linux/amd64 -o part.tar >out 2>err
check "it was broken off" test -f part.tar.part
plan -o part.tar
there=$(of .reused_bytes)
[ "$there" -gt 100000 ] || fail "bytes of an earlier run are counted"
# shellcheck disable=SC2086
exits 0 imgpack fetch $images --platform linux/amd64 -o part.tar --json
same "as many are used" "$(jq .reused_bytes out)" "$there"

step "the allowance"
start_bad hub --image small=100k --rules '[{"kind":"manifest","do":{"headers":
	{"RateLimit-Remaining":"76;w=21600","RateLimit-Limit":"100;w=21600"}}}]'
exits 0 imgpack fetch "$hub/test/small:1" --plan --platform linux/amd64
prints "pulls      $hub: 76 of 100 left (in 6 h), this fetch takes 1"
exits 0 imgpack fetch "$hub/test/small:1" --plan --platform linux/amd64 --json
same "allowance in JSON" "$(jq -c '.plan.manifest_requests[0] | [.count, .left, .limit, .window_seconds]' out)" "[1,76,100,21600]"
start_bad spent --image small=100k --rules '[{"kind":"manifest","do":{"headers":{"RateLimit-Remaining":"0;w=21600"}}}]'
exits 0 imgpack fetch "$spent/test/small:1" --plan --platform linux/amd64
prints "0 left (in 6 h), but this fetch takes 1: it is not enough now"

step "a disk that is too small"
mkdir small
if mount -t tmpfs -o size=1M tmpfs small 2>/dev/null; then
	images="$src/test/v1:1"
	# shellcheck disable=SC2086
	exits 0 imgpack fetch $images --platform linux/amd64 --plan -o small/x.tar
	prints "it does not fit"
	plan -o small/x.tar
	same "fits" "$(of .plan.fits)" false
fi
