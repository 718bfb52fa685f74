#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signatures, SBOMs and attestations of an image in a registry that has no referrers API, in cosign's and ORAS' shapes.

    signed.py HOST REPOSITORY DIGEST WORD...

DIGEST is the subject. Each WORD pushes one thing and prints "WORD DIGEST-OF-ITS-MANIFEST":
  sig, att, sbom     under cosign's tag sha256-<hex>.WORD
  oci:NAME           a manifest with a subject and the artifact type application/vnd.test.NAME, and the fallback tag
                     sha256-<hex> of everything pushed so by this run
  gone               an entry of the fallback tag whose manifest was deleted
  alien              an entry whose manifest names another subject
"""
import hashlib
import json
import sys
import urllib.error
import urllib.request

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
host, repository, subject = sys.argv[1:4]
base = f"http://{host}/v2/{repository}/"
accept = {"Accept": f"{MANIFEST}, application/vnd.oci.image.index.v1+json, "
                    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json"}


def ask(method, url, data=None, headers=None):
    return urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers or {}, method=method))


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def put_blob(data, media_type, **more):
    where = ask("POST", base + "blobs/uploads/", b"").headers["Location"]
    ask("PUT", where + ("&" if "?" in where else "?") + "digest=" + digest(data), data, {"Content-Type": "application/octet-stream"})
    return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}


def put_manifest(manifest, selector=None):
    data = json.dumps(manifest, separators=(",", ":")).encode()
    ask("PUT", base + "manifests/" + (selector or digest(data)), data, {"Content-Type": manifest["mediaType"]})
    return {"mediaType": manifest["mediaType"], "digest": digest(data), "size": len(data)}


def cosign(word):
    types = {"sig": "application/vnd.dev.cosign.simplesigning.v1+json", "att": "application/vnd.dsse.envelope.v1+json",
             "sbom": "text/spdx+json"}
    if word == "sig":
        payload = {"critical": {"identity": {"docker-reference": f"{host}/{repository}"},
                                "image": {"docker-manifest-digest": subject}, "type": "cosign container image signature"},
                   "optional": None}
        more = {"annotations": {"dev.cosignproject.cosign/signature": "MEUCIQD" + hashlib.sha256(subject.encode()).hexdigest()}}
    elif word == "att":
        payload = {"payloadType": "application/vnd.in-toto+json", "payload": subject, "signatures": [{"keyid": "", "sig": "MEQ"}]}
        more = {"annotations": {"dev.cosignproject.cosign/signature": "", "predicateType": "https://slsa.dev/provenance/v0.2"}}
    else:
        payload, more = {"spdxVersion": "SPDX-2.3", "name": subject, "packages": [{"name": "busybox"}] * 400}, {}
    layer = put_blob(json.dumps(payload).encode(), types[word], **more)
    config = {"architecture": "", "created": "0001-01-01T00:00:00Z", "history": [{"created": "0001-01-01T00:00:00Z"}], "os": "",
              "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}, "config": {}}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer],
                "config": put_blob(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json")}
    return put_manifest(manifest, subject.replace(":", "-") + "." + word)


def with_subject(name, of):
    data = ask("GET", base + "manifests/" + of, headers=accept)
    body = data.read()
    artifact = f"application/vnd.test.{name}"
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact,
                "config": put_blob(b"{}", "application/vnd.oci.empty.v1+json"),
                "layers": [put_blob(f"{name} of {of}".encode(), artifact)],
                "subject": {"mediaType": data.headers["Content-Type"], "digest": of, "size": len(body)},
                "annotations": {"org.example.name": name}}
    return {**put_manifest(manifest), "artifactType": artifact, "annotations": manifest["annotations"]}


listed, gone = [], None
for word in sys.argv[4:]:
    if word.startswith("oci:"):
        made = with_subject(word[4:], subject)
        listed.append(made)
    elif word == "gone":
        made = gone = with_subject("gone", subject)
        listed.append(made)
    elif word == "alien":
        other = cosign("sig")["digest"]
        made = with_subject("alien", other)
        listed.append(made)
    else:
        made = cosign(word)
    print(word, made["digest"])
if listed:
    put_manifest({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": listed},
                 subject.replace(":", "-"))
if gone:
    ask("DELETE", base + "manifests/" + gone["digest"])
