#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How much memory does each verb take, for a small and for a large image? It must not grow with the image.
. "$(dirname "$0")/lib.sh"
need docker-registry jq
start_registry src
start_registry dst
big_image
push_images "$src" app big
ROUNDS=1
for name in app big; do
	exits 0 imgpack fetch "$src/test/$name:1" -o "$T/$name.tar" --platform linux/amd64
	bytes=$(wc -c <"$T/$name.tar")
	echo
	echo "$name: $bytes bytes"
	add "fetch" "$IMGPACK" fetch "$src/test/$name:1" -o "$T/i.tar" --platform linux/amd64
	add "fetch --connections 64" "$IMGPACK" fetch "$src/test/$name:1" -o "$T/i.tar" --platform linux/amd64 --connections 64
	add "verify" "$IMGPACK" verify "$T/$name.tar"
	add "inspect" "$IMGPACK" inspect "$T/$name.tar"
	add "load to a registry" sh -c "rm -rf '$T/dst/docker'; '$IMGPACK' load '$T/$name.tar' --to registry:$dst"
	compare
done
