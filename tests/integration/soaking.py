# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests belong to `make test`, and which to `make soak`: a pytest plugin.

A test or a parameter that is marked ``soak`` takes long and runs in `make soak` only; everything else runs in
`make test` only. CONTRIBUTING.md has the short twin of each, which `make test` runs.
"""

from __future__ import annotations

import random
import typing as t

import pytest
from playing import CONFIG

SOAK: bool = CONFIG.get("soak", False)
soak = pytest.mark.soak

T = t.TypeVar("T")


def drawn(values: t.Sequence[T], number: int) -> list[t.Any]:
    """Return parameters: all of them for `make soak`, some of them, drawn by the run's seed, for `make test`."""
    few = [] if SOAK else random.Random(CONFIG.get("seed")).sample(list(values), number)
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=() if value in few else soak)
        for value in values
    ]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: takes long; runs in `make soak` only")


def pytest_report_header() -> str:
    return f"{'soak' if SOAK else 'test'}, seed {CONFIG.get('seed')}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    theirs = [item for item in items if (item.get_closest_marker("soak") is not None) != SOAK]
    items[:] = [item for item in items if item not in theirs]
    config.hook.pytest_deselected(items=theirs)
