# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that tests plant, in every form in which an output could show them."""

from __future__ import annotations

import base64
import json
import re
import typing as t
import urllib.parse
from pathlib import Path

# By where they are planted.
WEBHOOK_PASSWORD = "planted-webhook-Wd5ekQ1z"
REGISTRY_PASSWORD = "planted/registry+Zp8%mV2"  # it looks different in a URL
ENDPOINT_TOKEN = "planted-endpoint-h3Xr0uT6"
DATABASE_PASSWORD = "planted-database-Ka7tYb4n"
LOGGED_TOKEN = "planted-in-the-log-Jq2sLc9e"
PLANTED = (WEBHOOK_PASSWORD, REGISTRY_PASSWORD, ENDPOINT_TOKEN, DATABASE_PASSWORD, LOGGED_TOKEN)


def of_kubeconfig(file: str | Path) -> list[str]:
    """Return the tokens and keys of a kubeconfig."""
    return re.findall(r"(?:token|client-key-data|password)\"?: *\"?([^\"\s,}]{12,})", Path(file).read_text())


def forms(secret: str) -> set[str]:
    """Return how a secret could look: as it is, in a URL, in JSON, in base64 (also inside of other text)."""
    data = secret.encode()
    # What surrounds it moves its base64 by one or two bytes: what is left of both ends depends on nothing else.
    inside = {base64.b64encode(b"." * shift + data)[4 if shift else 0 : -4].decode() for shift in range(3)}
    as_text = {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret), json.dumps(secret)[1:-1]}
    return as_text | inside


def shown(text: str, secrets: t.Iterable[str]) -> list[str]:
    """Return the secrets that a text shows, also over the end of a line or with escape codes between."""
    flat = re.sub(r"\x1b\[[0-9;]*m|\s", "", text)
    return [one for one in secrets if any(re.sub(r"\s", "", form) in flat for form in forms(one))]
