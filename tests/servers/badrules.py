# SPDX-License-Identifier: Apache-2.0
"""Which request badregistry.py answers how: a list of rules, the first that fits a request decides.

    {"method": "GET", "path": "/blobs/", "start": 0, "nth": [1, 3], "do": {...}}

What a request must be (what is left out does not matter):

    method       "GET", or a list
    path         a regular expression that is found somewhere in the path (without the query)
    query        the same of the query
    kind         "manifest", "config" or "layer", from the registry or from the store
    range        true: with a Range; false: without
    start        where its range begins: N, or [LOWEST, HIGHEST]; a request without a Range begins at 0
    agent        found somewhere in the User-Agent

Which of those that are so (what is left out: all of them):

    nth          N or a list: the first is 1
    from         the Nth and all later ones
    times        no more than so many
    each         true: nth, from and times count each path by itself
    probability  so often, by the server's seed (or "seed" of the rule): what becomes of the Kth request for the same method,
                 path and range depends on nothing else, so a run is repeated by its seed whatever the threads do

do: see baddeeds.py.
"""
import random
import re
import threading

import baddeeds

WORDS = {"method", "path", "query", "kind", "range", "start", "agent", "nth", "from", "times", "each", "probability", "seed", "do"}


class Rules:
    def __init__(self, rules, seed):
        self.lock, self.seed, self.rules = threading.Lock(), seed, []
        self.set(rules)

    def set(self, rules):
        for rule in rules:
            wrong = (set(rule) - WORDS) | (set(rule["do"]) - baddeeds.WORDS if "do" in rule else {"no do"})
            if wrong:
                raise ValueError("a rule has %s" % sorted(wrong))
            re.compile(rule.get("path", ""))
        with self.lock:
            self.rules = rules
            self.counts = [{} for _ in rules]
            self.fired = [{} for _ in rules]
            self.chances = {}

    def find(self, request):
        """(number of the rule, its do, a source of chance for this request), or (None, {}, ...)."""
        with self.lock:
            key = (request.method, request.path, request.headers.get("range", ""))
            count = self.chances[key] = self.chances.get(key, 0) + 1
            for number, rule in enumerate(self.rules):
                chance = random.Random("%s/%d/%s/%d" % (rule.get("seed", self.seed), number, key, count))
                if fits(rule, request) and self.is_turn(number, rule, request, chance):
                    return number, rule["do"], chance
        return None, {}, random.Random(0)

    def is_turn(self, number, rule, request, chance):
        who = request.path if rule.get("each") else None
        count = self.counts[number][who] = self.counts[number].get(who, 0) + 1
        nth = rule.get("nth")
        if nth is not None and count not in (nth if isinstance(nth, list) else [nth]):
            return False
        if count < rule.get("from", 1):
            return False
        if "probability" in rule and chance.random() >= rule["probability"]:
            return False
        fired = self.fired[number].get(who, 0)
        if fired >= rule.get("times", fired + 1):
            return False
        self.fired[number][who] = fired + 1
        return True


def fits(rule, request):
    methods = rule.get("method", request.method)
    if request.method not in (methods if isinstance(methods, list) else [methods]):
        return False
    if not re.search(rule.get("path", ""), request.path) or not re.search(rule.get("query", ""), request.query):
        return False
    if rule.get("kind", request.kind) != request.kind:
        return False
    if "range" in rule and rule["range"] != ("range" in request.headers):
        return False
    if "start" in rule:
        first, last = rule["start"] if isinstance(rule["start"], list) else [rule["start"]] * 2
        if not first <= request.range_start() <= last:
            return False
    return rule.get("agent", "") in request.headers.get("user-agent", "")
