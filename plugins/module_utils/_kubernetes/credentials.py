# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials for each request: tokens that change, and credential plugins."""

from __future__ import annotations

import base64
import threading

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import exec_credentials
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.access import Certificate, Plugin, User
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.kubeconfig import read
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, conceal
from ansible_collections.mcp.server.plugins.module_utils._text import printable

Headers = dict[str, "str | tuple[str, ...]"]

# One cache for the process: a task has several connections, and a plugin may take seconds.
_GIVEN: dict[Plugin, exec_credentials.Credential] = {}
_WORKED: set[Plugin] = set()  # plugins that have succeeded once
_ONE = threading.Lock()


class Credentials:
    """The credentials of a user. seconds: how long a plugin may take. Methods raise Failure."""

    def __init__(self, user: User, seconds: float) -> None:
        self._user = user
        self._seconds = seconds
        self._was_read = False  # the token file
        conceal(user.token, user.password, user.certificate.key.decode("latin-1") if user.certificate else "")

    def headers(self) -> Headers:
        """Return the headers of a request."""
        headers: Headers = dict(self._user.impersonation)
        authorization = self._authorization()
        if authorization:
            headers["Authorization"] = authorization
        return headers

    def certificate(self) -> Certificate | None:
        """Return the client certificate of a connection."""
        if self._user.certificate is not None or self._has_header():
            return self._user.certificate
        return self._given(self._user.plugin).certificate if self._user.plugin else None

    def renew(self, refused: Headers) -> bool:
        """Return whether there are other credentials after these headers were refused (401)."""
        plugin = self._user.plugin
        if plugin is None or self._has_header():
            return self.headers() != refused
        with _ONE:
            before = _GIVEN.get(plugin)
            if before is not None and _bearer(before.token) != refused.get("Authorization", ""):
                return True  # another thread had it renewed meanwhile
            _GIVEN.pop(plugin, None)
        return self._given(plugin) != before

    def _has_header(self) -> bool:
        """Return whether the user has credentials for a header, so that no plugin runs."""
        user = self._user
        return bool(user.token or user.token_file or user.username or user.password)

    def _authorization(self) -> str:
        user = self._user
        token = self._token()
        if token:
            return _bearer(token)
        if user.username or user.password:
            pair = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
            conceal(pair)
            return f"Basic {pair}"
        return ""

    def _token(self) -> str:
        user = self._user
        if user.token_file:
            return self._token_of_file()
        if user.token:
            return user.token.strip()
        if user.plugin and not (user.username or user.password):
            return self._given(user.plugin).token
        return ""

    def _token_of_file(self) -> str:
        user = self._user
        try:
            token = read(user.token_file, "The token file").decode("latin-1").strip()
            if not token:
                raise Failure(
                    f"The token file {printable(user.token_file, 300)} is empty. "
                    "Write the token to it, or correct the kubeconfig."
                )
        except Failure as failure:
            if user.token:
                return user.token.strip()
            if self._was_read:  # it may be rotated right now, or its disk be unavailable
                raise Unreachable(failure.msg) from None
            raise
        conceal(token)
        self._was_read = True
        return token

    def _given(self, plugin: Plugin) -> exec_credentials.Credential:
        with _ONE:
            given = _GIVEN.get(plugin)
            if given is None or given.expired:
                try:
                    given = exec_credentials.ask(plugin, self._seconds)
                except Failure as failure:
                    if plugin in _WORKED:  # so it is set up correctly and may succeed again
                        raise Unreachable(failure.msg) from None
                    raise
                _GIVEN[plugin] = given
                _WORKED.add(plugin)
        return given


def _bearer(token: str) -> str:
    return f"Bearer {token}" if token else ""
