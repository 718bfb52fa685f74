#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: copy brings images from registry to registry with every digest unchanged: one, an index with attestations, many under a
# prefix; moves no bytes that are there or can be mounted, and no tag unasked; sends a password to its own registry alone; goes
# on in the middle of a blob whose connection breaks; and never leaves a tag on bytes that were not what was promised.
# sanitize: no (pieces of it run in load_registry and the unit tests)
. "$(dirname "$0")/lib/common.sh"
. "$LIB/links.sh"
need docker-registry jq curl htpasswd
start_registry src
start_registry dst
push_images "$src" app app2 app-docker zstd multi multi-docker
cd "$T" || exit 1

# uploads NAME: blobs that were sent to a registry since its log was forgotten.
uploads() {
	access_log "$1" | grep -cE '^PUT .*/blobs/uploads/'
}

step "one image, under another name"
exits 0 imgpack copy "$src/test/app:1" "$dst/p/shop:blue" --json
same "the copy" "$(registry_digest "$dst/p/shop:blue")" "$(image_digest app)"
same "reported name" "$(jq -r '.images[0].loaded_as' out)" "$dst/p/shop:blue"
same "reported digest" "$(jq -r '.images[0].digest' out)" "$(image_digest app)"
[ "$(jq '.images[0].bytes' out)" -ge "$(jq .sent_bytes out)" ] || fail "more was sent than there is"
exits 0 imgpack copy "$src/test/app:1" "$dst/p/kept"
same "the tag is the source's where DST has none" "$(registry_digest "$dst/p/kept:1")" "$(image_digest app)"
exits 0 imgpack copy "$src/test/app@$(image_digest app)" "$dst/p/by-digest"
same "by digest" "$(registry_digest "$dst/p/by-digest@$(image_digest app)")" "$(image_digest app)"

step "everything that an index names, under a prefix"
printf '%s\n' "$src/test/multi:1" "# docker's own" "$src/test/multi-docker:1" >list
exits 0 imgpack copy --images list "$src/test/zstd:1" --to "registry:$dst/mirror/of"
for name in multi multi-docker zstd; do
	arrived "$dst/mirror/of" "$name"
done
exits 0 imgpack copy --images list --all-platforms --to "registry:$dst/all"
arrived "$dst/all" multi

step "rules say where each one goes"
start_registry second
cat >rules <<END
$src/test/multi = $second/m/multi
$src/test/{name} = $dst/ruled/{name}
END
exits 0 imgpack copy --images list "$src/test/zstd:1" --map rules --json
same "by the first rule" "$(registry_digest "$second/m/multi:1")" "$(image_digest multi)"
same "by the second rule" "$(registry_digest "$dst/ruled/zstd:1")" "$(image_digest zstd)"
same "no one target" "$(jq -r .target out)" null
same "reported in the order of the names" "$(jq -r '.images[].loaded_as' out | tr '\n' ' ')" \
	"$dst/ruled/zstd:1 $second/m/multi:1 $dst/ruled/multi-docker:1 "
echo "other.example/{x} = $dst/never/{x}" >rules
exits 2 imgpack copy --images list --map rules
says "no rule"
exits 0 imgpack copy --images list --map rules --to "registry:$dst/both"
arrived "$dst/both" multi
exits 2 imgpack copy "$src/test/app:1" "$src/test/zstd:1" --map rules
says "is '$src/test/zstd:1' DST"

step "some platforms"
exits 0 imgpack copy "$src/test/multi:1" "$dst/arm/multi:64" --platform linux/arm64
same "the platform's manifest" "$(registry_digest "$dst/arm/multi:64")" "$(child_digest multi linux/arm64/v8)"
exits 0 imgpack copy "$src/test/multi:1" "$dst/arm/multi:two" --platform linux/arm64 --platform linux/amd64
registry_manifest "$dst/arm/multi:two" | jq -r '.manifests[].digest' | sort >have
{ child_digest multi linux/arm64/v8; child_digest multi linux/amd64; } | sort | cmp - have || fail "an index of two platforms"
exits 5 imgpack copy "$src/test/multi:1" "$dst/arm/multi:no" --platform linux/s390x

step "a plan sends nothing"
forget_log dst
exits 0 imgpack copy "$src/test/app2:1" "$dst/planned/app2" --plan --json
same "nothing was sent" "$(access_log dst | grep -cE '^(PUT|POST|PATCH) ')" 0
[ "$(jq .sent_bytes out)" -gt 1000000 ] || fail "a plan of nothing"
same "where it would go" "$(jq -r '.images[0].loaded_as' out)" "$dst/planned/app2:1"

step "a second copy sends nothing"
forget_log dst
exits 0 imgpack copy --images list "$src/test/zstd:1" --to "registry:$dst/mirror/of" --json
same "sent_bytes of a second copy" "$(jq .sent_bytes out)" 0
same "no upload was begun" "$(access_log dst | grep -cE '^(PUT|POST|PATCH) ')" 0

step "within one registry nothing passes through here"
forget_log src
exits 0 imgpack copy --images list --to "registry:$src/inside" --json
for name in multi multi-docker; do
	arrived "$src/inside" "$name"
done
forget_log src
exits 0 imgpack copy "$src/test/app:1" "$src/inside2/app:1" --json
same "no blob was sent" "$(uploads src)" 0
same "no layer was read" "$(access_log src | grep -cE "^GET .*/blobs/($(blobs_of "$(image_digest app)" | grep -v "$(jq -r .config.digest \
	"image/blobs/$(image_digest app | cut -d: -f2)")" | paste -sd '|'))")" 0

