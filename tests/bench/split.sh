#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What does --split cost? The same bytes in several files cost nothing; their sums are two more SHA-256 of each byte (the whole
# chunk, its blocks of 4 MiB), and parity is one pass more. From a registry on this machine, where the CPU is the limit, and over
# a line of 40 MB/s, where it is not.
. "$(dirname "$0")/lib.sh"
need docker-registry jq
start_registry src
big_image
push_images "$src" big
echo "big: $bytes bytes; $(nproc) cores"
mkdir "$T/one" "$T/cut" "$T/par"
whole() { add "$1" "$IMGPACK" fetch "$src/test/big:1" -o "$T/one/x.tar" --platform linux/amd64 $2; }
chunks() { add "$1" "$IMGPACK" fetch "$src/test/big:1" -o "$T/$3/x.tar" --platform linux/amd64 --split $((bytes / 12 + 4096)) $2; }
whole "fetch" ""
chunks "fetch --split" "" cut
chunks "fetch --split --parity 2" "--parity 2" par
compare
whole "fetch, 40 MB/s" "--limit-rate 40M"
chunks "fetch --split, 40 MB/s" "--limit-rate 40M" cut
chunks "fetch --split --parity 2, 40 MB/s" "--limit-rate 40M --parity 2" par
compare
