#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast is load into a registry, empty and full? Against crane push and skopeo copy of the same image.
. "$(dirname "$0")/lib.sh"
need docker-registry jq
start_registry src
start_registry full
big_image
push_images "$src" big
exits 0 imgpack fetch "$src/test/big:1" -o "$T/i.tar" --platform linux/amd64
exits 0 imgpack load "$T/i.tar" --to "registry:$full"
[ "$PEER_DIR" = "$T" ] || cp "$T/i.tar" "$PEER_DIR/i.tar"
echo "archive: $(wc -c <"$T/i.tar") bytes; $(nproc) cores"

# An empty registry each time: another repository is not enough, blobs are shared below. Its storage is emptied instead.
start_registry dst
empty="rm -rf '$T/dst/docker'"
add "imgpack load, empty registry" sh -c "$empty; '$IMGPACK' load '$T/i.tar' --to registry:$dst"
add "imgpack load, all is there" "$IMGPACK" load "$T/i.tar" --to "registry:$full"
have "$CRANE" && add "crane push, empty registry" sh -c "$empty; $CRANE push --insecure '$PEER_SEES/i.tar' $dst/crane:1"
have "$SKOPEO" && add "skopeo copy, empty registry" sh -c "$empty; $SKOPEO --insecure-policy copy -q --preserve-digests \
	--dest-tls-verify=false oci-archive:$T/i.tar docker://$dst/skopeo:1"
compare
[ "$PEER_DIR" = "$T" ] || rm -f "$PEER_DIR/i.tar"
