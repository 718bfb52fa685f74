#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How fast is gzip taken apart and rebuilt, on one core, and how large do recipes get? Each blob must come back identical, or be
# kept with a reason. Beside the encoders themselves where they are here.
#
#     BUILD_DIR=build sh tests/bench/rebuild.sh                       tars of FOLDERS through each encoder
#     BUILD_DIR=build sh tests/bench/rebuild.sh BLOB.gz...            these blobs
#     PROTOTYPE=path/to/program BUILD_DIR=build sh tests/bench/rebuild.sh    another rebuilder's figures beside ours
. "$(dirname "$0")/lib.sh"
need cc tar gzip
FOLDERS=${FOLDERS:-/usr/lib/python3}
blobs=$T/blobs

# shellcheck disable=SC2046
check "the driver" cc -O2 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I "$SOURCE_DIR/lib" "$SOURCE_DIR/tests/bench/lib/rebuild.c" \
	-o "$T/rebuild" "$BUILD_DIR/libcore.a" $(pkg-config --libs libisal libcrypto libzstd liblzma) -lpthread

# encode NAME COMMAND...: the tar through one encoder.
encode() {
	name=$1
	shift
	"$@" <"$T/layer.tar" >"$blobs/$name.gz"
}

encode_all() {
	mkdir -p "$blobs"
	for level in 1 6 9; do
		encode "gzip$level" gzip -n "-$level"
		command -v pigz >/dev/null 2>&1 && encode "pigz$level" pigz -n "-$level"
	done
	command -v go >/dev/null 2>&1 && [ -d /usr/share/gocode/src/github.com/klauspost/pgzip ] || return 0
	cp "$SOURCE_DIR/fixtures/regzip/encode.go" "$T/encode.go"
	(cd "$T" && GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="$T/cache" go build -o encode encode.go) || return 0
	for level in 1 6 9; do
		encode "go$level" "$T/encode" go "$level"
	done
	for level in 1 5 6; do
		encode "klauspost$level" "$T/encode" klauspost "$level"
	done
	encode pgzip5 "$T/encode" pgzip 5
}

measure() {
	"$T/rebuild" "$@" || fail "a blob was not rebuilt"
	[ -z "${PROTOTYPE:-}" ] || for blob; do "$PROTOTYPE" "$blob"; done
}

if [ $# -gt 0 ]; then
	measure "$@"
	exit 0
fi
for folder in $FOLDERS; do
	echo "$folder"
	tar --sort=name -cf "$T/layer.tar" -C "$folder" . 2>/dev/null
	encode_all
	measure "$blobs"/*.gz
done
