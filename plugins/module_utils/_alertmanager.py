# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alertmanager's API, as far as silences need it."""

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


class Alertmanager:
    """A client of the API v2. Methods raise Failure."""

    def __init__(self, params: dict[str, t.Any]) -> None:
        """params: has alertmanager (OPTION), and timeout: seconds for each request."""
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

    def _request(self, method: str, path: str, body: t.Any = None) -> t.Any:
        """Return the document of an answer, None for DELETE."""
        try:
            answer = self._client.request(
                method,
                f"{self._url}/api/v2/{path}",
                self._timeout,
                authorization=self._authorization,
                json_body=body,
            )
        except client.Untrusted as fault:
            raise Failure(f"{self._name} {fault.msg}. Set alertmanager.ca_cert.") from None
        except client.TimedOut as fault:
            raise Failure(f"{self._name} {fault.msg}. Check whether it is running, or omit the silence.") from None
        except Fault as fault:
            raise Failure(
                f"{self._name} {fault.msg}. Check alertmanager.url, and whether Alertmanager is running."
            ) from None
        if answer.status != 200:
            raise Failure(f"{self._name} answered {answer.status} to {method} {path}: {answer.text(200) or 'no text'}.")
        try:
            return None if method == "DELETE" else answer.json()
        except ValueError:
            raise self._not_alertmanager() from None

    def _not_alertmanager(self) -> Failure:
        return Failure(
            f"{self._name} gave an answer that is not Alertmanager's. "
            "Check alertmanager.url, and whether Alertmanager is running."
        )
