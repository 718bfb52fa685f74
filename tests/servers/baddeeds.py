# SPDX-License-Identifier: Apache-2.0
"""What badregistry.py can do to an answer. A rule's "do" is one object; its words may be combined. PLACE is a number of bytes
of the body, "60%" of it, or [LOWEST, HIGHEST], between which chance decides.

 instead of the answer
    status: N             with body: TEXT (or body_hex: TEXT, or body_size: N bytes of "x"); a 200 in HTML is just that
    challenge: true       (with status 401) the challenge that a wrong token gets
    redirect: FORM        absolute   the store, another port of this server
                          relative, scheme-relative, self (itself), loop (two that point at each other), none (no Location)
                          chain      with "hops": N redirects before the last one, which is to the store
                          signed     the store, good for "life": N seconds, then refused with "refuse": 403 as S3 does
                          to         with "location": TEXT
                          status of the redirect: "redirect_status" (307)
 its head
    headers: {NAME: VALUE or null or [VALUE...]}   in place of its own; {date+5} in a value is the HTTP date in 5 seconds
 its bytes
    lie: flip             one bit, at "place": PLACE of the whole blob (chance)
         other            all other bytes, of the same length
         short, long      the whole blob ends "by": N bytes (1,000) early or late, lengths and totals say so too
    encode: NAME          gzip, x-gzip, deflate, zstd: the whole blob encoded, with 200; "label": true: only the header says so
    range: FORM           of an answer to a Range:
         ignore           200, all of it               ignore-chunked   the same in chunks, without a length
         wrong-start      says 1 byte later, and is    wrong-bytes      says what was asked, gives the first bytes
         no-header        206 without Content-Range    bad-header       one that cannot be read
         416              with the total               416-bare         without
         multipart        multipart/byteranges         wrong-total      the total is one too many
         star             total "*" (which is right)   shorter          half of what was asked, and says so
         longer           more than asked, says so     long-body        more than asked, says it is not
         200-part         the part, but with 200       open-416         416 to "N-", right otherwise
         400              400                          close-delimited  without a length, ends with the connection
 its way
    stall: {at: before|head|PLACE, seconds: N}     for ever without seconds
    cut: {at: before|head|PLACE, reset: true}      the connection ends there; in an orderly way without reset
    drip: BYTES           of the body a second
    pause: SECONDS        before the answer begins
"""
import email.utils
import gzip
import re
import subprocess
import time
import zlib

import badblobs

WORDS = {"status", "body", "body_hex", "body_size", "challenge", "redirect", "hops", "life", "refuse", "location",
         "redirect_status", "headers", "lie", "by", "place", "encode", "label", "range", "stall", "cut", "drip", "pause"}


class Answer:
    """Content from start to end, with a head. length: what Content-Length says; None: chunked, or until the connection ends."""

    def __init__(self, status, content=b"", headers=()):
        self.status, self.headers = status, dict(headers)
        self.content = badblobs.Bytes(content) if isinstance(content, bytes) else content
        self.start, self.end = 0, self.content.size
        self.length, self.chunked, self.bare = self.end, False, False
        self.is_blob = False
        self.delivery = {}

    def part(self, start, end, status=206, said=None):
        self.status, self.start, self.end = status, start, end
        self.length = end - start
        self.headers["Content-Range"] = said or "bytes %d-%d/%d" % (start, end - 1, self.content.size)

    def whole(self):
        self.status, self.start, self.end = 200, 0, self.content.size
        self.length = self.end
        self.headers.pop("Content-Range", None)

    def replace(self, content):
        """Other bytes under the same request: the part stays what it was, where the new content has it."""
        self.content = content
        if self.status == 206:
            self.part(min(self.start, content.size), min(self.end, content.size))
        else:
            self.end = self.length = content.size


def place(value, size, chance):
    if isinstance(value, list):
        return chance.randint(place(value[0], size, chance), place(value[1], size, chance))
    if isinstance(value, str):
        return int(float(value.rstrip("%")) * size / 100)
    return value


def dated(text):
    return re.sub(r"\{date([+-][0-9]+)\}", lambda m: email.utils.formatdate(time.time() + int(m[1]), usegmt=True), str(text))


