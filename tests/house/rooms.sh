#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: the arrows between the rooms (tests/rooms.txt) hold for every #include of cmd/ and lib/. First the check itself is
# tried on a copy of the tree with wrong includes put in: a check that cannot fail proves nothing.
. "$(dirname "$0")/../e2e/lib/common.sh"

# rooms_check TREE: prints "file:line: what is wrong" for each include that the plan does not allow; 1 if there is one.
rooms_check() {
	(cd "$1" && find cmd lib -name '*.[ch]' -exec grep -Hn '^[[:space:]]*#[[:space:]]*include' {} + </dev/null) |
		awk -v plan="$1/tests/rooms.txt" '
		BEGIN {
			while ((getline line < plan) > 0) {
				n = split(line, word, " ")
				if (word[1] == "room") {
					known[word[2]] = 1
					for (i = 3; i <= n; i++) may[word[2], word[i]] = 1
				} else if (word[1] == "library") {
					libraries++
					prefix[libraries] = word[2]
					for (i = 3; i <= n; i++) owner[word[2], word[i]] = 1
				}
			}
		}
		{
			split($0, part, ":")
			file = part[1]
			at = file ":" part[2] ": "
			split(file, dir, "/")
			room = dir[1] == "cmd" ? "cmd" : dir[2]
			if (!(room in known)) { bad = 1; print at "room \"" room "\" is not in tests/rooms.txt"; next }
			if (match($0, /"[^"]*"/)) {
				header = substr($0, RSTART + 1, RLENGTH - 2)
				if (split(header, name, "/") < 2) { bad = 1; print at header " is written without its room"; next }
				if (name[1] != room && !((room, name[1]) in may) && !((room, header) in may)) {
					bad = 1
					print at room " may not include " header
				}
			} else if (match($0, /<[^>]*>/)) {
				header = substr($0, RSTART + 1, RLENGTH - 2)
				library = ""
				for (i = 1; i <= libraries; i++)
					if (index(header, prefix[i]) == 1 && length(prefix[i]) > length(library))
						library = prefix[i]
				if (library != "" && !((library, room) in owner)) {
					bad = 1
					print at room " may not know <" header ">"
				}
			}
			seen++
		}
		END {
			if (seen < 50) { print "only " seen + 0 " includes found: is this the tree?"; bad = 1 }
			exit bad
		}'
}

# spoil FILE TEXT: the check must name FILE in a copy of the tree whose FILE has TEXT as one more line.
spoil() {
	rm -rf "$T/copy"
	mkdir -p "$T/copy/tests"
	cp -r "$SOURCE_DIR/cmd" "$SOURCE_DIR/lib" "$T/copy/"
	cp "$SOURCE_DIR/tests/rooms.txt" "$T/copy/tests/"
	mkdir -p "$T/copy/$(dirname "$1")"
	printf '%s\n' "$2" >>"$T/copy/$1"
	rooms_check "$T/copy" >"$T/copy/found"
	grep -q "^$1:" "$T/copy/found" || fail "the check does not see $2 in $1"
}

step "the check can fail"
spoil lib/base/spoiled.c '#include "stream/source.h"'
spoil lib/oci/spoiled.h '#include "http/http.h"'
spoil lib/http/spoiled.c '  #  include "oci/json.h"'
spoil lib/registry/spoiled.c '#include "flow/flow.h"'
spoil lib/pack/spoiled.c '#include "registry/registry.h"'
spoil cmd/spoiled.c '#include "http/http.h"'
spoil cmd/spoiled.c '#include "oci/reference.h"'
spoil lib/flow/spoiled.c '#include "cmd/words.h"'
spoil lib/stream/spoiled.c '#include "verify.h"'
spoil lib/pack/spoiled.c '#include <curl/curl.h>'
spoil lib/flow/spoiled.c '#include <jansson.h>'
spoil lib/pack/spoiled.c '#include <zstd.h>'
spoil lib/pack/spoiled.c '#include <openssl/evp.h>'
spoil lib/http/spoiled.c '#include <archive.h>'
spoil lib/http/spoiled.c '#include <openssl/evp.h>'
spoil lib/newroom/spoiled.c '#include "base/err.h"'

step "the tree"
rooms_check "$SOURCE_DIR" >"$T/rooms.log" || fail "an include leaves the plan of tests/rooms.txt"
