#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the `run:` steps of a GitHub Actions workflow's only job here, as a runner would.

    workflow.py run FILE CONTEXT.json FOLDER [--skip STEP]...   FOLDER is RUNNER_TEMP; exit code 1 if a step failed
    workflow.py check FILE                                      rules that no linter is needed for

CONTEXT.json holds the contexts that expressions read: {"github": {...}, "vars": {...}, "secrets": {...}, "inputs": {...}}.
Of expressions only what our workflows use is known here (paths, ||, &&, startsWith, contains, fromJSON, failure()); another
one is an error. Each step is run by `bash -e FILE`, its output goes to FOLDER/log. Steps with `uses:` are left out.
"""

import argparse
import json
import os
import re
import subprocess
import sys

import yaml

TOKEN = re.compile(r"\s*(\|\||&&|[(),]|'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_.-]*)")


class Expression:
    def __init__(self, text, contexts):
        self.tokens, at = [], 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if not found:
                raise ValueError("cannot read %r" % text)
            self.tokens.append(found.group(1))
            at = found.end()
        self.contexts = contexts

    def value(self):
        out = self.both()
        while self.tokens and self.tokens[0] == "||":
            self.tokens.pop(0)
            other = self.both()
            out = out or other
        return out

    def both(self):
        out = self.one()
        while self.tokens and self.tokens[0] == "&&":
            self.tokens.pop(0)
            other = self.one()
            out = out and other
        return out

    def one(self):
        word = self.tokens.pop(0)
        if word.startswith("'"):
            return word[1:-1].replace("''", "'")
        if self.tokens and self.tokens[0] == "(":
            self.tokens.pop(0)
            given = []
            while self.tokens[0] != ")":
                given.append(self.value())
                if self.tokens[0] == ",":
                    self.tokens.pop(0)
            self.tokens.pop(0)
            return self.call(word, given)
        out = self.contexts
        for part in word.split("."):
            out = out.get(part, "") if isinstance(out, dict) else ""
        return out

    def call(self, name, given):
        if name == "startsWith":
            return str(given[0]).lower().startswith(str(given[1]).lower())
        if name == "contains":
            return given[1] in given[0]
        if name == "fromJSON":
            return json.loads(given[0])
        if name == "failure":
            return self.contexts["failed"]
        raise ValueError("no function %s here" % name)


def evaluate(text, contexts):
    return Expression(text, contexts).value()


def fill(text, contexts):
    return re.sub(r"\$\{\{(.*?)\}\}", lambda m: str(evaluate(m.group(1), contexts)), str(text))


def the_job(path):
    with open(path, encoding="utf-8") as file:
        workflow = yaml.safe_load(file)
    (job,) = workflow["jobs"].values()
    return workflow, job


def run(options):
    workflow, job = the_job(options.file)
    with open(options.context, encoding="utf-8") as file:
        contexts = json.load(file)
    contexts.update(steps={}, failed=False)
    folder = os.path.abspath(options.folder)
    os.makedirs(folder, exist_ok=True)
    if "if" in job and not evaluate(job["if"], contexts):
        print("skipped")
        return 0
    common = {k: fill(v, contexts) for k, v in {**workflow.get("env", {}), **job.get("env", {})}.items()}
    with open(os.path.join(folder, "log"), "ab") as log:
        for number, step in enumerate(job["steps"]):
            if "run" not in step or step["name"] in options.skip:
                continue
            wanted = evaluate(step["if"], contexts) if "if" in step else True
            if not wanted or (contexts["failed"] and "failure()" not in step.get("if", "")):
                continue
            contexts["failed"] = not run_step(number, step, contexts, common, folder, log) or contexts["failed"]
    print("failed" if contexts["failed"] else "done")
    return 1 if contexts["failed"] else 0


def run_step(number, step, contexts, common, folder, log):
    script, output = (os.path.join(folder, "step%d.%s" % (number, kind)) for kind in ("sh", "out"))
    with open(script, "w", encoding="utf-8") as file:
        file.write(step["run"])
    open(output, "w", encoding="utf-8").close()
    env = {**os.environ, **common, **{k: fill(v, contexts) for k, v in step.get("env", {}).items()},
           "RUNNER_TEMP": folder, "GITHUB_OUTPUT": output, "GITHUB_PATH": "/dev/null", "CI": "true"}
    good = subprocess.run(["bash", "-e", script], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                          check=False).returncode == 0
    with open(output, encoding="utf-8") as file:
        pairs = dict(line.rstrip("\n").split("=", 1) for line in file)
    contexts["steps"][step.get("id", "step%d" % number)] = {"outputs": pairs}
    return good


def check(options):
    workflow, job = the_job(options.file)
    bad = []
    if workflow.get("permissions") != {}:
        bad.append("the workflow's own permissions are not {}")
    if "write-all" in str(job.get("permissions")) or not job.get("permissions"):
        bad.append("the job does not say its permissions")
    for key in ("timeout-minutes", "concurrency"):
        if key not in job:
            bad.append("the job has no %s" % key)
    for step in job["steps"]:
        if "${{" in step.get("run", ""):
            bad.append("step %s: an expression in a shell line" % step["name"])
        if "uses" in step and not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]):
            bad.append("step %s: %s is not pinned" % (step["name"], step["uses"]))
        holders = [k for k, v in step.get("env", {}).items() if "secrets." in str(v)]
        if holders and "imgpack copy" not in step["run"]:
            bad.append("step %s: has a secret that it does not need" % step["name"])
    for line in bad:
        print("%s: %s" % (options.file, line))
    return 1 if bad else 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=("run", "check"))
    p.add_argument("file")
    p.add_argument("context", nargs="?")
    p.add_argument("folder", nargs="?")
    p.add_argument("--skip", action="append", default=[])
    options = p.parse_args()
    sys.exit(run(options) if options.what == "run" else check(options))


if __name__ == "__main__":
    main()
