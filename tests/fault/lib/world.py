# SPDX-License-Identifier: Apache-2.0
"""What the sweeps (files.py, memory.py, parallel.py) share: images that have layers in common, a registry, the program run under
a preload, and the verdict on a folder that a fetch has worked in."""
import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SERVERS = os.path.join(HERE, "..", "..", "servers")
# A run takes 0.1 s; what takes this long hangs.
HANG = 60
# What may stand beside an output after a failure.
BESIDE = {"a.tar.part", "a.tar.part.journal", "a.tar.part.old", "a.tar.part.old.journal"}


def arguments(parts):
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("preloads", help="the folder of the built preloads")
    p.add_argument("part", choices=parts)
    p.add_argument("--every", type=int, default=1, help="one point in so many; which ones, the seed says")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=0)
    p.add_argument("--scale", type=int, default=1, help="so many times the layers' size, and the number of calls")
    p.add_argument("--only", default="", help="scenarios whose name holds this")
    p.add_argument("--registry", default="", help="HOST:PORT to load to")
    p.add_argument("--closed", default="", help="HOST:PORT that wants tester's s3cret")
    return p.parse_args()


def place_of(point):
    return "-".join(map(str, point))


def sha(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def images(folder, scale):
    """In the shape that fixtures/image makes: "x", "was" (larger, two layers of x among its own), "tiny"."""
    os.makedirs(os.path.join(folder, "blobs"))
    source = random.Random(7)
    layers = {name: source.randbytes(size if size < 9 else size * scale) for name, size in
              {"big": 700000, "middle": 290000, "small": 4096, "old": 800000, "one": 1}.items()}

    def blob(data, kind):
        name = hashlib.sha256(data).hexdigest()
        with open(os.path.join(folder, "blobs", name), "wb") as file:
            file.write(data)
        return {"mediaType": "application/vnd.oci.image.%s" % kind, "digest": "sha256:" + name, "size": len(data)}

    def image(*names):
        diffs = ["sha256:" + hashlib.sha256(layers[n]).hexdigest() for n in names]
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diffs}}).encode()
        paper = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                 "config": blob(config, "config.v1+json"), "layers": [blob(layers[n], "layer.v1.tar") for n in names]}
        return dict(blob(json.dumps(paper).encode(), "manifest.v1+json"), children=[], diffs=diffs)

    table = {"x": image("big", "middle", "small"), "was": image("big", "old", "middle", "one"), "tiny": image("small", "one")}
    with open(os.path.join(folder, "images.json"), "w") as file:
        json.dump(table, file)


