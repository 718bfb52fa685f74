#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that a server meets in the wild, one after another, each another kind of bad.

    clients.py HOST:PORT plain|tls PATH COUNT     PATH: something large that it serves
"""
import random
import socket
import ssl
import struct
import sys


def connect(host, tls):
    address, port = host.rsplit(":", 1)
    s = socket.create_connection((address, int(port)), timeout=20)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        s = context.wrap_socket(s)
    return s


def get(path, more=""):
    return ("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path, more)).encode()


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says_nothing(s, path, chance):
    pass


def half_a_head(s, path, chance):
    s.sendall(get(path)[:chance.randrange(1, 30)])


def breaks_off(s, path, chance):
    s.sendall(get(path))
    s.recv(chance.randrange(1, 20000))


def resets(s, path, chance):
    s.sendall(get(path))
    s.recv(100)
    reset(s)


def resets_before_the_answer(s, path, chance):
    s.sendall(get(path))
    reset(s)


def nonsense(s, path, chance):
    s.sendall(chance.randbytes(chance.randrange(1, 3000)) + b"\r\n\r\n")
    s.recv(1000)


def long_line(s, path, chance):
    s.sendall(b"GET /" + b"a" * chance.randrange(1000, 100000) + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    s.recv(1000)


def many_headers(s, path, chance):
    s.sendall(get(path, "".join("X-%d: %s\r\n" % (i, "v" * 50) for i in range(chance.randrange(10, 2000)))))
    s.recv(1000)


def body_that_never_comes(s, path, chance):
    s.sendall(get(path, "Content-Length: 1000000\r\n") + b"x" * chance.randrange(100))


def upload(s, path, chance):
    s.sendall(b"POST /v2/x/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 5000)
    s.recv(1000)


def bad_chunks(s, path, chance):
    s.sendall(get(path, "Transfer-Encoding: chunked\r\n") + b"zz\r\nfoo")
    s.recv(1000)


def many_at_once(s, path, chance):
    s.sendall(get("/v2/") * chance.randrange(1, 50) + get(path))
    s.recv(1000)


def odd_ranges(s, path, chance):
    text = chance.choice(["bytes=0-0", "bytes=-1", "bytes=9-1", "bytes=1-2,5-6", "bytes=99999999999999999999-", "lines=1-2",
                          "bytes="])
    s.sendall(get(path, "Range: %s\r\nConnection: close\r\n" % text)[:None if chance.random() < .9 else 40])
    s.recv(500)


def bad_password(s, path, chance):
    s.sendall(get("/v2/", "Authorization: Basic %s\r\n" % ("=" * chance.randrange(100))))
    s.recv(1000)


def no_tls(s, path, chance):
    pass


KINDS = [says_nothing, half_a_head, breaks_off, resets, resets_before_the_answer, nonsense, long_line, many_headers,
         body_that_never_comes, upload, bad_chunks, many_at_once, odd_ranges, bad_password, no_tls]


def main(host, kind, path, count):
    chance = random.Random(1)
    for i in range(count):
        act = KINDS[i % len(KINDS)]
        s = connect(host, kind == "tls" and act is not no_tls)
        s.settimeout(0.2)
        try:
            if act is no_tls:
                s.sendall(chance.randbytes(chance.randrange(1, 300)))
            act(s, path, chance)
        except (OSError, ssl.SSLError):
            pass  # that it was cut off is as it should be
        finally:
            s.close()


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
