#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: every C file stands as clang-format would write it, every file says its license, no line ends in blanks.
. "$(dirname "$0")/../e2e/lib/common.sh"
need clang-format
cd "$SOURCE_DIR" || exit 1

step "clang-format"
# Debian's releases format alike enough only within one major version; .clang-format was written against 14.
find cmd lib tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror >"$T/format.log" 2>&1 ||
	fail "not formatted: run clang-format -i on these files"

step "license lines"
find cmd lib tests fixtures .ci CMakeLists.txt quickstart.sh -type f \
	\( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name CMakeLists.txt \) |
	while read -r file; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"
	done >"$T/license.log"
[ ! -s "$T/license.log" ] || fail "these files do not name their license in the first three lines"

step "blanks at the ends of lines"
find cmd lib tests fixtures .ci -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.txt' \) \
	-exec grep -nE '[ 	]+$' {} + >"$T/blanks.log"
[ ! -s "$T/blanks.log" ] || fail "lines end in blanks"
