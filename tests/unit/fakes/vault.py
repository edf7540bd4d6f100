# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that speaks a part of Vault's documented HTTP API, for tests.

Vault itself takes more than ten minutes to fetch and build. This has key-value engines of both versions, logins by
token, userpass, approle and jwt, policies by path, and the states sealed and slow. Its answers have the forms of
https://developer.hashicorp.com/vault/api-docs.
"""

from __future__ import annotations

import json
import threading
import time
import typing as t
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict[str, t.Any] | None]


class Vault:
    """A running server. Tests may change its attributes.

    mounts: the version of the key-value engine of each. secrets: values by mount/path. policies: by token, the paths of
    the API that it may read, None for all. logins: what a login by a path of the API has to send. asked: method, path
    and token of each request. tokens: those that logins made and nobody revoked. created: when a secret was written.
    """

    def __init__(self, created: str = "2026-11-01T08:00:00.123456789Z") -> None:
        self.mounts = {"secret": 2, "old": 1}
        self.secrets: dict[str, dict[str, t.Any]] = {}
        self.policies: dict[str, list[str] | None] = {}
        self.logins: dict[str, dict[str, str]] = {}
        self.tokens: set[str] = set()
        self.asked: list[tuple[str, str, str]] = []
        self.sealed = False
        self.seconds = 0.0  # before each answer
        self.created = created
        vault = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                given = json.loads(body) if body.strip() else {}
                token = self.headers.get("X-Vault-Token") or ""
                status, document = vault.answer(self.command, self.path.partition("?")[0], token, given)
                text = b"" if document is None else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = _do

            def log_message(self, *_args: t.Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *_args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, token: str, given: dict[str, t.Any]) -> Answer:
        self.asked.append((method, path, token))
        time.sleep(self.seconds)
        if self.sealed:
            return _errors(503, "Vault is sealed")
        path = path.removeprefix("/v1/")
        if path in self.logins:
            return self._login(path, given)
        if token not in self.policies:
            return _errors(403, "permission denied")
        if path == "auth/token/revoke-self":
            del self.policies[token]
            self.tokens.discard(token)
            return 204, None
        if path == "auth/token/lookup-self":
            return 200, {"data": {"id": token, "ttl": 3600, "policies": ["default"]}}
        if path.startswith("sys/internal/ui/mounts/"):
            return self._mount(path.removeprefix("sys/internal/ui/mounts/"))
        allowed = self.policies[token]
        if allowed is not None and path not in allowed:
            return _errors(403, "1 error occurred:\n\t* permission denied\n\n")
        return self._secret(path)

    def _login(self, path: str, given: dict[str, t.Any]) -> Answer:
        if any(given.get(name) != value for name, value in self.logins[path].items()):
            return _errors(400, "invalid username or password")
        token = f"hvs.{uuid.uuid4().hex}"
        self.tokens.add(token)
        self.policies[token] = None
        return 200, {"auth": {"client_token": token, "lease_duration": 3600, "renewable": True}}

    def _mount(self, path: str) -> Answer:
        for name, version in self.mounts.items():
            if path.startswith(f"{name}/"):
                return 200, {"data": {"type": "kv", "path": f"{name}/", "options": {"version": str(version)}}}
        return _errors(403, "preflight capability check returned 403, please ensure client's policies grant access")

    def _secret(self, path: str) -> Answer:
        mount, _slash, rest = path.partition("/")
        version = self.mounts.get(mount)
        if version == 2:
            rest = rest.removeprefix("data/")
        values = self.secrets.get(f"{mount}/{rest}")
        if version is None or values is None:
            return _errors(404)
        if version == 1:
            return 200, {"data": values}
        metadata = {"created_time": self.created, "deletion_time": "", "destroyed": False, "version": 3}
        return 200, {"data": {"data": values, "metadata": metadata}}


def _errors(status: int, *texts: str) -> Answer:
    return status, {"errors": list(texts)}
