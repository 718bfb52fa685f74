#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast are sums and parity made, and chunks rebuilt? Beside the limits: the hash (each byte is hashed twice, for its block and
# for its chunk), the code alone, and the read.
#
#     PARITY_MB=4096 CHUNKS=60 PARITY=6 FOLDER=/dev/shm BUILD_DIR=build sh tests/bench/parity.sh
. "$(dirname "$0")/lib.sh"
need cc openssl
bytes=$((${PARITY_MB:-4096} * 1048576))
chunks=${CHUNKS:-60}
parity=${PARITY:-6}
folder=$(mktemp -d "${FOLDER:-$T}/imgpack-parity.XXXXXX")
trap 'rm -rf "$folder" "$T"' EXIT

# shellcheck disable=SC2046
check "the driver" cc -O2 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I "$SOURCE_DIR/lib" "$SOURCE_DIR/tests/bench/lib/parity.c" \
	-o "$T/parity" "$BUILD_DIR/libcore.a" $(pkg-config --libs libisal libcrypto) -lpthread
echo "$bytes bytes, $chunks + $parity files in $folder; $(nproc) cores"
"$OPENSSL" speed -seconds 2 -bytes 16384 -evp sha256 2>/dev/null | tail -n 1
"$T/parity" code "$chunks" "$parity" || fail "code"
check "the chunks" "$T/parity" make "$bytes" "$chunks" "$parity" "$folder"
before=$(date +%s%N)
cat "$folder"/x.tar.* >/dev/null
echo "cat, one thread: $(($bytes / ($(date +%s%N) - before))).$(($bytes * 100 / ($(date +%s%N) - before) % 100)) GB/s"
for _ in 1 2 3; do
	"$T/parity" seal "$bytes" "$chunks" "$parity" "$folder" || fail "seal"
done
"$T/parity" repair "$bytes" "$chunks" "$parity" "$folder" || fail "repair"
"$T/parity" seal "$bytes" "$chunks" 0 "$folder" | sed 's/sums and parity/sums alone      /'
