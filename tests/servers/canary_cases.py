# SPDX-License-Identifier: Apache-2.0
"""Where secrets go: the cases, as data, and the registry that plays them. Run by canary.py, in its little internet."""

import base64
import dataclasses
import json
import os
import urllib.parse

from canary import LOOK_ALIKE, PLATFORM, PROXY_PORT, Image, canary, forms_of, origin_of

HOME, AUTH = "https://registry.example", "https://auth.example/token"
PLAIN, LOCAL, PRIVATE = "http://plain.example:5080", "http://127.0.0.1:5080", "https://10.0.0.5:5000"


@dataclasses.dataclass
class Case:
    name: str
    home: str = HOME
    host: str = ""             # as the reference names it; else the home's own
    challenge: str = "bearer"  # or "basic"
    realm: str = AUTH
    trusted: bool = True       # the realm may have the password
    grant: str = "GET"         # or "POST", with an identity token
    token_redirect: str = ""   # where the token service sends us on
    redirect: str = ""         # what stands before /abroad/ in the Location
    thing: str = "blobs"       # or "manifests": what is redirected
    abroad: str = "200"        # what is answered there: 200, basic, bearer, bearer-home
    abroad_is_home: bool = False
    upload: str = ""           # Location of an upload; the verb is then load
    urls: tuple = None         # of a foreign layer
    missing: bool = False      # the registry does not have that layer itself
    proxy: str = ""            # option or environment
    refusal: int = 0           # of the proxy
    netrc: str = ""
    helper: str = ""           # credsStore of config.json
    keys: tuple = ()           # of config.json; else the home's
    want: str = "any"          # "done", "refused", "any": how it ends
    must: tuple = ()           # secrets that must have reached their place, or the case proves nothing
    args: tuple = ()


# The realm, at which home, and whether it may have credentials.
REALMS = [
    ("other-host", HOME, AUTH, True),
    ("own-host", HOME, HOME + "/token?x=1", True),
    ("own-host-other-port", HOME, HOME + ":8443/token", True),
    ("plain", HOME, "http://auth.example/token", False),
    ("plain-own-host", HOME, "http://registry.example/token", False),
    ("metadata-address", HOME, "https://169.254.169.254/token", False),
    ("loopback", HOME, "https://127.0.0.1/token", False),
    ("loopback-short", HOME, "https://127.1/token", False),
    ("loopback-number", HOME, "https://2130706433/token", False),
    ("loopback-hex", HOME, "https://0x7f000001/token", False),
    ("unspecified", HOME, "https://0.0.0.0/token", False),
    ("loopback-v6", HOME, "https://[::1]/token", False),
    ("loopback-mapped", HOME, "https://[::ffff:127.0.0.1]/token", False),
    ("unique-local-v6", HOME, "https://[fd00::1]/token", False),
    ("private-10", HOME, "https://10.1.2.3/token", False),
    ("private-172", HOME, "https://172.16.0.1/token", False),
    ("private-192", HOME, "https://192.168.1.1/token", False),
    ("localhost", HOME, "https://localhost/token", False),
    ("below-localhost", HOME, "https://x.localhost/token", False),
    ("userinfo", HOME, "https://registry.example@evil.example/token", False),
    ("backslash", HOME, "https://evil.example\\\\@auth.example/token", False),
    ("plain-home-metadata", PLAIN, "http://169.254.169.254/token", False),
    ("private-home-own", PRIVATE, PRIVATE + "/token", True),
    ("private-home-other", PRIVATE, "https://10.1.2.3:5000/token", False),
    ("local-home-private", LOCAL, "http://10.1.2.3/token", False),
]
TOKEN_REDIRECTS = [("other-host", "https://evil.example"), ("plain", "http://auth.example"),
                   ("private", "https://10.1.2.3"), ("other-port", "https://auth.example:8443")]
