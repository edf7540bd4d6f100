# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the watch role publishes for the jobs that follow, by the real ansible against the fake API server."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.http_api_server import serving
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

RECORD = "/api/v1/namespaces/prod/configmaps/mcp-release"
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp"
RELEASE = {
    "id": "2026-11-24T06:00:00.000Z-v2",
    "reason": "",
    "started": "2026-11-24T06:00:00.000Z",
    "outcome": "succeeded",
    "steps": [{"at": "2026-11-24T06:01:00.000Z", "weights": {"blue": 0, "green": 100}, "verdict": "followed"}],
    "from": {"pool": "blue", "image_ref": "r/x:v1", "version": "v1", "weights": {"blue": 100, "green": 0}},
    "to": {"pool": "green", "image_ref": "r/x:v2", "version": "v2"},
}


def published(play, rollback, records):
    """Return what a watch publishes, and its output. With rollback, its own requests fail for long enough."""
    api = ApiServer(mcp_server("prod", "mcp", blue="r/x:v1", green="r/x:v2"))
    Controllers(api)
    api.put(RECORD, {"data": {"current": json.dumps(records[0] if records else None), "history": "[]"}})
    weights = [
        {"op": "replace", "path": f"/spec/rules/0/backendRefs/{number}/weight", "value": 100 * number}
        for number in (0, 1)
    ]
    api.change(ROUTE, weights, "json")
    with serving(api) as url:
        variables = {
            "mcp_namespace": "prod",
            "mcp_server": "mcp",
            "mcp_api_host": url,
            "mcp_api_key": "planted-key",
            "mcp_endpoint": {"url": "http://127.0.0.1:9"},
            "mcp_health_path": "/health",
            "mcp_watch_seconds": 30 if rollback else 1,
            "mcp_watch_rate": 20,
            "mcp_watch_rollback": rollback,
            "mcp_shift_timeout": 1,
            "mcp_rollback_verify_seconds": 0,
        }
        role = {"ansible.builtin.import_role": {"name": "mcp.server.watch"}, "vars": variables}
        process = play([role], ANSIBLE_SHOW_CUSTOM_STATS="true")
        output, _none = process.communicate(timeout=180)
    assert bool(process.returncode) is rollback, output
    found = re.search(r"RUN: (\{.*\})", output)
    return json.loads(found[1]).get("mcp_release") if found else None, output


@pytest.mark.parametrize(("rollback", "outcome"), [(False, "succeeded"), (True, "rolled_back")])
def test_a_watch_publishes_the_newest_release(play, rollback, outcome):
    stats, output = published(play, rollback, [RELEASE])
    assert stats, output
    assert (stats["mcp"]["id"], stats["mcp"]["outcome"]) == (RELEASE["id"], outcome), output
    assert stats["mcp"]["weights"] == ({"blue": 100, "green": 0} if rollback else {"blue": 0, "green": 100})


def test_without_a_release_nothing_is_published(play):
    stats, output = published(play, rollback=False, records=[])
    assert stats is None and "Publish job stats" in output, output
