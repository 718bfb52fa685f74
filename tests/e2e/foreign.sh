#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: archives that other programs wrote are verified, inspected and loaded: docker save, skopeo, podman and buildah, plain
# and compressed outside; and a damaged one is refused.
# sanitize: no (unit/pack_foreign reads the same kinds there)
. "$(dirname "$0")/lib/common.sh"
need docker-registry skopeo jq curl
start_registry src
start_registry dst
push_images "$src" app app-docker multi
cd "$T" || exit 1
reference=docker://$src/test/app:1

step "archives by other programs"
skopeo_copy() {
	skopeo --insecure-policy copy -q --src-tls-verify=false "$@" >"$T/out" 2>"$T/err" || fail "skopeo copy"
}
mkdir made
skopeo_copy "$reference" "docker-archive:made/skopeo-docker.tar:example.com/team/app:1"
skopeo_copy "$reference" "oci-archive:made/skopeo-oci.tar:1"
skopeo_copy --all "docker://$src/test/multi:1" "oci-archive:made/skopeo-index.tar:1"
if command -v docker >/dev/null 2>&1 && start_dockerd daemon; then
	docker -H "$daemon" load -q -i made/skopeo-docker.tar >out 2>err || fail "docker load"
	docker -H "$daemon" tag example.com/team/app:1 example.com/team/app:second
	docker -H "$daemon" save example.com/team/app:1 example.com/team/app:second -o made/docker-save.tar || fail "docker save"
fi
if command -v podman >/dev/null 2>&1; then
	podman_here() {
		podman --root "$T/podman/root" --runroot "$T/podman/run" --storage-driver vfs --cgroup-manager cgroupfs \
			--events-backend file "$@"
	}
	if podman_here load -q -i made/skopeo-docker.tar >out 2>err; then
		podman_here save -q --format docker-archive -o made/podman-docker.tar example.com/team/app:1 2>err ||
			fail "podman save as a docker archive"
		podman_here save -q --format oci-archive -o made/podman-oci.tar example.com/team/app:1 2>err ||
			fail "podman save as an OCI archive"
	else
		echo "podman cannot run here: left out"
	fi
	if command -v buildah >/dev/null 2>&1 && [ -f made/podman-oci.tar ]; then
		mkdir -p "$DOCKER_CONFIG" && echo '{}' >"$DOCKER_CONFIG/config.json" # buildah insists on it where DOCKER_CONFIG is set
		buildah --root "$T/podman/root" --runroot "$T/podman/run" --storage-driver vfs push -q \
			example.com/team/app:1 "oci-archive:$T/made/buildah-oci.tar:example.com/team/app:1" >out 2>err ||
			fail "buildah push"
	fi
fi
"$IMGPACK" fetch "$src/test/app:1" -o made/imgpack.tar --platform linux/amd64 >out 2>err || fail "fetch"

# What `docker load` of the same archive gives is the config, whoever wrote it.
config=$(jq -r .config.digest "image/blobs/$(image_digest app | cut -d: -f2)")

step "verify, inspect, load"
number=0
for file in made/*.tar; do
	number=$((number + 1))
	exits 0 imgpack verify "$file"
	exits 0 imgpack inspect "$file" --json
	[ "$(jq '.images | length' out)" -ge 1 ] || fail "inspect shows no image"
	exits 0 imgpack inspect "$file"
	prints linux/amd64
	name=$(basename "$file" .tar)
	old=$("$IMGPACK" inspect "$file" --json | jq -r '.images[0].name // .images[0].digest')
	exits 0 imgpack load "$file" --to "registry:$dst/$name" --name "$old=$dst/loaded/$name:1" --json
	case $name in
	skopeo-index) continue ;;
	esac
	if [ "$name" = buildah-oci ] || [ "$name" = podman-oci ]; then
		# buildah and podman write the config anew for an OCI archive; the layers' content is what they keep.
		new=$(registry_manifest "$dst/loaded/$name:1" | jq -r .config.digest)
		same "the diff IDs after the journey" "$(curl -sf "http://$dst/v2/loaded/$name/blobs/$new" | jq -c .rootfs.diff_ids)" \
			"$(jq -c .rootfs.diff_ids "image/blobs/${config#sha256:}")"
		continue
	fi
	same "the config after the journey" "$(registry_manifest "$dst/loaded/$name:1" | jq -r .config.digest)" "$config"
	case $name in
	skopeo-oci | imgpack) same "the registry's own digest" "$(registry_digest "$dst/loaded/$name:1")" "$(image_digest app)" ;;
	esac
done
echo "$number archives"
same "an index's digest" "$(registry_digest "$dst/loaded/skopeo-index:1")" "$(image_digest multi)"

step "compressed outside"
for file in made/imgpack.tar made/skopeo-oci.tar made/skopeo-docker.tar made/docker-save.tar; do
	[ -f "$file" ] || continue
	gzip -c "$file" >x.tar.gz
	xz -0 -c "$file" >x.tar.xz
	zstd -q -c "$file" >x.tar.zst
	cp x.tar.gz misnamed.tar
	for packed in x.tar.gz x.tar.xz x.tar.zst misnamed.tar; do
		exits 0 imgpack verify "$packed"
		exits 0 imgpack inspect "$packed" --json
		head -c $(($(wc -c <"$packed") / 2)) "$packed" >half
		exits 1 imgpack verify half
	done
	exits 0 imgpack load x.tar.zst --to "registry:$dst/packed" --name \
		"$("$IMGPACK" inspect "$file" --json | jq -r '.images[0].name // .images[0].digest')=$dst/packed/app:1" --replace
	same "the config out of a compressed archive" "$(registry_manifest "$dst/packed/app:1" | jq -r .config.digest)" "$config"
done

step "damage in them is found"
for file in made/*.tar; do
	# In the middle of the largest member: a layer.
	where=$(python3 -c 'import sys, tarfile
largest = max(tarfile.open(sys.argv[1]), key=lambda m: m.size)
print(largest.offset_data + largest.size // 2)' "$file")
	cp "$file" bad.tar
	python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2])); b = f.read(1)[0]; f.seek(-1, 1); f.write(bytes([b ^ 64]))' bad.tar "$where"
	exits 1 imgpack verify bad.tar
	old=$("$IMGPACK" inspect "$file" --json | jq -r '.images[0].name // .images[0].digest')
	exits 1 imgpack load bad.tar --to "registry:$dst" --name "$old=$dst/bad/team/app:1"
done
refuse "something was loaded from a damaged archive" registry_digest "$dst/bad/team/app:1"
