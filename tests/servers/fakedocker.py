#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A docker daemon that loads for real, as far as its API shows, and lies on request.

    fakedocker.py --socket PATH --diary FILE [--script NAME] [--store classic|containerd] [--podman]
                  [--old NAME=HEX]... [--arch ARCH]

It takes POST /images/load, checks every blob of the tar against its name, and shows what it loaded under
GET /images/{name}/json. A script changes one thing of that; SCRIPTS says which. Every request becomes a line of the diary:
{"method", "path", "bytes", "complete"}.
"""

import argparse
import hashlib
import http.server
import io
import json
import os
import socketserver
import sys
import tarfile
import threading
import time

# name: what it does. "honest" and those marked + tell the truth in an unusual way: they must be believed.
SCRIPTS = {
    "honest": "+ does what docker 20.10 does",
    "split": "+ sends its answer a byte at a time",
    "podman-id": "+ shows IDs without the algorithm",
    "wrong-id": "shows another ID after the load",
    "id-number": "shows an ID that is a number",
    "missing-tag": "shows the image without tags",
    "other-tag": "shows the image under another tag",
    "fewer-layers": "shows one layer too few",
    "swapped-layers": "shows the layers in another order",
    "no-layers": "shows no RootFS",
    "error-200": "answers 200 with errorDetail, though it loaded",
    "error-only": "answers 200 with error alone, though it loaded",
    "empty-200": "answers 200 with an empty body and loads nothing",
    "cut-after-upload": "closes the connection behind the upload",
    "cut-in-upload": "closes the connection in the middle of the upload",
    "no-loaded-line": "answers {} and loads nothing",
    "inspect-404": "says 404 to every inspect after the load",
    "inspect-500": "says 500 to every inspect after the load",
    "inspect-garbage": "answers an inspect after the load with half an object",
    "inspect-hang": "never answers an inspect after the load",
    "hang": "never answers the load",
    "garbage": "answers the load with what is no JSON",
    "half-object": "ends its answer in the middle of an object",
    "long-object": "answers with an object of a megabyte",
    "unpack-error": "says Loaded image, then Error unpacking image",
    "redirect": "answers the load with 307",
    "truncated-chunks": "says Loaded image and closes without the last chunk",
    "status-413": "answers 413",
    "status-500": "answers 500 with a message, as podman does",
    "load-404": "knows no /images/load",
    "keeps-old": "leaves the name with the image that had it",
    "forgets": "shows the image once, then no more",
}


def full_name(name):
    """The fully qualified form of a familiar name."""
    first = name.split("/", 1)[0]
    if "/" not in name:
        return "docker.io/library/" + name
    if "." not in first and ":" not in first and first != "localhost":
        return "docker.io/" + name
    return name


def familiar(name):
    for prefix in ("docker.io/library/", "docker.io/"):
        if name.startswith(prefix):
            return name[len(prefix):]
    return name


class Daemon:
    """Images by ID, names to IDs."""

    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.images = {}
        self.names = {}
        self.roots = {}  # by ID: what podman keeps of an archive with one descriptor
        self.loaded = False
        self.inspections = 0
        for old in options.old:
            name, ident = old.split("=")
            self.images[ident] = ["sha256:" + "0" * 64]
            self.names[full_name(name)] = ident

    def load(self, body):
        """What the tar holds becomes visible, as docker's two stores do it. Returns the names, or raises."""
        members = {}
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:") as tar:
            for member in tar:
                members[member.name] = tar.extractfile(member).read()
        for name, data in members.items():
            if name.startswith("blobs/sha256/") and hashlib.sha256(data).hexdigest() != name[13:]:
                raise ValueError("digest mismatch of " + name)
        docker = json.loads(members["manifest.json"])
        index = json.loads(members["index.json"])["manifests"] if "index.json" in members else []
        said = []
        for entry in docker:
            config = json.loads(members[entry["Config"]])
            layers = config["rootfs"]["diff_ids"]
            for layer in entry["Layers"]:
                if layer not in members:
                    raise ValueError("open " + layer + ": no such file or directory")
            ident = hashlib.sha256(members[entry["Config"]]).hexdigest()
            tags = entry["RepoTags"] or []
            if self.options.store == "containerd":
                # Each name has its descriptor; a nameless or by-digest one is found by its manifest's config.
                for descriptor in index:
                    name = descriptor.get("annotations", {}).get("io.containerd.image.name")
                    root = descriptor["digest"][7:]
                    if self.config_of(members, root) == ident or name in tags:
                        self.images[root] = layers
                        if name:
                            self.names[name] = root
                            said.append(name)
                continue
            self.images[ident] = layers
            if self.options.podman and len(index) == 1:
                self.roots[ident] = index[0]["digest"]
            for tag in tags:
                if self.options.script != "keeps-old":
                    self.names[full_name(tag)] = ident
                said.append(tag)
            if not tags:
                said.append("sha256:" + ident)
        self.loaded = True
        return said

    def config_of(self, members, root):
        paper = json.loads(members.get("blobs/sha256/" + root, b"{}"))
        return paper.get("config", {}).get("digest", "")[7:]

    def find(self, name):
        if name.startswith("sha256:"):
            return name[7:] if name[7:] in self.images else None
        return self.names.get(full_name(name))

    def show(self, ident):
        tags = [n for n, i in self.names.items() if i == ident and "@" not in n]
        digests = [n for n, i in self.names.items() if i == ident and "@" in n]
        if ident in self.roots:
            digests += [n.rsplit(":", 1)[0] + "@" + self.roots[ident] for n in tags]
        if not self.options.podman:
            tags = [familiar(n) for n in tags]
        return {
            "Id": "sha256:" + ident,
            "RepoTags": tags,
            "RepoDigests": digests,
            "Architecture": self.options.arch,
            "Os": "linux",
            "Config": {"Labels": {"a": "1", "A": "2"}},
            "RootFS": {"Type": "layers", "Layers": self.images[ident]},
        }

    def lie_about(self, image):
        """What a script shows instead, once something was loaded."""
        script = self.options.script if self.loaded else ""
        if script == "wrong-id":
            image["Id"] = "sha256:" + "5" * 64
        elif script == "id-number":
            image["Id"] = 7
        elif script == "podman-id":
            image["Id"] = image["Id"][7:]
        elif script == "missing-tag":
            image["RepoTags"] = []
        elif script == "other-tag":
            image["RepoTags"] = [t + "x" for t in image["RepoTags"]]
        elif script == "fewer-layers":
            image["RootFS"]["Layers"] = image["RootFS"]["Layers"][:-1]
        elif script == "swapped-layers":
            image["RootFS"]["Layers"] = image["RootFS"]["Layers"][::-1]
        elif script == "no-layers":
            del image["RootFS"]
        return image


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 32


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *args):
        pass

    @property
    def state(self):
        return self.server.state

    @property
    def script(self):
        return self.state.options.script

    def note(self, size=0, complete=True):
        line = {"method": self.command, "path": self.path, "bytes": size, "complete": complete}
        with self.state.lock, open(self.state.options.diary, "a", encoding="utf-8") as diary:
            diary.write(json.dumps(line) + "\n")

    def answer(self, status, body, headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def vanish(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(2)

    def do_GET(self):
        self.note()
        options = self.state.options
        if self.path == "/_ping":
            self.answer(200, b"OK")
        elif self.path == "/version":
            name = "Podman Engine" if options.podman else "Engine"
            self.answer(200, {"Components": [{"Name": name}], "Version": "20.10.24", "Os": "linux", "Arch": options.arch})
        elif self.path == "/info":
            containerd = [["driver-type", "io.containerd.snapshotter.v1"]]
            status = containerd if options.store == "containerd" else None
            self.answer(200, {"DriverStatus": status, "OSType": "linux", "Architecture": "x86_64"})
        elif self.path.startswith("/images/") and self.path.endswith("/json"):
            self.inspect(self.path[len("/images/"):-len("/json")])
        else:
            self.answer(404, {"message": "page not found"})

    def inspect(self, name):
        state = self.state
        script = self.script if state.loaded else ""
        with state.lock:
            ident = state.find(name)
            if state.loaded:
                state.inspections += 1
            forgotten = script == "forgets" and state.inspections > 1
        if script == "inspect-500":
            self.answer(500, {"message": "database is locked"})
        elif script == "inspect-hang":
            time.sleep(60)
        elif script == "inspect-garbage":
            self.answer(200, b'{"Id":"sha256:')
        elif script == "inspect-404" or forgotten or ident is None:
            self.answer(404, {"message": "No such image: " + name})
        else:
            self.answer(200, state.lie_about(state.show(ident)))

    def read_body(self):
        """The body and whether it was complete."""
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            body = b""
            while True:
                size = self.rfile.readline()
                if not size.strip():
                    return body, False
                size = int(size, 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return body, True
        size = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(size)
        return body, len(body) == size

    def do_POST(self):
        if self.path.split("?")[0] != "/images/load" or self.script == "load-404":
            self.note()
            self.close_connection = True
            self.answer(404, {"message": "page not found"})
            return
        if self.script == "cut-in-upload":
            self.rfile.read(700)
            self.note(700, False)
            self.vanish()
            return
        if self.script in ("redirect", "status-413"):
            self.note()
            self.close_connection = True
            if self.script == "redirect":
                self.answer(307, b"", [("Location", "/images/load?quiet=1")])
            else:
                self.answer(413, b"<html>too large\x1b[2J</html>")
            return
        body, complete = self.read_body()
        self.note(len(body), complete)
        if not complete:
            self.close_connection = True
            return
        self.tell(body)

    def tell(self, body):
        script = self.script
        if script == "status-500":
            self.answer(500, {"cause": "x", "message": "payload does not match any of the supported image formats"})
            return
        if script == "hang":
            time.sleep(60)
            return
        if script == "cut-after-upload":
            self.vanish()
            return
        lines = []
        if script in ("empty-200", "no-loaded-line"):
            lines = ["{}"] if script == "no-loaded-line" else []
        else:
            lines = self.load_lines(body)
        if script == "garbage":
            lines = ["Loaded image: everything"]
        elif script == "half-object":
            lines[-1] = lines[-1][:-2]
        elif script == "long-object":
            lines.insert(0, json.dumps({"stream": "x" * (1 << 20)}))
        self.stream(lines)

    def load_lines(self, body):
        script = self.script
        try:
            with self.state.lock:
                names = self.state.load(body)
        except Exception as problem:  # a broken tar is answered, as docker does, with 200
            return [json.dumps({"errorDetail": {"message": str(problem)}, "error": str(problem)})]
        lines = [json.dumps({"status": "Loading layer", "progressDetail": {"current": 1, "total": 2}, "id": "9d\\\"{"})]
        if self.state.options.podman:
            return [json.dumps({"stream": "Loaded image: " + ",".join(names)})]
        lines += [json.dumps({"stream": "Loaded image: %s\n" % name}) for name in names]
        if script == "unpack-error":
            lines.append(json.dumps({"stream": "Error unpacking image %s: no space left\n" % names[0]}))
        elif script == "error-200":
            lines.append(json.dumps({"errorDetail": {"message": "write: no space left on device"}, "error": "write"}))
        elif script == "error-only":
            lines.append(json.dumps({"error": "unexpected EOF"}))
        return lines

    def stream(self, lines):
        text = "".join(line + "\r\n" for line in lines).encode()
        if self.state.options.podman:
            text = text.strip()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        step = 1 if self.script == "split" else max(len(text), 1)
        for at in range(0, len(text), step):
            part = text[at:at + step]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()
        if self.script == "truncated-chunks":
            self.vanish()
            return
        self.wfile.write(b"0\r\n\r\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    parser.add_argument("--diary", required=True)
    parser.add_argument("--script", default="honest", choices=sorted(SCRIPTS))
    parser.add_argument("--store", default="classic", choices=["classic", "containerd"])
    parser.add_argument("--podman", action="store_true")
    parser.add_argument("--arch", default="amd64")
    parser.add_argument("--old", action="append", default=[])
    options = parser.parse_args()
    if os.path.exists(options.socket):
        os.unlink(options.socket)
    server = Server(options.socket, Handler)
    server.state = Daemon(options)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