def encoded(name, data):
    if name in ("gzip", "x-gzip"):
        return gzip.compress(data, 1, mtime=0)
    if name == "deflate":
        return zlib.compress(data, 1)
    if name == "zstd":
        return subprocess.run(["zstd", "-q", "-1", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    raise ValueError("no such encoding: %s" % name)


def lie(do, answer, chance):
    how, content = do["lie"], answer.content
    if how == "flip":
        # By chance somewhere in what is sent now, so that the lie is told by this answer.
        spot = place(do["place"], content.size, chance) if "place" in do else chance.randrange(answer.start, answer.end)
        answer.replace(badblobs.Flipped(content, spot))
    elif how == "other":
        answer.replace(badblobs.Synthetic("other", content.size))
    elif how in ("short", "long"):
        by = do.get("by", 1000)
        answer.replace(badblobs.Resized(content, content.size + (by if how == "long" else -by)))
    else:
        raise ValueError("no such lie: %s" % how)


def encode(do, answer):
    if not do.get("label"):
        answer.whole()
        answer.replace(badblobs.Bytes(encoded(do["encode"], badblobs.whole(answer.content))))
    answer.headers["Content-Encoding"] = do["encode"]


def multipart(answer):
    head = b"--cut\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes %d-%d/%d\r\n\r\n" % (
        answer.start, answer.end - 1, answer.content.size)
    body = b"".join(bytes(v) for v in answer.content.views(answer.start, answer.end))
    answer.headers = {"Content-Type": "multipart/byteranges; boundary=cut"}
    answer.content = badblobs.Bytes(head + body + b"\r\n--cut--\r\n")
    answer.start, answer.end = 0, answer.content.size
    answer.length = answer.end


def odd_range(form, request, answer):
    """The forms of `range`. A request without a Range gets its answer as it was."""
    if answer.status != 206:
        return answer
    start, end, total = answer.start, answer.end, answer.content.size
    if form in ("ignore", "ignore-chunked"):
        answer.whole()
        if form == "ignore-chunked":
            answer.length, answer.chunked = None, True
    elif form == "wrong-start":
        answer.part(start + 1, max(end, start + 2))
    elif form == "wrong-bytes":
        said = answer.headers["Content-Range"]
        start = 0 if start else total - (end - start)
        answer.part(start, start + answer.length, said=said)
    elif form == "no-header":
        del answer.headers["Content-Range"]
    elif form == "bad-header":
        answer.headers["Content-Range"] = "bytes all of them"
    elif form in ("416", "416-bare") or (form == "open-416" and request.headers["range"].endswith("-")):
        return Answer(416, b"", {} if form == "416-bare" else {"Content-Range": "bytes */%d" % total})
    elif form == "400":
        return Answer(400, b"no ranges here\n", {"Content-Type": "text/plain"})
    elif form == "multipart":
        multipart(answer)
    elif form == "wrong-total":
        answer.headers["Content-Range"] = "bytes %d-%d/%d" % (start, end - 1, total + 1)
    elif form == "star":
        answer.headers["Content-Range"] = "bytes %d-%d/*" % (start, end - 1)
    elif form == "shorter":
        answer.part(start, start + max(1, (end - start) // 2))
    elif form == "longer":
        answer.part(start, min(total, end + 70000))
    elif form == "long-body":
        answer.part(start, min(total, end + 70000), said=answer.headers["Content-Range"])
    elif form == "200-part":
        answer.status = 200
    elif form == "close-delimited":
        answer.length, answer.bare = None, True
    elif form != "open-416":
        raise ValueError("no such range: %s" % form)
    return answer


def redirect(do, request, world):
    form, digest = do["redirect"], request.path.rsplit("/", 1)[-1]
    place_of_store = "/store/" + digest
    if form == "signed":
        location = world.url("store") + place_of_store + world.sign(digest, do.get("life", 300), do.get("refuse", 403))
    elif form == "to":
        location = do["location"]
    elif form == "self":
        location = request.target
    elif form == "loop":
        location = "/_loop/1/" + digest
    elif form == "chain":
        location = "/_chain/%d/%s" % (do["hops"] - 1, digest)
    else:
        location = {"absolute": world.url("store") + place_of_store, "relative": place_of_store, "none": None,
                    "scheme-relative": world.url("store")[len("http:"):] + place_of_store}[form]
    return Answer(do.get("redirect_status", 307), b"", {"Location": location} if location else {})


def apply(do, request, answer, chance, world):
    """`answer` as the rule wants it."""
    if "status" in do:
        body = bytes.fromhex(do["body_hex"]) if "body_hex" in do else do.get("body", "").encode()
        answer = Answer(do["status"], body or b"x" * do.get("body_size", 0))
        if do.get("challenge"):
            answer.headers["WWW-Authenticate"] = world.challenge(request)
    if "redirect" in do:
        answer = redirect(do, request, world)
    if answer.is_blob and "lie" in do:
        lie(do, answer, chance)
    if answer.is_blob and "encode" in do:
        encode(do, answer)
    if "range" in do:
        answer = odd_range(do["range"], request, answer)
    for name, value in do.get("headers", {}).items():
        for own in [n for n in answer.headers if n.lower() == name.lower()]:
            del answer.headers[own]
        if name.lower() == "content-length":
            answer.length = None
        if value is not None:
            answer.headers[name] = [dated(v) for v in value] if isinstance(value, list) else dated(value)
    size = answer.end - answer.start
    answer.delivery = {key: do[key] for key in ("drip", "pause") if key in do}
    for key in ("stall", "cut"):
        if key in do:
            at = do[key].get("at", 0)
            at = {"before": -2, "head": -1}[at] if at in ("before", "head") else min(place(at, size, chance), size)
            answer.delivery[key] = {**do[key], "at": at}
    return answer
