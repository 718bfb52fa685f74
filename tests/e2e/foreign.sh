#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: archives that other programs wrote are verified, inspected, loaded to a registry and to docker, and converted: docker
# save, skopeo, podman, buildah, umoci, ctr, and in the shape of docker 1.10, k3s and hauler; plain and compressed outside;
# and a damaged one is refused.
#
#     OUTSIDE="made/imgpack.tar made/hauler.tar made/k3s-airgap.tar"   these compressed outside in every way, not one
#     PEERS=DIR   a Debian chroot with newer programs (crane, skopeo, podman, docker with both stores): their archives, too
#
# timeout: 900
# sanitize: no (unit/pack_foreign reads the same kinds there)
. "$(dirname "$0")/lib/common.sh"
need docker-registry skopeo jq curl bzip2 lz4
start_registry src
start_registry dst
push_images "$src" app app2 app-docker multi
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
skopeo_copy "$reference" oci:haul:app:1
skopeo_copy "docker://$src/test/app2:1" oci:haul:app2:1
shapes() {
	python3 "$LIB/shapes.py" "$@" || fail "shapes.py"
}
shapes haul haul made/hauler.tar
shapes legacy made/skopeo-docker.tar made/docker-legacy.tar
if command -v docker >/dev/null 2>&1 && start_dockerd daemon; then
	docker -H "$daemon" load -q -i made/skopeo-docker.tar >out 2>err || fail "docker load"
	docker -H "$daemon" tag example.com/team/app:1 example.com/team/app:second
	docker_save() {
		docker -H "$daemon" save "$@" || fail "docker save"
	}
	skopeo_copy "docker://$src/test/app2:1" docker-archive:app2.tar:example.com/team/app2:1
	docker -H "$daemon" load -q -i app2.tar >out 2>err || fail "docker load"
	docker_save example.com/team/app:1 example.com/team/app:second -o made/docker-save.tar
	docker_save example.com/team/app:1 example.com/team/app2:1 -o made/docker-two.tar
	docker_save "$(docker -H "$daemon" image inspect -f '{{.Id}}' example.com/team/app:1)" -o made/docker-id.tar
	# k3s' airgap bundle is one docker save of all its images.
	docker_save example.com/team/app:1 example.com/team/app2:1 example.com/team/app:second -o made/k3s-airgap.tar
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
		podman_here load -q -i app2.tar >out 2>err || fail "podman load"
		podman_here save -q -m --format docker-archive -o made/podman-two.tar example.com/team/app:1 example.com/team/app2:1 \
			2>err || fail "podman save of two"
	else
		echo "podman cannot run here: left out"
	fi
	if command -v buildah >/dev/null 2>&1 && [ -f made/podman-oci.tar ]; then
		mkdir -p "$DOCKER_CONFIG" && echo '{}' >"$DOCKER_CONFIG/config.json" # buildah insists on it where DOCKER_CONFIG is set
		buildah --root "$T/podman/root" --runroot "$T/podman/run" --storage-driver vfs push -q \
			example.com/team/app:1 "oci-archive:$T/made/buildah-oci.tar:example.com/team/app:1" >out 2>err ||
			fail "buildah push"
		buildah --root "$T/podman/root" --runroot "$T/podman/run" --storage-driver vfs push -q \
			example.com/team/app:1 "docker-archive:$T/made/buildah-docker.tar:example.com/team/app:1" >out 2>err ||
			fail "buildah push"
	fi
fi
if command -v umoci >/dev/null 2>&1; then
	skopeo_copy "$reference" oci:umoci:1
	umoci tag --image umoci:1 second >out 2>err || fail "umoci tag"
	tar -C umoci -cf made/umoci.tar .
fi
if command -v ctr >/dev/null 2>&1 && start_containerd node; then
	node_ctr() {
		ctr --address "$node" "$@" >out 2>err || fail "ctr $2"
	}
	node_ctr images pull --plain-http --platform linux/amd64 "$src/test/app:1"
	node_ctr images export made/ctr.tar "$src/test/app:1"
	node_ctr content fetch --plain-http --all-platforms "$src/test/multi:1"
	node_ctr images export --all-platforms made/ctr-all.tar "$src/test/multi:1"
	node_ctr images export --platform linux/amd64 made/ctr-one.tar "$src/test/multi:1"