REDIRECTS = [
    ("other-host", "https://cdn.example", "done"),
    ("other-port", HOME + ":8443", "done"),
    ("other-scheme", "http://registry.example", "refused"),
    ("subdomain", "https://cdn.registry.example", "done"),
    ("trailing-dot", HOME + ".", "any"),
    ("upper-case", "https://REGISTRY.EXAMPLE", "done"),
    ("userinfo", "https://alice:%s@cdn.example", "done"),
]
UPLOADS = [
    ("other-host", "https://evil.example/u"), ("no-scheme", "//evil.example/u"), ("other-port", HOME + ":8443/u"),
    ("plain", "http://registry.example/u"), ("longer-host", HOME + ".evil.example/u"),
    ("userinfo", "https://registry.example@evil.example/u"), ("trailing-dot", HOME + "./u"),
    ("backslash", "https://evil.example\\@registry.example/u"),
]
URLS = [
    ("basic", "https://evil.example/basic"), ("bearer", "https://evil.example/bearer"),
    ("redirecting", "https://evil.example/redirect"), ("plain", "http://evil.example/plain"),
    ("metadata", "http://169.254.169.254/latest"), ("resolves-to-loopback", "https://inner.example/x"),
]
NETRC = [
    ("registry", "machine registry.example login alice password %s\n", {}),
    ("default", "default login alice password %s\n", {}),
    ("token-service", "machine auth.example login alice password %s\n", {}),
    ("redirect-target", "machine cdn.example login alice password %s\n", {"redirect": "https://cdn.example", "abroad": "basic"}),
    ("proxy", "machine proxy.example login alice password %s\n", {"proxy": "option", "refusal": 407}),
]
# A helper that cannot answer, beside a password in the file that must not be used instead: name, program, mode.
HELPERS = [
    ("missing", "missing", None, 0), ("not-executable", "bad", "#!/bin/sh\nexit 1\n", 0o600),
    ("fails", "bad", "#!/bin/sh\nexit 1\n", 0o700), ("garbage", "bad", "#!/bin/sh\necho '<html>'\n", 0o700),
    ("killed", "bad", "#!/bin/sh\nkill -9 $$\n", 0o700), ("for-a-shell", "bad", "touch made-by-a-shell\n", 0o700),
    ("path", "../../bin/bad", "#!/bin/sh\ntouch made-by-a-path\n", 0o700), ("words", "bad; touch made", "#!/bin/sh\n", 0o700),
]
KEYS = ("https://index.docker.io/v1/", "my.azurecr.io", "corp.example:5000", "10.0.0.1:5000", "https://old.example/v1/",
        "[::1]:5000", "teams.example/team")
OTHERS = """xdocker.io docker.io.evil docker.io.evil.com docker.iox adocker.io docker.io:5001 index.docker.io.evil.com
    index.docker.io:5001 hub.docker.io docker.com docker.i ocker.io index-docker.io evil-docker.io docker-io.com
    xn--dcker-jye.io evil.azurecr.io my.azurecr.io.attacker.com my.azurecr.iox xmy.azurecr.io y.azurecr.io my.azurecr.io:5000
    my.azurecr.io:8443 azurecr.io m.azurecr.io my-azurecr.io myazurecr.io sub.my.azurecr.io corp.example corp.example:5001
    corp.example:8443 xcorp.example:5000 corp.examples:5000 10.0.0.1:5001 10.0.0.10:5000 10.0.0.2:5000 [fd00::1]:5000
    old.example:5000 xold.example teams.example""".split()
LOOK_ALIKES = [h for h in (o.rpartition(":")[0] or o for o in OTHERS) if not h[0] in "[1" and
               h not in ("corp.example", "my.azurecr.io", "old.example")]


