#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: inventory says what real stores have: docker with a graph driver (and what its chains mean, tried with the daemon
# itself), docker's containerd store, containerd, podman, an OCI layout, archives; the list survives mail.
# timeout: 300
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq
start_registry src
push_images "$src"
cd "$T" || exit 1
exits 0 imgpack fetch "$src/test/app:1" -o app.tar --platform linux/amd64
exits 0 imgpack fetch "$src/test/multi:1" -o multi.tar --all-platforms
exits 0 imgpack fetch "$src/test/plain:1" "$src/test/zstd:1" -o two.tar --platform linux/amd64 --split 300k --parity 1

# blobs FILE: the list's digests of a kind. in_archive FILE: what the archive has.
blobs() {
	grep '^sha256:' "$1"
}
in_archive() {
	tar tf "$1" | sed -n 's,^blobs/sha256/\([0-9a-f]*\)$,sha256:\1,p' | sort
}

step "archives"
exits 0 imgpack inventory app.tar -o app.list
same "an archive's blobs" "$(blobs app.list)" "$(in_archive app.tar)"
mkdir folder
cp app.tar multi.tar folder
mv two.tar.* two.parity.* two.sha256 folder
echo "no archive" >folder/strange
exits 0 imgpack inventory folder -o folder.list --json
says "strange is left out"
same "archives in the folder" "$(jq .archives out)" 3
cat folder/two.tar.* >two.tar
same "a folder's blobs" "$(blobs folder.list)" "$(for a in app multi two; do in_archive $a.tar; done | sort -u)"
exits 0 imgpack inventory app.tar multi.tar folder/two.tar.001 -o files.list
same "the same of files" "$(grep -v '^#' files.list)" "$(grep -v '^#' folder.list)"
mkdir empty
exits 5 imgpack inventory empty
exits 6 imgpack inventory nothing.tar
exits 1 imgpack inventory folder/strange

step "mail and editors"
# A digest's line is at most 72 columns, so no mail program wraps it.
[ "$(awk '{ if (length($0) > n) n = length($0) } END { print n }' files.list)" -le 72 ] || fail "a long line"
{
	printf '\357\273\277'
	sed 's/^/> /; s/$/  \r/' files.list
} >mailed.list
exits 0 imgpack inventory mailed.list
same "a quoted mail with CRLF" "$(grep -v '^#' out)" "$(grep -v '^#' files.list)"
sed '/^sha256:/{s/[0-9a-f]$/x/;}' files.list >changed.list
exits 1 imgpack inventory changed.list
says "is damaged at line"
sed '$!{/^sha256:.*0$/d;}' files.list >short.list
exits 1 imgpack inventory short.list
iconv -t UTF-16 files.list >wide.list
exits 1 imgpack inventory wide.list

step "an OCI layout"
mkdir layout
tar xf multi.tar -C layout
exits 0 imgpack inventory oci:layout
same "its blobs" "$(blobs out)" "$(in_archive multi.tar)"

if start_dockerd classic; then
	export DOCKER_HOST="$classic"
	step "docker with a graph driver: an empty one"
	exits 0 imgpack inventory docker
	same "nothing" "$(grep -c '^chain:' out)" 0

	# image.py NAME LAYER... -OMITTED...: a docker archive; LAYER is the name of a layer of one file.
	cat >make.py <<'END'
import hashlib, io, json, sys, tarfile

def layer(name):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo(name)
        member.size = len(name)
        tar.addfile(member, io.BytesIO(name.encode()))
    return out.getvalue()

name, words = sys.argv[1], sys.argv[2:]
layers = [layer(w.lstrip("-")) for w in words]
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": [name]}, "rootfs": {
    "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(x).hexdigest() for x in layers]}}).encode()
members = [("config.json", config)] + [
    ("%d.tar" % i, x) for i, x in enumerate(layers) if not words[i].startswith("-")]
members.append(("manifest.json", json.dumps([{"Config": "config.json", "RepoTags": ["test/%s:1" % name],
                                              "Layers": ["%d.tar" % i for i in range(len(layers))]}]).encode()))
