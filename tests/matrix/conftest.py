# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._mcp import health_module, listing
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task

from . import fleet
from .rows import ROWS, Row


class Server:
    """One of the matrix, as users ask mcp_health about it."""

    def __init__(self, row: Row, running: fleet.Running) -> None:
        self.row = row
        self.url = running.url
        self.counts = running.counts

    def params(self, host: str | None = None, **given: t.Any) -> dict[str, t.Any]:
        """Of a task, as Ansible fills them in."""
        params = {"health": [], "timeout": 8, "step_timeout": 4, **given}
        if self.row.guarded:
            params.setdefault("auth", {"token_env": "MATRIX_TOKEN"})
        params["endpoint"] = {"url": self.url, "mcp_path": self.row.path, "host": host}
        validation = ArgumentSpecValidator(health_module.SPEC.options, **health_module.SPEC.rules()).validate(params)
        assert not validation.error_messages
        return validation.validated_parameters

    def probe(self, **given: t.Any) -> dict[str, t.Any]:
        """The verdict."""
        try:
            (found,) = health_module.run(Task(self.params(**given)))["servers"]
        except Failure as failure:
            (found,) = failure.evidence["servers"]
        return found

    def probe_all_lists(self, era: str) -> dict[str, t.Any]:
        return self.probe(era=era, lists=list(listing.KINDS))


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATRIX_TOKEN", fleet.TOKEN)


@pytest.fixture(scope="session", params=ROWS, ids=lambda row: row.name)
def server(request: pytest.FixtureRequest) -> t.Iterator[Server]:
    """Each in turn; pytest runs all tests of one before it starts the next."""
    with fleet.running(request.param.kind, request.param.mode) as running:
        yield Server(request.param, running)
