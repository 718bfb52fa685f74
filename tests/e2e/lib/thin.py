# SPDX-License-Identifier: Apache-2.0
"""thin.py IN.tar BASE.tar OUT.tar: an imgpack archive without the layers that BASE.tar has, as one that relies on them."""
import json
import sys


def members(path):
    data = open(path, "rb").read()
    at = 0
    while data[at]:
        head = data[at:at + 512]
        size = int(head[124:136].split(b"\0")[0], 8)
        yield head[:100].split(b"\0")[0].decode(), head, data[at + 512:at + 512 + size]
        at += 512 + (size + 511) // 512 * 512


def main(full, base, out):
    have = {name for name, _, _ in members(base)}
    toc, papers, blobs, layers = None, [], [], set()
    for name, head, body in members(full):
        if name == "imgpack.json":
            toc = (head, json.loads(body))
        if name == "manifest.json":
            layers = {layer for image in json.loads(body) for layer in image["Layers"]}
        (blobs if name.startswith("blobs/") else papers).append((name, head, body))
    head, paper = toc
    gone = {name for name, _, _ in blobs if name in have and name in layers}
    paper["absent"] = [{"digest": "sha256:" + m["sha256"], "size": m["size"]} for m in paper["members"] if m["name"] in gone]
    paper["members"] = [m for m in paper["members"] if m["name"] not in gone]
    body = json.dumps(paper, separators=(",", ":")).encode()
    head = bytearray(head)
    head[124:135] = b"%011o" % len(body)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    with open(out, "wb") as f:
        kept = [("", bytes(head), body)] + [m for m in blobs if m[0] not in gone] + [m for m in papers if m[0] != "imgpack.json"]
        for _, head, body in kept:
            f.write(head + body + b"\0" * (-len(body) % 512))
        f.write(b"\0" * 1024)


main(*sys.argv[1:])
