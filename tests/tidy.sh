#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-tidy (.clang-tidy) finds nothing in the product's sources, with the flags they are built with. Takes five minutes, so it
# is no part of the suite: to be run before a change lands.
#
#     BUILD_DIR=build sh tests/tidy.sh
SOURCE_DIR=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
. "$SOURCE_DIR/tests/e2e/lib/common.sh"
need clang-tidy
[ -f "$BUILD_DIR/compile_commands.json" ] || skip "no compile_commands.json in $BUILD_DIR"

# gcc's own warnings mean nothing to clang.
mkdir "$T/db"
sed 's/-Wno-maybe-uninitialized//g' "$BUILD_DIR/compile_commands.json" >"$T/db/compile_commands.json"
find "$SOURCE_DIR/cmd" "$SOURCE_DIR/lib" -name '*.c' -print0 |
	xargs -0 -n 4 -P "$(nproc)" clang-tidy -p "$T/db" --quiet --warnings-as-errors='*' >"$T/tidy.log" 2>"$T/tidy.err" || {
	grep -vE '^[0-9]+ warnings? generated' "$T/tidy.err" >&2
	grep -E '(error|warning):' "$T/tidy.log" | sort -u >&2
	fail "clang-tidy has something to say"
}