def all_cases():
    for grant in ("GET", "POST"):
        kind = "password" if grant == "GET" else "identity"
        for name, home, realm, trusted in REALMS:
            yield Case("realm/%s/%s" % (name, grant), home, realm=realm, trusted=trusted, grant=grant,
                       want="done" if trusted else "refused", must=(kind, "token") if trusted else ())
        for name, to in TOKEN_REDIRECTS:
            yield Case("token-redirect/%s/%s" % (name, grant), grant=grant, token_redirect=to + "/token2", must=(kind,))
    for thing, challenge, secret in (("blobs", "bearer", "token"), ("manifests", "basic", "password")):
        for name, to, want in REDIRECTS:
            for abroad in ("200", "basic", "bearer", "bearer-home"):
                ends = "refused" if abroad == "basic" and want == "done" else want
                yield Case("redirect/%s/%s/%s" % (thing, name, abroad), challenge=challenge, thing=thing, redirect=to,
                           abroad=abroad, abroad_is_home=name == "upper-case", must=(secret,),
                           want="any" if name == "upper-case" and abroad != "200" else ends)
    for name, location in UPLOADS:
        yield Case("upload/" + name, upload=location, want="refused", must=("token",))
    yield Case("upload/own", upload="/v2/copy/x", want="done", must=("token", "marker"))
    for name, url in URLS:
        yield Case("foreign/%s/there" % name, urls=(url,), want="done", must=("token",))
        yield Case("foreign/%s/missing" % name, urls=(url,), missing=True, want="refused", must=("token",))
    for name, more in (("option", {}), ("environment", {}), ("redirect", {"redirect": "https://cdn.example"}),
                       ("407", {"refusal": 407}), ("401", {"refusal": 401})):
        yield Case("proxy/" + name, proxy="environment" if name == "environment" else "option",
                   must=("proxy",) if more.get("refusal") else ("proxy", "password", "token"),
                   want="refused" if more.get("refusal") else "done", **more)
    for name, text, more in NETRC:
        yield Case("netrc/" + name, netrc=text, keys=("nobody.example",), want="refused", **more)
    for name, helper, _, _ in HELPERS:
        yield Case("helper/" + name, challenge="basic", helper=helper, want="refused")
    for host in OTHERS:
        yield Case("look-alike/" + host, "https://" + host, challenge="basic", keys=KEYS, want="refused")
    # That the same file does work for those it names.
    for host, at in (("docker.io", "registry-1.docker.io"), ("index.docker.io", "registry-1.docker.io"),
                     ("my.azurecr.io", "my.azurecr.io"), ("corp.example:5000", "corp.example:5000"),
                     ("10.0.0.1:5000", "10.0.0.1:5000"), ("old.example", "old.example")):
        yield Case("look-alike/control/" + host, "https://" + at, host=host, challenge="basic", keys=KEYS, want="done",
                   must=("password",))


