#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry in memory that takes pushes, and misbehaves on request.

    fakeregistry.py --port PORT [--script NAME] [--at N]

It checks what it is given as a registry must (blob digests, manifests whose parts are all there). GET /_audit tells the
number of requests so far and which tags point at something incomplete; GET /_script/NAME/N changes the script.
"""

import argparse
import hashlib
import http.server
import json
import re
import socketserver
import threading
import urllib.parse

SCRIPTS = {
    "honest": "does what it should",
    "mount-201-lie": "says 201 to a mount and does nothing",
    "mount-202": "turns every mount into an upload",
    "mount-401": "says 401 to every mount",
    "mount-403": "says 403 to every mount",
    "mount-404": "says 404 to every mount",
    "mount-405": "says 405 to every mount",
    "head-no-digest": "answers HEAD of a manifest without Docker-Content-Digest",
    "tag-lost": "says 201 to a tag and keeps nothing",
    "tag-other": "gives another manifest for a tag than was put",
    "tag-bytes": "gives the manifest with a space behind it",
    "die": "cuts request N and every later one",
    "stumble": "answers request N with 503",
    "cut-one": "cuts request N and none after it",
    "refuse-manifests": "says 400 to every manifest",
    "lists": "has the referrers API, one referrer a page, and says so with OCI-Subject",
}


class State:
    def __init__(self, options):
        self.lock = threading.Lock()
        self.blobs = {}      # (repository, digest) -> bytes
        self.manifests = {}  # (repository, digest) -> (type, bytes)
        self.tags = {}       # (repository, tag) -> digest
        self.uploads = 0
        self.mounts = 0
        self.count = 0
        self.script, self.at = options.script, options.at

    def missing(self, repository, data):
        paper = json.loads(data)
        out = []
        for child in paper.get("manifests", []):
            if (repository, child["digest"]) not in self.manifests:
                out.append(child["digest"])
        for part in paper.get("layers", []) + ([paper["config"]] if "config" in paper else []):
            if (repository, part["digest"]) not in self.blobs:
                out.append(part["digest"])
        return out

    def audit(self):
        broken = []
        for (repository, tag), digest in self.tags.items():
            kept = self.manifests.get((repository, digest))
            if kept is None or self.missing(repository, kept[1]):
                broken.append(repository + ":" + tag)
        return {"requests": self.count, "tags": len(self.tags), "broken": broken, "mounts": self.mounts,
                "uploads": self.uploads, "blobs": len(self.blobs)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code):
        body = json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode()
        self.answer(status, body, [("Content-Type", "application/json")])

    def body(self):
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            data = b""
            while True:
                size = int(self.rfile.readline() or b"0", 16)
                data += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return data
        size = int(self.headers.get("Content-Length", "0"))
        data = self.rfile.read(size)
        if len(data) != size:
            raise ConnectionError("cut")
        return data

    def dispatch(self):
        state = self.server.state
        if self.path == "/_audit":
            with state.lock:
                self.answer(200, json.dumps(state.audit()).encode())
            return
        if self.path.startswith("/_script/"):
            with state.lock:
                state.script, at = self.path.split("/")[2:]
                state.at, state.count = int(at), 0
            self.answer(200)
            return
        with state.lock:
            state.count += 1
            hit = state.count == state.at
            dead = state.script == "die" and state.count >= state.at
        if dead or (hit and state.script == "cut-one"):
            self.close_connection = True
            self.connection.shutdown(2)
            return
        if hit and state.script == "stumble":
            self.close_connection = True
            self.error(503, "UNAVAILABLE")
            return
        self.serve()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = dispatch

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        query = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
        if url.path in ("/v2", "/v2/"):
            self.answer(200, b"{}")
            return
        match = re.fullmatch(r"/v2/(.+)/(blobs/uploads|blobs|manifests|referrers)/([^/]*)", url.path)
        if not match:
            self.error(404, "NAME_UNKNOWN")
            return
        repository, kind, selector = match.groups()
        if kind == "manifests":
            self.manifest(repository, selector)
        elif kind == "referrers":
            self.referrers(url.path, repository, selector, int(query.get("from", "0")))
        elif kind == "blobs":
            self.blob(repository, selector)
        elif self.command == "POST":
            self.begin(repository, query)
        else:
            self.upload(repository, query)

    def referrers(self, path, repository, subject, first):
        state = self.server.state
        if state.script != "lists":
            self.error(404, "UNSUPPORTED")
            return
        with state.lock:
            all_of_it = [{"mediaType": kind, "digest": digest, "size": len(data), "artifactType": json.loads(data).get("artifactType", "")}
                         for (where, digest), (kind, data) in state.manifests.items()
                         if where == repository and json.loads(data).get("subject", {}).get("digest") == subject]
        headers = [("Content-Type", "application/vnd.oci.image.index.v1+json")]
        if first + 1 < len(all_of_it):
            headers.append(("Link", '<%s?from=%d>; rel="next"' % (path, first + 1)))
        self.answer(200, json.dumps({"schemaVersion": 2, "mediaType": headers[0][1],
                                     "manifests": all_of_it[first:first + 1]}).encode(), headers)

    def blob(self, repository, digest):
        state = self.server.state
        with state.lock:
            data = state.blobs.get((repository, digest))
        if data is None:
            self.error(404, "BLOB_UNKNOWN")
        else:
            self.answer(200, data, [("Docker-Content-Digest", digest)])

    def begin(self, repository, query):
        state = self.server.state
        self.body()
        if "mount" in query:
            with state.lock:
                state.mounts += 1
                data = state.blobs.get((query.get("from", ""), query["mount"]))
                if state.script == "mount-201-lie":
                    pass
                elif data is not None and not state.script.startswith("mount-"):
                    state.blobs[(repository, query["mount"])] = data
            if state.script.startswith("mount-40"):
                self.error(int(state.script[6:]), "DENIED")
                return
            if data is not None and state.script != "mount-202":
                self.answer(201, b"", [("Docker-Content-Digest", query["mount"]), ("Location", "/v2/x")])
                return
        with state.lock:
            state.uploads += 1
            location = "/v2/%s/blobs/uploads/%d?_state=abc" % (repository, state.uploads)
        self.answer(202, b"", [("Location", location), ("Range", "0-0")])

    def upload(self, repository, query):
        state = self.server.state
        data = self.body()
        digest = query.get("digest", "")
        if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
            self.error(400, "DIGEST_INVALID")
            return
        with state.lock:
            state.blobs[(repository, digest)] = data
        self.answer(201, b"", [("Docker-Content-Digest", digest)])

    def manifest(self, repository, selector):
        state = self.server.state
        if self.command == "PUT":
            self.put_manifest(repository, selector)
            return
        with state.lock:
            tagged = not selector.startswith("sha256:")
            digest = state.tags.get((repository, selector)) if tagged else selector
            kept = state.manifests.get((repository, digest))
        if kept is None:
            self.error(404, "MANIFEST_UNKNOWN")
            return
        headers = [("Content-Type", kept[0])]
        data = kept[1]
        if state.script == "tag-bytes":
            data += b" "
        elif state.script != "head-no-digest":
            headers.append(("Docker-Content-Digest", digest))
        self.answer(200, data, headers)

    def put_manifest(self, repository, selector):
        state = self.server.state
        data = self.body()
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        kind = self.headers.get("Content-Type", "")
        with state.lock:
            missing = state.missing(repository, data)
        if state.script == "refuse-manifests" or kind != json.loads(data).get("mediaType", kind):
            self.error(400, "MANIFEST_INVALID")
            return
        if missing:
            self.error(400, "MANIFEST_BLOB_UNKNOWN")
            return
        with state.lock:
            state.manifests[(repository, digest)] = (kind, data)
            if not selector.startswith("sha256:") and state.script != "tag-lost":
                state.tags[(repository, selector)] = digest
                if state.script == "tag-other":
                    other = data.replace(b'"schemaVersion":2', b'"schemaVersion":2 ')
                    state.tags[(repository, selector)] = "sha256:" + hashlib.sha256(other).hexdigest()
                    state.manifests[(repository, state.tags[(repository, selector)])] = (kind, other)
        headers = [("Docker-Content-Digest", digest)]
        if state.script == "lists" and "subject" in json.loads(data):
            headers.append(("OCI-Subject", json.loads(data)["subject"]["digest"]))
        self.answer(201, b"", headers)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--script", default="honest", choices=sorted(SCRIPTS))
    parser.add_argument("--at", type=int, default=0)
    options = parser.parse_args()
    server = Server(("127.0.0.1", options.port), Handler)
    server.state = State(options)
    server.serve_forever()


if __name__ == "__main__":
    main()
