#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Does it hold for what is really large? A layer of 8 GiB and a byte, which no longer fits the size field of a plain tar header,
# and an archive of 30 GiB: fetched, verified and loaded, and how much memory each took.
#     WORK=/var/tmp LAYERS="8589934593" sh tests/bench/large.sh          8 GiB + 1 alone, into docker too where one can run
#     LAYERS="8589934593 8589934592 8589934591 6442450944" SPLIT=4G sh tests/bench/large.sh
# The layers are zeros, sparse in the source registry's folder, and in the archive once it is written; the copies take their
# size on the disk.
TMPDIR=${WORK:-/var/tmp}
export TMPDIR
. "$(dirname "$0")/lib.sh"
need docker-registry jq time
LAYERS=${LAYERS:-8589934593}
cd "$T" || exit 1
start_registry src
start_registry dst

python3 - "$T/src" $LAYERS <<'END' || fail "make the image"
import hashlib, json, os, sys

root = os.path.join(sys.argv[1], "docker/registry/v2")


def link(path, digest):
    os.makedirs(os.path.join(root, path), exist_ok=True)
    with open(os.path.join(root, path, "link"), "w") as f:
        f.write("sha256:" + digest)


def put(digest, write):
    folder = os.path.join(root, "blobs/sha256", digest[:2], digest)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "data"), "wb") as f:
        write(f)
    link("repositories/test/large/_layers/sha256/" + digest, digest)


layers, diffs = [], []
for number, size in enumerate(map(int, sys.argv[2:])):
    # A tar whose one member is zeros, and zeros behind its end up to the size: sparse but for the header.
    header = bytearray(512)
    name = b"zeros-%d" % number
    header[:len(name)] = name
    header[100:108], header[108:116], header[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    header[124:136], header[136:148], header[156:157] = b"%011o\0" % 1048576, b"00000000000\0", b"0"
    header[257:265] = b"ustar\x0000"
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    digest = hashlib.sha256(header)
    left = size - 512
    block = bytes(1 << 22)
    while left:
        n = min(left, len(block))
        digest.update(block[:n])
        left -= n
    digest = digest.hexdigest()
    put(digest, lambda f: (f.write(header), f.truncate(size)))
    layers.append({"mediaType": "application/vnd.docker.image.rootfs.diff.tar", "size": size, "digest": "sha256:" + digest})
    diffs.append("sha256:" + digest)
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diffs}}).encode()
name = hashlib.sha256(config).hexdigest()
put(name, lambda f: f.write(config))
manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "config": {
    "mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": "sha256:" + name},
    "layers": layers}).encode()
name = hashlib.sha256(manifest).hexdigest()
put(name, lambda f: f.write(manifest))
for path in ("_manifests/revisions/sha256/" + name, "_manifests/tags/1/current", "_manifests/tags/1/index/sha256/" + name):
    link("repositories/test/large/" + path, name)
END

# measured TEXT COMMAND...: it must succeed; its time and its largest memory.
measured() {
	measured_text=$1
	shift
	command time -o time.log -f '%e s, %U + %S s CPU, %M KiB' "$@" >out 2>err || fail "$measured_text"
	echo "$measured_text: $(cat time.log)"
	[ "$(sed 's/.* \([0-9]*\) KiB/\1/' time.log)" -le 65536 ] || fail "$measured_text: more than 64 MiB"
}

archive=large.tar
measured "fetch" "$IMGPACK" fetch "$src/test/large:1" -o "$archive" --platform linux/amd64 ${SPLIT:+--split "$SPLIT"} -q
[ -z "${SPLIT:-}" ] || archive=large.tar.001
ls -l large*
# The archive's bytes stay; the disk under its zeros is given back, so that it need hold the registry's copy alone.
for file in large.tar*; do fallocate --dig-holes "$file" || fail "$file: its holes"; done
# The source is not needed any more, nor is its disk.
measured "verify" "$IMGPACK" verify "$archive" -q
measured "load into a registry" "$IMGPACK" load "$archive" --to "registry:$dst" -q
if [ -z "${SPLIT:-}" ] && start_dockerd daemon; then
	rm -rf dst
	DOCKER_HOST=$daemon measured "load into docker" "$IMGPACK" load "$archive" --to docker -q
fi
