# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils._cluster import record
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import release as module

from .fakes import NAMES, NEW, OLD, RECORD, Cluster, release, stored

NEWER = NEW.replace("v1.2.0", "v1.3.0")
DEFAULTS = {**NAMES, "state": "read", "image": None, "version": None, "outcome": None, "reason": ""}


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(record, "now", lambda: "now")

    def go(cluster, check_mode=False, **params):
        monkeypatch.setattr(module.connection, "connect", lambda params: cluster)
        return module.run(Task({**DEFAULTS, **params}, check_mode))

    return go


def history(cluster):
    return [(one["id"], one["outcome"]) for one in json.loads(cluster.get(RECORD)["data"]["history"])]


def begin(version="v1.2.0"):
    return {"state": "begun", "image": f"ghcr.io/org/mcp-server:{version}", "version": version}


def test_read(run):
    cluster = Cluster(0, 100)
    result = run(cluster)
    assert (result["live"], result["idle"], result["replicas"], result["record"], result["changed"]) == ("green", "blue", 2, None, False)
    assert cluster.writes == []


def test_begun(run):
    cluster = Cluster()
    cluster.objects[RECORD] = stored(release(id="0", outcome="succeeded"))
    result = run(cluster, **begin(), reason="CHG-1")
    assert (result["changed"], result["resumed"], result["already_live"]) == (True, False, False)
    assert cluster.record == result["record"] == result["diff"]["after"]
    assert cluster.record == {
        "id": "v1.2.0 now",
        "started": "now",
        "by": record.whoever_runs(),
        "reason": "CHG-1",
        "from": {"pool": "blue", "image": OLD, "digest": "", "version": "v1.1.5"},
        "to": {"pool": "green", "image": NEW, "digest": "", "version": "v1.2.0"},
        "steps": [],
        "outcome": "running",
        "ended": None,
    }
    assert history(cluster) == [("0", "succeeded")]


def test_begun_for_the_first_time_and_in_check_mode(run):
    cluster = Cluster()
    assert run(cluster, check_mode=True, **begin())["changed"]
    assert cluster.writes == []
    run(cluster, **begin())
    assert (cluster.record["outcome"], history(cluster)) == ("running", [])


def test_resumed_mid_shift(run):
    cluster = Cluster(10, 90)
    cluster.objects[RECORD] = stored(release())
    result = run(cluster, **begin())
    assert (result["resumed"], result["changed"], result["live"], result["idle"]) == (True, False, "blue", "green")
    assert cluster.writes == []


def test_superseded_keeps_the_stable_pool(run):
    cluster = Cluster(10, 90)
    cluster.objects[RECORD] = stored(release())
    result = run(cluster, **begin("v1.3.0"))
    assert (result["resumed"], result["live"], result["idle"]) == (False, "blue", "green")
    assert (cluster.record["from"]["image"], cluster.record["to"]["image"], cluster.record["to"]["pool"]) == (OLD, NEWER, "green")
    assert history(cluster) == [("1", "superseded")]


@pytest.mark.parametrize(("blue", "already_live"), [(0, True), (10, False)])
def test_already_live(run, blue, already_live):
    cluster = Cluster(blue, 100 - blue)
    result = run(cluster, **begin())
    assert (result["already_live"], result["changed"], bool(cluster.writes)) == (already_live, not already_live, not already_live)


def test_ended(run):
    cluster = Cluster(0, 100)
    cluster.objects[RECORD] = stored(release())
    assert run(cluster, state="ended", outcome="succeeded", reason="all well")["changed"]
    assert (cluster.record["outcome"], cluster.record["ended"], cluster.record["reason"]) == ("succeeded", "now", "all well")
    assert not run(cluster, state="ended", outcome="succeeded")["changed"]


def test_nothing_to_end(run):
    with pytest.raises(Failure, match="No release of mcp-prod/mcp-server has begun"):
        run(Cluster(), state="ended", outcome="failed")
