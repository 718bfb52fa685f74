#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: load --to registry brings every digest across unchanged, sends nothing a second time, moves no tag without --replace,
# and loads nothing at all of an archive that is not wholly good.
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq curl htpasswd
start_registry src
start_registry dst
push_images "$src"
cd "$T" || exit 1
exits 0 imgpack fetch "$src/test/app:1" "$src/test/app-docker:1" "$src/test/zstd:1" "$src/test/plain:1" -o four.tar \
	--platform linux/amd64
exits 0 imgpack fetch "$src/test/multi:1" "$src/test/multi-docker:1" --all-platforms -o multi.tar

step "without a prefix"
exits 0 imgpack load four.tar --to "registry:$dst" --json
for name in app app-docker zstd plain; do
	arrived "$dst" "$name"
	same "reported" "$(jq -r --arg n "$src/test/$name:1" '.images[] | select(.name == $n) | .loaded_as' out)" \
		"$dst/test/$name:1"
done
same "reported digest" "$(jq -r '.images[0].digest' out)" "$(image_digest app)"
[ "$(jq .sent_bytes out)" -gt 1000000 ] || fail "sent_bytes says that nothing was sent"

step "a second load sends nothing"
forget_log dst
exits 0 imgpack load four.tar --to "registry:$dst" --json
same "sent_bytes of a second load" "$(jq .sent_bytes out)" 0
same "no upload" "$(access_log dst | grep -cE '^(PUT|PATCH) .*/blobs/')" 0
same "no upload was even begun" "$(access_log dst | grep -cE '^POST .*/blobs/')" 0

step "with a prefix, all platforms"
exits 0 imgpack load multi.tar --to "registry:$dst/mirror/of/outside" --json
arrived "$dst/mirror/of/outside" multi
arrived "$dst/mirror/of/outside" multi-docker
same "where it went" "$(jq -r '.images[0].loaded_as' out)" "$dst/mirror/of/outside/test/multi:1"

step "blobs that stand in another repository are mounted, not sent"
start_registry other
exits 0 imgpack load four.tar --to "registry:$other/a"
stored() {
	find other -path '*/blobs/sha256/*' -name data -exec cat {} + | wc -c
}
before=$(stored)
forget_log other
exits 0 imgpack load four.tar --to "registry:$other/b" --json
arrived "$other/b" app
same "the registry stores no byte twice" "$(stored)" "$before"
# What one image of the run brought is there for the next; the repositories of an earlier run are not known.
same "no blob was sent twice" "$(access_log other | grep -E '^PUT .*/blobs/uploads/' | sed 's/.*digest=\(sha256[^& ]*\).*/\1/' |
	sort | uniq -d)" ""

step "another name"
exits 0 imgpack load four.tar --to "registry:$dst" --name "$src/test/app:1=web/shop:blue"
same "renamed" "$(registry_digest "$dst/web/shop:blue")" "$(image_digest app)"

step "a tag moves with --replace only"
exits 0 imgpack fetch "$src/test/app2:1" -o app2.tar --platform linux/amd64
exits 7 imgpack load app2.tar --to "registry:$dst" --name "$src/test/app2:1=$dst/test/app:1"
says "--replace"
says "$(image_digest app | cut -c8-19)"
same "the tag stayed" "$(registry_digest "$dst/test/app:1")" "$(image_digest app)"
exits 0 imgpack load app2.tar --to "registry:$dst" --name "$src/test/app2:1=$dst/test/app:1" --replace
same "the tag moved" "$(registry_digest "$dst/test/app:1")" "$(image_digest app2)"

step "one of several platforms"
exits 0 imgpack load multi.tar --to "registry:$dst/arm" --platform linux/arm64
same "the platform's manifest" "$(registry_digest "$dst/arm/test/multi:1")" "$(child_digest multi linux/arm64/v8)"

step "the archive ID"
id=$(archive check four.tar)
start_registry third
wrong=sha256:$(printf '0%.0s' $(seq 64))
exits 1 imgpack load four.tar --to "registry:$third" --expect "$wrong"
same "nothing was loaded" "$(curl -s "http://$third/v2/_catalog" | jq -c .repositories)" "[]"
exits 0 imgpack load four.tar --to "registry:$third" --expect "$id"

step "a damaged archive loads nothing"
start_registry clean
for name in four multi; do
	for where in 700 5000 400000 $(($(wc -c <"$name.tar") - 1500)); do
		cp "$name.tar" bad.tar
		python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2])); b = f.read(1)[0]; f.seek(-1, 1); f.write(bytes([b ^ 1]))' bad.tar "$where"
		exits 1 imgpack load bad.tar --to "registry:$clean"
	done
	head -c -512 "$name.tar" >bad.tar
	exits 1 imgpack load bad.tar --to "registry:$clean"
done
same "nothing was asked of the registry but a greeting" "$(access_log clean | grep -vc '^GET /v2/ ')" 0

step "behind a password"
start_registry closed htpasswd
exits 4 imgpack load four.tar --to "registry:$closed"
printf 's3cret' >password
"$IMGPACK" load four.tar --to "registry:$closed" --username tester --password-stdin <password >out 2>err ||
	fail "load with --username and --password-stdin"
says_not s3cret
same "behind the password" "$(curl -sf -u tester:s3cret -H "Accept: $ACCEPT" "http://$closed/v2/test/app/manifests/1" |
	sha256sum | cut -d' ' -f1)" "$(image_digest app | cut -d: -f2)"
