# SPDX-License-Identifier: Apache-2.0
"""What is printed and left when things go wrong and servers quote what they were sent. Run by canary.py."""

import base64
import json
import os
import urllib.parse

from canary import PLATFORM, PROXY_PORT, Image, canary, forms_of

LOOK_ALIKES = []
HOST, REALM = "registry.example", "https://auth.example/token"
LEVELS = (["-q"], [], ["-v"], ["--json"])
KINDS = ("password", "helper", "identity", "token", "amz", "signature", "sig", "proxy", "cookie", "userinfo", "answer", "state")
QUOTE = "quote"  # stands for a body that says back what was sent

# name: where it happens, and what is answered there (status, headers, body), or one of the answers' names below.
SCENES = {
    "token-400": ("token", (400, [], QUOTE)),
    "token-401": ("token", (401, [], QUOTE)),
    "token-403": ("token", (403, [], QUOTE)),
    "token-429": ("token", (429, [("Retry-After", "later, %(authorization)s")], QUOTE)),
    "token-500": ("token", (500, [], QUOTE)),
    "token-no-json": ("token", (200, [], "token=%(answer)s")),
    "token-cut-json": ("token", (200, [], '{"token":"%(answer)s"')),
    "token-twice": ("token", (200, [], '{"token":"%(answer)s","token":"%(answer)s"}')),
    "token-with-space": ("token", (200, [], '{"token":"%(answer)s x"}')),
    "token-redirect": ("token", (307, [("Location", "%(signed)s")], "")),
    "token-reset": ("token", "reset"),
    "manifest-401": ("manifests", (401, [], QUOTE)),
    "manifest-403": ("manifests", (403, [("Warning", '299 - "you sent %(authorization)s, see %(signed)s"')], QUOTE)),
    "manifest-404": ("manifests", (404, [], QUOTE)),
    "manifest-429": ("manifests", (429, [("Retry-After", "%(authorization)s")], QUOTE)),
    "manifest-500": ("manifests", (500, [], QUOTE)),
    "manifest-no-json": ("manifests", (200, [], QUOTE)),
    "manifest-reset": ("manifests", "reset"),
    "blob-403": ("blobs", (403, [], QUOTE)),
    "blob-500": ("blobs", (500, [], QUOTE)),
    "blob-wrong": ("blobs", (200, [], QUOTE)),
    "signed-403": ("blobs", (307, [("Location", "%(signed)s&then=403")], "")),
    "signed-429": ("blobs", (307, [("Location", "%(signed)s&then=429")], "")),
    "signed-500": ("blobs", (307, [("Location", "%(signed)s&then=500")], "")),
    "signed-reset": ("blobs", (307, [("Location", "%(signed)s&then=reset")], "")),
    "signed-wrong-bytes": ("blobs", (307, [("Location", "%(signed)s&then=200")], "")),
    "signed-loop": ("blobs", (307, [("Location", "%(signed)s&then=loop")], "")),
    "signed-no-tls": ("blobs", (307, [("Location", "https://cdn.example:80/?Signature=%(signature)s")], "")),
    "signed-nobody": ("blobs", (307, [("Location", "https://cdn.example:81/?sig=%(sig)s")], "")),
    "signed-no-name": ("blobs", (307, [("Location", "https://nobody.example/?sig=%(sig)s")], "")),
    "signed-downgrade": ("blobs", (307, [("Location", "http://cdn.example/?X-Amz-Signature=%(amz)s")], "")),
    "signed-no-url": ("blobs", (307, [("Location", "https://bob:%(userinfo)s@cdn.example:99999/?sig=%(sig)s")], "")),
    "signed-ftp": ("blobs", (307, [("Location", "ftp://bob:%(userinfo)s@cdn.example/?sig=%(sig)s")], "")),
    "proxy-407": ("proxy", (407, [("Proxy-Authenticate", 'Basic realm="p"')], QUOTE)),
    "proxy-502": ("proxy", (502, [], QUOTE)),
    "helper-leak": ("helper", 'echo "{\\"Username\\":\\"alice\\",\\"Secret\\":\\"$secret\\"}"; exit 3'),
    "helper-garbage": ("helper", 'echo "Secret=$secret"; exit 0'),
    "helper-stderr": ("helper", 'echo "$secret" >&2; exit 1'),
    "load-403": ("POST", (403, [], QUOTE)),
    "load-400": ("PUT", (400, [], QUOTE)),
    "login-401": ("v2-with-authorization", (401, [], QUOTE)),
    "login-store": ("store", 'echo "cannot store: $input"; exit 1'),
}

