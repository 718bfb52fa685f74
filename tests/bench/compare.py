#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py RUNS ROUNDS BYTES: runs every command of RUNS (a JSON list a line: name, words...), one after the other, ROUNDS
times, and prints the median of wall time, CPU time (user and system, children included) and largest memory, and the ratio to
the first. A command "sh -c ..." may have several processes: all are counted, its largest one for memory."""
import json
import os
import resource
import statistics
import subprocess
import sys
import time


def run(words):
    """Wall, CPU seconds, MiB of the largest process; each run in a child of its own, so that getrusage counts it alone."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with open(os.devnull) as nothing:
            started = time.monotonic()
            done = subprocess.run(words, stdin=nothing, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            wall = time.monotonic() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(writer, json.dumps([done.returncode, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024,
                                     done.stderr.decode(errors="replace")[-500:]]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        code, wall, cpu, memory, words_said = json.load(answer)
    os.waitpid(child, 0)
    if code:
        sys.exit("%s: exit %d: %s" % (" ".join(words)[:200], code, words_said))
    return wall, cpu, memory


def main():
    with open(sys.argv[1]) as file:
        entries = [json.loads(line) for line in file]
    rounds, size = int(sys.argv[2]), int(sys.argv[3])
    figures = {entry[0]: [] for entry in entries}
    for number in range(rounds + 1):
        for name, *words in entries:
            # What the one before left unwritten is not this one's work.
            os.sync()
            found = run(words)
            # The first round warms the page cache and does not count.
            if number:
                figures[name].append(found)
    first = None
    print("%-34s %8s %8s %8s %8s   %s" % ("median of %d" % rounds, "wall s", "cpu s", "MiB", "MB/s", "wall, cpu against the first"))
    for name, rows in figures.items():
        wall, cpu, memory = (statistics.median(column) for column in zip(*rows))
        first = first or (wall, cpu)
        spread = "%.2f-%.2f" % (min(r[0] for r in rows), max(r[0] for r in rows))
        print("%-34s %8.2f %8.2f %8.0f %8.0f   %.2f, %.2f   (wall %s)" %
              (name, wall, cpu, memory, size / 1e6 / wall if size else 0, wall / first[0], cpu / first[1] if first[1] else 0, spread))


main()
