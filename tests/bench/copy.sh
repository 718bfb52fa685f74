#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast is copy between two registries on this machine, and with how little memory and disk? Against crane copy and skopeo
# copy of the same image into an empty registry.
. "$(dirname "$0")/lib.sh"
need docker-registry jq strace
start_registry src
start_registry full
big_image
push_images "$src" big
echo "big: $bytes bytes; $(nproc) cores"

step "memory and disk of one copy"
/usr/bin/time -f '%M' -o "$T/peak" "$IMGPACK" copy "$src/test/big:1" "$full/test/big:1" -q || fail "copy"
same "the copy" "$(registry_digest "$full/test/big:1")" "$digest"
echo "peak memory: $(cat "$T/peak") KiB"
start_registry traced
strace -f -qq -e trace=open,openat,creat,memfd_create -o "$T/opens" "$IMGPACK" copy "$src/test/big:1" "$traced/test/big:1" -q ||
	fail "copy, traced"
echo "files opened for writing: $(grep -cE 'O_WRONLY|O_RDWR|O_CREAT|memfd' "$T/opens")"
stop_pid "$traced_pid"

# An empty registry each time: another repository is not enough, blobs are shared below. Its storage is emptied instead.
start_registry dst
empty="rm -rf '$T/dst/docker'"
add "imgpack copy, empty registry" sh -c "$empty; '$IMGPACK' copy '$src/test/big:1' '$dst/imgpack:1'"
add "imgpack copy, all is there" "$IMGPACK" copy "$src/test/big:1" "$full/test/big:1"
have "$CRANE" && add "crane copy, empty registry" sh -c "$empty; $CRANE copy --insecure '$src/test/big:1' '$dst/crane:1'"
have "$SKOPEO" && add "skopeo copy, empty registry" sh -c "$empty; $SKOPEO --insecure-policy copy -q --preserve-digests \
	--src-tls-verify=false --dest-tls-verify=false 'docker://$src/test/big:1' 'docker://$dst/skopeo:1'"
compare
