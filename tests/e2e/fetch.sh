#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: what fetch writes is the registry's content byte for byte, in the format that design.md fixes, the same on every run
# and with any number of connections; and what it reports is true.
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq curl python3
start_registry src
push_images "$src"
cd "$T" || exit 1

step "one image of each kind, byte for byte"
for name in app app-docker plain zstd; do
	exits 0 imgpack fetch "$src/test/$name:1" -o "$name.tar" --platform linux/amd64 --json
	id=$(archive check "$name.tar") || fail "the format of an archive"
	check "the blobs of the image" archive holds "$name.tar" image "$(image_digest "$name")"
	same "reported id" "$(jq -r .id out)" "$id"
	same "reported bytes" "$(jq -r .bytes out)" "$(wc -c <"$name.tar")"
	same "reported name" "$(jq -r '.images[0].name' out)" "$src/test/$name:1"
	same "reported digest" "$(jq -r '.images[0].digest' out)" "$(image_digest "$name")"
	same "what the registry holds" "$(registry_digest "$src/test/$name:1")" "$(image_digest "$name")"
	same "one image" "$(jq '.images | length' out)" 1
done
exits 0 imgpack fetch "$src/test/zstd:1" -o zstd.tar --platform linux/amd64

step "docker's and OCI's papers"
archive member app.tar index.json >index.json
same "descriptor" "$(jq -r '.manifests[0].digest' index.json)" "$(image_digest app)"
same "containerd's name" "$(jq -r '.manifests[0].annotations["io.containerd.image.name"]' index.json)" "$src/test/app:1"
same "OCI's name" "$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' index.json)" 1
archive member app.tar manifest.json >manifest.json
same "RepoTags" "$(jq -r '.[0].RepoTags[0]' manifest.json)" "$src/test/app:1"
same "a layer that stands there twice is listed twice" "$(jq '.[0].Layers | length' manifest.json)" 4
same "config" "$(jq -r '.[0].Config' manifest.json)" \
	"blobs/sha256/$(jq -r .config.digest "image/blobs/$(image_digest app | cut -d: -f2)" | cut -d: -f2)"

step "the same bytes every time"
want=$(sha app.tar)
for n in 1 2 8; do
	exits 0 imgpack fetch "$src/test/app:1" -o again.tar --platform linux/amd64 --connections "$n"
	same "bytes with --connections" "$(sha again.tar)" "$want"
done
exits 0 imgpack fetch "$src/test/multi:1" "$src/test/app:1" "$src/test/zstd:1" --all-platforms -o many1.tar --connections 1
exits 0 imgpack fetch "$src/test/multi:1" "$src/test/app:1" "$src/test/zstd:1" --all-platforms -o many8.tar --connections 8
same "bytes of several images" "$(sha many1.tar)" "$(sha many8.tar)"

step "several images, each blob once"
exits 0 imgpack fetch "$src/test/app:1" "$src/test/app2:1" -o two.tar --platform linux/amd64 --json
archive check two.tar >/dev/null || fail "the format of two images"
check "two images' blobs" archive holds two.tar image "$(image_digest app)" "$(image_digest app2)"
same "two names" "$(jq -r '[.images[].name] | join(" ")' out)" "$src/test/app:1 $src/test/app2:1"
archive member two.tar index.json >index.json
same "full names where there are two" \
	"$(jq -r '[.manifests[].annotations["org.opencontainers.image.ref.name"]] | sort | join(" ")' index.json)" \
	"$src/test/app2:1 $src/test/app:1"
exits 0 imgpack fetch "$src/test/app:1" "$src/test/app:1" -o twice.tar --platform linux/amd64
same "named twice is fetched once" "$(sha twice.tar)" "$want"

step "a list of images"
printf '# a comment\n%s/test/app:1\n\n  %s/test/app2:1   # behind\n' "$src" "$src" >list.txt
exits 0 imgpack fetch --images list.txt -o list.tar --platform linux/amd64
same "from a list" "$(sha list.tar)" "$(sha two.tar)"
"$IMGPACK" fetch --images - -o stdin.tar --platform linux/amd64 <list.txt >out 2>err || fail "a list on standard input"
same "from standard input" "$(sha stdin.tar)" "$(sha two.tar)"

step "platforms"
exits 0 imgpack fetch "$src/test/multi:1" -o amd64.tar --platform linux/amd64
check "one platform, and its index loose" archive holds amd64.tar image "$(child_digest multi linux/amd64)" \
	"=$(image_digest multi)"