fi
if [ -n "${PEERS:-}" ]; then
	mkdir "$PEERS/out/$$"
	peers() {
		chroot "$PEERS" "$@" >out 2>err || fail "a newer $1"
	}
	peers crane pull --insecure "$src/test/app:1" "/out/$$/crane-tarball.tar"
	peers crane pull --insecure --format legacy "$src/test/app:1" "/out/$$/crane-legacy.tar"
	peers crane pull --insecure --format oci "$src/test/app:1" "/out/$$/crane"
	tar -C "$PEERS/out/$$/crane" -cf made/crane-oci.tar .
	rm -rf "$PEERS/out/$$/crane"
	for format in docker oci; do
		peers skopeo --insecure-policy copy -q --src-tls-verify=false "$reference" \
			"$format-archive:/out/$$/new-skopeo-$format.tar:example.com/team/app:1"
	done
	mv "$PEERS/out/$$/"*.tar made/
	rmdir "$PEERS/out/$$"
	for store in classic containerd; do
		[ -S "$PEERS/srv/$store/docker.sock" ] || continue
		docker -H "unix://$PEERS/srv/$store/docker.sock" load -q -i made/skopeo-docker.tar >out 2>err || fail "newer docker"
		docker -H "unix://$PEERS/srv/$store/docker.sock" save example.com/team/app:1 -o "made/docker28-$store.tar" ||
			fail "newer docker save"
	done
fi
"$IMGPACK" fetch "$src/test/app:1" -o made/imgpack.tar --platform linux/amd64 >out 2>err || fail "fetch"

# What `docker load` of the same archive gives is the config, whoever wrote it.
config=$(jq -r .config.digest "image/blobs/$(image_digest app | cut -d: -f2)")

