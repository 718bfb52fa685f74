#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""memory.py PROGRAM PRELOADS own|all --registry HOST:PORT --closed HOST:PORT [--every N] [--seed N] [--only STORY]: each
allocation fails once, in each of some twenty stories. own: those of the program's own code, every one of which must end in
"out of memory", or go unnoticed; and what it has allocated must be freed at the end. all: those of the libraries too: what they
make of it they say in their own words. OpenSSL 3.0 crashes by itself when an allocation of its own set-up fails (it takes a lock
that it could not make): such ends are counted, not judged. Runs in an empty folder; prints the number of points."""
import os
import shutil
import sys
import urllib.request

import world as w


class Story:
    """Words, what stands in the folder before, what must hold after an exit with 0, and what is said on standard input."""

    def __init__(self, name, words, before=None, check=None, said=None):
        self.name, self.words, self.before, self.check, self.said = name, words, before, check, said


def stories(world):
    registry, closed = world.options.registry, world.options.closed
    platform = ["--platform", "linux/amd64", "--no-progress", "--connections", "2"]
    cases = {case.name: case for case in w.cases(world)}
    good = os.path.join(world.top, "x.tar")
    world.must(cases["fresh"].words, cases["fresh"].copy("good")[1])
    shutil.copy(os.path.join(world.top, "work", "good", "out", "a.tar"), good)
    with open(good, "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    with open(os.path.join(world.top, "bad.tar"), "wb") as file:
        file.write(data)

    def fetch(name, case, words=()):
        def before(folder):
            shutil.copytree(case.start, folder, dirs_exist_ok=True)

        def check(folder, printed):
            return case.look(folder, True)
        story = Story(name, list(words) or case.words, before, check)
        story.case = case
        return story

    def served(name, rules=(), words=(), can=True):
        """From another registry than the cases' own, so the archive names another one."""
        host = world.serve(rules, *words)
        case = w.Case(world, name)
        case.words = ["fetch", "%s/test/x:1" % host, "-o", "a.tar", *platform, "--retries", "2"]
        case.want = None
        if can:
            case.measure()
        return fetch(name, case)

    def loaded(folder, printed):
        name = os.path.basename(os.path.dirname(folder))
        path = "http://%s/v2/load/%s/manifests/1" % (registry, name)
        request = urllib.request.Request(path, headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return None if answer.read() else "an empty manifest"
        except OSError as error:
            return "exit 0, and the registry: %s" % error

    def stored(folder, printed):
        path = os.path.join(folder, "docker", "config.json")
        return None if os.path.exists(path) and closed in open(path).read() else "exit 0, and nothing is stored"

    def logged_in(folder):
        code, _, said = world.run(["login", closed, "--username", "tester", "--password-stdin"], folder, said=b"s3cret",
                                  DOCKER_CONFIG=os.path.join(folder, "docker"))
        if code:
            raise RuntimeError(said)

    def listed(folder):
        with open(os.path.join(folder, "list"), "w") as file:
            file.write("# two\n%s/test/x:1\n\n%s/test/tiny:1\n" % (world.host, world.host))

    found = [fetch(name, case) for name, case in cases.items()]
    found += [
        served("unauthorized", [{"path": "^/v2/", "do": {"status": 401, "challenge": False}}], can=False),
        # Each run meets it: the next range begins elsewhere.
        served("reset", [{"kind": "layer", "start": 0, "do": {"cut": {"at": "50%", "reset": True}}}]),
        served("wrong-bytes", [{"kind": "layer", "do": {"lie": "flip"}}], can=False),
        served("redirected", [{"kind": "layer", "path": "^/v2/", "do": {"redirect": "signed", "life": 60}}]),
        served("no-ranges", [{"kind": "layer", "do": {"range": "ignore"}}]),
        served("token", words=["--token-life", "60"]),
        fetch("absent", cases["fresh"], ["fetch", "%s/test/none:1" % world.host, "-o", "a.tar", *platform]),
        Story("plan", ["fetch", "--images", "list", "--plan", "--json", *platform], listed),
        Story("verify", ["verify", good, "--json"]),
        Story("verify-bad", ["verify", os.path.join(world.top, "bad.tar")]),
        Story("inspect", ["inspect", good, "--json"]),
        Story("load", ["load", good, "--to", "registry:" + registry, "--no-progress", "--connections", "2", "--name",
                       world.host + "/test/x:1=load/%s:1"],
              None, loaded),
        Story("login", ["login", closed, "--username", "tester", "--password-stdin"], None, stored, b"s3cret"),
        Story("login-wrong", ["login", closed, "--username", "tester", "--password-stdin"], None, None, b"wrong"),
        Story("logout", ["logout", closed], logged_in),
        Story("help", ["help", "fetch"]),
        Story("man", ["completion", "man"]),
        Story("usage", ["fetch", "--conections", "2"]),
    ]
    return found


def tell(world, story, place, at):
    """(exit code, output, error output, what the preload wrote, the folder)"""
    folder = os.path.join(world.top, "work", place, "out")
    shutil.rmtree(os.path.dirname(folder), ignore_errors=True)
    os.makedirs(folder)
    if story.before:
        story.before(folder)
    log = os.path.join(world.top, "work", place, "log")
    words = [word % place if "=load/" in word else word for word in story.words]
    # Some servers' rules are used up by one run: the point before must not decide about this one.
    code, printed, said = world.run(words, folder, "memory", said=story.said, FAULT_AT=at, FAULT_SCOPE=world.options.part,
                                    FAULT_LOG=log, DOCKER_CONFIG=os.path.join(folder, "docker"))
    lines = dict(line.split() for line in open(log).read().split("\n") if line) if os.path.exists(log) else {}
    library = lines.pop("library", "")
    return code, printed, said, dict({key: int(value, 16) for key, value in lines.items()}, library=library), folder


def judge_with(world, told):
    own = world.options.part == "own"

    def judge(point):
        story, clean = told[point[0]]
        code, printed, said, log, folder = tell(world, story, w.place_of(point), point[1])
        if "fired" not in log:
            return False if code == clean[0] else "exit %s: %s" % (code, said.strip())
        at = "(at %x of %s) " % (log["fired"], log["library"])
        if not own and code == -11 and log["library"].startswith("libcrypto"):
            world.known += 1
            return None
        if code is None or code < 0 or code >= 126:
            return at + "exit %s: %s" % (code, said.strip())
        if code and not said.strip():
            return at + "exit %s without a word" % code
        if own and code == 7 and "sends an upload to another host" in said:
            return None  # two addresses that could not be compared count as different: refused, the safe way
        if code not in (clean[0], 6) and not (code in (1, 3, 4, 7) and not own):
            return at + "exit %s: %s" % (code, said.strip())
        if own and code == 6 and clean[0] != 6 and "memory" not in said:
            return at + "said: " + said.strip()
        if code == 0 and story.check:
            wrong = story.check(folder, printed)
        elif code == clean[0]:
            wrong = None if printed.replace(point_name(point), "") == clean[1] else "another output"
        else:
            wrong = None
        if not wrong and hasattr(story, "case"):
            wrong = story.case.look(folder, code == 0)
        if not wrong and own and log.get("live", 0) > clean[3].get("live", 0):
            wrong = "%d allocations are not freed: %s" % (log["live"], said.strip())
        return wrong and at + wrong

    return judge


def point_name(point):
    return w.place_of(point)


def main():
    options = w.arguments(["own", "all"])
    only, options.only = options.only, ""
    world = w.World(options)
    told, points = {}, []
    for story in stories(world):
        if only not in story.name:
            continue
        clean = tell(world, story, "clean", 0)
        told[story.name] = (story, clean)
        numbers = world.picked(range(1, clean[3]["count"] + 5))
        points += [(story.name, number) for number in numbers]
        print("%s: exit %s, %d allocations, %d live at the end" % (story.name, clean[0], clean[3]["count"], clean[3]["live"]))
    world.each(points, judge_with(world, told))
    if world.known:
        print("%d times OpenSSL's set-up crashed" % world.known)
    return world.end("memory (%s)" % options.part, 1)


sys.exit(main())
