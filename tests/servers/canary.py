#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small internet in a network namespace, where every listener keeps every byte that it receives.

    canary.py cases IMGPACK FOLDER [BEGIN]     the cases of canary_cases.py: where do secrets go?
    canary.py faults IMGPACK FOLDER [BEGIN]    the scenes of canary_faults.py: what is printed, and what is left?

BEGIN: those alone whose names begin so.

Must run in network and mount namespaces of its own (tests/e2e/secrets.sh makes them): it gives the loopback device the
addresses below, and puts its own file over /etc/hosts. All listeners stand on all addresses: TLS on 443, 5000, 5001 and
8443 with a certificate for every name, plain on 80 and 5080, a proxy on 3128. Who is spoken to is told apart by the
address, so each name that matters has one of its own.

A case says what the registry does and where each secret may be seen. A secret is searched for as it is, in base64 (alone
and as "user:secret"), percent-encoded, and in hex. Exit 1: a case failed, and is named.
"""

import base64
import gzip
import hashlib
import importlib
import io
import json
import os
import secrets
import select
import shutil
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import urllib.parse

ADDRESSES = {
    "registry.example": "203.0.113.1",
    "registry.example.": "203.0.113.1",
    "auth.example": "203.0.113.2",
    "cdn.example": "203.0.113.3",
    "evil.example": "203.0.113.4",
    "registry.example.evil.example": "203.0.113.4",
    "cdn.registry.example": "203.0.113.5",
    "proxy.example": "203.0.113.6",
    "plain.example": "203.0.113.7",
    "registry-1.docker.io": "203.0.113.8",
    "my.azurecr.io": "203.0.113.9",
    "corp.example": "203.0.113.10",
    "old.example": "203.0.113.11",
    "inner.example": "127.0.0.9",
}
LOOK_ALIKE = "203.0.113.99"  # where all names that only look like another stand
LITERALS = ["10.0.0.1", "10.0.0.2", "10.0.0.5", "10.0.0.10", "10.1.2.3", "169.254.169.254", "172.16.0.1", "192.168.1.1",
            "fd00::1"]
TLS_PORTS, PLAIN_PORTS, PROXY_PORT = (443, 5000, 5001, 8443), (80, 5080), 3128
PLATFORM = ["--platform", "linux/amd64"]


def address_of(host):
    host = host.strip("[]").lower()
    return ADDRESSES.get(host, host)


def origin_of(url):
    """"https://auth.example/x" -> "https 203.0.113.2 443", as connections are named."""
    parts = urllib.parse.urlsplit(url)
    return "%s %s %d" % (parts.scheme, address_of(parts.hostname), parts.port or {"https": 443, "http": 80}[parts.scheme])


class Request:
    def __init__(self, origin, method, path, headers, body):
        self.origin, self.method, self.path, self.headers, self.body = origin, method, path, headers, body
        self.authorization = headers.get("authorization", "")


class Connection:
    """One connection: what came is in `heard`, request by request."""

    def __init__(self, world, sock, tls):
        self.world, self.sock, self.tls = world, sock, tls
        self.address = sock.getsockname()[0].replace("::ffff:", "")
        self.port = sock.getsockname()[1]
        self.origin = "%s %s %d" % ("https" if tls else "http", self.address, self.port)
        self.heard = []  # [path, bytes]
        self.rest = b""

    def more(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise ConnectionError
        self.heard[-1][1] += piece
        self.rest += piece

    def exactly(self, n):
        while len(self.rest) < n:
            self.more()
        out, self.rest = self.rest[:n], self.rest[n:]
        return out

    def line(self):
        while b"\n" not in self.rest:
            self.more()
        return self.exactly(self.rest.index(b"\n") + 1).strip()

    def body(self, headers):
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.exactly(int(headers.get("content-length", 0)))
        out = b""
        while True:
            size = int(self.line(), 16)
            out += self.exactly(size)
            self.line()
            if not size:
                return out

    def request(self):
        self.heard.append(["", bytearray(self.rest)])
        method, path, _ = self.line().decode("latin-1").split(" ", 2)
        self.heard[-1][0] = path
        headers = {}
        while True:
            line = self.line().decode("latin-1")
            if not line:
                break
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Request(self.origin, method, path, headers, self.body(headers))

    def answer(self, request, status, headers, body):
        head = "HTTP/1.1 %d X\r\n" % status
        if not any(name.lower() == "content-length" for name, _ in headers):
            headers = [*headers, ("Content-Length", str(len(body)))]
        head += "".join("%s: %s\r\n" % pair for pair in headers) + "\r\n"
        self.sock.sendall(head.encode("latin-1") + (b"" if request.method == "HEAD" else body))

    def tunnel(self, target):
        host, _, port = target.rpartition(":")
        with socket.create_connection((address_of(host), int(port))) as far:
            self.sock.sendall(b"HTTP/1.1 200 X\r\n\r\n")
            while True:
                for one in select.select([self.sock, far], [], [])[0]:
                    piece = one.recv(65536)
                    if not piece:
                        return
                    if one is self.sock:
                        self.heard[-1][1] += piece
                    (far if one is self.sock else self.sock).sendall(piece)

    def serve(self):
        try:
            if self.tls:
                self.sock.settimeout(20)
                self.sock = self.world.context.wrap_socket(self.sock, server_side=True)
            while True:
                request = self.request()
                scene = self.world.scene
                if self.port == PROXY_PORT and request.method == "CONNECT":
                    refusal = scene.proxy(request)
                    if not refusal:
                        self.tunnel(request.path)
                        return
                    self.answer(request, *refusal)
                    continue
                answer = scene.answer(request)
                if answer == "reset":
                    self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    return
                if isinstance(answer, bytes):
                    self.sock.sendall(answer)
                    return
                self.answer(request, *answer)
        except (OSError, ValueError):
            pass  # a client that goes away is part of every case
        finally:
            self.sock.close()
            self.world.ended(self)


class World:
    def __init__(self, imgpack, folder):
        self.imgpack, self.folder = imgpack, folder
        self.lock = threading.Condition()
        self.connections, self.open = [], 0
        self.scene = None
        self.number = 0

    # The internet.

    def build(self, look_alikes):
        names = {**ADDRESSES, **{name: LOOK_ALIKE for name in look_alikes}}

        def run(*words):
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        run("ip", "link", "set", "lo", "up")
        literals = [*LITERALS, *{a for a in names.values() if not a.startswith("127.")}]
        for address in literals:
            # Without "nodad" an IPv6 address is not there at once.
            run("ip", "addr", "replace", address + ("/128" if ":" in address else "/32"), "dev", "lo",
                *(["nodad"] if ":" in address else []))
        with open(self.path("hosts"), "w") as file:
            file.write("127.0.0.1 localhost\n" + "".join("%s %s\n" % (a, n) for n, a in names.items()))
        run("mount", "--bind", self.path("hosts"), "/etc/hosts")
        san = ["DNS:" + n for n in [*names, "localhost", "x.localhost"] if not n.endswith(".")]
        san += ["IP:" + a for a in [*LITERALS, "127.0.0.1", "0.0.0.0", "::1"]]
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3",
            "-subj", "/CN=imgpack test", "-addext", "subjectAltName=" + ",".join(san), "-keyout", self.path("key"),
            "-out", self.path("cert"))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.path("cert"), self.path("key"))
        for port in (*TLS_PORTS, *PLAIN_PORTS, PROXY_PORT):
            self.listen(port, port in TLS_PORTS)

    def path(self, name):
        return os.path.join(self.folder, name)

    def listen(self, port, tls):
        server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)

        def loop():
            while True:
                sock, _ = server.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = Connection(self, sock, tls)
                with self.lock:
                    self.connections.append(connection)
                    self.open += 1
                threading.Thread(target=connection.serve, daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()

    def ended(self, _):
        with self.lock:
            self.open -= 1
            self.lock.notify_all()

    # One run.

    def begin(self, scene):
        with self.lock:
            self.connections = []
        self.scene = scene
        self.number += 1
        self.home = self.path("run-%d" % self.number)
        os.makedirs(self.home + "/.docker")
        os.makedirs(self.home + "/out")

    def run(self, words, env=None, stdin=b"", timeout=60):
        """Runs imgpack; its listeners have heard everything when this returns."""
        environment = {"PATH": os.environ["PATH"], "HOME": self.home, "DOCKER_CONFIG": self.home + "/.docker", "LC_ALL": "C.UTF-8",
                       **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}, **(env or {})}
        done = subprocess.run([self.imgpack, *words], cwd=self.home, env=environment, input=stdin, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with self.lock:
            self.lock.wait_for(lambda: self.open == 0, timeout=10)
        return done

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.home, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def heard(self):
        """(origin, path, bytes) of every request; of a connection without one, what came."""
        for connection in list(self.connections):
            for path, data in connection.heard:
                yield connection.origin, path, bytes(data)

    def end(self):
        shutil.rmtree(self.home, ignore_errors=True)


def forms_of(secret, user="alice"):
    """The bytes by which a secret is recognised."""
    raw = secret.encode()
    out = {raw, raw.hex().encode(), urllib.parse.quote(secret, safe="").encode(), raw[::-1]}
    for coder in (base64.b64encode, base64.urlsafe_b64encode):
        out.add(coder(user.encode() + b":" + raw))
        for shift in range(3):
            # Where it stands inside other text: what its neighbours cannot change.
            coded = coder(b"x" * shift + raw)
            out.add(coded[4 if shift else 0:-4])
    return out


def canary(kind):
    return "Cn-%s-%s" % (kind, secrets.token_hex(8))


# An image of a config and a layer, both small; the layer is not compressed, so that its bytes can be found on the wire.

def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Image:
    def __init__(self, marker="nothing", urls=None):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            info = tarfile.TarInfo("file")
            info.size = len(marker)
            tar.addfile(info, io.BytesIO(marker.encode()))
        layers = [(out.getvalue(), "application/vnd.oci.image.layer.v1.tar", None)]
        diffs = [digest(out.getvalue())]
        if urls is not None:
            layers.append((gzip.compress(out.getvalue() + b"\0" * 512, mtime=0),
                           "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", urls))
            diffs.append(digest(out.getvalue() + b"\0" * 512))
        self.foreign = digest(layers[-1][0]) if urls is not None else None
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                             "rootfs": {"type": "layers", "diff_ids": diffs}}).encode()
        self.blobs = {digest(config): config, **{digest(d): d for d, _, _ in layers}}
        entry = lambda d, kind: {"mediaType": kind, "digest": digest(d), "size": len(d)}
        self.type = "application/vnd.oci.image.manifest.v1+json"
        config_type = "application/vnd.oci.image.config.v1+json"
        if urls is not None:
            self.type = "application/vnd.docker.distribution.manifest.v2+json"
            config_type = "application/vnd.docker.container.image.v1+json"
            layers[0] = (layers[0][0], "application/vnd.docker.image.rootfs.diff.tar", None)
        self.manifest = json.dumps({"schemaVersion": 2, "mediaType": self.type, "config": entry(config, config_type),
                                    "layers": [{**entry(d, k), **({"urls": u} if u else {})} for d, k, u in layers]}).encode()


def main():
    what, imgpack, folder, begin = [*sys.argv[1:], ""][:4]
    started = time.monotonic()
    world = World(imgpack, folder)
    module = importlib.import_module({"cases": "canary_cases", "faults": "canary_faults"}[what])
    world.build(module.LOOK_ALIKES)
    failed = module.run_all(world, begin)
    print("%.1f s" % (time.monotonic() - started))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    # The other modules import this one by its name: one and the same.
    sys.modules["canary"] = sys.modules["__main__"]
    main()
