#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at an imgpack archive with nothing of imgpack's own: python's tarfile, json and hashlib.

    archive.py check FILE                     every rule of the format that can be seen from outside; prints the archive ID
    archive.py holds FILE DIR DIGEST...       the manifests (or indexes) DIGEST and all below them stand in FILE, byte for byte as
                                              in the fixture DIR (fixtures/image), and nothing else does
    archive.py member FILE NAME               a member's bytes to standard output
    archive.py offset FILE NAME               where a member's bytes begin
"""
import hashlib
import json
import os
import sys
import tarfile

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")


def must(holds, what):
    if not holds:
        sys.exit("archive.py: " + what)


def read(tar, member):
    return tar.extractfile(member).read()


def check(path):
    with tarfile.open(path, "r:") as tar:
        members = tar.getmembers()
        toc_bytes = read(tar, members[0])
        rest = [(m.name, m.size, hashlib.sha256(read(tar, m)).hexdigest()) for m in members[1:]]
    names = [m.name for m in members]
    must(names[0] == "imgpack.json", "the first member is " + names[0])
    must(names[-3:] == ["oci-layout", "index.json", "manifest.json"], "the papers do not come last: %s" % names[-3:])
    must(all(n.startswith("blobs/sha256/") for n in names[1:-3]), "something strange between TOC and papers")
    must(len(set(names)) == len(names), "a member stands there twice")
    toc = json.loads(toc_bytes)
    must([(m["name"], m["size"], m["sha256"].removeprefix("sha256:")) for m in toc["members"]] == rest, "the TOC is not what follows")
    for name, _, digest in rest[:-3]:
        must(name == "blobs/sha256/" + digest, name + " holds other bytes")
    offset = 0
    with open(path, "rb") as file:
        raw = file.read()
    for m in members:
        must(m.offset == offset, "%s: a gap before the member" % m.name)
        must((m.mtime, m.uid, m.gid, m.mode, m.uname, m.gname, m.type) == (0, 0, 0, 0o644, "", "", tarfile.REGTYPE),
             "%s: header %s" % (m.name, (m.mtime, m.uid, m.gid, oct(m.mode), m.uname, m.gname, m.type)))
        must(m.offset_data == m.offset + 512, m.name + ": more than one header block")
        end = m.offset_data + m.size
        offset = (end + 511) // 512 * 512
        must(not any(raw[end:offset]), m.name + ": padding is not zero")
    must(len(raw) == offset + 1024 and not any(raw[offset:]), "the end is not two zero blocks")
    print("sha256:" + hashlib.sha256(toc_bytes).hexdigest())


def below(folder, digest, found):
    """Every digest that is needed for `digest`, itself included."""
    if digest in found:
        return
    found.add(digest)
    with open(os.path.join(folder, "blobs", digest.split(":")[1]), "rb") as file:
        data = file.read()
    paper = json.loads(data)
    for child in paper.get("manifests", []):
        below(folder, child["digest"], found)
    if "config" in paper:
        found.add(paper["config"]["digest"])
        found.update(layer["digest"] for layer in paper["layers"])


def holds(path, folder, digests):
    want, made = set(), set()
    for digest in digests:
        # "=DIGEST": this blob alone, a loose index for example; "+DIGEST": made by imgpack, not the registry's (`check` hashes it).
        if digest.startswith("="):
            want.add(digest[1:])
        elif digest.startswith("+"):
            made.add(digest[1:].split(":")[1])
        else:
            below(folder, digest, want)
    with tarfile.open(path, "r:") as tar:
        have = {m.name.rsplit("/", 1)[1]: read(tar, m) for m in tar if m.name.startswith("blobs/")}
    must(made <= set(have), "what imgpack made is not there")
    have = {name: data for name, data in have.items() if name not in made}
    must(set(have) == {d.split(":")[1] for d in want},
         "blobs: missing %s, too much %s" % (sorted({d.split(":")[1] for d in want} - set(have)),
                                             sorted(set(have) - {d.split(":")[1] for d in want})))
    for name, data in have.items():
        with open(os.path.join(folder, "blobs", name), "rb") as file:
            must(file.read() == data, "blob %s differs from the registry's" % name)


def main(arguments):
    if arguments[:1] == ["check"]:
        return check(arguments[1])
    if arguments[:1] == ["holds"]:
        return holds(arguments[1], arguments[2], arguments[3:])
    with tarfile.open(arguments[1], "r:") as tar:
        member = tar.getmember(arguments[2])
        if arguments[0] == "offset":
            print(member.offset_data)
        else:
            sys.stdout.buffer.write(read(tar, member))


main(sys.argv[1:])
