#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Listens where nobody should be asked in plain HTTP, and writes down who came.

    count.py LOG ADDRESS:PORT:MODE...

Each connection becomes a line of LOG once it has ended: PORT tls|plain|silent BYTES FIRST-LINE. TLS is told by the first
byte of a handshake. MODE is what the other side gets after its first bytes: `close` an orderly end, `reset` RST, `alert` a
fatal TLS alert, `http400` what Go's servers answer when plain HTTP was expected, `registry` the answer of a registry in plain
HTTP (a client that falls back would be content with it), `proxy403` the refusal of a tunnel.
"""

import socket
import struct
import sys
import threading

ANSWERS = {
    "close": b"",
    "reset": b"",
    "alert": bytes([0x15, 3, 3, 0, 2, 2, 40]),
    "http400": b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
    "registry": b"HTTP/1.1 200 OK\r\nDocker-Distribution-Api-Version: registry/2.0\r\nContent-Length: 2\r\n\r\n{}",
    "proxy403": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
}
lock = threading.Lock()


def serve(conn, port, mode, log):
    conn.settimeout(5)
    data = b""
    try:
        data = conn.recv(65536)
        conn.sendall(ANSWERS[mode])
        if mode == "reset":
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            conn.shutdown(socket.SHUT_WR)
            while more := conn.recv(65536):
                data += more
    except OSError:
        pass
    conn.close()
    kind = "silent" if not data else "tls" if data[0] == 0x16 else "plain"
    first = data.split(b"\r\n")[0][:80] if kind == "plain" else b""
    with lock, open(log, "a", encoding="ascii") as out:
        print(port, kind, len(data), ascii(first.decode("latin-1")), file=out)


def listen(address, port, mode, log):
    server = socket.create_server((address, port), backlog=64)

    def loop():
        while True:
            conn, _ = server.accept()
            threading.Thread(target=serve, args=(conn, port, mode, log), daemon=True).start()

    threading.Thread(target=loop).start()


def main():
    for spec in sys.argv[2:]:
        address, port, mode = spec.rsplit(":", 2)
        listen(address, int(port), mode, sys.argv[1])
    print("ready", flush=True)


main()