step "verify, inspect, load, convert"
# What an image has in common, whoever wrote it: its layers' content.
diff_ids() {
	jq -c .rootfs.diff_ids "image/blobs/${config#sha256:}"
}
diff_ids_of() {
	curl -sf "http://$dst/v2/$1/blobs/$(registry_manifest "$dst/$1:1" | jq -r .config.digest)" | jq -c .rootfs.diff_ids
}
# The name, or the digest, of app, where several are in it.
app_of() {
	jq -r 'first((.images[] | .name // "" | select(endswith("/app:1"))), (.images[0] | .name // .digest))' "$1"
}
number=0
for file in made/*.tar; do
	number=$((number + 1))
	name=$(basename "$file" .tar)
	exits 0 imgpack verify "$file"
	exits 0 imgpack inspect "$file" --json
	[ "$(jq '.images | length' out)" -ge 1 ] || fail "inspect shows no image"
	cp out inspected.json
	exits 0 imgpack inspect "$file"
	prints linux/amd64
	old=$(app_of inspected.json)
	# A second name, or a second image, that has none gets one, too.
	set -- --name "$old=$dst/loaded/$name:1"
	for other in $(jq -r '.images[1:][] | select(.name == null) | .digest' inspected.json); do
		set -- "$@" --name "$other=$dst/other/$name:1"
	done
	case $name in
	ctr-one | docker28-containerd)
		# An index of which one platform is there: a registry takes none such.
		exits 7 imgpack load "$file" --to "registry:$dst/$name" "$@"
		exits 0 imgpack load "$file" --to "registry:$dst/$name" "$@" --platform linux/amd64
		;;
	*) exits 0 imgpack load "$file" --to "registry:$dst/$name" "$@" --json ;;
	esac
	exits 0 imgpack convert "$file" -o new.tar
	exits 0 imgpack verify new.tar
	exits 0 imgpack load new.tar --to "registry:$dst/$name" "$@" --replace --json
	if [ -n "${daemon:-}" ]; then
		exits 0 env "DOCKER_HOST=$daemon" "$IMGPACK" load "$file" --to docker --name "$old=example.com/loaded/$name:1" --replace
		check "docker has it" docker -H "$daemon" image inspect "example.com/loaded/$name:1"
	fi
	case $name in
	skopeo-index | ctr-all) continue ;;
	ctr-one) continue ;;
	docker-legacy)
		same "the diff IDs, the last one twice" "$(diff_ids_of "loaded/$name")" "$(diff_ids | jq -c '. + [.[-1]]')"
		continue
		;;
	buildah-oci | podman-oci)
		# buildah and podman write the config anew for an OCI archive; the layers' content is what they keep.
		same "the diff IDs after the journey" "$(diff_ids_of "loaded/$name")" "$(diff_ids)"
		continue
		;;
	esac
	same "the config after the journey" "$(registry_manifest "$dst/loaded/$name:1" | jq -r .config.digest)" "$config"
	case $name in
	skopeo-oci | imgpack | umoci | hauler | ctr | crane-oci | new-skopeo-oci)
		same "the registry's own digest" "$(registry_digest "$dst/loaded/$name:1")" "$(image_digest app)"
		;;
	esac
done
echo "$number archives"
[ "$number" -ge 3 ] || fail "too few programs are here"
same "an index's digest" "$(registry_digest "$dst/loaded/skopeo-index:1")" "$(image_digest multi)"

step "compressed outside"
for file in ${OUTSIDE:-made/skopeo-docker.tar}; do
	[ -f "$file" ] || continue
	gzip -c "$file" >x.tar.gz
	xz -0 -c "$file" >x.tar.xz
	zstd -q -c "$file" >x.tar.zst
	bzip2 -c "$file" >x.tar.bz2
	lz4 -q -c "$file" >x.tar.lz4
	cp x.tar.gz misnamed.tar
	exits 0 imgpack convert "$file" -o plain.tar
	for packed in x.tar.gz x.tar.xz x.tar.zst x.tar.bz2 x.tar.lz4 misnamed.tar; do
		exits 0 imgpack verify "$packed"
		exits 0 imgpack inspect "$packed" --json
		head -c $(($(wc -c <"$packed") / 2)) "$packed" >half
		exits 1 imgpack verify half
		exits 1 imgpack convert half -o none.tar
		check "nothing is written" test ! -e none.tar -a ! -e none.tar.part
		exits 0 sh -c "cat $packed | $IMGPACK convert - -o piped.tar"
		check "the same out of $packed" cmp piped.tar plain.tar
	done
	exits 0 imgpack inspect x.tar.zst --json
	exits 0 imgpack load x.tar.zst --to "registry:$dst/packed" --name "$(app_of out)=$dst/packed/app:1" --replace
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

step "convert says what it does"
exits 0 imgpack convert made/skopeo-docker.tar -o new.tar --json
same "a manifest is made up" "$(jq '[.unproved[] | select(contains("made up"))] | length' out)" 1
same "and its source told" "$(jq -r .source.format out)" "docker archive"
mkdir cut
exits 0 imgpack convert made/skopeo-oci.tar -o cut/x.tar --split 64K --parity 2 --name "$(image_digest app)=example.com/named:1"
exits 0 imgpack verify cut
rm cut/x.tar.001 cut/x.tar.003
exits 0 imgpack repair cut
exits 0 imgpack convert cut -o whole.tar
exits 0 imgpack inspect whole.tar --json
same "its name" "$(jq -r '.images[0].name' out)" example.com/named:1
same "its digest" "$(jq -r '.images[0].digest' out)" "$(image_digest app)"
exits 0 imgpack convert made/imgpack.tar -o same.tar
check "ours stays as it is" cmp same.tar made/imgpack.tar
exits 1 imgpack convert bad.tar -o none.tar
exits 2 imgpack convert made/imgpack.tar
exits 6 imgpack convert made/imgpack.tar -o nowhere/x.tar
check "nothing is left" test ! -e none.tar -a ! -e none.tar.part -a ! -e none.tar.part.journal
# Of an index whose first platform is not there the others are taken.
mkdir sparse
tar -C sparse -xf made/skopeo-index.tar
rm "sparse/blobs/sha256/$(child_digest multi linux/amd64 | cut -d: -f2)"
tar -C sparse -cf sparse.tar .
exits 0 imgpack convert sparse.tar -o new.tar
says "will not resolve on the other side"
exits 0 imgpack verify new.tar
exits 0 imgpack load new.tar --to "registry:$dst/sparse" --name "$(image_digest multi)=$dst/sparse/multi:1"
