# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server behind the real Traefik."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from traefik import Served, served

from ansible_collections.mcp.server.plugins.module_utils._modules import single_shift


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Served]:
    with served(tmp_path) as made:
        monkeypatch.setattr(single_shift.connection, "connect", lambda params: made.cluster)
        assert made.is_served(30), (tmp_path / "traefik.log").read_text()
        yield made
