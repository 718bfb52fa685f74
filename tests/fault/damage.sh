#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a spot sweep with the real program over an archive's whole length: a byte changed, or the end missing, and verify says
# no each time, with exit 1. (Every single byte is swept inside a unit test of pack/.)
# sanitize: no (unit/pack_verify flips every byte there)
. "$(dirname "$0")/../e2e/lib/common.sh"
need docker-registry jq
start_registry src
push_images "$src" app multi
cd "$T" || exit 1
exits 0 imgpack fetch "$src/test/app:1" "$src/test/multi:1" --all-platforms -o a.tar

cat >sweep.py <<'END'
"""sweep.py IMGPACK ARCHIVE: prints what verify did not refuse."""
import os
import random
import subprocess
import sys
import tarfile

program, archive = sys.argv[1:]
good = open(archive, "rb").read()
size = len(good)
source = random.Random(20)
# The places where things meet, and places by chance: headers, first and last bytes of members, padding, the end blocks.
places = set()
with tarfile.open(archive) as tar:
    for m in tar:
        places |= {m.offset, m.offset + 100, m.offset + 124, m.offset + 148, m.offset + 156, m.offset_data - 1,
                   m.offset_data, m.offset_data + m.size - 1}
        if m.size % 512:
            places |= {m.offset_data + m.size, (m.offset_data + m.size) // 512 * 512 + 511}
places |= {size - 1, size - 512, size - 1024}
places = sorted(source.sample(sorted(places), min(len(places), 60))) + [source.randrange(size) for _ in range(30)]
wrong = []


def verify(path, what):
    done = subprocess.run([program, "verify", "-q", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 1 or not done.stderr:
        wrong.append("%s: exit %d %s" % (what, done.returncode, done.stderr[-300:]))


bad = archive + ".bad"
with open(bad, "wb") as file:
    file.write(good)
for place in places:
    with open(bad, "r+b") as file:
        file.seek(place)
        file.write(bytes([good[place] ^ (1 << source.randrange(8))]))
    verify(bad, "byte %d of %d changed" % (place, size))
    with open(bad, "r+b") as file:
        file.seek(place)
        file.write(good[place:place + 1])
# Cut at block borders, between members, anywhere, and down to nothing.
cuts = [0, 1, 511, 512, 513, size - 1, size - 512, size - 1024, size - 1025] + [source.randrange(size) for _ in range(12)]
with tarfile.open(archive) as tar:
    offsets = [m.offset for m in tar][1:]
    cuts += source.sample(offsets, min(len(offsets), 20))
for cut in sorted(set(cuts), reverse=True):
    os.truncate(bad, cut)
    verify(bad, "cut to %d of %d" % (cut, size))
for tail in (b"\0", b"\0" * 512, b"x", good):
    with open(bad, "wb") as file:
        file.write(good + tail)
    verify(bad, "%d bytes behind the end" % len(tail))
print("%d places, %d cuts" % (len(places), len(set(cuts))))
sys.exit("\n".join(wrong) if wrong else 0)
END
exits 0 imgpack verify a.tar
python3 sweep.py "$IMGPACK" a.tar || fail "verify took a damaged archive"

step "the message says where"
place=$(archive offset a.tar "blobs/sha256/$(jq -r '.layers[1].digest' "image/blobs/$(image_digest app | cut -d: -f2)" | cut -d: -f2)")
cp a.tar bad.tar
printf 'x' | dd of=bad.tar bs=1 seek=$((place + 1000)) conv=notrunc 2>/dev/null
exits 1 imgpack verify bad.tar --json
same "one problem" "$(jq '.problems | length' out)" 1
same "its offset" "$(jq '.problems[0].offset' out)" "$place"
same "its image" "$(jq -r '.problems[0].image' out)" "$src/test/app:1"
exits 1 imgpack verify bad.tar
grep -qF "$src/test/app:1" out err || fail "the person is not told the image"
# Several are all named.
place=$(archive offset a.tar "blobs/sha256/$(jq -r '.layers[0].digest' "image/blobs/$(image_digest app | cut -d: -f2)" | cut -d: -f2)")
printf 'y' | dd of=bad.tar bs=1 seek=$((place + 70000)) conv=notrunc 2>/dev/null
exits 1 imgpack verify bad.tar --json
same "two problems" "$(jq '.problems | length' out)" 2