class World:
    """A folder, a registry in it, and how many points came out how."""

    def __init__(self, options):
        self.options, self.program, self.top = options, options.program, os.getcwd()
        self.servers, self.points, self.complaints, self.known = [], {}, [], 0
        self.started = time.monotonic()
        self.images = os.path.join(self.top, "images")
        if not os.path.exists(self.images):
            images(self.images, options.scale)
        self.host = self.serve()

    def serve(self, rules=(), *words):
        server = subprocess.Popen([sys.executable, "-u", os.path.join(SERVERS, "badregistry.py"), "--folder", self.images,
                                   "--rules", json.dumps(list(rules)), *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.servers.append(server)
        return "127.0.0.1:%d" % json.loads(server.stdout.readline())["registry"]

    def run(self, words, folder, preload=None, said=None, **fault):
        """(exit code, standard output, standard error); a negative code is a signal, None a hang. said: standard input."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FAULT_")}
        environment.update({k: str(v) for k, v in fault.items()})
        if preload:
            environment["LD_PRELOAD"] = os.path.join(self.options.preloads, preload + ".so")
        try:
            done = subprocess.run([self.program, *words], cwd=folder, env=environment, input=said or b"",
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=HANG)
        except subprocess.TimeoutExpired:
            return None, "", "no end after %d s" % HANG
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def must(self, words, folder, **fault):
        code, _, said = self.run(words, folder, **fault)
        if code:
            raise RuntimeError("%s: exit %s: %s" % (" ".join(words), code, said))

    def picked(self, points):
        """Every point, or one in so many, chosen by the seed."""
        every = self.options.every
        if every == 1:
            return list(points)
        points = list(points)
        return random.Random(self.options.seed).sample(points, max(1, len(points) // every))

    def each(self, points, judge):
        """judge(point) says what is wrong, or None; False: there is no such point. Two at once."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
            for point, wrong in zip(points, pool.map(lambda p: self.guarded(judge, p), points)):
                if wrong is False:
                    continue
                name = str(point[0])
                self.points[name] = self.points.get(name, 0) + 1
                if wrong:
                    self.complaints.append("%s: %s" % (" ".join(map(str, point)), wrong))
                    print("WRONG %s" % self.complaints[-1], flush=True)

    def guarded(self, judge, point):
        try:
            wrong = judge(point)
            if not wrong:
                shutil.rmtree(os.path.join(self.top, "work", place_of(point)), ignore_errors=True)
            return wrong
        except Exception as error:  # a harness that trips over what it found must say where
            return "%s: %s" % (type(error).__name__, error)

    def end(self, what, least):
        for server in self.servers:
            server.kill()
            server.wait()
        total = sum(self.points.values())
        print("%s: %d points in %d s, %d wrong (%s)" % (what, total, time.monotonic() - self.started, len(self.complaints),
                                                      ", ".join("%s %d" % p for p in self.points.items())))
        if total < least:
            print("only %d points, at least %d were meant" % (total, least))
        return bool(self.complaints) or total < least


class Case:
    """A state that a fetch begins with, kept in a folder, and what must come of it."""

    def __init__(self, world, name, image="x", extra=(), old=None):
        self.world, self.name, self.old = world, name, old
        self.words = ["fetch", "%s/test/%s:1" % (world.host, image), "-o", "a.tar", "--platform", "linux/amd64", "--connections",
                      "2", "--no-progress", *extra]
        self.start = os.path.join(world.top, "start", name)
        os.makedirs(self.start)

    def copy(self, place):
        """A new folder in the state of the beginning; the output stands in out/."""
        folder = os.path.join(self.world.top, "work", place)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        out = os.path.join(folder, "out")
        # A part that was reserved is not sparse; a copy of it that is, would be another case.
        shutil.copytree(self.start, out)
        return folder, out

    def measure(self):
        folder, out = self.copy("good-" + self.name)
        self.world.must(self.words, out)
        self.want = sha(os.path.join(out, "a.tar"))
        shutil.rmtree(folder)

    def look(self, out, ended_well):
        """What is wrong with the folder that a run has left."""
        final = os.path.join(out, "a.tar")
        have = sha(final) if os.path.exists(final) else None
        if ended_well and have != self.want:
            return "exit 0, and the archive is %s" % ("another one" if have else "not there")
        if have not in (self.old, self.want):
            return "the final name has %s" % (have or "lost its old archive")
        left = set(os.listdir(out)) - {"a.tar"}
        if ended_well and left:
            return "exit 0, and %s stays" % sorted(left)
        return "%s is left" % sorted(left - BESIDE) if left - BESIDE else None

    def next_run(self, out):
        """What is wrong with the same command afterwards."""
        code, _, said = self.world.run(self.words, out)
        if code:
            return "the next run: exit %s: %s" % (code, said.strip())
        wrong = self.look(out, True)
        return "the next run: " + wrong if wrong else None


def cases(world):
    """Fresh; over an old archive; after a kill; after a kill with another layout; that, killed again while it copied; with
    another archive's help."""
    elsewhere = os.path.join(world.top, "elsewhere")
    os.makedirs(elsewhere)
    was = ["fetch", "%s/test/was:1" % world.host, "--platform", "linux/amd64", "--connections", "2", "-q", "-o"]
    world.must(was + ["was.tar"], elsewhere)
    old = os.path.join(elsewhere, "was.tar")

    def killed(case, words, place, call, at):
        code, _, said = world.run(words, case.start, "calls", FAULT_DIR=case.start + "/", FAULT_DEED="kill", FAULT_CALL=call,
                                  FAULT_AT=at)
        if code != -9:
            raise RuntimeError("%s: the fetch that was to be killed: exit %s: %s" % (place, code, said))

    found = [Case(world, "fresh"), Case(world, "over", old=sha(old)), Case(world, "resume", old=sha(old)), Case(world, "moved"),
             Case(world, "moved-again"), Case(world, "have", extra=["--have-archive", old])]
    for case in found:
        if case.old:
            shutil.copy(old, os.path.join(case.start, "a.tar"))
    by_name = {case.name: case for case in found}
    killed(by_name["resume"], by_name["resume"].words, "resume", ",write,", 4)
    for name in ("moved", "moved-again"):
        killed(by_name[name], was + ["a.tar"], name, ",write,", 6)
    # Behind the import's first notes.
    killed(by_name["moved-again"], by_name["moved-again"].words, "moved-again", ",write,", 3)
    found = [case for case in found if world.options.only in case.name]
    for case in found:
        case.measure()
    return found
