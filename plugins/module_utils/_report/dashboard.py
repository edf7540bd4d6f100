# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The link from a report to a dashboard, at the server and the time of the release. Pure."""

from __future__ import annotations

import typing as t
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._redact import is_secret_name
from ansible_collections.mcp.server.plugins.module_utils._release.record import Release
from ansible_collections.mcp.server.plugins.module_utils._server import Server

BEFORE, AFTER = 60.0, 120.0  # seconds that are shown before and after the release, to compare with


def problem(url: str) -> str:
    """Return why a report cannot lead there, as a predicate; empty when it can. Never repeats the URL."""
    try:
        parts = urlsplit(url)
        host, userinfo = parts.hostname, parts.username or parts.password
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not host:
        return "must be an http or https URL"
    if userinfo:
        return "must not have a user name or password, which every reader of the report would see"
    if any(is_secret_name(key) for key, _value in parse_qsl(parts.query, keep_blank_values=True)):
        return "must not have a secret in its query, which every reader of the report would see"
    return ""


def link(url: str, server: Server, release: Release) -> str:
    """Return the URL with the release's time, and the server as Grafana's variables of a dashboard.

    The other parameters that it has stay.
    """
    parts = urlsplit(url)
    started, ended = (_times.parse(release.get(key)) for key in ("started", "ended"))
    given: dict[str, t.Any] = {"var-namespace": server.namespace, "var-server": server.name}
    if started:
        given["from"] = round(1000 * (started.timestamp() - BEFORE))
        given["to"] = round(1000 * (ended.timestamp() + AFTER)) if ended else "now"
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in given]
    return urlunsplit(parts._replace(query=urlencode([*kept, *given.items()])))
