# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alertmanager's API, as far as silences and a test alert need it."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._http import client, credentials
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

# Documented in doc_fragments/alertmanager.py
OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "url": {"type": "str", "required": True},
        "ca_cert": {"type": "path"},
        "allow_http": credentials.ALLOW_HTTP,
        "token_file": {"type": "path", "no_log": False},
        "token_env": {"type": "str", "no_log": False},
    },
    "mutually_exclusive": [("token_file", "token_env")],
}

# A silence as the API has it (gettableSilence).
Silence = dict[str, t.Any]

MAX_BYTES = 16 * 2**20  # of the list of all silences


class NoAnswer(Failure):
    """It does not answer, or not as Alertmanager does."""


class Alertmanager:
    """A client of the API v2. Methods raise Failure."""

    def __init__(self, params: dict[str, t.Any], omit: str = "the silence") -> None:
        """params: has alertmanager (OPTION), and timeout: seconds for each request. omit: what works without it."""
        self._omit = omit
        option = params["alertmanager"]
        self._url = option["url"].rstrip("/")
        self._name = f"Alertmanager {client.host_of(option['url']) or 'without an address'}"
        self._timeout = params["timeout"]
        if any(option.get(name) for name in credentials.SOURCES):
            credentials.refuse_plain_http(option["url"], option.get("allow_http"), "alertmanager")
        token = credentials.bearer_token(option, lambda name: {}, "alertmanager")
        self._authorization = credentials.bearer(token) if token else ""
        self._client = client.Client(option["ca_cert"] or True, MAX_BYTES)

    def version(self) -> str:
        """Return its version, which shows that the address is an Alertmanager's and that it accepts the token."""
        found = self._request("GET", "status")
        info = found.get("versionInfo") if isinstance(found, dict) else None
        if not isinstance(info, dict):
            raise self._not_alertmanager()
        return printable(str(info.get("version")), 40)

    def status(self) -> dict[str, t.Any]:
        """Return its state, with its configuration as text (without the secrets in it) in config.original."""
        found = self._request("GET", "status")
        if not isinstance(found, dict) or not isinstance(found.get("config"), dict):
            raise self._not_alertmanager()
        return found

    def alerts(self, matcher: str) -> list[dict[str, t.Any]]:
        """Return the alerts that a matcher matches, silenced and inhibited ones too."""
        found = self._request("GET", "alerts", query={"filter": matcher})
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._not_alertmanager()
        return found

    def post_alert(self, alert: dict[str, t.Any]) -> None:
        """Send an alert, as Prometheus does. Without endsAt it ends by itself, after Alertmanager's resolve_timeout."""
        self._request("POST", "alerts", [alert])

    def metrics(self) -> str:
        """Return its own metrics as Prometheus scrapes them."""
        answer = self._answer("GET", "metrics", f"{self._url}/metrics")
        return answer.body.decode("utf-8", errors="replace")

    def silences(self) -> list[Silence]:
        """Return all silences, expired ones too."""
        found = self._request("GET", "silences")
        if not isinstance(found, list):
            raise self._not_alertmanager()
        return found

    def create(self, silence: Silence) -> str:
        """Create a silence, or update the one of its id; return its id."""
        found = self._request("POST", "silences", silence)
        if not isinstance(found, dict) or "silenceID" not in found:
            raise self._not_alertmanager()
        return str(found["silenceID"])

    def expire(self, silence_id: str) -> None:
        """End a silence."""
        self._request("DELETE", f"silence/{silence_id}")

    def _request(self, method: str, path: str, body: t.Any = None, query: t.Mapping[str, str] | None = None) -> t.Any:
        """Return the document of an answer, None of one that is empty."""
        answer = self._answer(method, path, f"{self._url}/api/v2/{path}", body, query)
        try:
            return None if method == "DELETE" or not answer.body.strip() else answer.json()
        except ValueError:
            raise self._not_alertmanager() from None

    def _answer(
        self, method: str, path: str, url: str, body: t.Any = None, query: t.Mapping[str, str] | None = None
    ) -> client.Answer:
        try:
            answer = self._client.request(
                method, url, self._timeout, authorization=self._authorization, json_body=body, query=query
            )
        except client.Untrusted as fault:
            raise NoAnswer(f"{self._name} {fault.msg}. Set alertmanager.ca_cert.") from None
        except client.TimedOut as fault:
            raise NoAnswer(f"{self._name} {fault.msg}. Check whether it is running, or omit {self._omit}.") from None
        except Fault as fault:
            raise NoAnswer(
                f"{self._name} {fault.msg}. Check alertmanager.url, and whether Alertmanager is running."
            ) from None
        if answer.status != 200:
            raise NoAnswer(
                f"{self._name} answered {answer.status} to {method} {path}: {answer.text(200) or 'no text'}."
            )
        return answer

    def _not_alertmanager(self) -> NoAnswer:
        return NoAnswer(
            f"{self._name} gave an answer that is not Alertmanager's. "
            "Check alertmanager.url, and whether Alertmanager is running."
        )