archive member amd64.tar index.json >index.json
same "index.json points at the manifest" "$(jq -r '.manifests[0].digest' index.json)" "$(child_digest multi linux/amd64)"
exits 0 imgpack fetch "$src/test/multi:1" -o arms.tar --platform linux/arm64 --platform linux/arm/v7
says "will not resolve"
archive member arms.tar index.json >index.json
# The registry's index names platforms that are not here; docker and containerd refuse such a one, so a smaller one is made.
made=$(jq -r '.manifests[0].digest' index.json)
check "two platforms" archive holds arms.tar image "$(child_digest multi linux/arm64/v8)" \
	"$(child_digest multi linux/arm/v7)" "=$(image_digest multi)" "+$made"
archive member arms.tar "blobs/sha256/${made#sha256:}" >made.json
same "the two in it" "$(jq -r '[.manifests[].digest] | sort | join(" ")' made.json)" \
	"$(printf '%s\n' "$(child_digest multi linux/arm64/v8)" "$(child_digest multi linux/arm/v7)" | sort | paste -sd' ')"
exits 0 imgpack fetch "$src/test/multi:1" -o all.tar --all-platforms --json
check "all platforms, attestation too" archive holds all.tar image "$(image_digest multi)"
same "four platforms are named" "$(jq -r '[.images[0].platforms[].platform] | sort | join(" ")' out)" \
	"linux/amd64 linux/arm/v6 linux/arm/v7 linux/arm64"
archive member all.tar index.json >index.json
same "index.json points at the index" "$(jq -r '.manifests[0].digest' index.json)" "$(image_digest multi)"
exits 0 imgpack fetch "$src/test/multi-docker:1" -o list-all.tar --all-platforms
check "docker's manifest list" archive holds list-all.tar image "$(image_digest multi-docker)"

step "an index entry that does not say its platform"
arm=$(registry_manifest "$src/test/multi:1" | jq -c '[.manifests[] | select(.platform.architecture == "arm64")][0] | del(.platform)')
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}' "$arm" >silent.json
check "push it" curl -sf -o /dev/null -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' \
	--data-binary @silent.json "http://$src/v2/test/multi/manifests/silent"
exits 5 imgpack fetch "$src/test/multi:silent" -o silent.tar --platform linux/amd64
says "there is only linux/arm64, not linux/amd64"
[ ! -e silent.tar ] || fail "an archive of the wrong platform was written"
exits 0 imgpack fetch "$src/test/multi:silent" -o silent.tar --platform linux/arm64

step "by digest"
exits 0 imgpack fetch "$src/test/app@$(image_digest app)" -o digest.tar --platform linux/amd64
check "the blobs by digest" archive holds digest.tar image "$(image_digest app)"
archive member digest.tar manifest.json >manifest.json
same "no digest in RepoTags" "$(jq -c '.[0].RepoTags' manifest.json)" null
exits 0 imgpack fetch "$src/test/multi@$(image_digest multi)" -o digest-index.tar
check "an index's digest means all platforms" archive holds digest-index.tar image "$(image_digest multi)"
exits 0 imgpack fetch "$src/test/app:1@$(image_digest app)" -o both.tar --platform linux/amd64
check "tag and digest" archive holds both.tar image "$(image_digest app)"

step "inspect and verify agree"
exits 0 imgpack inspect two.tar --json
same "inspect's names" "$(jq -r '[.images[].name] | join(" ")' out)" "$src/test/app:1 $src/test/app2:1"
same "inspect's layers" "$(jq '.images[0].layers | length' out)" 3
same "inspect's digests" "$(jq -r '.images[1].digest' out)" "$(image_digest app2)"
exits 0 imgpack verify two.tar --json
same "no problems" "$(jq -c '.problems' out)" "[]"
for file in app app-docker plain zstd many1 amd64 arms all list-all digest digest-index; do
	exits 0 imgpack verify "$file.tar"
done

step "a plan downloads no layers and writes nothing"
forget_log src
exits 0 imgpack fetch "$src/test/app:1" --plan --platform linux/amd64 --json
same "planned bytes" "$(jq -r .bytes out)" "$(wc -c <app.tar)"
same "no layer was asked for" "$(access_log src | grep -c "blobs/$(jq -r '.layers[0].digest' \
	"image/blobs/$(image_digest app | cut -d: -f2)")")" 0
