#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Feeds damaged copies of an archive through a pipe to a command, many times, and says which were not refused.

    passing.py cut FILE COUNT SEED COMMAND...    cut behind every member's header, bytes and padding, one byte before and behind
                                                 each of them, and at COUNT places by chance
    passing.py few FILE COUNT SEED COMMAND...    COUNT of those, by chance
    passing.py flip FILE COUNT SEED COMMAND...   one bit changed, at COUNT places by chance
    passing.py reorder FILE                      to standard output: its papers behind its layers, the TOC fitting

A "{}" in COMMAND becomes the copy's number modulo 20. Refused means exit code 1, and nothing else. Prints how many there were;
exits 1 if one was not refused.
"""
import io
import json
import random
import subprocess
import sys
import tarfile

BLOCK = 512


def cuts(data, count, chance):
    places = set()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            end = member.offset_data + member.size
            for place in (member.offset, member.offset_data, end, end + -end % BLOCK):
                places |= {place - 1, place, place + 1}
    places |= {len(data) - BLOCK, len(data) - 1} | {chance.randrange(len(data)) for _ in range(count)}
    return [("cut at %d" % p, data[:p]) for p in sorted(places) if 0 <= p < len(data)]


def few(data, count, chance):
    return chance.sample(cuts(data, count, chance), count)


def flips(data, count, chance):
    for _ in range(count):
        place, bit = chance.randrange(len(data)), chance.randrange(8)
        yield "bit %d of byte %d" % (bit, place), data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1:]


def run(copies, command):
    wrong = total = 0
    for number, (name, copy) in enumerate(copies):
        words = [w.replace("{}", str(number % 20)) for w in command]
        done = subprocess.run(words, input=copy, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        total += 1
        if done.returncode != 1:
            wrong += 1
            print("%s: exit %d: %s" % (name, done.returncode, done.stdout.decode(errors="replace")[-300:]))
    print("%d copies, %d not refused" % (total, wrong))
    return 1 if wrong or not total else 0


def reorder(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = tar.getmembers()
        toc = json.loads(data[members[0].offset_data:][:members[0].size])
        blobs = {m.name: data[m.offset_data:][:m.size] for m in members}
    listed = [m for m in toc["members"] if m["name"].startswith("blobs/")]
    toc["members"][:len(listed)] = sorted(listed, key=lambda m: -m["size"])
    text = json.dumps(toc, separators=(",", ":"), ensure_ascii=False).encode()
    assert len(text) == members[0].size
    parts = [("imgpack.json", text)] + [(m["name"], blobs[m["name"]]) for m in toc["members"]]
    headers = {m.name: data[m.offset:m.offset + BLOCK] for m in members}
    for name, content in parts:
        sys.stdout.buffer.write(headers[name] + content + bytes(-len(content) % BLOCK))
    sys.stdout.buffer.write(bytes(2 * BLOCK))


def main():
    with open(sys.argv[2], "rb") as file:
        data = file.read()
    if sys.argv[1] == "reorder":
        return reorder(data)
    how = {"cut": cuts, "few": few, "flip": flips}[sys.argv[1]]
    return run(how(data, int(sys.argv[3]), random.Random(int(sys.argv[4]))), sys.argv[5:])


if __name__ == "__main__":
    sys.exit(main())
