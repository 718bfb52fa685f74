# SPDX-License-Identifier: Apache-2.0
"""Archives in the shapes of programs that cannot run here, out of what one that can has written.

    shapes.py legacy DOCKER.tar OUT     docker 1.10 to 1.12: a folder a layer, the same layer again as a symbolic link
    shapes.py haul LAYOUT OUT           hauler: an OCI layout with cosign's kinds as annotations, and a Helm chart beside images
"""
import hashlib
import io
import json
import os
import sys
import tarfile


def add(tar, name, data=None, link=None):
    m = tarfile.TarInfo(name)
    m.mtime = 1450000000
    if link:
        m.type, m.linkname = tarfile.SYMTYPE, link
    elif data is None:
        m.type, m.mode = tarfile.DIRTYPE, 0o755
    else:
        m.size = len(data)
    tar.addfile(m, io.BytesIO(data) if data is not None else None)


def legacy(source, out):
    """Every layer of the image, then its last one once more: what an image with two equal empty layers looked like."""
    with tarfile.open(source) as tar:
        def read(name):
            return tar.extractfile(tar.getmember(name)).read()
        entry = json.loads(read("manifest.json"))[0]
        config = json.loads(read(entry["Config"]))
        layers = [read(name) for name in entry["Layers"]]
    layers.append(layers[-1])
    config["rootfs"]["diff_ids"].append(config["rootfs"]["diff_ids"][-1])
    for key in ("history",):
        config.pop(key, None)
    text = json.dumps(config).encode()
    first, parent, paths = {}, None, []
    with tarfile.open(out, "w", format=tarfile.USTAR_FORMAT) as tar:
        for layer in layers:
            name = hashlib.sha256(("%s %s" % (parent, hashlib.sha256(layer).hexdigest())).encode()).hexdigest()
            add(tar, name + "/")
            add(tar, name + "/VERSION", b"1.0")
            add(tar, name + "/json", json.dumps({"id": name, **({"parent": parent} if parent else {})}).encode())
            paths.append(name + "/layer.tar")
            if layer in first:
                add(tar, paths[-1], link="../" + first[layer])
            else:
                first[layer] = paths[-1]
                add(tar, paths[-1], layer)
            parent = name
        config_name = hashlib.sha256(text).hexdigest() + ".json"
        add(tar, config_name, text)
        add(tar, "manifest.json", json.dumps([{"Config": config_name, "RepoTags": entry["RepoTags"], "Layers": paths}]).encode())
        add(tar, "repositories", b"{}")


def haul(layout, out):
    index = json.load(open(os.path.join(layout, "index.json")))
    for m in index["manifests"]:
        name = m.get("annotations", {}).get("org.opencontainers.image.ref.name", "1")
        m["annotations"] = {"kind": "dev.cosignproject.cosign/image", "io.containerd.image.name": "example.com/team/" + name,
                            "org.opencontainers.image.ref.name": "team/" + name}
    blobs = {}

    def blob(data):
        blobs[hashlib.sha256(data).hexdigest()] = data
        return {"digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data)}
    chart = json.dumps({
        "schemaVersion": 2, "config": dict(blob(b'{"name":"web"}'), mediaType="application/vnd.cncf.helm.config.v1+json"),
        "layers": [dict(blob(b"a chart"), mediaType="application/vnd.cncf.helm.chart.content.v1.tar+gzip")]}).encode()
    index["manifests"].append(dict(blob(chart), mediaType="application/vnd.oci.image.manifest.v1+json", annotations={
        "kind": "dev.cosignproject.cosign/image", "io.containerd.image.name": "index.docker.io/hauler/web:1.0.0",
        "org.opencontainers.image.ref.name": "hauler/web:1.0.0"}))
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as tar:
        add(tar, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        add(tar, "index.json", json.dumps(index).encode())
        folder = os.path.join(layout, "blobs/sha256")
        for name in sorted(os.listdir(folder)):
            add(tar, "blobs/sha256/" + name, open(os.path.join(folder, name), "rb").read())
        for name in sorted(blobs):
            add(tar, "blobs/sha256/" + name, blobs[name])


{"legacy": legacy, "haul": haul}[sys.argv[1]](*sys.argv[2:])