HELPER = """#!/bin/sh
# What others on this machine can see of us.
tr '\\0' '\\n' </proc/$$/environ >>"$HOME/seen.environ"
tr '\\0' ' ' </proc/$$/cmdline >>"$HOME/seen.cmdline"
input=$(cat)
secret=$(cat "$HOME/.docker/helper-secret")
if [ "$1" = store ]; then %(store)s; exit 0; fi
%(get)s
echo "{\\"Username\\":\\"$(cat "$HOME/.docker/helper-user")\\",\\"Secret\\":\\"$secret\\"}"
"""


class Scene:
    def __init__(self, name, who):
        self.name, self.who = name, who
        self.place, self.what = SCENES[name]
        self.secrets = {kind: canary(kind) for kind in KINDS}
        self.image = Image()
        self.took_place = False
        self.uploads = set()

    def words(self, request):
        """What an answer can quote: what was sent, and a signed URL."""
        out = {**self.secrets, "authorization": request.authorization or request.headers.get("proxy-authorization", "")}
        out["signed"] = "https://cdn.example/stored?X-Amz-Signature=%(amz)s&Signature=%(signature)s&sig=%(sig)s" % self.secrets
        return out

    def quote(self, request, words):
        said = words["authorization"].partition(" ")[2]
        try:
            plain = base64.b64decode(said).decode()
        except ValueError:
            plain = ""
        form = {k: v[0] for k, v in urllib.parse.parse_qs(request.body.decode("latin-1")).items()}
        # A Basic header read, a form read, as a form came, a URL with everything in it.
        return "you sent %s; that is %s; refresh %s of %s; see %s or 'https://bob:%s@cdn.example/x'; state %s" % (
            words["authorization"], plain, form.get("refresh_token", ""), request.body[:500].decode("latin-1"), words["signed"],
            words["userinfo"], request.path)

    def fault(self, request):
        self.took_place = True
        if isinstance(self.what, str):
            return self.what
        status, headers, body = self.what
        words = self.words(request)
        body = json.dumps({"errors": [{"code": "X", "message": self.quote(request, words)}]}) if body == QUOTE else body % words
        return status, [(n, v % words) for n, v in headers], body.encode()

    def proxy(self, request):
        return self.fault(request) if self.place == "proxy" else None

    def token(self, request):
        if self.place == "token":
            return self.fault(request)
        return 200, [], json.dumps({"token": self.secrets["token"]}).encode()

    def answer(self, request):
        answer = self.plain_answer(request)
        if isinstance(answer, tuple):
            answer = (answer[0], [*answer[1], ("Set-Cookie", "session=" + self.secrets["cookie"])], answer[2])
        return answer

    def plain_answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        if url.path == "/token":
            return self.token(request)
        if url.path == "/stored":
            return self.stored(request, urllib.parse.parse_qs(url.query).get("then", ["403"])[0])
        if request.authorization != "Bearer " + self.secrets["token"]:
            return 401, [("WWW-Authenticate", 'Bearer realm="%s",service="home",scope="repository:a:pull"' % REALM)], b""
        if url.path == "/v2/":
            return self.fault(request) if self.place == "v2-with-authorization" else (200, [], b"{}")
        return self.registry(request, url.path.split("/"))

    def stored(self, request, then):
        self.took_place = True
        if then == "reset":
            return "reset"
        if then == "loop":
            return 307, [("Location", request.path)], b""
        return int(then), [], ("<Error><Key>%s</Key></Error>" % request.path).encode()

    def registry(self, request, parts):
        if request.method == self.place or (request.method == "GET" and self.place in parts):
            return self.fault(request)
        if request.method == "POST":
            return 202, [("Location", "/v2/copy/x?_state=" + self.secrets["state"])], b""
        if "copy" in parts:
            return 404, [], b""
        if parts[-1] in self.image.blobs:
            return 200, [], self.image.blobs[parts[-1]]
        return 200, [("Content-Type", self.image.type)], self.image.manifest


