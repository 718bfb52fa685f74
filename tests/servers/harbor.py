#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Harbor's projects in front of a plain docker-registry.

    harbor.py --registry 127.0.0.1:5000 --diary FILE [--project NAME]... [--admins-only] [--stumble N]

prints {"harbor": PORT}, then serves until it is killed. What is Harbor's own is imitated here, from its swagger.yaml and
its issues: the project API with Basic, the token service, and the refusals for a project that is not there; blobs and
manifests are kept by the real registry behind it. It is no Harbor, and has been compared with none.

  GET  /api/v2.0/systeminfo              for everybody
  HEAD /api/v2.0/projects?project_name=  200 or 404, for who is logged in
  POST /api/v2.0/projects                201, 400, 401, 403, 409
  GET  /service/token                    a token with the scopes that the user has
  /v2/                                   Bearer or Basic; 401 "project NAME not found" below a project that is not there

A request with a session cookie and no CSRF token is refused, as Harbor does. Users: admin, dev (members of every project),
robot$system, robot$library+ci (of one project: may push there, and make none), guest (may pull); their password is
"Harbor12345". --admins-only is Harbor's project_creation_restriction. --stumble N: request N to the API gets a 503.
The diary has one JSON object a line: {"method", "path", "query", "authorization", "user", "status", "body"}.
"""

import argparse
import base64
import http.client
import http.server
import json
import os
import re
import secrets
import sys
import threading
import urllib.parse

PASSWORD = "Harbor12345"
ADMIN, DEV, SYSTEM, CI, GUEST = "admin", "dev", "robot$system", "robot$library+ci", "guest"
USERS = (ADMIN, DEV, SYSTEM, CI, GUEST)
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}
PROJECT = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
ROUTE = re.compile(r"^/v2/(.+)/(?:manifests|blobs|tags)/.*$")


class World:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.projects = {"library": True, **{p: False for p in options.project}}
        self.tokens = {}
        self.diary = open(options.diary, "a", buffering=1)
        self.api_calls = 0
        self.port = 0

    def may(self, user, repository, action):
        """Of an existing project alone; action: pull or push."""
        project, slash, _ = repository.partition("/")
        with self.lock:
            public = self.projects.get(project)
        if public is None or not slash:
            return False
        if action == "pull" and public:
            return True
        if user == CI:
            return project == "library"
        return user in (ADMIN, DEV, SYSTEM) or (user == GUEST and action == "pull")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world = None
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def note(self, status):
        value = self.headers.get("Authorization") or ""
        path, _, query = self.path.partition("?")
        line = {"method": self.command, "path": path, "query": query, "authorization": value.split(" ")[0] or None,
                "user": self.user, "status": status, "body": self.sent}
        with self.world.lock:
            self.world.diary.write(json.dumps(line) + "\n")

    def reply(self, status, document=None, headers=()):
        if self.command in ("PUT", "PATCH") or (self.command == "POST" and self.sent is None):
            self.close_connection = self.close_connection or self.headers.get("Content-Length", "0") != "0"
        body = b"" if document is None else json.dumps(document).encode()
        self.note(status)
        self.send_response(status)
        for name, value in (("Content-Type", "application/json; charset=utf-8"), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fail(self, status, code, message, headers=()):
        self.reply(status, {"errors": [{"code": code, "message": message}]}, headers)

    def log_in(self):
        """The user of Basic; None for nobody, False for a wrong password."""
        value = self.headers.get("Authorization") or ""
        if not value.startswith("Basic "):
            return None
        user, _, password = base64.b64decode(value[6:]).decode().partition(":")
        return user if user in USERS and password == PASSWORD else False

    def handle_any(self):
        path, _, query = self.path.partition("?")
        self.sent = None
        self.user = self.log_in()
        self.query = {k: v[0] for k, v in urllib.parse.parse_qs(query).items()}
        if path.startswith("/api/"):
            self.api(path)
        elif path == "/service/token":
            self.token()
        elif path.startswith("/v2"):
            self.registry(path)
        else:
            # The portal: a page for every path.
            self.note(200)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"<html>")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def api(self, path):
        world = self.world
        with world.lock:
            world.api_calls += 1
            stumble = world.api_calls == world.options.stumble
        if stumble:
            return self.fail(503, "UNAVAILABLE", "not now")
        if "sid=" in (self.headers.get("Cookie") or "") and self.command not in ("GET", "HEAD"):
            return self.fail(403, "FORBIDDEN", "CSRF token invalid")
        if path == "/api/v2.0/systeminfo" and self.command == "GET":
            return self.reply(200, {"auth_mode": "db_auth", "banner_message": "", "harbor_version": "v2.12.2-73072d0d",
                                    "oidc_provider_name": "", "primary_auth_mode": False, "self_registration": False},
                              [("Set-Cookie", "sid=0123; Path=/; HttpOnly")])
        if path != "/api/v2.0/projects":
            return self.fail(404, "NOT_FOUND", "the requested URL was not found")
        if not self.user:
            return self.fail(401, "UNAUTHORIZED", "unauthorized")
        if self.command == "HEAD":
            with world.lock:
                there = self.query.get("project_name") in world.projects
            return self.reply(200) if there else self.fail(404, "NOT_FOUND", "project not found")
        if self.command == "POST":
            return self.make_project()
        return self.fail(405, "METHOD_NOT_ALLOWED", "method not allowed")

    def make_project(self):
        world = self.world
        self.sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = self.sent.get("project_name", "")
        if self.headers.get("Content-Type") != "application/json":
            return self.fail(415, "UNSUPPORTED_MEDIA_TYPE", "unsupported media type")
        if self.user in (CI, GUEST) or (world.options.admins_only and self.user == DEV):
            return self.fail(403, "FORBIDDEN", "Only system admin can create project")
        if not PROJECT.fullmatch(name):
            return self.fail(400, "BAD_REQUEST", "project name is not in lower case or contains illegal characters")
        with world.lock:
            there = name in world.projects
            if not there:
                world.projects[name] = self.sent.get("metadata", {}).get("public") == "true"
        if there:
            return self.fail(409, "CONFLICT", "The project named %s already exists" % name)
        return self.reply(201, None, [("Location", "/api/v2.0/projects/%d" % len(world.projects))])

    def token(self):
        if self.user is False:
            return self.fail(401, "UNAUTHORIZED", "unauthorized")
        scopes = urllib.parse.parse_qs(self.path.partition("?")[2]).get("scope", [])
        granted = set()
        for scope in " ".join(scopes).split():
            kind, _, rest = scope.partition(":")
            repository, _, actions = rest.rpartition(":")
            for action in actions.split(","):
                if kind == "repository" and self.world.may(self.user, repository, action):
                    granted.add((repository, action))
        token = secrets.token_urlsafe(24)
        with self.world.lock:
            self.world.tokens[token] = (self.user, granted)
        return self.reply(200, {"token": token, "access_token": "", "expires_in": 1800,
                                "issued_at": "2026-11-24T00:00:00Z"})

    def challenge(self, scope=""):
        value = 'Bearer realm="http://127.0.0.1:%d/service/token",service="harbor-registry"' % self.world.port
        return [("WWW-Authenticate", value + (',scope="%s"' % scope if scope else "")),
                ("Docker-Distribution-Api-Version", "registry/2.0")]

    def registry(self, path):
        world = self.world
        value = self.headers.get("Authorization") or ""
        granted = None
        if value.startswith("Bearer "):
            with world.lock:
                self.user, granted = world.tokens.get(value[7:], (False, set()))
        found = ROUTE.match(path)
        if not found:
            if not self.user:
                return self.fail(401, "UNAUTHORIZED", "unauthorized", self.challenge())
            return self.pass_on()
        repository = found.group(1)
        action = "pull" if self.command in ("GET", "HEAD") else "push"
        challenge = self.challenge("repository:%s:%s" % (repository, "pull" if action == "pull" else "pull,push"))
        project, slash, _ = repository.partition("/")
        with world.lock:
            there = bool(slash) and project in world.projects
        if not there:
            return self.fail(401, "UNAUTHORIZED", "project %s not found: project %s not found" % (project, project),
                             challenge)
        allowed = (repository, action) in granted if granted is not None else world.may(self.user, repository, action)
        if not allowed:
            return self.fail(401, "UNAUTHORIZED", "unauthorized to access repository: %s, action: %s"
                             % (repository, action), challenge)
        source = self.query.get("from")
        if source and not ((source, "pull") in granted if granted is not None
                           else world.may(self.user, source, "pull")):
            return self.fail(401, "UNAUTHORIZED", "unauthorized to access repository: %s, action: pull" % source,
                             challenge)
        return self.pass_on()

    def pass_on(self):
        host, port = self.world.options.registry.rsplit(":", 1)
        up = http.client.HTTPConnection(host, int(port), timeout=60)
        try:
            size = int(self.headers.get("Content-Length") or 0)
            up.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            up.putheader("Host", self.headers["Host"])
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP | {"authorization", "host"}:
                    up.putheader(name, value)
            up.putheader("Content-Length", str(size))
            up.endheaders()
            while size:
                piece = self.rfile.read(min(size, 65536))
                if not piece:
                    raise ConnectionError
                size -= len(piece)
                up.send(piece)
            answer = up.getresponse()
            body = answer.read() if self.command != "HEAD" else b""
            self.note(answer.status)
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(body))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            self.wfile.write(body)
        except (ConnectionError, OSError, http.client.HTTPException):
            self.close_connection = True
        finally:
            up.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--registry", required=True)
    p.add_argument("--diary", required=True)
    p.add_argument("--project", action="append", default=[])
    p.add_argument("--admins-only", action="store_true")
    p.add_argument("--stumble", type=int, default=0)
    world = World(p.parse_args())
    server = Server(("127.0.0.1", 0), type("Harbor", (Handler,), {"world": world}))
    world.port = server.server_address[1]
    print(json.dumps({"harbor": world.port, "pid": os.getpid()}), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
