#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: every archive that fixtures/hostile makes is refused by verify, inspect, load (to a folder, to a registry) and convert,
# with a reason, within 10 seconds and 64 MiB of memory (192 MiB where zstd's or xz's window counts), and nothing is written:
# not where it was to go, not outside, not at the registry. Prints how many.
#
#     CASES=REGEX   those whose names fit; every sixth if it is not given, CASES=. all
#
# timeout: 900
# sanitize: no (memory is measured; the units and fuzz targets of pack/ go the same ways)
. "$(dirname "$0")/../e2e/lib/common.sh"
need docker-registry python3 zstd lz4
start_registry dst
cd "$T" || exit 1
sh "$SOURCE_DIR/fixtures/hostile/make.sh" bad --all >bad.txt || fail "fixtures/hostile/make.sh"

cat >run.py <<'END'
"""run.py IMGPACK REGISTRY LIST: each archive of LIST through each command; what went wrong is printed."""
import os
import re
import resource
import subprocess
import sys
import time

program, registry, listed = sys.argv[1:]
jail = os.path.join(os.getcwd(), "jail/a/b")
os.makedirs(jail)
os.makedirs("scratch")
os.environ["TMPDIR"] = os.path.join(os.getcwd(), "scratch")
# Layers are not looked at by inspect; their names and sizes are right in these.
LAYERS = re.compile(r"blob-wrong|blob-swapped|layers-swapped|bombs-layer-")
OUTSIDE = ["/etc/cron.d/imgpack-hostile", "/tmp/imgpack-hostile", "/etc/cron.d/x"]
COMMANDS = {"verify": ["verify", "-q"], "inspect": ["inspect", "-q"], "oci": ["load", "-q", "--to", "oci:layout", "--name", "app:1=team/app:1"],
            "registry": ["load", "-q", "--to", "registry:" + registry], "convert": ["convert", "-q", "-o", "new.tar"]}
wrong = []
most = 0


def tree():
    return [(p, f) for p, d, f in os.walk(os.path.join(jail, "../.."))]


def run(name, word, words, says):
    global most
    start = time.monotonic()
    child = subprocess.Popen([program, words[0], os.path.join(os.getcwd(), "bad", name)] + words[1:], cwd=jail,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = child.stdout.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    took = time.monotonic() - start
    limit = 192 << 10 if re.search("zstd|xz", name) else 64 << 10
    most = max(most, usage.ru_maxrss if limit == 64 << 10 else 0)
    trouble = []
    if child.returncode not in ((0, 1) if word == "inspect" and LAYERS.match(name) else (1, 2, 5) if word == "oci" or word == "registry" else (1,)):
        trouble.append("exit %d" % child.returncode)
    if child.returncode and len(text) < 20 or (says and word == "verify" and says.lower() not in text.lower()):
        trouble.append("does not say \"%s\"" % says)
    if took > 10:
        trouble.append("%.1f s" % took)
    if usage.ru_maxrss > limit:
        trouble.append("%d KiB" % usage.ru_maxrss)
    if tree() != before or os.listdir("scratch"):
        trouble.append("something was written: %s" % tree())
    if trouble:
        wrong.append("%s %s: %s: %s" % (word, name, ", ".join(trouble), text[-300:].strip()))


before = tree()
count = 0
for number, line in enumerate(open(listed)):
    if "CASES" not in os.environ and number % 6:
        continue
    name, says, what = line.rstrip("\n").split("\t")
    if not re.search(os.environ.get("CASES", "."), name):
        continue
    count += 1
    for word, words in COMMANDS.items():
        run(name, word, words, says)
wrong += ["written: " + p for p in OUTSIDE if os.path.exists(p)]
print("%d hostile archives, %d commands each, at most %d KiB of memory, %d wrong" % (count, len(COMMANDS), most, len(wrong)))
sys.exit("\n".join(wrong) if wrong else 0)
END
python3 run.py "$IMGPACK" "$dst" bad.txt || fail "not as it must be"
[ "$(wc -l <bad.txt)" -ge 240 ] || fail "fewer than 240 archives"
! access_log dst | grep -E '^(PUT|POST|PATCH)' || fail "something was sent to the registry"
