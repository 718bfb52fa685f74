#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast is verify? Against sha256sum and openssl over the same file, on one core and on all.
. "$(dirname "$0")/lib.sh"
need docker-registry jq
start_registry src
big_image
push_images "$src" big
exits 0 imgpack fetch "$src/test/big:1" -o "$T/i.tar" --platform linux/amd64
bytes=$(wc -c <"$T/i.tar")
echo "archive: $bytes bytes; $(nproc) cores"
$OPENSSL speed -seconds 2 -bytes 65536 -evp sha256 2>/dev/null | tail -n 1

add "imgpack verify --no-diff-ids" "$IMGPACK" verify "$T/i.tar" --no-diff-ids
add "imgpack verify" "$IMGPACK" verify "$T/i.tar"
add "openssl dgst -sha256" $OPENSSL dgst -sha256 "$T/i.tar"
add "sha256sum" sha256sum "$T/i.tar"
# What diff IDs cost where somebody does them by hand.
mkdir "$T/x"
tar -xf "$T/i.tar" -C "$T/x"
layers=$(jq -r '.layers[].digest' "$T/image/blobs/${digest#sha256:}" | sed "s,^sha256:,$T/x/blobs/sha256/,")
add "gzip -dc | openssl dgst, each layer" sh -c "for l in $(echo $layers); do gzip -dc \$l | $OPENSSL dgst -sha256; done"
compare
