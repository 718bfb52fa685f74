#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a sweep with the real program over a split archive: bytes changed, chunks cut, by chance, under their names and under
# others; verify says no each time, and names that file and no other, and bytes that contain the change.
#
# CHANGES: how many (80); MB: 0 takes a small image in chunks of 64 kB, more an image of so many MB in chunks of a twelfth;
# SEED: another choice; AT_ONCE: changes between two verifications (1), each in a block of its own, and each must be named:
#     MB=1400 CHANGES=10000 AT_ONCE=100 sh tests/fault/chunks.sh     the promise, in 1 GiB
# timeout: 900
# sanitize: no (unit/pack_chunkset changes every byte there)
. "$(dirname "$0")/../e2e/lib/common.sh"
need docker-registry jq python3
start_registry src
CHANGES=${CHANGES:-80}
MB=${MB:-0}
AT_ONCE=${AT_ONCE:-1}
cd "$T" || exit 1
mkdir set
if [ "$MB" -gt 0 ]; then
	check "make the image" sh "$SOURCE_DIR/fixtures/image/make.sh" image --big "$MB"
	push_images "$src" big
	exits 0 imgpack fetch "$src/test/big:1" -o set/a.tar --platform linux/amd64 --split $((MB * 90000))
else
	push_images "$src" app multi
	exits 0 imgpack fetch "$src/test/app:1" "$src/test/multi:1" --all-platforms -o set/a.tar --split 64000
fi
rm -rf src

cat >sweep.py <<'END'
"""sweep.py IMGPACK FOLDER CHANGES SEED AT_ONCE: changes and cuts by chance; prints what was not named right."""
import json
import os
import random
import subprocess
import sys

program, folder, changes, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
source = random.Random(seed)
chunks = sorted(name for name in os.listdir(folder) if name != "a.sha256")
wrong = []


def verify(what, path, at):
    done = subprocess.run([program, "verify", "-q", "--json", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 1:
        wrong.append("%s: exit %d %s" % (what, done.returncode, done.stderr[-300:]))
        return
    problems = json.loads(done.stdout)["problems"]
    named = {p["chunk"] for p in problems}
    if named != {path} or not any(p["offset"] <= at < p["offset"] + p["length"] for p in problems):
        wrong.append("%s: %s" % (what, problems))


def flip(name, at, mask):
    with open(os.path.join(folder, name), "r+b") as file:
        file.seek(at)
        good = file.read(1)
        file.seek(at)
        file.write(bytes([good[0] ^ mask]))


BLOCK = 4 << 20
at_once = int(sys.argv[5])
done_so_far = 0
while at_once > 1 and done_so_far < changes:
    blocks = [(name, at) for name in chunks for at in range(0, os.path.getsize(os.path.join(folder, name)), BLOCK)]
    chosen = []
    for name, start in source.sample(blocks, min(at_once, len(blocks), changes - done_so_far)):
        end = min(start + BLOCK, os.path.getsize(os.path.join(folder, name)))
        chosen.append((name, source.randrange(start, end), 1 << source.randrange(8)))
    for change in chosen:
        flip(*change)
    done = subprocess.run([program, "verify", "-q", "--json", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    problems = json.loads(done.stdout)["problems"] if done.returncode == 1 else []
    for name, at, _ in chosen:
        path = os.path.join(folder, name)
        if not any(p["chunk"] == path and p["offset"] <= at < p["offset"] + p["length"] for p in problems):
            wrong.append("%s at %d: not named, exit %d" % (name, at, done.returncode))
    for p in problems:
        if not any(p["chunk"] == os.path.join(folder, name) and p["offset"] <= at < p["offset"] + p["length"] for name, at, _ in chosen):
            wrong.append("named, and good: %s" % p)
    for change in chosen:
        flip(*change)
    done_so_far += len(chosen)

for n in range(changes if at_once == 1 else 0):
    name = source.choice(chunks)
    path = os.path.join(folder, name)
    if n % 2:
        other = os.path.join(folder, "%06X~1.BIN" % source.randrange(1 << 24))
        os.rename(path, other)
    else:
        other = path
    size = os.path.getsize(other)
    at = source.randrange(size)
    with open(other, "r+b") as file:
        if n % 4 < 3:
            file.seek(at)
            good = file.read(1)
            file.seek(at)
            file.write(bytes([good[0] ^ (1 << source.randrange(8))]))
        else:
            file.seek(at)
            good = file.read()
            file.truncate(at)
    verify("%s at %d %s" % (name, at, "cut" if n % 4 == 3 else "changed"), other, at)
    with open(other, "r+b") as file:
        file.seek(at)
        file.write(good)
    os.rename(other, path)
print("%d changes in %d chunks: %d not named right" % (changes, len(chunks), len(wrong)))
sys.exit("\n".join(wrong[:20]) if wrong else 0)
END
exits 0 imgpack verify set -q
exits 0 python3 sweep.py "$IMGPACK" set "$CHANGES" "${SEED:-1}" "$AT_ONCE"
cat out
exits 0 imgpack verify set -q
