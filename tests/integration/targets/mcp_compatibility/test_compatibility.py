# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The compatibility matrix against this cluster, and a new version that refuses what clients of the live one speak."""

from __future__ import annotations

import json
import typing as t

import pytest
from playing import CONFIG, kubectl, module
from small_servers import Place, Small, small_servers

pytestmark = pytest.mark.skipif(
    not CONFIG["admin_kubeconfig"],
    reason="makes a server of its own, which takes an administrator; the cluster of KUBECONFIG gives only the Role",
)

NAMESPACE = CONFIG["test_namespace"]
PLACE = Place(kubectl, NAMESPACE, CONFIG["public_host"], CONFIG["public_url"])
# A release of an SDK that has dropped the oldest revisions, of which there is none yet.
NEWER_SDK = """
import runpy
from mcp.server import runner
runner.HANDSHAKE_PROTOCOL_VERSIONS = [one for one in runner.HANDSHAKE_PROTOCOL_VERSIONS if one >= "2025-06-18"]
runpy.run_module("mcp_server_example", run_name="__main__")
"""


@pytest.fixture(scope="module")
def server() -> t.Iterator[Small]:
    with small_servers(PLACE, ["revisions"]) as made:
        yield made["revisions"]


def judged(server: Small, *, fails: bool = False, **options: t.Any) -> dict[str, t.Any]:
    endpoint = {"url": f"{CONFIG['public_url']}/mcp", "host": server.host}
    return module("mcp_compatibility", server=server.name, endpoint=endpoint, fails=fails, **options)


def verdicts(found: dict[str, t.Any]) -> dict[str, tuple[str, bool]]:
    return {one["id"]: (one["verdict"], one["required"]) for one in found["checks"]}


def test_the_guides_rows(server: Small) -> None:
    found = judged(server, version="v1.2.0")
    assert verdicts(found) == {
        "compatibility_kubernetes": ("passed", True),
        "compatibility_server": ("passed", True),
        "compatibility_revisions": ("passed", True),
        "client_revisions": ("skipped", True),  # the release compares the pools, when the new one runs
    }
    assert found["revisions"]["blue"] == ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]
    # A stranger's versions count otherwise: a warning
    assert verdicts(judged(server, version="v7.0.0"))["compatibility_server"] == ("failed", False)


def test_rows_of_the_users_own(server: Small) -> None:
    good = {"server": "1.x", "kubernetes": "1.24+", "revisions": ["2025-06-18"]}
    assert {one[0] for one in verdicts(judged(server, rows=[good], version="v1.2.0")).values()} == {"passed", "skipped"}
    bad = {"server": "1.x, 2+", "kubernetes": "1.24 - 1.25", "revisions": ["2031-01-01"]}
    found = judged(server, rows=[bad], version="v1.2.0", fails=True)
    kubernetes = json.loads(kubectl("get", "--raw", "/version"))["gitVersion"]
    assert f"Kubernetes is {kubernetes}; by your rows in mcp_compatibility it must be 1.24 - 1.25" in found["msg"]
    assert [one for one, (verdict, _required) in verdicts(found).items() if verdict == "failed"] == [
        "compatibility_kubernetes",
        "compatibility_revisions",
    ]
    assert verdicts(judged(server, rows=[good], version="v7.0.0", fails=True))["compatibility_server"] == (
        "failed",
        True,
    )


def test_a_new_version_that_refuses_clients_of_the_live_one(server: Small) -> None:
    command = [{"op": "add", "path": "/spec/template/spec/containers/0/command", "value": ["python3", "-c", NEWER_SDK]}]
    green = f"deployment/{server.name}-green"
    where = ("-n", NAMESPACE)
    kubectl(*where, "patch", green, "--type=json", "-p", json.dumps(command))
    kubectl(*where, "scale", green, "--replicas=1")
    kubectl(*where, "rollout", "status", green, "--timeout=50s")
    found = judged(server, version="v1.1.5", fails=True)
    assert "Clients that speak only 2024-11-05 or 2025-03-26 would be refused: blue accepts" in found["msg"]
    assert verdicts(found)["client_revisions"] == ("failed", True)
    assert found["revisions"]["green"] == ["2025-06-18", "2025-11-25", "2026-07-28"]
    # The comparison of a release refuses it before the first weight.
    contract = module("mcp_contract", server=server.name, pool="green", baseline={"pool": "blue"}, fails=True)
    assert [one["path"] for one in contract["changes"] if one["severity"] == "breaking"] == [
        "protocol_versions/2024-11-05",
        "protocol_versions/2025-03-26",
    ]
