# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prometheus' HTTP API, or what speaks it: samples of a query. Bounded in time and size."""

from __future__ import annotations

import time
import typing as t
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._http import client
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

MAX_BYTES = 32 * 2**20  # of an answer
MAX_ERROR = 500  # characters of an error, which repeats a part of the query
SYNCED = 60.0  # seconds that a comparison of the clocks holds


class Prometheus:
    """One server. Every call is bounded by timeout seconds, and raises Failure."""

    def __init__(self, url: str, authorization: str = "", verify: bool | str = True, timeout: float = 5.0) -> None:
        """authorization: the value of that header, see _http/credentials.py."""
        self.url = _checked(url)
        self._timeout = timeout
        self._authorization = authorization
        self._client = client.Client(verify, MAX_BYTES)
        self._ahead = 0.0
        self._synced: float | None = None

    def now(self) -> float:
        """Prometheus' own time: what is judged by it is the same on whatever machine this runs. When it can't be asked,
        as it was last known.
        """
        if self._synced is None or time.monotonic() - self._synced > SYNCED:
            begin = time.monotonic()
            _type, result = self._ask("query", {"query": "time()"})
            end = time.monotonic()
            self._ahead, self._synced = float(result[1]) - (begin + end) / 2, end
        return time.monotonic() + self._ahead

    @property
    def known_now(self) -> float | None:
        """now(), without asking; None as long as it was never told."""
        return None if self._synced is None else time.monotonic() + self._ahead

    def samples(self, query: str, at: float) -> list[Series]:
        """The raw samples of a range selector, such as C(up[5m]), that ends at C(at)."""
        return self._series("query", {"query": query, "time": f"{at:.3f}"})

    def values(self, query: str, begin: float, end: float, step: float) -> list[Series]:
        """The values of any query from begin to end, one each step seconds."""
        return self._series(
            "query_range", {"query": query, "start": f"{begin:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        )

    def _series(self, path: str, parameters: dict[str, str]) -> list[Series]:
        kind, result = self._ask(path, parameters)
        if kind != "matrix":
            raise Failure(
                f"{self._name} answers {parameters['query']} with a {kind} where a matrix was expected; it must "
                f"select series."
            )
        try:
            return [
                Series(each["metric"], [(float(at), float(value)) for at, value in each["values"]])
                for each in result
                if "values" in each
            ]
        except (TypeError, ValueError, KeyError):
            raise Failure(
                f"{self._name} answers {parameters['query']} with samples that can't be read; is it a Prometheus."
            ) from None

    def _ask(self, path: str, parameters: dict[str, str]) -> tuple[str, t.Any]:
        """The type of the result, and the result."""
        try:
            answer = self._client.request(
                "GET",
                f"{self.url}/api/v1/{path}",
                self._timeout,
                query={**parameters, "timeout": f"{self._timeout:g}s"},
                authorization=self._authorization,
            )
        except client.TooLarge as fault:
            raise Failure(f"{self._name} {fault.msg}. Select fewer series, by source and labels.") from None
        except client.TimedOut as fault:
            raise Failure(f"{self._name} {fault.msg}. Check its load, or set prometheus.timeout.") from None
        except Fault as fault:
            raise Failure(f"{self._name} {fault.msg}. Check prometheus.url, the network and the CA.") from None
        if answer.status in (401, 403):
            raise Failure(
                f"{self._name} refused the credentials ({answer.status}). "
                "Check token, or username and password, in prometheus."
            )
        try:
            document = answer.json()
            if document["status"] == "success":
                return document["data"]["resultType"], document["data"]["result"]
            error = printable(document["error"], MAX_ERROR)
        except (ValueError, TypeError, KeyError):
            raise Failure(
                f"{self._name} answered {answer.status}, and not as Prometheus does. Check prometheus.url."
            ) from None
        raise Failure(f"{self._name} refused {parameters['query']}: {error}.")

    @property
    def _name(self) -> str:
        return f"Prometheus at {self.url}"


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and not (parts.query or parts.fragment)
            and parts.port != 0
        )
    except ValueError:
        usable = False
    if not usable:
        raise Failure("prometheus.url is not the address of a Prometheus, such as https://prometheus.example.com.")
    if "@" in parts.netloc:
        raise Failure("prometheus.url must not carry credentials: give username and password, or a token.")
    return url.rstrip("/")
