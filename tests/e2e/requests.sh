#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a fetch asks for each manifest once, for each blob once, for one token a scope, and for nothing else.
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq
start_registry src
push_images "$src" app app2 multi
cd "$T" || exit 1

# asked REGEX: how many requests match, METHOD PATH STATUS.
asked() {
	access_log src | grep -cE "$1"
}

step "one image"
forget_log src
exits 0 imgpack fetch "$src/test/app:1" -o app.tar --platform linux/amd64
same "one manifest" "$(asked ' /v2/test/app/manifests/')" 1
for digest in $(blobs_of "$(image_digest app)"); do
	same "one GET a blob" "$(asked "^GET /v2/test/app/blobs/$digest")" 1
done
blobs=$(blobs_of "$(image_digest app)" | wc -l)
same "nothing but those, and a ping at most" "$(access_log src | grep -vcE '^GET /v2/ ')" $((1 + blobs))

step "two images that share their layers"
forget_log src
exits 0 imgpack fetch "$src/test/app:1" "$src/test/app2:1" -o two.tar --platform linux/amd64
for digest in $( (blobs_of "$(image_digest app)"; blobs_of "$(image_digest app2)") | sort -u); do
	same "one GET a blob of two images" "$(asked "^GET /v2/test/[a-z0-9]*/blobs/$digest")" 1
done
same "two manifests" "$(asked ' /v2/test/[a-z0-9]*/manifests/')" 2

step "an index, all platforms"
forget_log src
exits 0 imgpack fetch "$src/test/multi:1" -o all.tar --all-platforms
same "one GET a manifest" "$(asked '^GET /v2/test/multi/manifests/')" 6
same "no manifest twice" "$(access_log src | grep /manifests/ | sort | uniq -d)" ""
same "no blob twice" "$(access_log src | grep /blobs/ | sort | uniq -d)" ""

step "an index, one platform"
forget_log src
exits 0 imgpack fetch "$src/test/multi:1" -o amd64.tar --platform linux/amd64
same "index and manifest" "$(asked ' /v2/test/multi/manifests/')" 2

step "one connection is one connection"
# Each connection is a line of strace's: the registry's log does not tell them apart.
if command -v strace >/dev/null 2>&1; then
	untraced_leaks strace -f -qq -e trace=connect -o connects "$IMGPACK" fetch "$src/test/app:1" -o one.tar \
		--platform linux/amd64 --connections 1 >out 2>err || fail "a fetch under strace"
	port=${src##*:}
	# Manifests and blobs may use one each; a connection a request would be five and more.
	have=$(grep -c "htons($port)" connects)
	[ "$have" -le 2 ] || fail "--connections 1 opened $have connections"
fi