class Scene:
    """What all the listeners answer in one case. Who is no part of the case asks for a password: a trap."""

    def __init__(self, case):
        self.case = case
        self.secrets = {kind: canary(kind) for kind in ("password", "identity", "token", "marker", "proxy", "netrc", "url")}
        self.image = Image(self.secrets["marker"], case.urls)
        self.uploaded = set()
        home, realm = origin_of(case.home), {origin_of(case.realm)} if case.trusted and "@" not in case.realm else set()
        proxy = {"http 203.0.113.6 %d" % PROXY_PORT} if case.proxy else set()
        self.rightful = {
            "password": {home} if case.challenge == "basic" else realm, "identity": realm, "token": {home},
            "marker": {home} if case.upload else set(), "proxy": proxy, "netrc": set(), "url": set(),
        }
        if case.abroad_is_home:
            # The registry itself asks for it in another way.
            self.rightful["password"] |= {home, origin_of(AUTH)}
        if case.helper or (case.name.startswith("look-alike/") and not case.must):
            self.rightful["password"] = set()

    def basic(self):
        return "Basic " + base64.b64encode(b"alice:" + self.secrets["password"].encode()).decode()

    def proxy(self, request):
        if self.case.refusal:
            name = "Proxy-Authenticate" if self.case.refusal == 407 else "WWW-Authenticate"
            return self.case.refusal, [(name, 'Basic realm="p"')], b""
        return None

    def trap(self):
        return 401, [("WWW-Authenticate", 'Basic realm="trap"')], b""

    def token(self, request):
        known = request.authorization == self.basic() or self.secrets["identity"] in request.body.decode("latin-1")
        text = self.secrets["token"] if known else "anonymous"
        return 200, [("Content-Type", "application/json")], json.dumps({"token": text}).encode()

    def answer(self, request):
        case, path = self.case, urllib.parse.urlsplit(request.path).path
        if path == "/token" and case.token_redirect:
            return 307, [("Location", case.token_redirect)], b""
        if path in ("/token", "/token2"):
            return self.token(request)
        if path.startswith("/abroad/"):
            return self.abroad(request, path[len("/abroad/"):])
        if not path.startswith("/v2/") or request.origin != origin_of(case.home):
            return self.trap()
        good = self.basic() if case.challenge == "basic" else "Bearer " + self.secrets["token"]
        if request.authorization != good and not case.netrc:
            challenge = 'Basic realm="home"' if case.challenge == "basic" else \
                'Bearer realm="%s",service="home",scope="repository:team/app:pull"' % case.realm
            return 401, [("WWW-Authenticate", challenge)], b""
        if case.netrc and not case.redirect and not request.authorization:
            return self.trap()
        return self.registry(request, path)

    def abroad(self, request, what):
        if self.case.abroad == "basic":
            return self.trap()
        if self.case.abroad != "200" and request.authorization != "Bearer anonymous":
            realm = AUTH if self.case.abroad == "bearer-home" else "https://%s/token" % request.headers["host"]
            return 401, [("WWW-Authenticate", 'Bearer realm="%s",service="cdn"' % realm)], b""
        return self.thing(what)

    def thing(self, what):
        if what.startswith("sha256:") and what in self.image.blobs:
            return 200, [("Content-Type", "application/octet-stream")], self.image.blobs[what]
        return 200, [("Content-Type", self.image.type)], self.image.manifest

    def registry(self, request, path):
        case, parts = self.case, path.split("/")
        if path == "/v2/":
            return 200, [], b"{}"
        what = parts[-1]
        if request.method == "POST":
            return 202, [("Location", case.upload or "/v2/copy/x")], b""
        if request.method == "PUT":
            self.uploaded |= {what, urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query).get("digest", [""])[0]}
            return 201, [], b""
        if "copy" in parts and what not in self.uploaded or (case.missing and what == self.image.foreign):
            return 404, [], b""
        if case.redirect and case.thing in parts:
            to = case.redirect.replace("%s", self.secrets["url"])
            return 307, [("Location", "%s/abroad/%s" % (to, what))], b""
        return self.thing(what)


def config_of(case, scene):
    host = case.host or urllib.parse.urlsplit(case.home).netloc
    auth = base64.b64encode(b"alice:" + scene.secrets["password"].encode()).decode()
    entry = {"auth": auth} if case.grant == "GET" else {"auth": base64.b64encode(b"alice:").decode(),
                                                        "identitytoken": scene.secrets["identity"]}
    return json.dumps({"auths": {key: entry for key in case.keys or (host,)}, **({"credsStore": case.helper} if case.helper else {})})


def words_of(case, scene, world, archive):
    host = case.host or urllib.parse.urlsplit(case.home).netloc
    words = ["fetch", "%s/team/app:1" % host, "-o", "out/x.tar", *PLATFORM]
    if case.upload:
        words = ["load", archive, "--to", "registry:%s/copy" % host]
    words += ["--cacert", world.path("cert"), "--retries", "0", *case.args]
    if case.home == PLAIN:
        words += ["--plain-http", host]
    env = {}
    if case.proxy:
        url = "http://bob:%s@proxy.example:%d" % (scene.secrets["proxy"], PROXY_PORT)
        words += ["--proxy", url] if case.proxy == "option" else []
        env = {"HTTPS_PROXY": url, "HTTP_PROXY": url} if case.proxy == "environment" else {}
    if case.helper:
        env["PATH"] = world.home + "/bin:/usr/bin:/bin"
    if case.netrc:
        env["NETRC"] = world.home + "/.netrc"
    return words, env


