#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy that does not mean well, and a registry that writes down what it is told.

    hostile_proxy.py proxy PORT DIARY ACT CERT KEY ADDRESS
    hostile_proxy.py registry ADDRESS PORT DIARY CERT KEY

The proxy listens on 127.0.0.1; every byte that arrives goes into the file DIARY, raw, and inside of a TLS connection that it
answers itself, decrypted; its tunnels go to ADDRESS. The registry speaks TLS, wants Basic credentials, and then has no image.

ACT is what the proxy does with CONNECT:

    honest      a tunnel, as asked
    401         "401" and a Basic challenge: log in to me as to the registry
    407         "407" for ever, on a connection that stays
    407-close   "407" and the end of the connection, for ever
    407-other   "407" with Negotiate, NTLM and Digest
    302         a redirect to itself, over plain HTTP
    close       nothing but the end
    garbage     bytes that are no HTTP
    headers     "200" and headers without an end
    interim     "103" without an end
    silent      never answers
    plain       "200", and then a plain HTTP "401" with a Basic challenge where TLS should begin
    mitm        "200", and then TLS with a certificate of its own
    cut         "200", and then the end
"""
import os
import socket
import ssl
import sys
import threading
import time

BASIC = b'Basic realm="registry"'
lock = threading.Lock()


class Diary:
    def __init__(self, path):
        self.file = open(path, "ab", buffering=0)

    def recv(self, sock):
        data = sock.recv(65536)
        with lock:
            self.file.write(data)
        return data

    def head(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.recv(sock)
            if not more:
                raise OSError
            data += more
        return data


def answer(status, *headers):
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"Content-Length: 0", b"", b""])


REFUSALS = {
    "401": answer(b"401 Unauthorized", b"WWW-Authenticate: " + BASIC),
    "407": answer(b"407 Proxy Authentication Required", b"Proxy-Authenticate: " + BASIC),
    "407-close": answer(b"407 Proxy Authentication Required", b"Proxy-Authenticate: " + BASIC, b"Connection: close"),
    "407-other": answer(b"407 Proxy Authentication Required", b"Proxy-Authenticate: Negotiate", b"Proxy-Authenticate: NTLM",
                        b'Proxy-Authenticate: Digest realm="x", nonce="y", qop="auth"'),
}


def pump(source, sink, diary):
    try:
        while True:
            data = diary.recv(source) if diary else source.recv(65536)
            if not data:
                break
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def tunnel(sock, head, diary, registry):
    far = socket.create_connection((registry, int(head.split()[1].rpartition(b":")[2])))
    threading.Thread(target=pump, args=(far, sock, None), daemon=True).start()
    pump(sock, far, diary)


def act(sock, port, diary, what, cert, key):
    if what == "close":
        return
    if what == "garbage":
        sock.sendall(os.urandom(4096))
        diary.recv(sock)
        return
    head = diary.head(sock)
    while what in REFUSALS:
        sock.sendall(REFUSALS[what])
        if what == "407-close":
            return
        diary.head(sock)
    if what == "302":
        sock.sendall(answer(b"302 Found", b"Location: http://127.0.0.1:%d/v2/" % port))
        diary.head(sock)
    elif what == "headers":
        sock.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            sock.sendall(b"X: " + b"y" * 8000 + b"\r\n")
    elif what == "interim":
        while True:
            sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    elif what == "silent":
        while diary.recv(sock):
            pass
    else:
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if what == "honest":
            tunnel(sock, head, diary, sys.argv[7])
        elif what == "plain":
            sock.sendall(answer(b"401 Unauthorized", b"WWW-Authenticate: " + BASIC))
            while diary.recv(sock):
                pass
        elif what == "mitm":
            with context(cert, key).wrap_socket(sock, server_side=True) as inside:
                while diary.recv(inside):
                    inside.sendall(answer(b"401 Unauthorized", b"WWW-Authenticate: " + BASIC))


def registry(sock, diary, tls):
    with tls.wrap_socket(sock, server_side=True) as inside:
        while True:
            known = b"\r\nauthorization: basic " in diary.head(inside).lower()
            inside.sendall(answer(b"404 Not Found") if known else
                           answer(b"401 Unauthorized", b"WWW-Authenticate: " + BASIC))


def context(cert, key):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    return tls


def serve(address, handler):
    listener = socket.create_server(address, backlog=16)
    print("ready", flush=True)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=one, args=(sock, handler), daemon=True).start()


def one(sock, handler):
    try:
        handler(sock)
        time.sleep(0.05)
        sock.close()
    except OSError:
        sock.close()


if sys.argv[1] == "proxy":
    here, notes, (what, own_cert, own_key) = int(sys.argv[2]), Diary(sys.argv[3]), sys.argv[4:7]
    serve(("127.0.0.1", here), lambda s: act(s, here, notes, what, own_cert, own_key))
else:
    notes, own = Diary(sys.argv[4]), context(sys.argv[5], sys.argv[6])
    serve((sys.argv[2], int(sys.argv[3])), lambda s: registry(s, notes, own))
