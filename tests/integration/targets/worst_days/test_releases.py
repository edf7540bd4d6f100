# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release on a bad day is refused, or ends, with one sentence, and nothing of the live pool changes."""

from __future__ import annotations

import json

import pytest
from days import OLD, Day, applied, dead_webhook, full_quota
from faulty_api import FaultyApi, no_space
from soaking import soak

QUICK = {"mcp_steps": [{"weight": 100, "seconds": 1}], "mcp_warm_seconds": 0}
STEPS = ("-e", json.dumps(QUICK), "-e", f"version={OLD}")


@pytest.fixture
def idle(released: Day) -> Day:
    """The server, live on green, with an empty blue that a release is to fill."""
    released.scale("blue", 0)
    return released


def sentence(text: str) -> str:
    """Return the last message of a play, on one line."""
    return " ".join(text.rpartition("msg: ")[2].partition("PLAY RECAP")[0].split())


def judge_refused(day: Day, said_by: str, *parts: str) -> None:
    found = sentence(said_by)
    for part in parts:
        assert part in found, found
    assert day.weights() == {"blue": 0, "green": 100}
    assert day.holder() == "", "the Lease is returned"


@soak
def test_a_webhook_that_fails(idle: Day) -> None:
    before = idle.look()
    with applied(dead_webhook(idle.namespace, ("*", "*"))):
        said = idle.play("bluegreen", *idle.words(), *STEPS)
    assert said.code
    judge_refused(idle, said.text, "failed calling webhook", "or delete its configuration")
    assert idle.changed(before) == {}


@soak
def test_etcd_without_space(idle: Day, api: FaultyApi) -> None:
    before, api.refuse = idle.look(), no_space
    said = idle.play("bluegreen", *idle.words(api.kubeconfig, mcp_api_retry_timeout=2), *STEPS)
    assert said.code
    judge_refused(idle, said.text, "database space exceeded", "etcdctl alarm disarm")
    assert idle.changed(before) == {}


@soak
def test_a_full_quota(idle: Day) -> None:
    before = idle.look()
    with applied(full_quota(idle)):
        said = idle.play("bluegreen", *idle.words(mcp_ready_grace=3), *STEPS)
    assert said.code
    judge_refused(idle, said.text, "exceeded quota: full", "raise the quota")
    assert all(path.startswith("Deployment blue ") for path in idle.changed(before)), "the idle pool alone"


@soak
def test_preflight_by_a_slow_api_server(idle: Day, api: FaultyApi) -> None:
    before, api.delay = idle.look(), 5.0
    said = idle.play("preflight", *idle.words(api.kubeconfig), "-e", f"version={OLD}")
    assert said.code == 0
    print(f"SECONDS preflight, 5 s a call: {said.seconds:.1f} s")
    assert said.seconds < 150, "its checks are made side by side"
    assert idle.changed(before) == {} and api.writes() == []
