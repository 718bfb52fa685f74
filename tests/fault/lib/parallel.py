#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""parallel.py PROGRAM PRELOADS together --count ROUNDS [--seed N]: in each round sixteen processes fetch into the same output at
about the same time, and one of them is killed. Runs in an empty folder; prints the number of rounds."""
import os
import random
import signal
import subprocess
import sys
import time

import world as w

TOGETHER = 16


def end_all(running, until):
    """The exit codes and words; None for one that did not end."""
    ends = []
    for process in running:
        try:
            _, said = process.communicate(timeout=max(0.1, until - time.monotonic()))
            ends.append((process.returncode, said.decode(errors="replace")))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            ends.append((None, ""))
    return ends


def judge_round(world, case, tally, point):
    source = random.Random(point[1])
    _, out = case.copy(w.place_of(point))
    running = []
    victim = source.randrange(TOGETHER)
    for _ in range(TOGETHER):
        running.append(subprocess.Popen([world.program, *case.words], cwd=out, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
        time.sleep(source.choice([0, 0, 0, 0.01, 0.05]))
    time.sleep(source.uniform(0, 0.25))
    # Which one holds the lock is not known; in some rounds it is the one that has come the farthest.
    running[victim if source.random() < 0.5 else 0].send_signal(signal.SIGKILL)
    ends = end_all(running, time.monotonic() + w.HANG)
    for code, said in ends:
        if code is None:
            return "one did not end"
        if code not in (0, 6, -9):
            return "exit %s: %s" % (code, said.strip())
        if code == 6 and "another imgpack" not in said:
            return "a loser says: %s" % said.strip()
        tally[code] = tally.get(code, 0) + 1
    well = any(code == 0 for code, _ in ends)
    # The killed one's beginning may stay: what one who ended well left behind him is another's.
    wrong = case.look(out, False)
    if not wrong and well and not os.path.exists(os.path.join(out, "a.tar")):
        wrong = "one ended with 0, and there is no archive"
    if not wrong and not well and not any(code == -9 for code, _ in ends):
        wrong = "nobody ended well, and nobody was killed"
    return wrong or case.next_run(out)


def main():
    options = w.arguments(["together"])
    world = w.World(options)
    cases, tally = w.cases(world), {}
    points = [(cases[seed % len(cases)].name, seed) for seed in range(options.seed, options.seed + options.count)]
    by_name = {case.name: case for case in cases}
    for point in points:
        world.each([point], lambda p: judge_round(world, by_name[p[0]], tally, p))
    print("of the processes %d ended well, %d gave way, %d were killed" % (tally.get(0, 0), tally.get(6, 0), tally.get(-9, 0)))
    return world.end("together", options.count) or tally.get(0, 0) == 0 or tally.get(6, 0) == 0 or tally.get(-9, 0) == 0


sys.exit(main())
