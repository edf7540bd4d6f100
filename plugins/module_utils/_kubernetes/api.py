# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rest takes of a Kubernetes API server: requests by path, and what may become of them."""

from __future__ import annotations

import math
import socket
import typing as t
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils._task import Failure


class NotFound(Failure):
    """The API server says that there is no such object."""


class Forbidden(Failure):
    """The API server knows us and refuses."""


class Api(t.Protocol):
    """Requests to one API server. Paths are absolute, such as C(/api/v1/namespaces/prod/pods); objects are plain dicts.

    Every method raises NotFound, Forbidden, Conflict, Unreachable (of outage.py), or Failure for whatever else goes wrong.
    """

    @property
    def host(self) -> str:
        """The API server's URL."""

    @property
    def patience(self) -> float:
        """Seconds that an API server which is away is waited for."""

    def now(self) -> datetime:
        """Return the API server's time, for ages of its objects."""

    def server_time(self) -> datetime | None:
        """Return the same, None as long as no answer has told it."""

    def limited(self, patience: float, timeout: float = math.inf) -> Api:
        """Return the same API server, with no more patience and no more seconds for a request than that."""

    def get(self, path: str, **query: str) -> dict[str, t.Any]:
        """Return one object, or a list of them."""

    def create(self, path: str, body: dict[str, t.Any], **query: str) -> dict[str, t.Any]:
        """Create an object; return it as it is stored."""

    def patch(
        self, path: str, body: t.Any, kind: str = "merge", *, dry_run: bool = False, **query: str
    ) -> dict[str, t.Any]:
        """Patch an object; return it as it is stored. kind: merge, strategic, json or apply."""

    def delete(self, path: str, *, dry_run: bool = False, **query: str) -> dict[str, t.Any]:
        """Delete an object."""

    def may(self, namespace: str, verb: str, group: str, resource: str, name: str = "") -> bool:
        """Return whether we may do this."""

    def port_forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        """Return a socket to a port of a pod, which the caller closes."""
