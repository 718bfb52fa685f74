#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""files.py PROGRAM PRELOADS kill|error|short [--every N] [--seed N] [--count N] [--only CASE]: fetches of which one call on a
file kills the process, or fails, or whose calls all come back short. Runs in an empty folder; prints the number of points."""
import errno
import os
import random
import sys

import world as w

ERRORS = {"ENOSPC": ("write", "pwrite", "fsync", "fallocate", "rename", "open", "close"),
          "EDQUOT": ("write", "pwrite", "fsync", "fallocate", "rename", "open", "close"),
          "EFBIG": ("write", "pwrite", "fallocate", "ftruncate"),
          "EIO": ("write", "pwrite", "fsync", "fallocate", "rename", "open", "close", "read", "pread", "ftruncate", "fchmod",
                  "unlink"),
          "EACCES": ("rename", "open", "unlink")}
# Calls whose failure the archive does not survive: exit 0 is wrong there, whatever stands under the final name.
MATTER = {"pwrite", "fsync", "fallocate", "rename", "ftruncate", "fchmod"}


def fault(case, place, deed, **more):
    folder, out = case.copy(place)
    log = os.path.join(folder, "log")
    code, printed, said = case.world.run(case.words, out, "calls", FAULT_DIR=out, FAULT_DEED=deed, FAULT_LOG=log, **more)
    lines = open(log).read().split("\n") if os.path.exists(log) else []
    return out, code, said, [line.split()[1] for line in lines if line]


def calls_of(case):
    """The names of the calls that a run without faults makes, in their order."""
    _, code, said, calls = fault(case, "trace-" + case.name, "trace")
    if code:
        raise RuntimeError("%s: %s" % (case.name, said))
    return calls


def kill(world, cases):
    by_name = {case.name: case for case in cases}

    def judge(point):
        case = by_name[point[0]]
        out, code, said, fired = fault(case, w.place_of(point), point[1], FAULT_AT=point[2], FAULT_CALL=point[3])
        if not fired:
            # Two connections share the work differently each time: then there was one call less.
            return False if code == 0 else "exit %s: %s" % (code, said)
        if code != -9:
            return "killed at %s, exit %s" % (fired[0], code)
        return case.look(out, False) or case.next_run(out)

    points = []
    for case in cases:
        calls = calls_of(case)
        # Before each call, in the middle of each that writes, and each name on its own once more with the seed's help.
        points += [(case.name, "kill", n, "") for n in range(1, len(calls) + 1)]
        for name in sorted({"write", "pwrite"} & set(calls)):
            points += [(case.name, "torn", n, ",%s," % name) for n in range(1, calls.count(name) + 1)]
    points = world.picked(points)
    if world.options.count > len(points):
        # The same places again: with two connections they are other moments.
        points += [(p[0], p[1], p[2], p[3], "again%d" % i) for i, p in
                   enumerate(random.Random(world.options.seed).choices(points, k=world.options.count - len(points)))]
    world.each(points, judge)
    return world.end("kill", len(points) * 9 // 10)


def error(world, cases):
    by_name = {case.name: case for case in cases}

    def judge(point):
        case, deed, name, call, at = by_name[point[0]], point[1], point[2], point[3], point[4]
        out, code, said, fired = fault(case, w.place_of(point), deed, FAULT_AT=at, FAULT_CALL=",%s," % call,
                                       FAULT_ERRNO=getattr(errno, name))
        if not fired:
            return False if code == 0 else "exit %s: %s" % (code, said)
        if code not in (0, 6):
            return "exit %s: %s" % (code, said.strip())
        if code and not said.strip():
            return "exit %s without a word" % code
        # No room beside what was set aside: that is dropped, and the room asked for again.
        again = call == "fallocate" and name == "ENOSPC" and deed == "fail" and case.name.startswith("moved")
        if not code and call in MATTER and not again:
            return "%s #%d failed with %s, and exit 0" % (call, at, name)
        left = set(os.listdir(out)) - w.BESIDE - {"a.tar"}
        if code == 0 and call == "unlink":
            return case.look(out, False)  # what cannot be removed stays
        return "%s is left" % sorted(left) if left else case.look(out, code == 0) or case.next_run(out)

    first, rest = [], []
    for case in cases:
        calls = calls_of(case)
        for name, where in ERRORS.items():
            for call in where:
                for n in range(1, calls.count(call) + 1):
                    for deed in ("fail", "fails"):
                        (first if n <= 3 else rest).append((case.name, deed, name, call, n))
    points = world.picked(first + rest)
    if 0 < world.options.count < len(points):
        # The first of each kind, and others at random.
        points = first[:world.options.count // 2]
        points += random.Random(world.options.seed).sample(first[len(points):] + rest, world.options.count - len(points))
    world.each(points, judge)
    kinds = [(name, sum(point[2] == name for point in points)) for name in ERRORS]
    print(", ".join("%s %d" % kind for kind in kinds))
    return world.end("error", len(points) * 9 // 10)


def short(world, cases):
    def judge(point):
        case = cases[point[1] % len(cases)]
        out, code, said, _ = fault(case, w.place_of(point), "short", FAULT_SEED=point[1])
        return case.look(out, True) if code == 0 else "%s: exit %s: %s" % (case.name, code, said)

    seeds = range(world.options.seed, world.options.seed + world.options.count)
    world.each([("short", seed) for seed in seeds], judge)
    return world.end("short", world.options.count)


def main():
    options = w.arguments(["kill", "error", "short"])
    world = w.World(options)
    return {"kill": kill, "error": error, "short": short}[options.part](world, w.cases(world))


sys.exit(main())
