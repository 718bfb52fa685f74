#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""held.py HOST:PORT FILE=IMAGE...: every blob of HOST's test/IMAGE is in the archive FILE, byte for byte as its digest says.
Prints a line for each archive in which that is not so, and ends with 1 if there was one. HOST is a servers/badregistry.py: its
/_papers/ tells the truth. IMAGE may have a tag."""
import hashlib
import json
import sys
import tarfile
import urllib.request


def wrong(host, path, image):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open("http://%s/_papers/%s" % (host, image)) as answer:
        data = answer.read()
    paper = json.loads(data)
    digests = ["sha256:" + hashlib.sha256(data).hexdigest()] + [b["digest"] for b in [paper["config"], *paper["layers"]]]
    try:
        with tarfile.open(path, "r:") as tar:
            members = {member.name: member for member in tar}
            for digest in dict.fromkeys(digests):
                member = members.get("blobs/" + digest.replace(":", "/"))
                if member is None:
                    return "without " + digest
                found, file = hashlib.sha256(), tar.extractfile(member)
                for piece in iter(lambda: file.read(1 << 20), b""):
                    found.update(piece)
                if "sha256:" + found.hexdigest() != digest:
                    return "not what was promised: " + digest
    except (OSError, tarfile.TarError) as error:
        return str(error)
    return None


def main():
    host, bad = sys.argv[1], 0
    for pair in sys.argv[2:]:
        path, image = pair.rsplit("=", 1)
        text = wrong(host, path, image)
        if text:
            print("%s: %s" % (path, text))
            bad = 1
    return bad


sys.exit(main())
