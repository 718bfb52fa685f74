#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a split archive is verified, shown and loaded from wherever its chunks lie, under any names, together with others' and
# with copies; nothing is joined; what is missing or damaged is named by file, bytes and image, and then nothing is loaded.
# timeout: 900
# sanitize: no (the unit tests of pack and flow go the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq curl python3
start_registry src
start_registry dst
push_images "$src" app multi plain
cd "$T" || exit 1
mkdir set
exits 0 imgpack fetch "$src/test/app:1" -o whole.tar --platform linux/amd64
id=$(exits 0 imgpack inspect whole.tar --json; jq -r .id out)
exits 0 imgpack fetch "$src/test/app:1" -o set/app.tar --platform linux/amd64 --split 200000 --parity 1
chunks=$(find set -name 'app.tar.*' | wc -l)
[ "$chunks" -ge 4 ] || fail "too few chunks to be of use"

# fresh: a copy of the set in d/, without its parity.
fresh() {
	rm -rf d d2
	mkdir d d2
	cp set/app.tar.* set/app.sha256 d
}

# The manifest at the target is the one that was fetched.
arrived() {
	same "the digest at the target" "$(registry_digest "$dst/$1/test/app:1")" "$(image_digest app)"
}

# loads PREFIX PATH...: and before that verify and inspect say the same archive.
loads() {
	loads_to=$1
	shift
	exits 0 imgpack verify "$@" -q
	exits 0 imgpack inspect "$@" --json
	same "the archive's ID" "$(jq -r .id out)" "$id"
	exits 0 imgpack load "$@" --to "registry:$dst/$loads_to"
	arrived "$loads_to"
}

# refused WORDS PATH...: by verify and by load, with exit 1; nothing goes to the target.
refused() {
	refused_words=$1
	shift
	exits 1 imgpack verify "$@"
	cat err >>out
	prints "$refused_words"
	forget_log dst
	exits 1 imgpack load "$@" --to "registry:$dst/bad"
	says "nothing was loaded"
	same "requests that change something" "$(access_log dst | grep -cE '^(PUT|POST|PATCH) ')" 0
}

step "the chunks are the archive, cut"
cat set/app.tar.* | cmp - whole.tar || fail "joined chunks are not the archive"

step "a folder; any of its files; two folders"
loads folder set
for file in set/app.tar.001 set/app.tar.003 set/app.sha256 set/app.parity.01; do
	exits 0 imgpack verify "$file"
	prints "app.tar: good"
done
fresh
mv d/app.tar.002 d/app.tar.004 d2
loads two d d2
loads other d2 d
(cd d && exits 0 imgpack verify app.tar.001 ../d2 -q)

step "any names, copies, other files, other sets"
fresh
n=0
for file in d/app.tar.*; do
	n=$((n + 1))
	mv "$file" "d/$(printf '%s' "$file" | md5sum | cut -c1-6)~$n.BIN"
done
cp "$(find d -name '*~2.BIN')" 'd/APP~2 (1).BIN'
mv d/app.sha256 d/SUMS.TXT
echo "a note" >d/readme.txt
ln -s /etc/passwd d/link
mkfifo d/pipe
mkdir d/folder
exits 0 imgpack fetch "$src/test/plain:1" -o d/plain.tar --platform linux/amd64 --split 4096
rm d/plain.tar.002
loads renamed d
says "of another archive"

step "more chunks than a process usually may open"
exits 0 imgpack fetch "$src/test/plain:1" -o d/plain.tar --platform linux/amd64 --split 4096
exits 0 sh -c "ulimit -Sn 64 && '$IMGPACK' verify d/plain.sha256"
prints "plain.tar: good"

step "the set that is meant, of several"
rm -f d/plain*
exits 0 imgpack fetch "$src/test/plain:1" -o d/plain.tar --platform linux/amd64 --split 100000
exits 2 imgpack verify d
says "plain.tar"
exits 0 imgpack load d --expect "$id" --to "registry:$dst/expected"
arrived expected
exits 0 imgpack verify d/SUMS.TXT
prints "app.tar: good"

