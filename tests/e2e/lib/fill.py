#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fill.py FOLDER REPOSITORIES TAGS: fills the storage folder of a docker-registry that may run already.

Repository team/app-0001 and so on, tags v1 ... and, as the last one, "latest" beside the one before it. An image has a
layer that all share, one that its repository's images share, and one of its own. Only papers are written: a registry
gives out a manifest without looking at its layers. Prints the digests of everything that the manifests name, and the
manifests', sorted, one a line.
"""
import hashlib
import json
import os
import sys


def digest(data):
    return hashlib.sha256(data).hexdigest()


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def descriptor(kind, seed):
    return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest(seed.encode()), "size": len(seed)}


def manifest(repository, tag):
    layers = [descriptor("layer.v1.tar+gzip", seed) for seed in ("base", repository, repository + tag)]
    return json.dumps({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("config.v1+json", "config" + repository + tag),
        "layers": layers,
    }).encode()


def main():
    root = os.path.join(sys.argv[1], "docker/registry/v2")
    repositories, tags = int(sys.argv[2]), int(sys.argv[3])
    everything = set()
    for r in range(1, repositories + 1):
        repository = "team/app-%04d" % r
        manifests = os.path.join(root, "repositories", repository, "_manifests")
        # By this folder the catalog knows a repository.
        os.makedirs(os.path.join(root, "repositories", repository, "_layers"), exist_ok=True)
        for t in range(1, tags + 1):
            paper = manifest(repository, "v%d" % min(t, max(1, tags - 1)))
            name = digest(paper)
            link = ("sha256:" + name).encode()
            put(os.path.join(root, "blobs/sha256", name[:2], name, "data"), paper)
            put(os.path.join(manifests, "revisions/sha256", name, "link"), link)
            tag = os.path.join(manifests, "tags", "latest" if t == tags else "v%d" % t)
            put(os.path.join(tag, "current/link"), link)
            put(os.path.join(tag, "index/sha256", name, "link"), link)
            everything.add("sha256:" + name)
            parsed = json.loads(paper)
            everything.update(d["digest"] for d in [parsed["config"]] + parsed["layers"])
    print("\n".join(sorted(everything)))


main()
