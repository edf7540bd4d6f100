# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alertmanager's API, as far as silences need it."""

from __future__ import annotations

import traceback
import typing as t
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils._mcp import auth
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

try:
    import requests

    REQUESTS_ERROR = None
except ImportError:
    REQUESTS_ERROR = traceback.format_exc()

# Documented in doc_fragments/alertmanager.py
OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "url": {"type": "str", "required": True},
        "ca_cert": {"type": "path"},
        "token_file": {"type": "path", "no_log": False},
        "token_env": {"type": "str", "no_log": False},
    },
    "mutually_exclusive": [("token_file", "token_env")],
}

Silence = dict[str, t.Any]


class Alertmanager:
    """Its API v2. Methods raise Failure."""

    def __init__(self, params: dict[str, t.Any]) -> None:
        option = params["alertmanager"]
        self._url = option["url"].rstrip("/")
        # Without what may stand before an @
        self._name = f"Alertmanager {urlsplit(option['url']).netloc.rpartition('@')[2] or 'without an address'}"
        self._timeout = params["timeout"]
        self._verify = option["ca_cert"] or True
        token = auth.token({**option, "token_secret": None}, lambda name: {}, "alertmanager")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def version(self) -> str:
        """Return what it says of itself; so it is one, and takes our token."""
        found = self._ask("GET", "status")
        info = found.get("versionInfo") if isinstance(found, dict) else None
        if not isinstance(info, dict):
            raise Failure(f"{self._name} does not answer as one: check alertmanager.url, and whether it runs.")
        return printable(str(info.get("version")), 40)

    def silences(self) -> list[Silence]:
        return self._ask("GET", "silences")

    def create(self, silence: Silence) -> str:
        """Its id."""
        return self._ask("POST", "silences", silence)["silenceID"]

    def expire(self, silence: str) -> None:
        self._ask("DELETE", f"silence/{silence}")

    def _ask(self, method: str, path: str, body: t.Any = None) -> t.Any:
        where = self._name
        try:
            # A callable as auth keeps the passwords of a .netrc out of it.
            response = requests.request(
                method,
                f"{self._url}/api/v2/{path}",
                json=body,
                headers=self._headers,
                timeout=self._timeout,
                verify=self._verify,
                allow_redirects=False,
                auth=lambda request: request,
            )
            document = response.json() if response.status_code == 200 and method != "DELETE" else None
        except requests.exceptions.SSLError:
            raise Failure(f"{where} shows a certificate that is not trusted: set alertmanager.ca_cert.") from None
        except requests.exceptions.Timeout:
            raise Failure(
                f"{where} gave no answer within {self._timeout:g} s: see whether it runs, or leave the silence out."
            ) from None
        except (requests.exceptions.RequestException, OSError, ValueError):
            raise Failure(f"{where} does not answer as one: check alertmanager.url, and whether it runs.") from None
        if response.status_code != 200:
            raise Failure(
                f"{where} answered {response.status_code} to {method} {path}: {response.text.strip()[:200] or 'nothing more'}."
            )
        return document