def hits_of(scene, world):
    """(kind, origin, path) of each secret at a wrong place; the kinds that reached their right one."""
    wrong, reached = [], set()
    for origin, path, data in world.heard():
        abroad = "/abroad/" in path and not scene.case.abroad_is_home
        for kind, secret in scene.secrets.items():
            if not any(form in data for form in forms_of(secret, "bob" if kind == "proxy" else "alice")):
                continue
            if origin in scene.rightful[kind] and not abroad:
                reached.add(kind)
            else:
                wrong.append((kind, origin, path))
    return wrong, reached


def write_helper(case, world):
    _, _, program, mode = next(h for h in HELPERS if case.name.endswith("/" + h[0]))
    os.mkdir(world.home + "/bin")
    os.mkdir(world.home + "/docker-credential-..")  # what "../../bin/bad" would be found through
    for name in ("bin/docker-credential-bad", "bin/bad") if program else ():
        world.write(name, program, mode)


def run_case(case, world, archive):
    """The complaints, and how many hits are among them."""
    scene = Scene(case)
    if case.upload:
        scene.image, scene.secrets["marker"] = archive.image, archive.marker
    world.begin(scene)
    world.write(".docker/config.json", config_of(case, scene))
    if case.netrc:
        world.write(".netrc", case.netrc % scene.secrets["netrc"])
    if case.helper:
        write_helper(case, world)
    words, env = words_of(case, scene, world, archive.path)
    done = world.run(words, env)
    wrong, reached = hits_of(scene, world)
    said = ["%s: %s at %s %s" % (case.name, *hit) for hit in wrong]
    said += ["%s: %s did not reach its place" % (case.name, kind) for kind in case.must if kind not in reached]
    if (case.want == "done" and done.returncode) or (case.want == "refused" and done.returncode not in (3, 4, 5, 7)):
        said.append("%s: exit %d: %s" % (case.name, done.returncode, done.stderr.decode(errors="replace")[:400]))
    if case.helper and (done.returncode != 4 or [name for name in os.listdir(world.home) if name.startswith("made")]):
        said.append("%s: exit %d, files %s" % (case.name, done.returncode, os.listdir(world.home)))
    if case.urls:
        others = {o for o, _, _ in world.heard()} - {origin_of(HOME), origin_of(AUTH)}
        others |= {c.origin for c in world.connections} - {origin_of(HOME), origin_of(AUTH)}
        said += ["%s: connection to %s" % (case.name, o) for o in sorted(others)]
    if case.name.startswith("look-alike/") and not any(c.heard for c in world.connections):
        said.append("%s: nobody was asked, this proves nothing" % case.name)
    world.end()
    return said, len(wrong)


class Archive:
    """What load takes: fetched once from an honest registry."""

    def __init__(self, world):
        scene = Scene(Case("archive"))
        world.begin(scene)
        world.write(".docker/config.json", config_of(scene.case, scene))
        words, env = words_of(scene.case, scene, world, None)
        done = world.run(words, env)
        if done.returncode:
            raise SystemExit("the honest fetch failed: " + done.stderr.decode())
        self.path, self.image, self.marker = world.home + "/out/x.tar", scene.image, scene.secrets["marker"]


def run_all(world, begin):
    archive = Archive(world)
    cases = failed = hits = 0
    for case in (case for case in all_cases() if case.name.startswith(begin)):
        said, wrong = run_case(case, world, archive)
        cases, failed, hits = cases + 1, failed + bool(said), hits + wrong
        for line in said:
            print("FAILED " + line)
    print("%d cases, %d failed, %d secrets at a wrong place" % (cases, failed, hits))
    return failed
