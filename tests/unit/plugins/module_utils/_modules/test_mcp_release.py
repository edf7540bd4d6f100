# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which releases may begin, on a cluster of plain dicts."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import mcp_server

RECORD = "/api/v1/namespaces/prod/configmaps/mcp-release"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    one = ApiServer(mcp_server("prod", "mcp", blue="r.io/mcp:v1.1.5", green="r.io/mcp:v1.1.4"))
    monkeypatch.setattr(mcp_release.connection, "connect", lambda _params: one)
    return one


def begin(version: t.Any = "v1.2.1", **params: t.Any) -> dict[str, t.Any]:
    defaults = {name: option.get("default") for name, option in mcp_release.SPEC.options.items()}
    given = {
        "namespace": "prod",
        "server": "mcp",
        "state": "begun",
        "image_ref": f"r.io/mcp:{version}",
        "version": version,
    }
    return mcp_release.run(Task({**defaults, **given, **params}))


def end(outcome: str, run: str) -> None:
    begin(state="ended", outcome=outcome, reason="5 % of the answers failed.", run_id=run)


def refused(api: ApiServer, **params: t.Any) -> str:
    before = json.dumps([api.objects.get(RECORD)], default=str)
    with pytest.raises(Failure) as failure:
        begin(**params)
    assert json.dumps([api.objects.get(RECORD)], default=str) == before
    return failure.value.msg


def test_what_was_refused_or_superseded_before_anything_was_deployed_is_no_bad_version(api: ApiServer) -> None:
    begin(state="ended", outcome="failed", judged=False, reason="3 sessions would be lost.", run_id=begin()["run_id"])
    begin()  # cut off
    begin("v1.2.2", take_over=True, reason="more urgent")
    assert begin(take_over=True, reason="its turn")["changed"]


@pytest.mark.parametrize("outcome", ["failed", "rolled_back"])
def test_an_automatic_retry_does_not_release_a_bad_version_again(api: ApiServer, outcome: str) -> None:
    end(outcome, begin()["run_id"])
    said = refused(api)
    assert said.startswith("Release refused, nothing was changed: v1.2.1 ") and "5 % of the answers failed" in said
    assert "-e mcp_force_version=v1.2.1 (option force_version of the modules)" in said
    assert refused(api, force_version="v1.2.0") == said
    # It holds no Lease, and nobody is in the way of another version
    end("succeeded", begin("v1.2.2")["run_id"])
    # By name it begins, and what was cut off then goes on as it was started
    run = begin(force_version="v1.2.1")["run_id"]
    assert begin(take_over=True, reason="cut off")["resumed"] and run


def test_nobody_is_taken_over_from_for_what_is_refused(api: ApiServer) -> None:
    end("failed", begin()["run_id"])
    run = begin("v1.3.0")["run_id"]
    assert "v1.2.1 failed at" in refused(api, take_over=True, reason="mine")
    assert api.objects[LEASE]["spec"]["holderIdentity"] == run


def test_a_number_is_refused_before_the_lease_is_taken(api: ApiServer) -> None:
    assert "version is 1.1, which is a number" in refused(api, version=1.1)
    assert LEASE not in api.objects and "is missing" in refused(api, version=None)


A, B = "@sha256:" + "a" * 64, "@sha256:" + "b" * 64
AWAY = "The registry https://r.io does not answer."


def test_the_digest_is_recorded_and_resumed(api: ApiServer) -> None:
    pinned = {"image_ref": f"r.io/mcp:v1.2.1{A}", "digest": A[1:]}
    begun = begin(**pinned)
    assert begun["image_ref"] == begun["record"]["to"]["image_ref"] == pinned["image_ref"]
    assert begun["record"]["to"]["digest"] == A[1:]
    taken = {"take_over": True, "reason": "cut off"}
    assert begin(**pinned, **taken)["resumed"]
    # Without its registry a release goes on with the image that it began with
    resumed = begin(**taken, digest_problem=AWAY)
    assert (resumed["resumed"], resumed["image_ref"]) == (True, pinned["image_ref"])
    # The tag was moved: that is another release
    moved = begin(**taken, image_ref=f"r.io/mcp:v1.2.1{B}", digest=B[1:])
    assert not moved["resumed"] and moved["record"]["to"]["digest"] == B[1:]


def test_a_release_of_unknown_digest_is_refused(api: ApiServer) -> None:
    assert refused(api, digest_problem=AWAY) == f"Release refused, nothing was changed: {AWAY}"
    run = begin("v1.2.2")["run_id"]
    assert AWAY in refused(api, digest_problem=AWAY, take_over=True, reason="mine")
    assert api.objects[LEASE]["spec"]["holderIdentity"] == run
    # What is live already needs no registry
    end("succeeded", run)
    assert begin("v1.1.5", digest_problem=AWAY)["already_live"]


def test_what_the_pods_run_is_recorded(api: ApiServer) -> None:
    run = begin()["run_id"]
    begin(state="updated", digest=B[1:], image_ref=None, version=None, run_id=run)
    assert json.loads(api.objects[RECORD]["data"]["current"])["to"]["digest"] == B[1:]


BY_HAND = {"bypassed": ["preflight", "gates"], "bypass_reason": "The registry is away."}


def test_what_was_bypassed_stays_with_its_release(api: ApiServer) -> None:
    found = begin(**BY_HAND)
    assert {key: found["record"][key] for key in BY_HAND} == BY_HAND
    # A run that continues it may bypass more, and takes nothing back.
    taken = {"take_over": True, "reason": "cut off"}
    assert begin(**taken)["record"]["bypassed"] == ["preflight", "gates"]
    more = begin(**taken, bypassed=["gates", "health"], bypass_reason="It is slow, too.")
    assert more["resumed"] and more["record"]["bypassed"] == ["preflight", "gates", "health"]
    end("rolled_back", more["run_id"])
    assert "bypassed" not in begin("v1.2.2")["record"]