step "without a table; with a damaged one"
fresh
rm d/app.sha256
loads bare d
fresh
printf 'x' | dd of=d/app.sha256 bs=1 seek=100 conv=notrunc 2>/dev/null
exits 0 imgpack verify d
says "the table is damaged"
cp set/app.parity.01 d
exits 0 imgpack verify d
says "the table is damaged"

step "missing ones are listed, all of them and no others"
fresh
rm d/app.tar.002 d/app.tar.004
refused "app.tar.002: is missing (200000 bytes)" d
says_not "app.tar.003"
exits 1 imgpack load d --to "registry:$dst/bad"
says "app.tar.002 (200000 bytes) and app.tar.004"
same "problems" "$(exits 1 imgpack verify d --json; jq -c '[.problems[].chunk]' out)" '["app.tar.002","app.tar.004"]'

step "damage is named by file, bytes and image"
fresh
printf 'XX' | dd of=d/app.tar.003 bs=1 seek=1000 conv=notrunc 2>/dev/null
refused "d/app.tar.003: bytes 0 to 199999" d
says "d/app.tar.003 is damaged at bytes 0-199999 (read twice, the same both times): layer"
exits 1 imgpack verify d --json
same "the chunk" "$(jq -r '.problems[0].chunk' out)" d/app.tar.003
same "how many" "$(jq '.problems | length' out)" 1
same "the image" "$(jq -r '.problems[0].image' out)" "$src/test/app:1"
mv d/app.tar.003 d/other-name
refused "d/other-name" d
cp set/app.tar.003 d/good-one
loads copies d

step "cut, or changed as text"
fresh
truncate -s 1203 d/app.tar.002
refused "ends at byte 1203 of 200000: copy it again" d
fresh
python3 -c 'import sys; d = open(sys.argv[1], "rb").read(); open(sys.argv[1], "wb").write(d.decode("latin-1").encode("utf-16"))' \
	d/app.tar.002
refused "UTF-16 text" d
fresh
printf 'more' >>d/app.tar.001
refused "4 bytes behind its end" d

step "parity files are verify's business alone"
fresh
cp set/app.parity.01 d
printf 'XX' | dd of=d/app.parity.01 bs=1 seek=9000 conv=notrunc 2>/dev/null
exits 1 imgpack verify d
prints "app.parity.01"
exits 0 imgpack load d --to "registry:$dst/parity"
says_not "parity.01"
arrived parity

step "the person is asked for the next medium"
fresh
mv d/app.tar.002 d/app.tar.004 d2
cat >ask.py <<'END'
"""ask.py ANSWERS... -- COMMAND...: runs it on a terminal, answers each question; prints what it said; its exit code."""
import os
import pty
import sys

split = sys.argv.index("--")
answers = sys.argv[1:split]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
said = b""
while True:
    try:
        more = os.read(fd, 4096)
    except OSError:
        break
    if not more:
        break
    said += more
    if said.count(b"q gives up: ") > len(sys.argv[1:split]) - len(answers) and answers:
        os.write(fd, answers.pop(0).encode() + b"\n")
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
exits 0 python3 ask.py nowhere "" d2 -- "$IMGPACK" load d --to "registry:$dst/asked"
prints "app.tar.002 and 1 more are missing. Insert the next medium"
prints "nowhere"
prints "2 chunks found"
arrived asked
exits 1 python3 ask.py q -- "$IMGPACK" load d --to "registry:$dst/asked2"
prints "are missing"

step "cat of the chunks into docker"
if command -v docker >/dev/null && start_dockerd classic; then
	export DOCKER_HOST="$classic"
	check "docker load of the joined chunks" sh -c 'cat set/app.tar.* | docker load'
	docker image inspect "$src/test/app:1" >/dev/null || fail "docker does not have the image"
	docker rmi "$src/test/app:1" >/dev/null
	exits 0 imgpack load set --to docker
	docker image inspect "$src/test/app:1" >/dev/null || fail "docker does not have the image of the chunks"
fi
