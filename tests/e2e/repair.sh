#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: what a set of chunks lost comes back by `imgpack repair`, byte for byte, as long as its parity reaches that far, and only
# as new files: no file that was there is changed. One loss too many: exit 1, what is needed, and nothing is left behind.
. "$(dirname "$0")/lib/common.sh"
. "$LIB/links.sh"
need docker-registry jq
start_registry src
push_images "$src" app app2
cd "$T" || exit 1

exits 0 imgpack fetch "$src/test/app:1" "$src/test/app2:1" -o whole.tar --platform linux/amd64
mkdir good
# Some twelve chunks of one block each, two parity files.
chunk=$(($(wc -c <whole.tar) / 12 + 1))
exits 0 imgpack fetch "$src/test/app:1" "$src/test/app2:1" -o good/x.tar --platform linux/amd64 --split $chunk --parity 2
count=$(find good -name 'x.tar.*' | wc -l)
[ "$count" -ge 10 ] || fail "only $count chunks"
last=$(printf 'x.tar.%03d' "$count")

# again: a new copy of the set, in d.
again() {
	rm -rf d
	cp -r good d
}

# hurt FILE [BYTE]: one byte is another one.
hurt() {
	python3 - "$1" "${2:-100}" <<'END' || fail "hurt"
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(int(sys.argv[2]))
    file.write(bytes([byte ^ 0x40]))
END
}

# keep: notes what is in d; kept: none of it is changed or gone.
keep() {
	(cd d && find . -type f -exec sha256sum {} +) >kept.sums
}
kept() {
	(cd d && sha256sum -c --quiet ../kept.sums) || fail "a file that was there is changed or gone"
}

# new_files: the names that are in d and were not there at keep.
new_files() {
	(cd d && find . -type f) | sort >now
	sed 's/^[0-9a-f]*  //' kept.sums | sort | comm -13 - now | sed 's,^\./,,' | tr '\n' ' '
}

step "a set that is good: nothing is written"
again
keep
exits 0 imgpack repair d
prints "$count chunks and 2 parity files, nothing to repair"
kept
same "new files" "$(new_files)" ""
exits 0 imgpack repair d --json
same "the document" "$(jq -c '[.archive, .repaired, .problems]' out)" '["x.tar",[],[]]'

step "two chunks are lost: they come back under their names"
for lost in "x.tar.001 x.tar.002" "x.tar.003 $last" "x.tar.005 x.parity.01" "x.parity.01 x.parity.02" "$last"; do
	again
	(cd d && rm -- $lost)
	keep
	exits 0 imgpack repair d --json
	kept
	check "the same set, after $lost" diff -r good d
	same "the report's files, $lost" "$(jq -r '.repaired[].file' out | sort | tr '\n' ' ')" "$(printf 'd/%s\n' $lost | sort | tr '\n' ' ')"
	jq -r '.repaired[] | (.sha256 | ltrimstr("sha256:")) + "  " + .file' out | sha256sum -c --quiet || fail "the report's digests"
	same "problems" "$(jq '.problems | length' out)" "$(echo "$lost" | wc -w)"
done

step "damaged files stay, what is repaired stands beside them"
again
hurt d/x.tar.004
hurt d/x.parity.02 5000
printf 'more' >>d/x.tar.006
truncate -s -1 d/x.tar.007
keep
exits 1 imgpack repair d
kept
again
hurt d/x.tar.004
printf 'more' >>d/x.tar.006
hurt d/x.parity.02
keep
exits 0 imgpack repair d
prints "rebuilt"
kept
same "new files" "$(new_files)" "x.parity.02.repaired x.tar.004.repaired x.tar.006.repaired "
for file in x.parity.02 x.tar.004 x.tar.006; do
	check "$file" cmp "d/$file.repaired" "good/$file"
done
exits 0 imgpack verify d
exits 0 imgpack repair d
prints "nothing to repair"
hurt d/x.tar.004.repaired
keep
exits 0 imgpack repair d
kept
same "the next name" "$(new_files)" "x.tar.004.repaired.2 "

step "renamed chunks; another folder; what an interrupted fetch left there is not touched"
again
mkdir out.d
mv d/x.tar.002 d/one
mv d/x.tar.003 d/two
hurt d/two
rm d/x.tar.008
echo half >out.d/x.tar.008.part
keep
exits 0 imgpack repair d/one -o out.d
kept
same "nothing new in the first folder" "$(new_files)" ""
same "the other folder" "$(ls out.d | tr '\n' ' ')" "x.tar.003 x.tar.008.part x.tar.008.repaired "
check "x.tar.003" cmp out.d/x.tar.003 good/x.tar.003
check "x.tar.008" cmp out.d/x.tar.008.repaired good/x.tar.008
same "the half file" "$(cat out.d/x.tar.008.part)" half
exits 6 imgpack repair d -o out.d/none
exits 0 imgpack verify d out.d

