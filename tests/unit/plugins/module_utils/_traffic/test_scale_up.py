# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many pods an emergency waits for, and the words for it. What it does is tested with the modules."""

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._traffic import scale_up


@pytest.mark.parametrize(("planned", "ready"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (10, 5)])
def test_half_of_the_pods_have_to_be_ready(planned: int, ready: int) -> None:
    assert scale_up.min_ready(planned) == ready


@pytest.mark.parametrize(
    ("has", "planned", "seconds", "line"),
    [
        (0, 2, 12.4, "scaling it up from 0 to 2 pods; traffic follows once 1 pod is ready, within 60 s; a rollout of"),
        (1, 5, None, "scaling it up from 1 to 5 pods; traffic follows once 3 pods are ready, within 60 s; no rollout"),
        (2, 2, None, "waiting for its 2 pods; traffic follows once 1 pod is ready, within 60 s; no rollout time is"),
        (1000, 1000, 0.0, "waiting for its 1000 pods; traffic follows once 500 pods are ready, within 60 s; no"),
    ],
)
def test_what_is_said_before_the_wait(has: int, planned: int, seconds: float | None, line: str) -> None:
    found = scale_up.announcement("blue", has, planned, seconds, 60.0)
    assert found.startswith(f"pool blue has no ready endpoint: {line}")
    assert not seconds or found.endswith("a rollout of this server took 12 s")
