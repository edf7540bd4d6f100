# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers of servers.json: what other projects publish, as they publish it, in two versions each."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).with_name("servers.json")


@dataclass(frozen=True)
class Server:
    """One server.

    recipe: how its image is made, a function of images.py. source, program, tags, more: what that needs.
    versions: the one that is deployed, and the one that is released.
    call: the tool that clients call.
    accept: changes of the contract that a release of the second version has to accept.
    any_id: it gives session ids, and accepts any id on any pod.
    is_newer: the second version speaks a revision of the protocol that the first one does not know.
    short: it is one of those of `make test`.
    """

    name: str
    title: str
    recipe: str
    package: str
    versions: tuple[str, str]
    command: tuple[str, ...]
    port: int
    session_mode: str
    call: dict[str, t.Any]
    path: str = "/mcp"
    env: dict[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    replicas: int = 1
    accept: tuple[str, ...] = ()
    any_id: bool = False
    is_newer: bool = False
    source: str = ""
    program: str = ""
    tags: str = ""
    more: tuple[str, ...] = ()
    short: bool = False

    @property
    def stateful(self) -> bool:
        return self.session_mode == "stateful"

    @property
    def repository(self) -> str:
        """Return the image's name in a registry, without its host and tag."""
        return f"strangers/{self.name}"

    def image(self, version: str) -> str:
        return f"{self.repository}:{version.removeprefix('v')}"


def servers() -> dict[str, Server]:
    """Return all of them by their names."""
    known = json.loads(FILE.read_text())
    return {
        name: Server(name, **{key: tuple(value) if isinstance(value, list) else value for key, value in one.items()})
        for name, one in known.items()
    }
