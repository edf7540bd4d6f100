# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prometheus' HTTP API, or what speaks it: samples of a query. Bounded in time and size."""

from __future__ import annotations

import json
import time
import traceback
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series
from ansible_collections.mcp.server.plugins.module_utils._registry import reason_of
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure

try:
    import requests

    REQUESTS_ERROR = None
except ImportError:
    REQUESTS_ERROR = traceback.format_exc()

LARGEST = 32 * 2**20  # bytes of an answer
CHUNK = 2**16
SYNCED = 60.0  # seconds that a comparison of the clocks holds

Auth: t.TypeAlias = "t.Callable[[t.Any], t.Any] | tuple[str, str]"


class Prometheus:
    """One server. Every call is bounded by timeout seconds, and raises Failure."""

    def __init__(self, url: str, auth: Auth | None = None, verify: bool | str = True, timeout: float = 5.0) -> None:
        if REQUESTS_ERROR is not None:
            raise Failure(missing_required_lib("requests"), exception=REQUESTS_ERROR)
        self.url = _checked(url)
        self._verify = verify
        self._timeout = timeout
        self._session = requests.Session()
        # Without any, requests would take one from ~/.netrc
        self._session.auth = auth or (lambda request: request)
        self._ahead = 0.0
        self._synced: float | None = None

    def now(self) -> float:
        """Prometheus' own time: what is judged by it is the same on whatever machine this runs. When it can't be asked, as it was last known."""
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
                f"{self._name} answers {parameters['query']} with a {kind} where a matrix was expected; it must select series."
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
        parameters = {**parameters, "timeout": f"{self._timeout:g}s"}
        bound = Deadline(self._timeout)
        try:
            with self._session.get(
                f"{self.url}/api/v1/{path}",
                params=parameters,
                timeout=self._timeout,
                verify=self._verify,
                stream=True,
                allow_redirects=False,
            ) as answer:
                body = b""
                for chunk in answer.iter_content(CHUNK):
                    body += chunk
                    if len(body) > LARGEST:
                        raise Failure(
                            f"{self._name} answers with more than {LARGEST // 2**20} MiB; select fewer series, by source and labels."
                        )
                    if not bound.left:
                        raise Failure(
                            f"{self._name} does not answer within {self._timeout:g} s; see its load, or set prometheus.timeout."
                        )
        except (requests.RequestException, OSError) as error:
            raise Failure(
                f"{self._name} does not answer ({reason_of(error)}); check prometheus.url, the network and the CA."
            ) from None
        if answer.status_code in (401, 403):
            raise Failure(
                f"{self._name} does not accept our credentials ({answer.status_code}); check those in prometheus."
            )
        try:
            document = json.loads(body)
            if document["status"] == "success":
                return document["data"]["resultType"], document["data"]["result"]
            said = f"refuses {parameters['query']}: {document['error']}"
        except (ValueError, TypeError, KeyError):
            said = f"answers {answer.status_code}, and not what Prometheus does; check prometheus.url"
        raise Failure(f"{self._name} {said}.")

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
