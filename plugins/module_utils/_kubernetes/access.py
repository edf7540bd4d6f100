# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the API server is and who we are there, as data: what kubeconfig, options and environment come to."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mcp.server.plugins.module_utils._text import printable


@dataclass(frozen=True)
class Plugin:
    """A command that gives credentials (client.authentication.k8s.io)."""

    command: str
    api_version: str
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    install_hint: str = ""
    # What it is told of the cluster, when it asks for that.
    cluster: dict[str, t.Any] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Certificate:
    """A client certificate and its key, as PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class User:
    """How we prove who we are. name: for people. token_file beats token for as long as it can be read.

    logs_in: whether username and password get a token from OpenShift, instead of being sent with each request.
    """

    name: str = "an anonymous user"
    token: str = field(default="", repr=False)
    token_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    logs_in: bool = False
    certificate: Certificate | None = None
    plugin: Plugin | None = None
    # Whom we act as: headers, of which some come several times.
    impersonation: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def impersonated(self) -> str:
        """Return the name of the user whom we act as, or nothing."""
        return dict(self.impersonation).get("Impersonate-User", ("",))[0]


@dataclass(frozen=True)
class Access:
    """One API server, and one user of it.

    host: its URL. origin: what named it, for people. proxy: a URL, or None for what the environment says.
    ca: PEM, or None for the system's. ignored: what the environment says and nobody listens to, for people.
    """

    host: str
    origin: str = ""
    user: User = User()
    ca: str | None = None
    verify: bool = True
    tls_name: str = ""
    proxy: str | None = None
    ignored: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return the line that begins a run."""
        line = f"cluster {printable(self.host, 200)}"
        if self.origin:
            line += f" ({printable(self.origin, 300)})"
        if not self.verify and self.host.startswith("https://"):
            line += ", its certificate not verified"
        line += f", as {printable(self.user.name, 200)}"
        if self.host.startswith("http://"):
            line += ", without TLS"
        if self.user.impersonated:
            line += f", impersonating {printable(self.user.impersonated, 200)}"
        if self.ignored:
            line += f"; ignored, as the task names its cluster itself: {', '.join(self.ignored)}"
        return line
