#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a copy that is killed, at whatever moment, leaves no tag on an image with holes; the next one skips what is there and
# ends it; and at the source's and the target's side a connection that is reset again and again delays it and no more.
# POINTS: how many moments (40 for a sweep).
# timeout: 300
# sanitize: no (the same moments, slower)
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$LIB/links.sh"
need docker-registry jq
POINTS=${POINTS:-8}
start_registry src
start_registry dst
push_images "$src" multi app2
# Slow enough for the moments to fall into it, from the first question to the tags.
start_slow slow "$src" 1500000
cd "$T" || exit 1

# whole HOST/REPOSITORY:TAG: there is none, or everything below it is there.
whole() {
	registry_manifest "$1" >root 2>/dev/null || return 0
	tagged=$((tagged + 1))
	for whole_child in $(jq -r '.manifests[]?.digest' root); do
		registry_manifest "${1%:*}@$whole_child" >child || fail "a tag whose manifest is missing"
		for whole_blob in $(jq -r '.config.digest, .layers[].digest' child); do
			curl -sf -o /dev/null -I "http://$dst/v2/$(echo "${1%:*}" | cut -d/ -f2-)/blobs/$whole_blob" ||
				fail "a tag whose blob is missing"
		done
	done
}

step "$POINTS moments of a copy's life"
begun=$(date +%s%N)
exits 0 imgpack copy "$slow/test/multi:1" "$dst/whole/multi:1"
life=$((($(date +%s%N) - begun) / 1000000))
tagged=0
for point in $(seq "$POINTS"); do
	# An own tag each time, in a registry that has nothing of it at first.
	rm -rf dst/docker
	"$IMGPACK" copy "$slow/test/multi:1" "$dst/k/multi:$point" >out 2>err &
	pid=$!
	sleep "$(awk "BEGIN { print $life * $point / ($POINTS + 1) / 1000 }")"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	whole "$dst/k/multi:$point"
done
echo "killed at $POINTS moments of $life ms; the tag stood $tagged times, and was whole"
before=$(find dst -path '*/blobs/sha256/*' -name data | wc -l)
forget_log dst
exits 0 imgpack copy "$src/test/multi:1" "$dst/k/multi:$POINTS"
same "the image, at last" "$(registry_digest "$dst/k/multi:$POINTS")" "$(image_digest multi)"
tagged=0
whole "$dst/k/multi:$POINTS"
same "seen as whole" "$tagged" 1
[ "$before" -eq 0 ] || [ "$(access_log dst | grep -cE '^HEAD .*/blobs/.* 200')" -gt 0 ] || fail "what was there was not skipped"

step "resets on both sides"
start_relay from "$src" --reset-every 400000 --resets 6 --seed 1
exits 0 imgpack copy "$from/test/app2:1" "$dst/r/app2:1" --retries 9
same "resets towards us" "$(registry_digest "$dst/r/app2:1")" "$(image_digest app2)"
rm -rf dst/docker
start_relay to "$dst" --reset-every 2000 --resets 3 --seed 2
exits 0 imgpack copy "$src/test/app2:1" "$to/r/app2:1" --retries 9
same "resets of the target's answers" "$(registry_digest "$dst/r/app2:1")" "$(image_digest app2)"

step "a target that stays away"
free=$(free_port)
exits 3 imgpack copy "$src/test/app2:1" "127.0.0.1:$free/x/app2:1" --retries 0
