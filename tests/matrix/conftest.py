# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shutil
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.server.plugins.module_utils._mcp import listing
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_health
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task

from . import fleet
from .rows import ROWS, TWINS, Row

# `make test` has those that stand for the others, `make soak` and whoever calls pytest has all.
SHORT = os.environ.get("MCP_TEST_KIND") == "test"


class Server:
    """A server of the matrix, and how users probe it with mcp_health."""

    def __init__(self, row: Row, running: fleet.Running) -> None:
        self.row = row
        self.url = running.url
        self.counts = running.counts

    def params(self, host: str | None = None, **given: t.Any) -> dict[str, t.Any]:
        """Of a task, as Ansible fills them in."""
        params = {"timeout": 8, "step_timeout": 2, **given}
        if self.row.guarded:
            params.setdefault("auth", {"token_env": "MATRIX_TOKEN"})
        params["endpoint"] = {"url": self.url, "mcp_path": self.row.path, "host": host}
        validation = ArgumentSpecValidator(mcp_health.SPEC.options, **mcp_health.SPEC.rules()).validate(params)
        assert not validation.error_messages
        return validation.validated_parameters

    def probe(self, **given: t.Any) -> dict[str, t.Any]:
        """Return the result of a probe of all lists."""
        try:
            (found,) = mcp_health.run(Task(self.params(**given)))["servers"]
        except Failure as failure:
            (found,) = failure.evidence["servers"]
        return found

    def probe_all_lists(self, era: str) -> dict[str, t.Any]:
        return self.probe(era=era, lists=list(listing.KINDS))


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATRIX_TOKEN", fleet.TOKEN)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rows(only): the servers that a test is for, by a predicate of Row")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("rows")
        wanted = [row for row in ROWS if row.name in TWINS or not SHORT]
        indices = [ROWS.index(row) for row in wanted if marker is None or marker.kwargs["only"](row)]
        metafunc.parametrize(
            "server", indices, ids=[ROWS[index].name for index in indices], indirect=True, scope="session"
        )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort tests by server, so that one server at a time is started; pytest's own order mixes them."""
    here = [item for item in items if "server" in getattr(item, "fixturenames", ())]
    others = [item for item in items if item not in here]
    items[:] = others + sorted(here, key=lambda item: t.cast(pytest.Function, item).callspec.params["server"])


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> t.Iterator[Server]:
    row = ROWS[request.param]
    tool = {"go": "go", "typescript": "npm"}.get(row.kind.partition(":")[0])
    if tool and not shutil.which(tool):
        # These servers are of another language, whose tools a developer's machine need not have; CI's has them.
        pytest.skip(f"{tool} is not installed")
    with fleet.running(row.kind, row.mode) as running:
        yield Server(row, running)
