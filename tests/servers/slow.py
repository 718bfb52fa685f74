#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slow line: slow.py PORT HOST:PORT BYTES_PER_SECOND

Listens on 127.0.0.1:PORT and passes everything on. The bytes on their way back, all connections together, are let through at
no more than the given rate.
"""
import socket
import sys
import threading
import time


class Rate:
    """Hands out leave to send; everybody waits in one queue."""

    def __init__(self, bytes_per_second):
        self.rate = bytes_per_second
        self.lock = threading.Lock()
        self.free_at = time.monotonic()

    def wait(self, count):
        with self.lock:
            now = time.monotonic()
            self.free_at = max(self.free_at, now) + count / self.rate
            pause = self.free_at - now
        time.sleep(pause)


def copy(source, sink, rate):
    try:
        while True:
            data = source.recv(4096 if rate else 65536)
            if not data:
                break
            if rate:
                rate.wait(len(data))
            sink.sendall(data)
    except OSError:
        pass
    for end, how in ((source, socket.SHUT_RD), (sink, socket.SHUT_WR)):
        try:
            end.shutdown(how)
        except OSError:
            pass


def serve(client, target, rate):
    try:
        server = socket.create_connection(target)
    except OSError:
        client.close()
        return
    up = threading.Thread(target=copy, args=(client, server, None), daemon=True)
    up.start()
    copy(server, client, rate)
    up.join()
    server.close()
    client.close()


def main():
    port, target, rate = int(sys.argv[1]), sys.argv[2].rsplit(":", 1), Rate(int(sys.argv[3]))
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, (target[0], int(target[1])), rate), daemon=True).start()


if __name__ == "__main__":
    main()
