# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _task
from ansible_collections.mcp.server.plugins.module_utils._mcp import hosts, own_requests


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The secrets of one test are not those of the next: here they share a process, as no two tasks do."""
    secrets: set[str] = set()
    monkeypatch.setattr(_task, "_SECRETS", secrets)
    return secrets


@pytest.fixture(autouse=True)
def nothing_learnt(monkeypatch: pytest.MonkeyPatch) -> dict[t.Any, hosts.Hosts]:
    """Nor is what one test learnt of the Hosts of pods."""
    learnt: dict[t.Any, hosts.Hosts] = {}
    monkeypatch.setattr(hosts, "_LEARNT", learnt)
    return learnt


@pytest.fixture(autouse=True)
def no_requests_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what it learnt of an address, whose port the next one may get."""
    monkeypatch.setattr(own_requests, "_KNOWN", {})
