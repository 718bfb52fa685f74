#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A long, thin line in user space: relay.py --to HOST:PORT [options]

prints one line of JSON with its port, {"port": 4001, "pid": 7, "seed": 1}, and passes on what comes to 127.0.0.1:PORT, as if
the other side stood far away:

  --each BYTES       a second towards the client, each connection
  --all BYTES        a second towards the client, all connections together
  --round-trip MS    half of it is added to every byte in both directions, and one more round trip to the first byte, for
                     the handshake, which a program cannot slow down
  --reset-every N    a connection is reset after N bytes towards the client, counted over all, give or take the half
  --resets N         no more than so many
  --seed N           of the resets
  --port N           a free one without

Once a second, while something moves, "SECONDS connections=N bytes=TOTAL resets=N" goes to standard error.
"""
import argparse
import asyncio
import json
import os
import random
import socket
import struct
import sys


class Budget:
    """When the next bytes may pass. Everybody waits in one queue."""

    def __init__(self, rate):
        self.rate, self.free_at = rate, 0.0

    def reserve(self, now, count):
        if not self.rate:
            return now
        self.free_at = max(self.free_at, now) + count / self.rate
        return self.free_at


class Line:
    def __init__(self, options):
        self.options = options
        host, _, port = options.to.rpartition(":")
        self.target = (host, int(port))
        self.all = Budget(options.all)
        self.half_trip = options.round_trip / 2000
        rates = [rate for rate in (options.each, options.all) if rate]
        # At most 20 ms of the line in one piece, at least a frame.
        self.slice = max(1500, min([rate // 50 for rate in rates] + [65536]))
        # What may be under way in one connection: a trip of it, and two pieces.
        fastest = min(rates) if rates else 1 << 28
        self.window = int(max(4 * self.slice, fastest * self.half_trip * 2 + 2 * self.slice))
        self.chance = random.Random(options.seed)
        self.bytes = self.connections = self.resets = 0
        self.next_reset = self.draw()

    def draw(self):
        if not self.options.reset_every or self.resets >= self.options.resets:
            return None
        return self.bytes + int(self.options.reset_every * self.chance.uniform(0.5, 1.5))

    def is_reset(self, count):
        self.bytes += count
        if self.next_reset is None or self.bytes < self.next_reset:
            return False
        self.resets += 1
        self.next_reset = self.draw()
        return True


class Way:
    """One direction of one connection: read, kept for as long as the line takes, written."""

    def __init__(self, line, source, sink, down, ready_at):
        self.line, self.source, self.sink, self.ready_at = line, source, sink, ready_at
        self.down = down
        self.budget = Budget(line.options.each if down else None)
        self.queue, self.held = asyncio.Queue(), 0
        self.room = asyncio.Event()

    async def read(self):
        loop, line = asyncio.get_running_loop(), self.line
        while True:
            data = await loop.sock_recv(self.source, line.slice if self.down else 65536)
            now = max(loop.time(), self.ready_at)
            if data and self.down:
                now = max(self.budget.reserve(now, len(data)), line.all.reserve(now, len(data)))
            self.queue.put_nowait((now + line.half_trip, data))
            if not data:
                return
            self.held += len(data)
            while self.held >= line.window:
                self.room.clear()
                await self.room.wait()

    async def write(self):
        loop = asyncio.get_running_loop()
        while True:
            at, data = await self.queue.get()
            pause = at - loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
            if not data:
                self.sink.shutdown(socket.SHUT_WR)
                return
            await loop.sock_sendall(self.sink, data)
            self.held -= len(data)
            self.room.set()
            if self.down and self.line.is_reset(len(data)):
                self.sink.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise ConnectionResetError


async def carry(line, client):
    loop = asyncio.get_running_loop()
    server = socket.socket()
    tasks = []
    line.connections += 1
    try:
        for sock in (client, server):
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(server, line.target)
        ready_at = loop.time() + 2 * line.half_trip
        for way in (Way(line, client, server, False, ready_at), Way(line, server, client, True, 0)):
            tasks += [asyncio.ensure_future(way.read()), asyncio.ensure_future(way.write())]
        await asyncio.gather(*tasks)
    except OSError:
        pass
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        client.close()
        server.close()
        line.connections -= 1


async def report(line):
    started, last = asyncio.get_running_loop().time(), 0
    while True:
        await asyncio.sleep(1)
        if line.bytes != last:
            last = line.bytes
            print("%.0f connections=%d bytes=%d resets=%d" % (asyncio.get_running_loop().time() - started,
                                                              line.connections, last, line.resets), file=sys.stderr, flush=True)


async def serve(line, listener):
    loop, kept = asyncio.get_running_loop(), set()
    kept.add(asyncio.ensure_future(report(line)))
    while True:
        client, _ = await loop.sock_accept(listener)
        task = asyncio.ensure_future(carry(line, client))
        kept.add(task)
        task.add_done_callback(kept.discard)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--to", required=True)
    p.add_argument("--each", type=int)
    p.add_argument("--all", type=int)
    p.add_argument("--round-trip", type=float, default=0)
    p.add_argument("--reset-every", type=int)
    p.add_argument("--resets", type=int, default=1 << 31)
    p.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    p.add_argument("--port", type=int, default=0)
    options = p.parse_args()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Small queues: what is on its way is kept here, not in a kernel.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)
    listener.bind(("127.0.0.1", options.port))
    listener.listen(128)
    listener.setblocking(False)
    print(json.dumps({"port": listener.getsockname()[1], "pid": os.getpid(), "seed": options.seed}), flush=True)
    asyncio.run(serve(Line(options), listener))


if __name__ == "__main__":
    main()
