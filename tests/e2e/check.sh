#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: check says before the trip what would not load where, and no more: what it calls loadable was tried with the real
# programs in the other scripts, what it calls refused is refused by docker here.
# sanitize: no (papers alone; unit/pack reads them there)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq skopeo zstd
start_registry src
push_images "$src"
cd "$T" || exit 1
exits 0 imgpack fetch "$src/test/app:1" -o app.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/app:1" "$src/test/app-docker:1" -o two.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/zstd:1" -o zstd.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/multi:1" -o all.tar --all-platforms
exits 0 imgpack fetch "$src/test/multi:1" -o arm.tar --platform linux/arm64
exits 0 imgpack fetch "$src/test/app@$(image_digest app)" -o digest.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/app2:1" --have app.tar -o thin.tar --platform linux/amd64

# verdicts FILE: the targets that imgpack load does not bring it into.
verdicts() {
	"$IMGPACK" check "$@" --json >out 2>err
	jq -r '[.targets[] | select(.loads | not) | .target] | join(" ")' out
}
# own_tool FILE: those that refuse it when their own tool loads it.
own_tool() {
	"$IMGPACK" check "$@" --json >out 2>err
	jq -r '[.targets[] | select(.loads_with_own_tool | not) | .target] | join(" ")' out
}

step "what loads everywhere"
for file in app.tar two.tar all.tar digest.tar; do
	exits 0 imgpack check "$file"
	same "$file" "$(verdicts "$file")" ""
done
same "by their own tools" "$(own_tool app.tar)" ""
same "several" "$(own_tool two.tar)" ""
exits 0 imgpack check app.tar --target podman4 --target registry
same "two were asked about" "$(grep -c '^[^ ]' out)" 2

step "zstd layers"
exits 7 imgpack check zstd.tar
says "does not load in 1 of 10 targets"
same "docker before 23" "$(verdicts zstd.tar)" docker20
exits 7 imgpack check zstd.tar --target docker20 -q
prints "$src/test/zstd:1: has zstd layers"
exits 0 imgpack check zstd.tar --target docker23
if command -v docker >/dev/null 2>&1 && start_dockerd daemon; then
	case $(docker -H "$daemon" version -f '{{.Server.Version}}') in
	20.*) exits 7 env "DOCKER_HOST=$daemon" "$IMGPACK" load zstd.tar --to docker ;;
	esac
	exits 0 env "DOCKER_HOST=$daemon" "$IMGPACK" load digest.tar --to docker
fi

step "platforms"
exits 0 imgpack check arm.tar
exits 7 imgpack check arm.tar --platform linux/amd64
same "all that run images" "$(verdicts arm.tar --platform linux/amd64 | wc -w)" 9
same "of several there is one" "$(verdicts all.tar --platform linux/arm/v7)" ""

step "thin"
same "nobody looks there" "$(verdicts thin.tar)" "k3s skopeo1.9"
same "and podman's own tool" "$(own_tool thin.tar)" "k3s podman4 podman5 skopeo1.9"

step "what others wrote"
skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$src/test/app:1" oci-archive:oci.tar:1 || fail "skopeo"
skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$src/test/app:1" docker-archive:docker.tar:team/app:1 || fail "skopeo"
same "without names" "$(verdicts oci.tar)" "containerd1.6 containerd2.1 k3s registry"
same "docker reads no OCI archive" "$(own_tool oci.tar --target docker20 --target docker28)" docker20
exits 0 imgpack check docker.tar
prints "has no manifest of a registry"
zstd -q docker.tar -o docker.tar.zst
same "compressed" "$(own_tool docker.tar.zst)" "docker20 containerd1.6"
mkdir sparse
tar -C sparse -xf all.tar
rm "sparse/blobs/sha256/$(child_digest multi linux/amd64 | cut -d: -f2)" sparse/imgpack.json sparse/manifest.json
tar -C sparse -cf sparse.tar .
same "a sparse index" "$(verdicts sparse.tar)" registry
exits 0 imgpack convert sparse.tar -o whole.tar
same "converted" "$(verdicts whole.tar)" ""

step "in chunks, and what cannot be read"
exits 0 imgpack convert two.tar -o cut.tar --split 64K
exits 0 imgpack check cut.tar.001 --target docker28 --target registry
same "its own tools want one file" "$(own_tool cut.tar.001 --target docker28)" docker28
exits 2 imgpack check app.tar --target docker19
says "is not one of docker20, docker23"
head -c 700000 app.tar >half.tar
exits 1 imgpack check half.tar
exits 6 imgpack check nowhere.tar