same "the copy within a registry" "$(registry_digest "$src/inside2/app:1")" "$(image_digest app)"

step "a tag moves with --replace only"
exits 7 imgpack copy "$src/test/app2:1" "$dst/p/shop:blue"
says "--replace"
same "the tag stayed" "$(registry_digest "$dst/p/shop:blue")" "$(image_digest app)"
exits 0 imgpack copy "$src/test/app2:1" "$dst/p/shop:blue" --replace
same "the tag moved" "$(registry_digest "$dst/p/shop:blue")" "$(image_digest app2)"

step "a password belongs to one registry"
start_registry closed htpasswd
start_registry closed_too htpasswd
printf 's3cret' >password
exits 4 imgpack copy "$src/test/app:1" "$closed/p/app:1"
"$IMGPACK" copy "$src/test/app:1" "$closed/p/app:1" --username tester --password-stdin <password >out 2>err ||
	fail "copy to a closed registry"
# --username is the destination's: the source is asked without.
start_bad front --folder image
"$IMGPACK" copy "$front/test/app:1" "$closed/p/front:1" --username tester --password-stdin <password >out 2>err ||
	fail "copy from an open registry to a closed one"
same "no Authorization at the source" "$(count "$front" '.headers.authorization')" 0
exits 4 imgpack copy "$closed/p/app:1" "$dst/from/closed:1"
for host in "$closed" "$closed_too"; do
	"$IMGPACK" login "$host" --username tester --password-stdin <password >out 2>err || fail "login"
done
exits 0 imgpack copy "$closed/p/app:1" "$closed_too/p/app:1"
same "both closed" "$(curl -sf -u tester:s3cret -H "Accept: $ACCEPT" "http://$closed_too/v2/p/app/manifests/1" | sha256sum |
	cut -d' ' -f1)" "$(image_digest app | cut -d: -f2)"
says_not s3cret

step "a connection that breaks in the middle of a blob is gone on with"
start_registry there
start_bad far --seed 3 --image cut=3M,200k --image wrong=1M,100k --image once=1M --image label=500k
rules "$far" '[{"kind":"layer","each":true,"times":3,"do":{"cut":{"at":"40%","reset":true}}}]'
exits 0 imgpack copy "$far/test/cut:1" "$there/x/cut" --retries 5
same "cut three times" "$(registry_digest "$there/x/cut:1")" "$(registry_digest "$far/test/cut:1")"
same "each upload was one" "$(uploads there)" 3
[ "$(sum "$far" '.path | test("/blobs/")' .sent)" -lt 3600000 ] || fail "the source was read anew"
# A server that knows no ranges sends all of it again, and what is there already is passed over.
rules "$far" '[{"kind":"layer","range":false,"nth":1,"do":{"cut":{"at":"40%"}}},{"kind":"layer","do":{"range":"ignore"}}]'
exits 0 imgpack copy "$far/test/cut:1" "$there/y/cut" --retries 5
same "without ranges" "$(registry_digest "$there/y/cut:1")" "$(registry_digest "$far/test/cut:1")"

step "wrong bytes never become a tag"
rules "$far" '[{"kind":"layer","do":{"lie":"flip"}}]'
exits 1 imgpack copy "$far/test/wrong:1" "$there/x/wrong" --retries 0
says "expected sha256:"
same "no tag" "$(registry_digest "$there/x/wrong:1")" ""
rules "$far" '[{"kind":"layer","times":1,"do":{"lie":"flip"}}]'
exits 0 imgpack copy "$far/test/once:1" "$there/x/once"
says "it is fetched again"
same "wrong once" "$(registry_digest "$there/x/once:1")" "$(registry_digest "$far/test/once:1")"
rules "$far" '[{"kind":"layer","do":{"encode":"gzip"}}]'
exits 0 imgpack copy "$far/test/label:1" "$there/x/label"
same "compressed on the way" "$(registry_digest "$there/x/label:1")" "$(registry_digest "$far/test/label:1")"

step "a mirror gives what it has, the registry the rest"
start_bad near --seed 3 --image cut=3M,200k --rules '[{"kind":"layer","do":{"lie":"flip"}}]'
rules "$far" '[]'
exits 0 imgpack copy "$far/test/cut:1" "$there/z/cut" --mirror "$far=http://$near"
says "mirror $near"
same "past a mirror that lies" "$(registry_digest "$there/z/cut:1")" "$(registry_digest "$far/test/cut:1")"

step "a list in parts, and a receipt of each"
start_registry parts
printf '%s\n' "$src/test/app:1" "$src/test/app2:1" "$src/test/multi:1" >list.txt
for part in 1 2 3 4; do
	exits 0 imgpack copy --images list.txt --to "registry:$parts" --shard "$part/4" --receipt "part$part.json"
done
same "all of them, each once" "$(jq -r '.images[].loaded_as' part?.json | sort | tr '\n' ' ')" \
	"$parts/test/app2:1 $parts/test/app:1 $parts/test/multi:1 "
same "a receipt of a copy" "$(jq -r '.command + " " + .target + " \(.archive)"' part1.json)" "copy registry:$parts null"
exits 2 imgpack copy --images list.txt --to "registry:$parts" --plan --receipt plan.json
refuse "a plan's receipt" test -e plan.json
