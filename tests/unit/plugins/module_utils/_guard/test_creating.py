# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Conflict, NotFound, Unanswered
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server
from ansible_collections.mcp.server.plugins.module_utils._guard import module
from ansible_collections.mcp.server.plugins.module_utils._guard.job import job
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import retry

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
FORMER, WANTED = (job(SERVER, run, "ee:1", "releaser", {"release": "r"}) for run in ("former", "ours"))


class Api:
    """One Job at most. leaves: at which create the former one is gone. lost: whether the answer to the one that is stored is."""

    def __init__(self, leaves: int = 1, *, lost: bool = False) -> None:
        self.job: dict[str, t.Any] | None = FORMER
        self.leaves, self.lost, self.creates = leaves, lost, 0

    def get(self, path: str) -> dict[str, t.Any]:
        if self.job is None:
            raise NotFound(path)
        return self.job

    def create(self, _path: str, body: dict[str, t.Any]) -> dict[str, t.Any]:
        self.creates += 1
        if self.creates < self.leaves or self.job not in (None, FORMER):
            raise Conflict("exists")
        self.job = body
        if self.lost:
            raise Unanswered("no answer")
        return body


@pytest.mark.parametrize(("leaves", "lost"), [(1, False), (9, False), (1, True), (3, True)])
def test_a_guard_is_made_once_the_former_one_is_gone(leaves: int, lost: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "LONGEST", 0.01)
    api = Api(leaves, lost=lost)
    assert module._create(api, SERVER, WANTED, 5.0, dry_run=False) == WANTED
    assert api.job == WANTED and api.creates == leaves
