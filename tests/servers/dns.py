#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A name server that remembers: dns.py ADDRESS [NAME=IPV4...]

Listens on ADDRESS, UDP port 53. Prints every name it is asked for, one a line; knows the given ones, denies the others.
"""
import socket
import struct
import sys

known = dict(word.split("=") for word in sys.argv[2:])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((sys.argv[1], 53))
print("ready", flush=True)
while True:
    query, client = sock.recvfrom(4096)
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
        at += 1 + query[at]
    name = ".".join(labels).lower()
    kind = struct.unpack(">H", query[at + 1:at + 3])[0]
    print(name, flush=True)
    answer = b""
    if name in known and kind == 1:
        answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x01\0\x04" + socket.inet_aton(known[name])
    flags = 0x8580 if name in known else 0x8583
    sock.sendto(query[:2] + struct.pack(">HHHHH", flags, 1, bool(answer), 0, 0) + query[12:at + 5] + answer, client)
