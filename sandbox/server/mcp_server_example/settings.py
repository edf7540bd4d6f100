# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the environment and the image say, read once and checked at the start."""

from __future__ import annotations

import json
import math
import os
import socket
import typing as t
from dataclasses import dataclass
from pathlib import Path

SERVER_INFO = Path("serverInfo.json")
FAULTS = (
    "none",
    "errors",
    "slow",
    "slow-scrape",
    "database",
    "leak",
    "crash",
    "contract",
    "version",
    "not-mcp",
    "unready",
)
FAULT_FROM = ("start", "gateway")
SESSIONS = ("stateless", "stateful", "marked")


class SettingsError(ValueError):
    """One sentence that says which setting is wrong."""


@dataclass(frozen=True)
class Settings:
    """Every field but the first two is the environment variable of that name in upper case, empty or absent for the default."""

    version: str
    build_time: str
    # Not HOST and PORT: for a Service called "x" Kubernetes sets X_PORT, so such names turn up unasked.
    listen_address: str = "0.0.0.0"
    listen_port: int = 8080
    listen_port_metrics: int = 9090
    pod_name: str = ""  # falls back to the host's name
    mcp_pool: str = ""
    mcp_sessions: str = "stateless"
    drain_seconds: float = 5.0
    database_url: str = ""  # postgresql://...
    external_services: str = ""  # URLs and host:port, separated by commas or blanks
    fault: str = "none"
    fault_from: str = "start"
    fault_after: float = 0.0  # seconds after that
    fault_seconds: float = math.inf  # for which it lasts
    fault_rate: float = 0.2  # share of requests, 0 to 1
    fault_delay: float = 1.0  # seconds
    fault_mib_per_second: float = 8.0

    @property
    def instance_id(self) -> str:
        return self.pod_name or socket.gethostname()


def read(environ: t.Mapping[str, str], server_info: t.Mapping[str, str]) -> Settings:
    """Raises SettingsError."""
    values: dict[str, t.Any] = {}
    for name, kind in t.get_type_hints(Settings).items():
        text = environ.get(name.upper(), "")
        if name in ("version", "build_time") or not text:
            continue
        try:
            values[name] = kind(text)
        except ValueError:
            raise SettingsError(f"{name.upper()} is {text!r}: a number was expected") from None
    for name, allowed in (("fault", FAULTS), ("fault_from", FAULT_FROM), ("mcp_sessions", SESSIONS)):
        if name in values and values[name] not in allowed:
            raise SettingsError(f"{name.upper()} is {values[name]!r}: expected one of {', '.join(allowed)}")
    return Settings(version=server_info["version"], build_time=server_info["buildTime"], **values)


def load() -> Settings:
    """The settings of this process. Raises SettingsError."""
    try:
        server_info = json.loads(SERVER_INFO.read_text())
        return read(os.environ, server_info)
    except OSError as error:
        raise SettingsError(
            f"{SERVER_INFO.absolute()} cannot be read ({error.strerror}): the image's build writes it"
        ) from None
    except (json.JSONDecodeError, KeyError, TypeError):
        raise SettingsError(f'{SERVER_INFO.absolute()} is not {{"version": ..., "buildTime": ...}}') from None
