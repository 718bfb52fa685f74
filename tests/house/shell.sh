#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: every shell script of the tree parses in a plain POSIX shell, every python script compiles.
. "$(dirname "$0")/../e2e/lib/common.sh"
cd "$SOURCE_DIR" || exit 1

step "sh -n"
for script in quickstart.sh .ci/run $(find tests fixtures -name '*.sh'); do
	check "does not parse: $script" sh -n "$script"
done

step "python"
find tests fixtures -name '*.py' | while read -r script; do
	python3 - "$script" <<'END' || exit 1
import sys
with open(sys.argv[1], "rb") as file:
    compile(file.read(), sys.argv[1], "exec")
END
done || fail "a python script does not compile"
