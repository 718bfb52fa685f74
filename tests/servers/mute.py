#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two listeners on 127.0.0.1 that never say anything; prints their ports, {"mute": 4001, "full": 4002, "pid": 7}.

  mute   connections are taken by the kernel, and nobody reads or answers
  full   its queue is full, so that a connection is not even taken
"""
import json
import os
import signal
import socket


def main():
    mute = socket.socket()
    mute.bind(("127.0.0.1", 0))
    mute.listen(128)
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    kept = []
    # One fits into a queue of 0; of these, all but that one knock in vain.
    for _ in range(4):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(full.getsockname())
        kept.append(sock)
    print(json.dumps({"mute": mute.getsockname()[1], "full": full.getsockname()[1], "pid": os.getpid()}), flush=True)
    signal.pause()


main()
