#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: other programs take imgpack's archive as it is, with the digests that the registry had where they keep any.
# sanitize: no (other programs do the work)
. "$(dirname "$0")/lib/common.sh"
need docker-registry skopeo jq
start_registry src
start_registry dst
push_images "$src"
cd "$T" || exit 1
exits 0 imgpack fetch "$src/test/app:1" -o app.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/multi:1" -o all.tar --all-platforms
exits 0 imgpack fetch "$src/test/app:1" "$src/test/app2:1" -o two.tar --platform linux/amd64

skopeo_copy() {
	skopeo --insecure-policy copy -q --dest-tls-verify=false "$@" >"$T/out" 2>"$T/err" || fail "skopeo copy $1 $2 $3"
}

step "skopeo, as an OCI archive and as docker's"
skopeo_copy --preserve-digests oci-archive:app.tar "docker://$dst/s/one:1"
same "skopeo keeps the digest" "$(registry_digest "$dst/s/one:1")" "$(image_digest app)"
skopeo_copy --preserve-digests oci-archive:app.tar:1 "docker://$dst/s/tag:1"
same "by its tag" "$(registry_digest "$dst/s/tag:1")" "$(image_digest app)"
skopeo_copy --all --preserve-digests oci-archive:all.tar "docker://$dst/s/all:1"
same "an index keeps its digest" "$(registry_digest "$dst/s/all:1")" "$(image_digest multi)"
skopeo_copy --preserve-digests "oci-archive:two.tar:$src/test/app2:1" "docker://$dst/s/two:1"
same "one of two by its full name" "$(registry_digest "$dst/s/two:1")" "$(image_digest app2)"
skopeo_copy "docker-archive:two.tar:$src/test/app2:1" "docker://$dst/s/docker:1"

step "docker load"
if command -v docker >/dev/null 2>&1 && start_dockerd daemon; then
	export DOCKER_HOST="$daemon"
	docker load -i two.tar >out 2>err || fail "docker load"
	for name in app app2; do
		docker create --name "c-$name" "$src/test/$name:1" /bin/sh >out 2>err || fail "docker create"
		docker export "c-$name" -o export.tar
		check "the files in a container" python3 "$SOURCE_DIR/fixtures/image/image.py" compare image "$name" export.tar
	done
	unset DOCKER_HOST
else
	echo "no docker daemon here: left out"
fi

step "podman load"
if command -v podman >/dev/null 2>&1; then
	podman_here() {
		podman --root "$T/podman/root" --runroot "$T/podman/run" --storage-driver vfs --cgroup-manager cgroupfs \
			--events-backend file "$@"
	}
	if podman_here info >out 2>err; then
		podman_here load -q -i app.tar >out 2>err || fail "podman load"
		same "podman keeps the digest" "$(podman_here image inspect --format '{{.Digest}}' "$src/test/app:1")" \
			"$(image_digest app)"
	else
		echo "podman cannot run here: left out"
	fi
fi

step "umoci, from the unpacked layout"
if command -v umoci >/dev/null 2>&1; then
	mkdir layout
	tar -xf app.tar -C layout
	rm layout/imgpack.json layout/manifest.json
	check "umoci stat" umoci stat --image layout:1
fi

step "plain tools"
mkdir plain
tar -xf all.tar -C plain || fail "tar -x"
(cd plain/blobs/sha256 && for file in *; do echo "$file  $file"; done | sha256sum -c --quiet) || fail "sha256sum of the blobs"
