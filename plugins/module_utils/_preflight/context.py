# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks of a release ask and compare, and what several of them read once."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._server import Server

Found = t.TypeVar("Found")


@dataclass(frozen=True)
class Context:
    """What the checks ask and compare."""

    cluster: Api
    server: Server
    # The options of mcp_preflight.
    params: dict[str, t.Any]
    _reads: dict[str, _Once] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, name: str, read: t.Callable[[], Found]) -> Found:
        """Return what the read returns or raise what it raises; the checks, side by side, make it once."""
        return t.cast(Found, self._reads.setdefault(name, _Once()).get(read))


class _Once:
    """A read whose outcome is kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcome: tuple[t.Any, Exception | None] | None = None

    def get(self, read: t.Callable[[], t.Any]) -> t.Any:
        with self._lock:
            if self._outcome is None:
                try:
                    self._outcome = read(), None
                except Exception as error:
                    self._outcome = None, error
        found, failed = self._outcome
        if failed is not None:
            raise failed
        return found
