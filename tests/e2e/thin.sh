#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: fetch --have leaves out what the other side has, the archive says what it relies on, and load brings it to a target
# that has it: a registry (the blobs in its repository, or in another one), docker with both stores. Where one blob lacks,
# all that lack are named and nothing is changed.
# More daemons can be named in IMGPACK_TEST_DOCKER_HOSTS (DOCKER_HOST values, blanks between them); they must be ours to fill.
# timeout: 420
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq curl
start_registry src
check "make the versions" sh "$SOURCE_DIR/fixtures/image/make.sh" "$T/image" --versions
push_images "$src" v1 v2 middle multi
cd "$T" || exit 1

fetch() {
	fetch_name=$1
	shift
	imgpack_fetch "$src/test/$fetch_name:1" --platform linux/amd64 "$@"
}
imgpack_fetch() {
	exits 0 imgpack fetch "$@"
}
layers() {
	jq -r '.layers[].digest' "image/blobs/$(image_digest "$1" | cut -d: -f2)"
}
# What $2 has and $1 has not.
new_layers() {
	layers "$1" | sort >one.txt
	layers "$2" | sort | comm -13 one.txt -
}
blob_size() {
	wc -c <"image/blobs/${1#sha256:}"
}

step "an archive that was loaded there is a list"
fetch v1 -o v1.tar
fetch v2 -o v2.tar --have v1.tar --json
changed=$(new_layers v1 v2)
same "layers left out" "$(jq .left_out out)" 4
[ "$(wc -c <v2.tar)" -le $(($(blob_size "$changed") + 65536)) ] || fail "the changed layer and 64 KiB at most"
same "what is absent in the report" \
	"$(jq -r '.images[0].layers[] | select(.absent) | .digest' out | sort)" \
	"$(layers v2 | grep -v "$changed" | sort)"
exits 0 imgpack fetch "$src/test/v2:1" --platform linux/amd64 --have v1.tar -o again.tar
prints "4 layers ("
same "the same bytes every time" "$(sha again.tar)" "$(sha v2.tar)"

step "verify and inspect say that it is thin"
exits 0 imgpack verify v2.tar
prints "thin: relies on 4 blobs ("
exits 0 imgpack verify v2.tar --json
same "absent of verify" "$(jq -r '.absent[].digest' out | sort)" "$(layers v2 | grep -v "$changed" | sort)"
exits 0 imgpack inspect v2.tar
prints "(not in it)"
exits 0 imgpack verify v1.tar --json
same "a whole archive relies on nothing" "$(jq -c .absent out)" "[]"
cp v2.tar bad.tar
printf 'x' | dd of=bad.tar bs=1 seek=$(($(wc -c <v2.tar) / 2)) conv=notrunc 2>/dev/null
exits 1 imgpack verify bad.tar

step "every way to write it"
exits 0 imgpack fetch "$src/test/v2:1" --platform linux/amd64 --have v1.tar -o - >/dev/null
same "through a pipe" "$(sha out)" "$(sha v2.tar)"
mkdir chunks
fetch v2 --have v1.tar -o chunks/v2.tar --split 256K --parity 1
cat chunks/v2.tar.* >joined.tar
same "in chunks" "$(sha joined.tar)" "$(sha v2.tar)"
rm chunks/v2.tar.002
check "parity" "$IMGPACK" repair chunks
cat chunks/v2.tar.* >joined.tar
same "repaired" "$(sha joined.tar)" "$(sha v2.tar)"
rm chunks/v2.tar.002 chunks/v2.parity.01
"$IMGPACK" wants chunks >list.txt 2>/dev/null || fail "wants"
fetch v2 --have v1.tar --only list.txt -o v2.blocks
cp v2.blocks chunks/
check "blocks of a thin archive" "$IMGPACK" repair chunks
cat chunks/v2.tar.* >joined.tar
same "with blocks" "$(sha joined.tar)" "$(sha v2.tar)"
fetch v2 --have v1.tar --have-archive v2.tar -o reused.tar --json
same "what is there needs no download" "$(jq .reused_bytes out)" "$(blob_size "$changed")"

step "bad lists"
exits 6 imgpack fetch "$src/test/v2:1" -o x.tar --have nowhere.txt
says "--have nowhere.txt"
echo "no list at all" >bad.txt
exits 1 imgpack fetch "$src/test/v2:1" -o x.tar --have bad.txt
says "--have bad.txt"
refuse "nothing was written" test -e x.tar