with tarfile.open(name + ".tar", "w", format=tarfile.USTAR_FORMAT) as tar:
    for path, data in members:
        member = tarfile.TarInfo(path)
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
END
	step "what a chain means"
	python3 make.py first base common || fail "make an image"
	check "docker has the first image" docker load -i first.tar
	exits 0 imgpack inventory docker -o docker.list
	same "two layers, no blobs" "$(grep -c '^chain:' docker.list) $(grep -c '^sha256:' docker.list)" "2 0"
	exits 0 imgpack inventory first.tar
	same "the chains of the archive" "$(grep '^chain:' out)" "$(grep '^chain:' docker.list)"
	python3 make.py second -base -common new
	check "a layer is left out if its chain is listed" docker load -i second.tar
	python3 make.py third -common base
	refuse "the same diff ID on another base is another layer" docker load -i third.tar
	exits 0 imgpack inventory docker
	same "three layers now" "$(grep -c '^chain:' out)" 3

	step "a list of docker itself says what it has of an image that imgpack loaded"
	exits 0 imgpack load app.tar --to docker
	exits 0 imgpack inventory docker -o docker.list
	exits 0 imgpack inventory app.tar -o app.list
	same "its chains" "$(grep '^chain:' app.list | grep -cxFf docker.list)" "$(grep -c '^chain:' app.list)"
	unset DOCKER_HOST
fi
DOCKER_HOST=unix://$T/nobody exits 3 imgpack inventory docker

if start_dockerd modern containerd; then
	step "docker's containerd store"
	DOCKER_HOST=$modern exits 0 imgpack load multi.tar --to docker
	DOCKER_HOST=$modern exits 0 imgpack inventory docker
	same "the archive's blobs" "$(blobs out)" "$(in_archive multi.tar)"
fi

# Others can be named: DOCKER_HOST values of daemons that have the containerd store and are ours to fill.
for daemon in ${IMGPACK_TEST_CONTAINERD_STORES:-}; do
	step "docker's containerd store at $daemon"
	DOCKER_HOST=$daemon exits 0 imgpack load multi.tar --to docker
	DOCKER_HOST=$daemon exits 0 imgpack inventory docker
	same "blobs that are missing" "$(in_archive multi.tar | grep -vxFf out)" ""
done

if command -v podman >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
	step "podman"
	printf '[storage]\ndriver = "vfs"\ngraphroot = "%s/podman"\nrunroot = "%s/podman.run"\n' "$T" "$T" >storage.conf
	CONTAINERS_STORAGE_CONF=$T/storage.conf
	export CONTAINERS_STORAGE_CONF
	if podman load -q -i app.tar >podman.log 2>&1; then
		exits 0 imgpack inventory podman
		for layer in $(jq -r '.layers[].digest' "image/blobs/$(image_digest app | cut -d: -f2)"); do
			grep -qx "$layer" out || fail "a layer of podman's image"
		done
	fi
fi

if command -v containerd >/dev/null 2>&1 && command -v ctr >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
	step "containerd"
	cat >containerd.toml <<END
version = 2
root = "$T/containerd/root"
state = "$T/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$T/containerd.sock"
[ttrpc]
  address = "$T/containerd.ttrpc"
END
	spawn containerd containerd -c containerd.toml
	if wait_for 20 ctr -a "$T/containerd.sock" version; then
		exits 0 imgpack inventory "containerd:$T/containerd.sock"
		same "an empty one" "$(grep -c '^sha256:' out)" 0
		ctr -a "$T/containerd.sock" -n k8s.io images import --snapshotter native app.tar >ctr.log 2>&1 || fail "ctr import"
		exits 0 imgpack inventory "containerd:$T/containerd.sock"
		same "the archive's blobs" "$(blobs out)" "$(in_archive app.tar)"
		exits 0 imgpack inventory "containerd:$T/containerd.sock,other"
		same "another namespace" "$(grep -c '^sha256:' out)" 0
	fi
fi
exits 3 imgpack inventory "containerd:$T/nobody.sock"
exits 2 imgpack inventory k3s
exits 2 imgpack inventory -
