# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault of a drill and its repair: each pair of patches, on the fake API server, is nothing."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._drill import fault
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server

PATH = "/apis/apps/v1/namespaces/prod/deployments/mcp-blue"
OWN = [{"conditionType": "target-health.elbv2.k8s.aws/x"}]
RECREATE = {"type": "Recreate"}
HALF = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "50%", "maxSurge": 1}}


def world(strategy: t.Any = None, gates: t.Any = None, notes: t.Any = None) -> ApiServer:
    api = ApiServer(mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2"))
    obj = api.objects[PATH]
    obj["spec"]["strategy"] = HALF if strategy is None else strategy
    if gates is not None:
        obj["spec"]["template"]["spec"]["readinessGates"] = gates
    if notes is not None:
        obj["metadata"]["annotations"] = notes
    return api


def patch(api: ApiServer, operations: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    if operations:
        api.patch(PATH, operations, "json")
    return api.objects[PATH]


@pytest.mark.parametrize("strategy", [HALF, RECREATE])
@pytest.mark.parametrize("gates", [None, OWN])
@pytest.mark.parametrize("notes", [None, {}, {"theirs": "1"}])
def test_the_way_there_and_back_is_nothing(strategy: t.Any, gates: t.Any, notes: t.Any) -> None:
    api = world(strategy, gates, notes)
    before = copy.deepcopy(api.objects[PATH])
    broken = patch(api, fault.broken(api.get(PATH), "2026-11-27T03:00:00Z", "ana@laptop"))
    assert broken["spec"]["template"]["spec"]["readinessGates"][-1] == {"conditionType": fault.CONDITION}
    assert broken["spec"]["strategy"] == fault.AT_ONCE
    mark = fault.mark_of(broken)
    assert mark == ("2026-11-27T03:00:00Z", "ana@laptop", strategy)
    repaired = patch(api, fault.repaired(api.get(PATH), mark))
    assert repaired["spec"] == before["spec"]
    # Until the rest is restored, the next run has to know
    assert fault.mark_of(repaired) == mark and fault.repaired(repaired, mark) == []
    after = patch(api, fault.unmarked(api.get(PATH)))
    assert after["spec"] == before["spec"]
    assert (after["metadata"].get("annotations") or {}) == (notes or {})
    assert fault.unmarked(after) == [] and fault.mark_of(after) is None


def test_neither_image_nor_probes_nor_environment_are_read_into_the_mark() -> None:
    api = world()
    container = api.objects[PATH]["spec"]["template"]["spec"]["containers"][0]
    container["readinessProbe"] = {
        "httpGet": {"path": "/", "httpHeaders": [{"name": "Authorization", "value": "s3cret"}]}
    }
    operations = fault.broken(api.get(PATH), "2026-11-27T03:00:00Z", "ana")
    assert "s3cret" not in json.dumps(operations) and "r/x:v1" not in json.dumps(operations)


def test_somebody_elses_write_in_between_is_a_conflict() -> None:
    api = world()
    operations = fault.broken(api.get(PATH), "2026-11-27T03:00:00Z", "ana")
    api.change(PATH, {"spec": {"replicas": 5}})
    with pytest.raises(Conflict):
        patch(api, operations)


def test_a_strategy_that_somebody_has_set_since_stays() -> None:
    api = world()
    broken = patch(api, fault.broken(api.get(PATH), "2026-11-27T03:00:00Z", "ana"))
    mark = fault.mark_of(broken)
    assert mark
    api.objects[PATH]["spec"]["strategy"] = RECREATE
    repaired = patch(api, fault.repaired(api.get(PATH), mark))
    assert repaired["spec"]["strategy"] == RECREATE
    assert "readinessGates" not in repaired["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", "[" * 100_000, '{"strategy": 1, "since": 2, "by": {}}', '{"strategy": {"type": "None"}}'],
)
def test_a_mark_that_somebody_edited_is_a_mark(text: str) -> None:
    mark = fault.mark_of({"metadata": {"annotations": {fault.ANNOTATION: text}}})
    assert mark is not None
    assert (mark.since, mark.strategy) == ("", fault.USUAL)


def test_text_of_others_is_made_fit_to_be_shown() -> None:
    text = json.dumps({"by": "\x1b[31m{{ evil }}\n" + "x" * 500})
    mark = fault.mark_of({"metadata": {"annotations": {fault.ANNOTATION: text}}})
    assert mark and "\x1b" not in mark.by and "\n" not in mark.by and len(mark.by) <= 103