step "a registry that lacks it: all of it is named, nothing is changed"
start_registry dst
exits 7 imgpack load v2.tar --to "registry:$dst"
for digest in $(layers v2 | grep -v "$changed"); do
	says "$dst/test/v2:1 needs the layer $digest"
done
says "4 blobs ("
same "the registry is as it was" "$(curl -s "http://$dst/v2/_catalog")" '{"repositories":[]}'
same "no upload was begun" "$(access_log dst | grep -cE '^(POST|PUT|PATCH) ')" 0

step "a registry that has it in another repository"
exits 0 imgpack load v1.tar --to "registry:$dst" --name "$src/test/v1:1=$dst/elsewhere/old:1"
exits 0 imgpack load v2.tar --to "registry:$dst" --json
same "the tag" "$(registry_digest "$dst/test/v2:1")" "$(image_digest v2)"
forget_log src
exits 0 imgpack fetch "$dst/test/v2:1" -o whole.tar --platform linux/amd64 --json
check "it is whole there" "$IMGPACK" verify whole.tar

step "in its own repository, from a pipe, and in chunks"
start_registry own
exits 0 imgpack load v1.tar --to "registry:$own" --name "$src/test/v1:1=$own/app:1"
"$IMGPACK" load - --to "registry:$own" --name "$src/test/v2:1=$own/app:2" <v2.tar >out 2>err || fail "a thin archive from a pipe"
same "the tag from a pipe" "$(registry_digest "$own/app:2")" "$(image_digest v2)"
exits 0 imgpack load chunks --to "registry:$own" --name "$src/test/v2:1=$own/app:3"
same "the tag from chunks" "$(registry_digest "$own/app:3")" "$(image_digest v2)"

step "an OCI folder and containerd: all that lacks is named, nothing is changed; then it fits"
places=oci:folder
command -v ctr >/dev/null && start_containerd node && places="$places containerd:$node"
for place in $places; do
	exits 7 imgpack load v2.tar --to "$place"
	for digest in $(layers v2 | grep -v "$changed"); do
		says "$src/test/v2:1 needs the layer $digest"
	done
	says "4 blobs ("
	exits 0 imgpack load v1.tar --to "$place"
	exits 0 imgpack load v2.tar --to "$place"
done

step "docker"
# A registry's list knows blobs alone; an archive's knows what docker made of them, too.
exits 0 imgpack inventory "registry:$own"
cp out blobs.txt
fetch middle -o middle.tar --have blobs.txt
fetch middle -o everywhere.tar --have v1.tar
daemons=
start_dockerd classic && daemons="$daemons $classic"
start_dockerd modern containerd && daemons="$daemons $modern"
for daemon in $daemons ${IMGPACK_TEST_DOCKER_HOSTS:-}; do
	step "docker at $daemon"
	export DOCKER_HOST="$daemon"
	exits 7 imgpack load v2.tar --to docker
	for digest in $(layers v2 | grep -v "$changed"); do
		says "$src/test/v2:1 needs the layer $digest"
	done
	same "docker is as it was" "$(docker images -q)" ""
	exits 0 imgpack load v1.tar --to docker
	exits 0 imgpack load v2.tar --to docker
	container=$(docker create "$src/test/v2:1" /bin/sh) || fail "docker create"
	docker export "$container" -o export.tar || fail "docker export"
	check "the files of v2" python3 "$SOURCE_DIR/fixtures/image/image.py" compare image v2 export.tar
	docker rm "$container" >/dev/null
	# The changed layer is in the middle: those above it stand there on another base, which a containerd store does not
	# mind, since it has kept the blobs.
	if docker info -f '{{.DriverStatus}}' | grep -q io.containerd.snapshotter; then
		exits 0 imgpack load middle.tar --to docker
		docker rmi "$src/test/middle:1" >/dev/null || fail "docker rmi"
	else
		exits 7 imgpack load middle.tar --to docker
		same "what lacks in the middle" "$(grep -c 'needs the layer' err)" 2
		says "on another base"
		refuse "no image of it" docker image inspect "$src/test/middle:1"
		exits 0 imgpack load everywhere.tar --to docker
		docker rmi "$src/test/middle:1" >/dev/null || fail "docker rmi"
	fi
	# The daemon's own list says what fits.
	exits 0 imgpack inventory docker
	cp out list.txt
	fetch middle -o fits.tar --have list.txt
	[ "$(wc -c <fits.tar)" -lt "$(wc -c <v1.tar)" ] || fail "the daemon's list leaves something out"
	exits 0 imgpack load fits.tar --to docker
	check "the image of a fitting archive" docker image inspect "$src/test/middle:1"
done
