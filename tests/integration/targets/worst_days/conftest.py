# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server for all days, in a namespace that a quota or a webhook may take from nobody else."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from days import Day, days, remove_stale
from faulty_api import FaultyApi, faulty_api
from roles_of_pages import account, apply, kubeconfig_of, rules_of_page


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Day]:
    remove_stale()
    with days(tmp_path_factory.mktemp("worst"), ["day"]) as made:
        yield made["day"]
    remove_stale()


@pytest.fixture
def released(day: Day) -> Day:
    """The server with v1.2.0 live on green, as a release left it."""
    day.release()
    return day


@pytest.fixture
def api(day: Day, tmp_path: Path) -> t.Iterator[FaultyApi]:
    with faulty_api(day.kubeconfig, tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def reader(day: Day) -> str:
    """Return the kubeconfig of whoever has the Roles of docs/diagnose.md and docs/debug.md."""
    pages = ("diagnose.md", "debug.md")
    apply(*account(day.namespace, "reader", [r for page in pages for r in rules_of_page(page, day.server.name)]))
    return kubeconfig_of(day.namespace, "reader", day.folder)
