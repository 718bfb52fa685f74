#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast is verify of a split archive? Against sha256sum of the same files, on one core and on all, and against the archive in
# one file. The kernel has all of it in memory: what is measured is the hash.
. "$(dirname "$0")/lib.sh"
need docker-registry jq
start_registry src
big_image
push_images "$src" big
mkdir "$T/set"
exits 0 imgpack fetch "$src/test/big:1" -o "$T/i.tar" --platform linux/amd64
bytes=$(wc -c <"$T/i.tar")
exits 0 imgpack fetch "$src/test/big:1" -o "$T/set/i.tar" --platform linux/amd64 --split $((bytes / 8 + 1)) --have-archive "$T/i.tar"
echo "archive: $bytes bytes in $(find "$T/set" -name 'i.tar.*' | wc -l) chunks; $(nproc) cores"

add "imgpack verify --no-diff-ids, chunks" "$IMGPACK" verify "$T/set" --no-diff-ids
add "imgpack verify --no-diff-ids, one file" "$IMGPACK" verify "$T/i.tar" --no-diff-ids
add "imgpack verify, chunks" "$IMGPACK" verify "$T/set"
add "sha256sum, $(nproc) at once" sh -c "ls '$T'/set/i.tar.* | xargs -P$(nproc) -n1 sha256sum"
add "sha256sum -c" sh -c "cd '$T/set' && sha256sum -c i.sha256"
add "imgpack inspect, chunks" "$IMGPACK" inspect "$T/set"
compare
