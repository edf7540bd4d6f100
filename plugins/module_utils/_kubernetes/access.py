# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API server and the user of a task, as data: the outcome of kubeconfig, options and environment."""

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
    # What it gets about the cluster, when it asks for that.
    cluster: dict[str, t.Any] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Certificate:
    """A client certificate and its key, as PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class User:
    """The credentials of a user."""

    # For people.
    name: str = "an anonymous user"
    token: str = field(default="", repr=False)
    # Preferred to token while it is readable.
    token_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    # Whether username and password get a token from OpenShift instead of being sent with each request.
    logs_in: bool = False
    certificate: Certificate | None = None
    plugin: Plugin | None = None
    # Headers of the user to impersonate; some occur several times.
    impersonation: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def impersonated(self) -> str:
        """Return the name of the user to impersonate; empty without one."""
        return dict(self.impersonation).get("Impersonate-User", ("",))[0]


@dataclass(frozen=True)
class Access:
    """One API server and one user of it."""

    # The URL of the API server.
    host: str
    # What named it, for people.
    origin: str = ""
    user: User = User()
    # The certificate authorities as PEM; None for those of the system.
    ca: str | None = None
    verify: bool = True
    tls_name: str = ""
    # A URL; None to use the environment.
    proxy: str | None = None
    # Environment variables that are ignored, for people.
    ignored: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return the line that a run starts with: the cluster and the user."""
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
            line += f"; ignored because the task names its cluster: {', '.join(self.ignored)}"
        return line
