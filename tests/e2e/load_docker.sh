#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: load --to docker, against real daemons: the image that comes out of `docker create` and `docker export` is, file by
# file, what its layers say; names are restored; tags move with --replace only; a bad archive loads nothing.
# More daemons can be named in IMGPACK_TEST_DOCKER_HOSTS (DOCKER_HOST values, blanks between them); they must be ours to fill.
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry docker jq curl
start_registry src
push_images "$src"
cd "$T" || exit 1
daemons=
start_dockerd classic && daemons="$daemons $classic"
# Docker 24 and newer can keep images in containerd's store; older ones say so by not doing it.
start_dockerd modern containerd && daemons="$daemons $modern"
daemons="$daemons ${IMGPACK_TEST_DOCKER_HOSTS:-}"
[ -n "${daemons# }" ] || skip "no docker daemon can run here"

exits 0 imgpack fetch "$src/test/app:1" "$src/test/app-docker:1" "$src/test/plain:1" -o three.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/multi:1" -o multi.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/multi:1" -o all.tar --all-platforms
exits 0 imgpack fetch "$src/test/app2:1" -o app2.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/app@$(image_digest app)" -o digest.tar --platform linux/amd64
echo "example.org/asked/{name} = $src/test/{name}" >in.map
echo "example.org/asked/{name}:{tag} = example.org/ruled/{name}:blue" >out.map
exits 0 imgpack fetch example.org/asked/app2:1 --map in.map -o ruled.tar --platform linux/amd64

# came_out NAME FIXTURE: a container made from NAME holds the fixture's files.
came_out() {
	container=$(docker create "$1" /bin/sh 2>"$T/err") || fail "docker create"
	docker export "$container" -o export.tar 2>"$T/err" || fail "docker export"
	check "the files in a container" python3 "$SOURCE_DIR/fixtures/image/image.py" compare image "$2" export.tar
	docker rm "$container" >/dev/null
}

config_of() {
	jq -r .config.digest "image/blobs/${1#sha256:}"
}

for daemon in $daemons; do
	step "daemon at $daemon"
	export DOCKER_HOST="$daemon"

	step "a damaged archive loads nothing"
	cp three.tar bad.tar
	printf 'x' | dd of=bad.tar bs=1 seek=500000 conv=notrunc 2>/dev/null
	exits 1 imgpack load bad.tar --to docker
	same "no image" "$(docker images -q)" ""
	head -c 800000 three.tar >cut.tar
	exits 1 imgpack load cut.tar --to docker
	same "no image of a cut archive" "$(docker images -q)" ""

	step "three images"
	exits 0 imgpack load three.tar --to docker --json
	for name in app app-docker plain; do
		came_out "$src/test/$name:1" "$name"
		id=$(docker image inspect -f '{{.Id}}' "$src/test/$name:1")
		case $id in
		"$(config_of "$(image_digest "$name")")" | "$(image_digest "$name")") ;;
		*) fail "an image ID that is neither the config's nor the manifest's digest" ;;
		esac
		same "the reported ID" "$(jq -r --arg n "$src/test/$name:1" '.images[] | select(.name == $n) | .digest' out)" "$id"
		same "loaded as" "$(jq -r --arg n "$src/test/$name:1" '.images[] | select(.name == $n) | .loaded_as' out)" \
			"$src/test/$name:1"
	done

	step "without --to, docker is found by DOCKER_HOST"
	exits 0 imgpack load multi.tar
	says docker
	came_out "$src/test/multi:1" multi

	step "all platforms"
	exits 0 imgpack load all.tar --to docker
	came_out "$src/test/multi:1" multi

	step "a tag moves with --replace only"
	old=$(docker image inspect -f '{{.Id}}' "$src/test/app:1")
	exits 7 imgpack load app2.tar --to docker --name "$src/test/app2:1=$src/test/app:1"
	says "--replace"
	same "the tag stayed" "$(docker image inspect -f '{{.Id}}' "$src/test/app:1")" "$old"
	exits 0 imgpack load app2.tar --to docker --name "$src/test/app2:1=$src/test/app:1" --replace
	[ "$(docker image inspect -f '{{.Id}}' "$src/test/app:1")" != "$old" ] || fail "the tag did not move"
	exits 0 imgpack load app2.tar --to docker --name "$src/test/app2:1=$src/test/app:1"

	step "short names as people write them"
	exits 0 imgpack load app2.tar --to docker --name "$src/test/app2:1=shop:blue"
	check "the new name" docker image inspect shop:blue

	step "names by rules: fetched from a mirror's name, loaded as asked for, and by a rule"
	exits 0 imgpack load ruled.tar --to docker
	came_out example.org/asked/app2:1 app2
	exits 0 imgpack load ruled.tar --to docker --map out.map
	came_out example.org/ruled/app2:blue app2

	step "by digest only: no tag"
	exits 0 imgpack load digest.tar --to docker
	check "the image without a tag" docker image inspect "$(jq -r '.images[0].digest' out 2>/dev/null ||
		config_of "$(image_digest app)")"

done