step "the sums file is lost or damaged: it is written anew, out of a parity file or out of the archive itself"
again
rm d/x.sha256
keep
exits 0 imgpack repair d
same "new files" "$(new_files)" "x.sha256 "
check "the same set" diff -r good d
rm d/x.sha256 d/x.tar.002
exits 0 imgpack repair d
check "the same set" diff -r good d
hurt d/x.sha256 1000
keep
exits 0 imgpack repair d
kept
check "the sums" cmp d/x.sha256.repaired good/x.sha256
again
rm d/x.sha256 d/x.parity.*
keep
exits 0 imgpack repair d
same "new files" "$(new_files)" "x.sha256 "
check "sha256sum -c" sh -c "cd d && sha256sum -c --quiet x.sha256"
same "the ID" "$(sed -n 's/^# set //p' d/x.sha256)" "$(sed -n 's/^# set //p' good/x.sha256)"
rm d/x.sha256
hurt d/x.tar.005
keep
exits 1 imgpack repair d
same "new files" "$(new_files)" ""
rm d/x.tar.002
exits 1 imgpack repair d
says "x.tar.002"

step "one loss too many: exit 1, what is needed is said, nothing is left"
for lost in "x.tar.003 x.tar.005 x.tar.006" "x.tar.001 x.tar.002 x.parity.01" "x.tar.009 x.parity.01 x.parity.02"; do
	again
	(cd d && rm -- $lost)
	keep
	exits 1 imgpack repair d
	says "1 more of: $(echo "$lost" | sed 's/ /, /g')"
	same "new files" "$(new_files)" ""
	exits 1 imgpack repair d --json
	same "problems" "$(jq '.problems | length' out)" 3
	# One of them is found again: all come back.
	cp "good/${lost%% *}" d/
	exits 0 imgpack repair d
	check "the same set" diff -r good d
done
again
rm d/x.parity.* d/x.tar.004
keep
exits 1 imgpack repair d
says "1 more of: x.tar.004, x.parity.01, x.parity.02"
same "new files" "$(new_files)" ""
rm -rf n
mkdir n
exits 0 imgpack fetch "$src/test/app:1" -o n/x.tar --platform linux/amd64 --split 256K
rm n/x.tar.001 n/x.tar.002
exits 1 imgpack repair n
says "there are no parity files; needed whole: 2 more of: x.tar.001, x.tar.002"

step "chunks of several blocks: two are damaged, at different places, and one parity file is enough"
start_bad slow --seed 5 --image "big=6M,6M,6M"
mkdir b
exits 0 imgpack fetch "$slow/test/big:1" -o b/x.tar --split 5M --parity 1 --platform linux/amd64
cp -r b c
hurt c/x.tar.001 100
hurt c/x.tar.002 4500000
hurt c/x.parity.01 1000000
exits 1 imgpack repair c
says "1 more of: x.tar.001, x.parity.01"
cp b/x.parity.01 c
hurt c/x.parity.01 100
exits 0 imgpack repair c
for file in x.tar.001 x.tar.002 x.parity.01; do
	check "$file" cmp "c/$file.repaired" "b/$file"
done

step "two copies of a chunk, each damaged elsewhere, make a whole one without parity"
rm -rf c
mkdir c
exits 0 imgpack fetch "$slow/test/big:1" -o c/x.tar --split 5M --platform linux/amd64
cp c/x.tar.001 c/other
hurt c/x.tar.001 100
hurt c/other 4500000
exits 0 imgpack repair c
check "x.tar.001" cmp c/x.tar.001.repaired b/x.tar.001

# The preload and the sanitizers' libraries do not go together.
if [ -z "${ASAN_OPTIONS:-}" ]; then
	step "a medium that does not keep what is written: found, and nothing gets a name"
	check "build the preload" cc -O1 -fPIC -shared -U_FORTIFY_SOURCE -o "$T/media.so" "$SOURCE_DIR/tests/fault/lib/media.c" -ldl
	lied=0
	for seed in 1 2 3 4 5 6; do
		again
		rm -rf d/x.tar.003 d/x.parity.01 d/x.sha256 stick lied
		mkdir stick
		code=0
		MEDIA_DIR="$T/stick" MEDIA_DEED=flip MEDIA_AT=3 MEDIA_SEED=$seed MEDIA_LOG="$T/lied" LD_PRELOAD="$T/media.so" \
			"$IMGPACK" repair d -o stick >out 2>err || code=$?
		[ -e lied ] || continue
		lied=$((lied + 1))
		same "exit code" "$code" 6
		says "does not keep what is written to it"
		same "files" "$(ls stick)" ""
	done
	same "lies" "$lied" 6
fi

step "what is not a set of chunks"
exits 2 imgpack repair whole.tar
exits 2 imgpack repair
exits 2 imgpack repair -
mkdir empty
exits 2 imgpack repair empty
exits 6 imgpack repair nothing
