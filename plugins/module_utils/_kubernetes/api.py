# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface of a Kubernetes API server: requests by path, and their failures."""

from __future__ import annotations

import math
import socket
import typing as t
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils._task import Failure


class NotFound(Failure):
    """The object does not exist."""


class Forbidden(Failure):
    """The API server knows the user and refuses the request."""


class BadRequest(Failure):
    """The API server understands the request and cannot do it, such as to read the log of no container."""


class Api(t.Protocol):
    """Requests to one API server. Paths are absolute (paths.py); objects are plain dicts.

    Every method raises NotFound, Forbidden, BadRequest, Conflict or Unreachable (outage.py), or Failure for anything
    else.
    """

    @property
    def host(self) -> str:
        """Return the API server's URL."""

    @property
    def patience(self) -> float:
        """Return the seconds for which a request waits for an API server that does not answer."""

    def now(self) -> datetime:
        """Return the API server's time, for ages of its objects."""

    def server_time(self) -> datetime | None:
        """Return the same; None until a response has told it."""

    def limited(self, patience: float, timeout: float = math.inf) -> Api:
        """Return the same API server with lower bounds, in seconds. timeout: of one request."""

    def get(self, path: str, **query: str) -> dict[str, t.Any]:
        """Return one object, or a list of them."""

    def stream(self, path: str, *, seconds: float, max_bytes: int, **query: str) -> t.Iterator[bytes]:
        """Yield an answer of any size as it arrives, such as a log, and end after so many bytes of it.

        seconds: for all of it. Sends the request when the first bytes are asked for; what is raised is raised by that,
        or later Unreachable, when the answer is cut or late. A caller that stops before the end closes the generator.
        """

    def create(self, path: str, body: dict[str, t.Any], **query: str) -> dict[str, t.Any]:
        """Create an object; return it as stored."""

    def patch(
        self, path: str, body: t.Any, kind: str = "merge", *, dry_run: bool = False, **query: str
    ) -> dict[str, t.Any]:
        """Patch an object; return it as stored. kind: merge, strategic, json or apply."""

    def delete(self, path: str, *, dry_run: bool = False, **query: str) -> dict[str, t.Any]:
        """Delete an object."""

    def may(self, namespace: str, verb: str, group: str, resource: str, name: str = "") -> bool:
        """Return whether the user has this permission."""

    def port_forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        """Return a socket to a port of a pod, which the caller closes."""

    def websocket(self, path: str, query: t.Sequence[tuple[str, str]], protocol: str) -> t.Any:
        """Return an open WebSocket (of websocket-client), which the caller closes. Raise Refusal of client.py, too."""
