# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prometheus' HTTP API, or what speaks it: samples of a query. Bounded in time and size."""

from __future__ import annotations

import math
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
PARTIAL = ("isPartial", "partial", "partialResponse", "partial_response")  # fields that are true in a partial answer
# VictoriaMetrics hides the samples of the last 30 s without these, the first in old versions. Others don't know them.
NEWEST = {"nocache": "1", "latency_offset": "0s"}
# Of PromQL's engine, on how a query is written. It is no sign that data are missing.
HINT = "PromQL info:"


class Prometheus:
    """One server. Every call is bounded by timeout seconds, and raises Failure."""

    def __init__(
        self,
        url: str,
        authorization: str = "",
        verify: bool | str = True,
        timeout: float = 5.0,
        headers: t.Mapping[str, str] | None = None,
    ) -> None:
        """authorization: the value of that header, see _http/credentials.py. headers: further ones."""
        self.url = _checked(url)
        self._timeout = timeout
        self._authorization = authorization
        self._headers = headers
        self._client = client.Client(verify, MAX_BYTES)
        self._ahead = 0.0
        self._synced: float | None = None

    def now(self) -> float:
        """Prometheus' own time: what is judged by it is the same on whatever machine this runs. When it can't be asked,
        as it was last known.
        """
        if self._synced is None or time.monotonic() - self._synced > SYNCED:
            begin = time.monotonic()
            kind, result = self._ask("query", {"query": "time()"})
            end = time.monotonic()
            now = _single_value(kind, result)
            if now is None:
                raise Failure(
                    f"{self._name} answers time() with {_what(kind)} that is not its time. Check prometheus.url."
                )
            self._ahead, self._synced = now - (begin + end) / 2, end
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
                f"{self._name} answers {parameters['query']} with {_what(kind)} where a matrix was expected; it must "
                f"select series."
            )
        series = read_series(result)
        if series is None:
            raise Failure(
                f"{self._name} answers {parameters['query']} with samples that can't be read; is it a Prometheus."
            )
        return series

    def rules(self) -> list[dict[str, t.Any]]:
        """The groups of alerting rules that it evaluates, as its API has them."""
        return self._listed("rules", {"type": "alert"}, "groups")

    def alertmanagers(self) -> list[dict[str, t.Any]]:
        """The Alertmanagers that it sends alerts to."""
        return self._listed("alertmanagers", {}, "activeAlertmanagers")

    def _listed(self, path: str, parameters: dict[str, str], name: str) -> list[dict[str, t.Any]]:
        found = self._data(path, parameters, path)
        listed = found.get(name) if isinstance(found, dict) else None
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise Failure(f"{self._name} has no {path} as Prometheus has them. Check prometheus.url.")
        return listed

    def _ask(self, path: str, parameters: dict[str, str]) -> tuple[t.Any, t.Any]:
        """Return the type of the result, and the result, of a complete answer."""
        found = self._data(path, parameters, parameters["query"])
        try:
            return found["resultType"], found["result"]
        except (TypeError, KeyError):
            raise Failure(f"{self._name} answered, and not as Prometheus does. Check prometheus.url.") from None

    def _data(self, path: str, parameters: dict[str, str], asked: str) -> t.Any:
        """Return the data of a complete answer. asked: what was asked, for people."""
        try:
            answer = self._client.request(
                "GET",
                f"{self.url}/api/v1/{path}",
                self._timeout,
                query={**parameters, "timeout": f"{math.ceil(1000 * self._timeout)}ms", **NEWEST},
                headers=self._headers,
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
                "Check token, or username and password, in prometheus, and the tenant in its headers."
            )
        try:
            document = answer.json()
            succeeded = document["status"] == "success"
            error = "" if succeeded else printable(document["error"], MAX_ERROR)
            found = document["data"] if succeeded else None
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Failure(
                f"{self._name} answered {answer.status}, and not as Prometheus does. Check prometheus.url."
            ) from None
        if not succeeded:
            raise Failure(f"{self._name} refused {asked}: {error}.")
        if reason := partial(document, answer.headers):
            raise Failure(f"{self._name} answered {asked} in part only ({reason}). Check what it reads from.")
        return found

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


def partial(document: t.Mapping[str, t.Any], headers: t.Mapping[str, str]) -> str:
    """Return why a successful answer may lack data, in the words of who answered; empty when nothing says so.

    Thanos and Prometheus (with remote read) send warnings, VictoriaMetrics isPartial, M3 a header.
    """
    texts = [text for text in _texts(document.get("infos")) if not text.startswith(HINT)]
    texts += _texts(document.get("warnings")) + _texts(headers.get("M3-Results-Limited"))
    texts += [name for name in PARTIAL if document.get(name) not in (None, False, "", "false")]
    return printable("; ".join(text.rstrip(".") for text in texts), MAX_ERROR)


def _texts(value: t.Any) -> list[str]:
    """Return texts of others: from a list, or a single one."""
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each not in (None, "")]


def read_series(result: t.Any) -> list[Series] | None:
    """Return the series of a matrix; None when it is none. Null is an empty one: Go writes that for no series."""
    if result is None:
        return []
    try:
        return [
            Series(_labels(each["metric"]), [(_time(at), float(value)) for at, value in each["values"]])
            for each in _list(result)
            if "values" in each or "histograms" not in each  # native histograms are not read
        ]
    except (TypeError, ValueError, KeyError, OverflowError):
        return None


def _list(value: t.Any) -> list[t.Any]:
    """Return a list. Raise TypeError if it is none."""
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def _labels(metric: t.Any) -> dict[str, str]:
    """Return a series' labels. Raise TypeError if they are none."""
    if not isinstance(metric, dict) or not all(isinstance(value, str) for value in metric.values()):
        raise TypeError("no labels")
    return metric


def _time(at: t.Any) -> float:
    """Return epoch seconds. Raise ValueError or TypeError."""
    if not math.isfinite(seconds := float(at)):
        raise ValueError("no time")
    return seconds


def _single_value(kind: t.Any, result: t.Any) -> float | None:
    """Return the finite number that a scalar is, or a vector of one series; None when it is neither.

    VictoriaMetrics answers each instant query with a vector.
    """
    try:
        if kind == "vector":
            (series,) = _list(result)
            result = series["value"]
        elif kind != "scalar":
            return None
        _at, value = _list(result)
        return _time(value)
    except (TypeError, ValueError, KeyError, OverflowError):
        return None


def _what(kind: t.Any) -> str:
    """Return the type of a result as a part of a sentence."""
    return f"a {printable(kind, 40)}" if isinstance(kind, str) else "a result"
