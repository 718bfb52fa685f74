# SPDX-License-Identifier: Apache-2.0
"""What badregistry.py serves: bytes without memory, and images made of them.

A content has a size and views(start, end): buffers of at most VIEW bytes that together are these bytes. A synthetic one is
computed from its seed by position, so that 2 GiB cost nothing; each block begins with its own number, so no two places in it
look alike and a range that was put in the wrong place is found out.
"""
import hashlib
import json
import os
import random
import re
import struct

VIEW = 256 * 1024
OCI = "application/vnd.oci.image."


class Bytes:
    def __init__(self, data):
        self.data, self.size = memoryview(data), len(data)

    def views(self, start, end):
        for at in range(start, end, VIEW):
            yield self.data[at:min(at + VIEW, end)]


class File:
    def __init__(self, path):
        self.path, self.size = path, os.path.getsize(path)

    def views(self, start, end):
        with open(self.path, "rb") as file:
            file.seek(start)
            while start < end:
                data = file.read(min(VIEW, end - start))
                start += len(data)
                yield data


class Synthetic:
    """Blocks of noise, a few kinds in turn, each with its number in front."""
    KINDS = 4

    def __init__(self, seed, size):
        self.size = size
        source = random.Random(seed)
        self.salt = source.randbytes(8)
        self.noise = [memoryview(source.randbytes(VIEW)) for _ in range(self.KINDS if size > VIEW else 1)]

    def views(self, start, end):
        while start < end:
            number, at = divmod(start, VIEW)
            stop = min(VIEW, at + end - start)
            start += stop - at
            if at < 16:
                head = self.salt + struct.pack(">Q", number)
                yield head[at:min(stop, 16)]
                at = 16
            if at < stop:
                yield self.noise[number % len(self.noise)][at:stop]


class Flipped:
    """One bit of another content is not what it was."""

    def __init__(self, inner, place):
        self.inner, self.size, self.place = inner, inner.size, place

    def views(self, start, end):
        for view in self.inner.views(start, end):
            if start <= self.place < start + len(view):
                view = bytearray(view)
                view[self.place - start] ^= 1
            yield view
            start += len(view)


class Resized:
    """Another content cut short, or with zeros behind it."""

    def __init__(self, inner, size):
        self.inner, self.size = inner, max(size, 0)

    def views(self, start, end):
        own = min(end, self.inner.size)
        if start < own:
            yield from self.inner.views(start, own)
        for at in range(max(start, own), end, VIEW):
            yield bytes(min(VIEW, end - at))


def whole(content):
    return b"".join(bytes(view) for view in content.views(0, content.size))


def digest_of(content):
    found = hashlib.sha256()
    for view in content.views(0, content.size):
        found.update(view)
    return "sha256:" + found.hexdigest()


def parse_size(text):
    found = re.fullmatch(r"([0-9]+)([kMG]?)", text)
    if not found:
        raise SystemExit("badregistry.py: not a size: " + text)
    return int(found.group(1)) << {"": 0, "k": 10, "M": 20, "G": 30}[found.group(2)]


class Shelf:
    """Blobs by digest; manifests by digest and by name."""

    def __init__(self):
        self.blobs = {}      # digest -> content
        self.manifests = {}  # digest -> (media type, bytes)
        self.tags = {}       # (repository, tag) -> digest
        self.configs = set() # digests

    def add_blob(self, content, media_type):
        digest = digest_of(content)
        self.blobs[digest] = content
        return {"mediaType": media_type, "size": content.size, "digest": digest}

    def add_manifest(self, repository, tag, data, media_type):
        digest = digest_of(Bytes(data))
        self.keep_manifest(digest, media_type, data)
        self.tags[repository, tag] = digest

    def keep_manifest(self, digest, media_type, data):
        self.manifests[digest] = (media_type, data)
        self.configs.add(json.loads(data).get("config", {}).get("digest"))

    def kind(self, path):
        """manifest, config, layer, or none of them."""
        where, _, name = path.rpartition("/")
        if where.endswith("/manifests"):
            return "manifest"
        if name in self.blobs:
            return "config" if name in self.configs else "layer"
        return None

    def synthetic(self, spec, seed):
        """NAME[:TAG]=SIZE[*N][,SIZE[*N]...]: test/NAME with layers of these sizes, as if they were plain tars."""
        name, _, sizes = spec.partition("=")
        name, _, tag = name.partition(":")
        layers = []
        for part in sizes.split(","):
            size, _, times = part.partition("*")
            for _ in range(int(times or 1)):
                label = "%s/%s/%s/%d" % (seed, name, tag, len(layers))
                layers.append(self.add_blob(Synthetic(label, parse_size(size)), OCI + "layer.v1.tar"))
        config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"name": spec, "seed": str(seed)}},
                  "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}}
        manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                    "config": self.add_blob(Bytes(json.dumps(config).encode()), OCI + "config.v1+json"),
                    "layers": layers}
        self.add_manifest("test/" + name, tag or "1", json.dumps(manifest).encode(), OCI + "manifest.v1+json")

    def folder(self, path):
        """All that fixtures/image/image.py made, as test/NAME:1."""
        with open(os.path.join(path, "images.json")) as file:
            images = json.load(file)
        for name in os.listdir(os.path.join(path, "blobs")):
            self.blobs["sha256:" + name] = File(os.path.join(path, "blobs", name))
        for name, image in images.items():
            for paper in [image, *image["children"]]:
                self.keep_manifest(paper["digest"], paper["mediaType"], whole(self.blobs[paper["digest"]]))
            self.tags["test/" + name, "1"] = image["digest"]

    def find_manifest(self, repository, selector):
        """(digest, media type, bytes) or None. A mirror's path in front of the repository does not matter."""
        while ":" not in selector:
            if (repository, selector) in self.tags:
                selector = self.tags[repository, selector]
            elif "/" in repository:
                repository = repository.split("/", 1)[1]
            else:
                return None
        return (selector, *self.manifests[selector]) if selector in self.manifests else None
