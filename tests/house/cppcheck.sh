#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: cppcheck finds nothing in the product's sources.
# timeout: 900
. "$(dirname "$0")/../e2e/lib/common.sh"
need cppcheck

# The whole program at once, without the build's compile commands: one pass that also sees what is used across files.
# Noted exceptions stand in the code. Leaks are left to the sanitizers: cppcheck does not know the cleanup attribute of AUTO().
cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	--suppress=memleak --suppress=resourceLeak --suppress=memleakOnRealloc --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=internalAstError \
	-j "$(nproc)" -D_GNU_SOURCE -D__GNUC__=12 -D__linux__ -UIMGPACK_FUZZ -I "$SOURCE_DIR/lib" -I "$SOURCE_DIR" \
	"$SOURCE_DIR/cmd" "$SOURCE_DIR/lib" >"$T/cppcheck.log" 2>&1 || fail "cppcheck has something to say"
