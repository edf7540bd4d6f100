# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoint that a task asks for shares and errors, by its options."""

from __future__ import annotations

import functools
import threading
import time
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

RENEWAL = 10.0  # seconds between reads of credentials that the server refuses


class Later(Mapping[str, str]):
    """Headers that are read when first needed, in the thread that asks: an emergency does not wait for them.

    Thread-safe.
    """

    def __init__(self, read: t.Callable[[], t.Mapping[str, str]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._found: t.Mapping[str, str] | None = None
        self._read_at = 0.0

    def _headers(self) -> t.Mapping[str, str]:
        with self._lock:
            if self._found is None:
                self._found, self._read_at = self._read(), time.monotonic()
            return self._found

    def renew(self, sent: t.Mapping[str, str]) -> bool:
        """Read the headers again, as the server does not accept them any longer; return whether they have changed.

        A watch may last longer than a token, which somebody else puts into the file or the Secret.
        """
        with self._lock:
            if self._found == sent and time.monotonic() - self._read_at >= RENEWAL:
                self._read_at = time.monotonic()
                with suppress(Failure):
                    self._found = self._read()
            return self._found != sent

    def __getitem__(self, name: str) -> str:
        return self._headers()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers())

    def __len__(self) -> int:
        return len(self._headers())


def endpoint_of(params: dict[str, t.Any]) -> endpoint.Endpoint:
    """Return the public endpoint for requests that measure shares and errors. Raise Failure.

    Those to a health path carry no credentials; MCP requests carry those of the option auth. A server that is only
    checked for refusing (auth.expect_401) is asked for the public document that names its authorization servers.
    """
    answering, auth = Answering.from_params(params), params.get("auth")
    guarded = bool(auth and auth.get("expect_401"))
    if answering.health_path or guarded or not credentials.any_named(auth):
        return replace(endpoint.public(params["endpoint"], answering=answering), guarded=guarded)
    public = endpoint.public(params["endpoint"], auth, answering)
    headers = Later(functools.partial(_headers, params))
    if not params.get("rollback"):
        dict(headers)  # so that credentials that are not there are a failure at once
    return replace(public, headers=headers)


def _headers(params: dict[str, t.Any]) -> t.Mapping[str, str]:
    # lazy: emergency path
    from ansible_collections.mcp.server.plugins.module_utils._mcp.targets import credentials_of

    return credentials_of(params).headers
