#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A TCP front that counts: meter.py PORT HOST:PORT FILE

Passes connections on as they are. Every 50 ms FILE gets a line "SECONDS BYTES": what has passed by then, both ways and all
connections together. Its own buffers are small, so that what it counts is what the client lets come.

    meter.py rate FILE     "AVERAGE PEAK" in bytes a second: from the first body byte to the last, and in the busiest 5 seconds
"""
import bisect
import socket
import sys
import threading
import time

SMALL = 16 << 10
# Requests and papers are not yet a transfer.
BEGIN = 100_000

total = 0
lock = threading.Lock()


def small(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    return sock


def pipe(source, sink):
    global total
    try:
        while True:
            data = source.recv(SMALL)
            if not data:
                break
            sink.sendall(data)
            with lock:
                total += len(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        sink.close()


def record(path):
    with open(path, "w", buffering=1) as out:
        while True:
            out.write(f"{time.monotonic():.3f} {total}\n")
            time.sleep(0.05)


def serve(port, target, path):
    host, _, target_port = target.rpartition(":")
    listener = small(socket.create_server(("127.0.0.1", port), backlog=64))
    threading.Thread(target=record, args=(path,), daemon=True).start()
    while True:
        client, _ = listener.accept()
        server = small(socket.socket())
        server.connect((host, int(target_port)))
        for pair in ((client, server), (server, client)):
            threading.Thread(target=pipe, args=pair, daemon=True).start()


def rate(path):
    rows = [(float(t), int(n)) for t, n in (line.split() for line in open(path) if line.endswith("\n"))]
    end = next(i for i, row in enumerate(rows) if row[1] == rows[-1][1])
    start = next(i for i, row in enumerate(rows) if row[1] >= BEGIN)
    rows = rows[start:end + 1]
    times = [t for t, _ in rows]
    average = (rows[-1][1] - rows[0][1]) / (rows[-1][0] - rows[0][0])
    peak = 0
    for t, n in rows:
        later = bisect.bisect_left(times, t + 5)
        if later < len(rows):
            peak = max(peak, (rows[later][1] - n) / (rows[later][0] - t))
    print(f"{average:.0f} {peak:.0f}")


if sys.argv[1] == "rate":
    rate(sys.argv[2])
else:
    serve(int(sys.argv[1]), sys.argv[2], sys.argv[3])
