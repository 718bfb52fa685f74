#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: load --to podman, through its service: names, IDs and the registry's digests are there afterwards, of several images
# and of indexes; without a service it says how to start one.
# timeout: 300
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq curl podman
start_registry src
push_images "$src"
cd "$T" || exit 1
start_podman pod || skip "podman's service cannot run here"

# has NAME DIGEST: the image of that name has DIGEST among its digests.
has() {
	podman_at pod image inspect "$1" 2>"$T/err" | jq -r '.[0].RepoDigests[]' >digests || fail "podman image inspect"
	grep -qF "@$2" digests || fail "a digest is lost"
}

exits 0 imgpack fetch "$src/test/app:1" "$src/test/app-docker:1" -o two.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/multi:1" -o all.tar --all-platforms

step "nobody answers"
exits 3 env CONTAINER_HOST="unix://$T/none" "$IMGPACK" load two.tar --to podman
says "podman.socket"

export CONTAINER_HOST="$pod"
step "several images keep their digests"
exits 0 imgpack load two.tar --to podman
for name in app app-docker; do
	has "$src/test/$name:1" "$(image_digest "$name")"
done
exits 0 imgpack load two.tar --to podman --json
same "nothing is sent again" "$(jq .sent_bytes out)" 0

step "through a pipe, chosen because no docker answers; an index keeps its digest, too"
exits 0 env DOCKER_HOST="unix://$T/none" sh -c "cat all.tar | $IMGPACK load -"
says "loading into podman at $pod"
has "$src/test/multi:1" "$(image_digest multi)"
has "$src/test/multi:1" "$(child_digest multi linux/amd64)"

step "the files in it"
container=$(podman_at pod create "$src/test/app:1" /bin/sh 2>err) || fail "podman create"
podman_at pod export "$container" -o export.tar 2>err || fail "podman export"
check "the files in a container" python3 "$SOURCE_DIR/fixtures/image/image.py" compare image app export.tar