def settings(scene, world):
    """Who we are: a password in the file, one of a helper, or an identity token."""
    user, secret = "alice", scene.secrets["helper"]
    if scene.who == "identity":
        user, secret = "<token>", scene.secrets["identity"]
    config = {"credsStore": "canary"}
    if scene.who == "password":
        auth = base64.b64encode(b"alice:" + scene.secrets["password"].encode()).decode()
        config = {"auths": {HOST: {"auth": auth}}}
    world.write(".docker/config.json", json.dumps(config))
    world.write(".docker/helper-secret", secret)
    world.write(".docker/helper-user", user)
    os.mkdir(world.home + "/bin")
    does = {scene.place: scene.what} if scene.place in ("helper", "store") else {}
    world.write("bin/docker-credential-canary", HELPER % {"get": does.get("helper", ""), "store": does.get("store", ":")}, 0o700)


def words_of(scene, world, archive):
    proxy = "http://bob:%s@proxy.example:%d" % (scene.secrets["proxy"], PROXY_PORT)
    last = ["--cacert", world.path("cert"), "--proxy", proxy]
    if not scene.name.startswith("login-"):
        last += ["--retries", "0"]
    if scene.name.startswith("load-"):
        return ["load", archive, "--to", "registry:%s/copy" % HOST, *last], b""
    if scene.name.startswith("login-"):
        return ["login", HOST, "--username", "alice", "--password-stdin", *last], scene.secrets["password"].encode()
    return ["fetch", HOST + "/team/app:1", "-o", "out/x.tar", *PLATFORM, *last], b""


def left(world):
    """Names and content of all files of a run, but for those that hold the secrets by right."""
    for folder, _, files in os.walk(world.home):
        if folder.endswith("/.docker"):
            continue
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                yield name, name.encode() + b"\n" + file.read()


def run_one(name, who, level, world, archive):
    scene = Scene(name, who)
    world.begin(scene)
    settings(scene, world)
    words, stdin = words_of(scene, world, archive)
    if words[0] == "login" and level == ["--json"]:
        level = []
    done = world.run([*words, *level], env={"PATH": world.home + "/bin:" + os.environ["PATH"]}, stdin=stdin)
    hits = []
    for kind, secret in scene.secrets.items():
        forms = forms_of(secret, "bob" if kind in ("proxy", "userinfo") else "alice")
        for place, data in (("stdout", done.stdout), ("stderr", done.stderr), *left(world)):
            hits += ["%s %s %s: %s in %s: %s" % (name, who, " ".join(level), kind, place, data[-700:])
                     for form in forms if form in data][:1]
    said = list(hits)
    if not done.returncode or not done.stderr or done.returncode >= 126:
        said.append("%s %s: exit %d, this proves nothing: %s" % (name, who, done.returncode, done.stderr.decode()[:300]))
    if not (scene.took_place or scene.place in ("helper", "store")):
        said.append("%s %s: it did not take place: %s" % (name, who, done.stderr.decode()[:300]))
    seen = os.path.exists(world.home + "/seen.environ")
    if seen != (who != "password" or name == "login-store") and scene.place != "proxy" and not name.startswith("login-"):
        said.append("%s %s: was the helper asked?" % (name, who))
    world.end()
    return said, len(hits)


def honest_archive(world):
    scene = Scene("load-403", "password")
    world.begin(scene)
    settings(scene, world)
    scene.name = "honest"
    words, _ = words_of(scene, world, None)
    done = world.run(words)
    if done.returncode:
        raise SystemExit("the honest fetch failed: " + done.stderr.decode())
    return world.home + "/out/x.tar"


def run_all(world, begin):
    archive = honest_archive(world)
    runs = failed = hits = 0
    for number, name in enumerate(name for name in SCENES if name.startswith(begin)):
        for turn, level in enumerate(LEVELS):
            who = ("password", "helper", "identity")[(number + turn) % 3]
            if SCENES[name][0] in ("helper", "store"):
                who = "helper"
            said, wrong = run_one(name, who, level, world, archive)
            runs, failed, hits = runs + 1, failed + bool(said), hits + wrong
            for line in said:
                print("FAILED " + line)
    print("%d canaries, %d scenes, %d runs, %d failed, %d secrets printed or left" % (len(KINDS), len(SCENES), runs, failed, hits))
    return failed
