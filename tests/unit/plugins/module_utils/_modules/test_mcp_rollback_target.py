# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import json

import pytest

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_health, mcp_rollback_target
from ansible_collections.mcp.server.plugins.module_utils._modules.mcp_rollback_target import (
    Pool,
    RollbackTarget,
    decide,
    give_up,
    prepare,
)
from ansible_collections.mcp.server.plugins.module_utils._release.record import (
    FAILED,
    ROLLED_BACK,
    RUNNING,
    SUCCEEDED,
    ReleaseRecord,
    add_rollout,
    rollout_seconds,
)
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._traffic.scale_up import announcement, min_ready
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import Controllers, mcp_server

OLD, NEW, OTHER = "r.io/mcp:v1.1.5", "r.io/mcp:v1.2.0", "r.io/mcp:v1.1.4"


def release(outcome=SUCCEEDED, origin="blue", image=OLD, **more):
    target = "green" if origin == "blue" else "blue"
    return {
        "id": "1",
        "reason": "",
        "from": {"pool": origin, "image_ref": image, **more},
        "to": {"pool": target, "image_ref": NEW},
        "outcome": outcome,
        "ended": None,
        "steps": [],
    }


def pools(blue=OLD, green=NEW, size=(2, 2), complete=True):
    return {"blue": Pool(blue, size[0], complete), "green": Pool(green, size[1], complete)}


def weights(blue):
    return {"blue": blue, "green": 100 - blue}


@pytest.mark.parametrize(
    ("blue", "recorded", "has", "image", "pin"),
    [
        # After a release: back to what was live before, which runs still; which was scaled down; which is smaller
        (0, release(), pools(), OLD, RollbackTarget("blue", replicas=2)),
        (0, release(), pools(size=(0, 3)), OLD, RollbackTarget("blue", deploy=True, replicas=3)),
        (0, release(), pools(size=(1, 2)), OLD, RollbackTarget("blue", deploy=True, replicas=2)),
        (0, release(replicas=5), pools(size=(1, 2)), OLD, RollbackTarget("blue", deploy=True, replicas=5)),
        # Something else: to the pool without traffic
        (0, release(), pools(), OTHER, RollbackTarget("blue", deploy=True, replicas=2)),
        # The image is there, and its rollout was cut off
        (0, release(), pools(blue=OTHER, complete=False), OTHER, RollbackTarget("blue", deploy=True, replicas=2)),
        # What is live already
        (0, release(), pools(), NEW, RollbackTarget("green", needed=False, replicas=2)),
        (0, None, pools(), NEW, RollbackTarget("green", needed=False, replicas=2)),
        # It is live after a rollback whose end may have been cut off, or after a release that was cut off
        (100, release(ROLLED_BACK), pools(), OLD, RollbackTarget("blue", replicas=2)),
        (100, release(RUNNING), pools(), OLD, RollbackTarget("blue", replicas=2)),
        # After a rollback, to a third: the live pool is blue, though it is also the one of the record
        (100, release(ROLLED_BACK), pools(), OTHER, RollbackTarget("green", deploy=True, replicas=2)),
        # During a release: the stable pool has it; none has it
        (50, release(RUNNING), pools(), OLD, RollbackTarget("blue", replicas=2)),
        (50, release(RUNNING), pools(), OTHER, RollbackTarget("green", clear_first=True, deploy=True, replicas=2)),
        (
            50,
            release(RUNNING, origin="green"),
            pools(),
            OTHER,
            RollbackTarget("blue", clear_first=True, deploy=True, replicas=2),
        ),
        (90, release(RUNNING), pools(green=OLD), OLD, RollbackTarget("blue", replicas=2)),
        # Without a record
        (0, None, pools(), OTHER, RollbackTarget("blue", deploy=True, replicas=2)),
        (90, None, pools(), OTHER, RollbackTarget("green", clear_first=True, deploy=True, replicas=2)),
        (50, None, pools(), OTHER, None),
    ],
)
def test_where_it_goes(blue, recorded, has, image, pin):
    assert decide(weights(blue), recorded, has, image) == pin


@pytest.mark.parametrize(
    "recorded",
    [
        None,
        *(
            release(outcome, origin)
            for outcome in (RUNNING, SUCCEEDED, ROLLED_BACK, FAILED)
            for origin in ("blue", "green")
        ),
    ],
)
def test_no_pool_with_traffic_gets_another_image(recorded):
    for blue, one, two, image in itertools.product((0, 10, 50, 90, 100), (OLD, NEW), (OLD, NEW), (OLD, NEW, OTHER)):
        has = pools(one, two)
        pin = decide(weights(blue), recorded, has, image)
        if pin and pin.needed and has[pin.pool].image_ref != image:
            assert pin.clear_first or weights(blue)[pin.pool] == 0


def fresh(pool="blue", image=OTHER):
    return {**release(ROLLED_BACK, pool, image), "id": "2", "started": "now"}


def test_what_is_recorded_is_what_an_emergency_returns_to():
    before = ReleaseRecord(release(), ({"id": "0"},))
    after = prepare(before, fresh())
    assert after.current["from"]["image_ref"] == OTHER and after.history == (release(), {"id": "0"})
    assert prepare(after, fresh()) == after  # again
    assert prepare(before, fresh(image=OLD)) == before  # the release itself is what is rolled back
    assert prepare(ReleaseRecord(), fresh()) == ReleaseRecord(fresh())
    cut_off = prepare(ReleaseRecord(release(RUNNING)), fresh("green")).history[0]
    assert (cut_off["outcome"], cut_off["ended"]) == (ROLLED_BACK, "now")


def test_one_that_failed_is_history():
    assert give_up(ReleaseRecord(release()), {"id": "2"}) == ReleaseRecord(release(), ({"id": "2"},))


@pytest.mark.parametrize(("planned", "needed"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_enough(planned, needed):
    assert min_ready(planned) == needed


def test_announcement():
    said = announcement("blue", 2, 2, 11.6, 300)
    assert "waiting for its 2 pods" in said and said.endswith(
        "traffic follows once 1 pod is ready, within 300 s; a rollout of this server took 12 s"
    )
    assert "once 2 pods are ready" in announcement("blue", 0, 3, None, 300)


def test_how_long_a_rollout_took():
    book = add_rollout(ReleaseRecord(release(RUNNING)), "green", NEW, 12.5)
    assert book.current["to"]["rollout_seconds"] == 12.5
    assert rollout_seconds(book, "blue") == rollout_seconds(book, "green") == 12.5
    older = ReleaseRecord(book.current, ({"to": {"pool": "blue", "rollout_seconds": 3.0}},))
    assert (rollout_seconds(older, "blue"), rollout_seconds(older, "green")) == (3.0, 12.5)
    assert rollout_seconds(ReleaseRecord(), "blue") is None
    for other in (
        ReleaseRecord(),
        ReleaseRecord(release()),
        ReleaseRecord(release(RUNNING, "green")),
        ReleaseRecord(release(RUNNING, image=OLD)),
    ):
        assert add_rollout(other, "green", OTHER, 1.0) == other


def cluster():
    """Green is live with NEW; blue has OLD, its revision 2, after OTHER, its revision 1."""
    api = ApiServer(mcp_server("prod", "mcp", blue=OTHER, green=NEW))
    Controllers(api)
    api.change(
        SERVER.workload_path("blue"),
        {"spec": {"template": {"spec": {"containers": [{"name": "mcp", "image": OLD}]}}}},
        "strategic",
    )
    kind = kind_of(SERVER)
    api.change(kind.path(SERVER), kind.patch(kind.read(api, SERVER), SERVER, weights(0)), "json")
    api.put(RECORD, {"data": {"current": json.dumps(release())}})
    return api


SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
RECORD = "/api/v1/namespaces/prod/configmaps/mcp-release"
PARAMS = {"namespace": "prod", "server": "mcp", "pool_name_format": "{server}-{pool}", "run_id": "run"}


A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64


class Registry:
    """Knows the digests of tags, and those of other images."""

    url = "https://r.io"

    def __init__(self, tags=None, digests=()):
        self.tags, self.digests = tags or {}, digests

    def digest(self, image):
        if self.tags is AWAY:
            raise Failure("The registry https://r.io does not answer.")
        return self.tags.get(image.tag) if not image.digest else image.digest if image.digest in self.digests else None


AWAY = {"": ""}


def call(monkeypatch, cluster, registry=None, **params):
    defaults = {name: option.get("default") for name, option in mcp_rollback_target.SPEC.options.items()}
    monkeypatch.setattr(mcp_rollback_target.connection, "connect", lambda params: cluster)
    monkeypatch.setattr(mcp_rollback_target.registries, "registry_for", lambda _image, _params: registry or Registry())
    lines = []
    return mcp_rollback_target.run(
        Task({**defaults, **PARAMS, **params}, check_mode=True, progress=lines.append, warn=lines.append)
    ), lines


@pytest.mark.parametrize(
    ("params", "pool", "image", "deploy"),
    [
        ({"version": "v1.1.5", "image": "r.io/mcp"}, "blue", OLD, False),
        ({"version": "v1.1.4", "image": "r.io/mcp"}, "blue", OTHER, True),
        ({"revision": 1}, "blue", OTHER, True),
    ],
)
def test_begun(monkeypatch, params, pool, image, deploy):
    result, lines = call(monkeypatch, cluster(), **params)
    assert (result["pool"], result["image_ref"], result["deploy"], result["bad_pool"]) == (pool, image, deploy, "green")
    assert ("only the image of the server's container is used" in lines[0]) is ("revision" in params)
    assert "goes to pool blue" in lines[-1] and result["version"] == image.rpartition(":")[2]


def test_a_revision_of_the_pool_that_is_named(monkeypatch):
    """The numbers of both pools' revisions overlap: the named pool's must not be looked up in the other's."""
    with pytest.raises(Failure, match=f"{NEW} is live on pool green"):
        call(monkeypatch, cluster(), revision=1, pool="green")
    result, _lines = call(monkeypatch, cluster(), revision=1, pool="blue")
    assert result["image_ref"] == OTHER


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"version": 1.1, "image": "r.io/mcp"}, "in quotes"),
        ({"version": "a b", "image": "r.io/mcp"}, "it must be the tag of an image"),
        ({"version": "v1.1.5", "image": "r.io/mcp:v1"}, "has a tag"),
        (
            {"revision": 7},
            r"has no revision 7 with the server's container. It has: 1 \(r.io/mcp:v1.1.4\), 2 \(r.io/mcp:v1.1.5\)",
        ),
    ],
)
def test_bad_input(monkeypatch, params, says):
    with pytest.raises(Failure, match=says):
        call(monkeypatch, cluster(), **params)


def test_checked_and_failed_are_recorded(monkeypatch):
    api = cluster()

    def written(part):
        assert api.log[-1].path == RECORD
        return json.loads(api.log[-1].body["data"][part])

    call(monkeypatch, api, state="checked", pool="blue", image_ref=OTHER, reason="named")
    now = written("current")
    assert (
        now["from"]["image_ref"],
        now["from"]["version"],
        now["to"]["image_ref"],
        now["outcome"],
        now["reason"],
    ) == (
        OTHER,
        "v1.1.4",
        NEW,
        ROLLED_BACK,
        "named",
    )
    assert written("history")[0]["id"] == "1"
    result, _lines = call(monkeypatch, api, state="failed", pool="blue", image_ref=OTHER, reason="crash")
    (failed, *_others) = written("history")
    assert result["record"]["id"] == "1" and (failed["outcome"], failed["to"]["image_ref"]) == (FAILED, OTHER)
    assert failed["judged"] is False and "judged" not in now  # the same may be tried again


def bad(monkeypatch, api, version="v1.1.5", **params):
    with pytest.raises(Failure) as failure:
        call(monkeypatch, api, version=version, image="r.io/mcp", run_id=None, **params)
    assert not api.writes()
    return failure.value.msg


def test_a_version_that_ended_badly_comes_back_only_by_name(monkeypatch):
    api = cluster()
    failed = {**release(FAILED), "reason": "It crashed.", "ended": "then", "to": {"pool": "green", "image_ref": OTHER}}
    api.put(RECORD, {"data": {"current": json.dumps(release()), "history": json.dumps([failed])}})
    said = bad(monkeypatch, api, "v1.1.4")
    assert said.startswith("Cannot roll back prod/mcp, nothing was changed: v1.1.4 failed at then (It crashed)")
    assert "-e mcp_force_version=v1.1.4" in said
    assert bad(monkeypatch, api, "v1.1.4", force_version="v1.1.5") == said
    with pytest.raises(Failure, match="v1.1.4 failed at then"):
        call(monkeypatch, api, revision=1)
    for named in ({"version": "v1.1.4", "image": "r.io/mcp"}, {"revision": 1}):
        assert call(monkeypatch, api, **named, force_version="v1.1.4")[0]["needed"]


def test_a_rollback_that_fails_because_it_is_live_and_not_well(monkeypatch):
    asked = []

    def probe(task):
        asked.append(task.params)
        raise Failure("https://mcp.example is not healthy: 5 of 20 lists failed.")

    monkeypatch.setattr(mcp_health, "run", probe)
    said = bad(monkeypatch, cluster(), "v1.2.0", endpoint={"url": "https://mcp.example"})
    assert said == (
        "r.io/mcp:v1.2.0 is live on pool green of prod/mcp already, and does not answer well: "
        "https://mcp.example is not healthy: 5 of 20 lists failed. "
        "Nothing was changed. Pool blue has v1.1.5. To go there: rollback.yml -e mcp_rollback_version=v1.1.5."
    )
    bad(monkeypatch, cluster(), "v1.2.0")
    bad(monkeypatch, cluster(), "v1.2.0", auth={"expect_401": True})
    found = [
        (one["endpoint"] is not None, one["pool"], one["stability"], one["health_path"], one["run_id"]) for one in asked
    ]
    assert found == [
        (True, None, {"rounds": 20}, None, None),
        (False, "green", {"rounds": 20}, None, None),
        (False, "green", None, None, None),
    ]


def test_what_is_live_and_well_is_left_alone(monkeypatch):
    monkeypatch.setattr(mcp_health, "run", lambda task: {})
    result, lines = call(monkeypatch, cluster(), version="v1.2.0", image="r.io/mcp", run_id=None)
    assert not result["needed"] and result["run_id"] == "" and "answers well: nothing to do" in lines[-1]


def test_versions_of_any_form(monkeypatch):
    for version, image in (
        ("sha-abc1234", "r.io/mcp:sha-abc1234"),
        (f"sha256:{'a' * 64}", f"r.io/mcp@sha256:{'a' * 64}"),
    ):
        result, _lines = call(monkeypatch, cluster(), version=version, image="r.io/mcp")
        assert (result["image_ref"], result["version"]) == (image, version)


@pytest.mark.parametrize(
    ("recorded", "registry", "params", "image", "warns"),
    [
        # By the digest that was released, or that its pods ran
        ({"image_ref": f"{OTHER}@{A}"}, Registry({"v1.1.4": B}, [A]), {}, f"{OTHER}@{A}", ""),
        ({"image_ref": OTHER, "digest": A}, Registry({"v1.1.4": B}, [A]), {}, f"{OTHER}@{A}", ""),
        # It is gone from the registry: by the tag, which may mean another image now, or is gone too
        ({"image_ref": f"{OTHER}@{A}"}, Registry({"v1.1.4": B}), {}, f"{OTHER}@{B}", f"no longer has {A}"),
        ({"image_ref": f"{OTHER}@{A}"}, Registry(), {}, OTHER, f"no longer has {A}"),
        # Unknown to the record
        ({"image_ref": NEW, "digest": A}, Registry({"v1.1.4": B}), {}, f"{OTHER}@{B}", ""),
        ({"image_ref": OTHER, "digest": "sha256:abc"}, Registry({"v1.1.4": B}), {}, f"{OTHER}@{B}", ""),
        ({"image_ref": OTHER, "digest": 7}, Registry(), {}, OTHER, ""),
        # The registry is away, or is not asked
        ({"image_ref": f"{OTHER}@{A}"}, Registry(AWAY), {}, f"{OTHER}@{A}", "https://r.io does not answer"),
        ({"image_ref": f"{OTHER}@{A}"}, Registry(AWAY), {"check_registry": False}, f"{OTHER}@{A}", ""),
        ({"image_ref": OTHER, "digest": A}, Registry(AWAY), {"check_registry": False}, OTHER, ""),
        ({"image_ref": f"{OTHER}@{A}"}, Registry({"v1.1.4": B}, [A]), {"deploy_digest": False}, OTHER, ""),
        # As it was named
        ({"image_ref": f"{OTHER}@{A}"}, Registry({}, [B]), {"version": f"v1.1.4@{B}"}, f"{OTHER}@{B}", ""),
    ],
)
def test_by_digest(monkeypatch, recorded, registry, params, image, warns):
    api = cluster()
    older = {**release(), "id": "0", "to": {"pool": "blue", **recorded}}
    api.put(RECORD, {"data": {"current": json.dumps(release()), "history": json.dumps([older])}})
    given = {"version": "v1.1.4", "image": "r.io/mcp", **params}
    result, lines = call(monkeypatch, api, registry, **given)
    assert (result["image_ref"], result["deploy"], result["pool"]) == (image, True, "blue")
    assert [line for line in lines[:-1] if warns and warns in line] == lines[:-1]


def test_the_digest_of_an_image_that_failed_is_not_the_good_one():
    """The tag was pushed again, with a bad image, after the good one had been live."""
    good = {**release(), "to": {"pool": "blue", "image_ref": f"{OTHER}@{A}"}}
    failed = {**release(FAILED), "to": {"pool": "green", "image_ref": f"{OTHER}@{B}"}}
    came_from = release(ROLLED_BACK, image=f"{OTHER}@{B}")
    for current, history, digest in (
        (failed, (good,), A),
        (release(), (failed, good), A),
        (failed, (), ""),
        (came_from, (good,), B),
        (None, ("broken", None), ""),
    ):
        assert mcp_rollback_target.known_digest(ReleaseRecord(current, history), OTHER, running=True) == digest


@pytest.mark.parametrize("has", [f"{OLD}@{A}", f"mirror:5000/mcp:v1.1.5@{A}", f"mirror:5000/mcp@{A}", OLD])
def test_a_pool_that_has_the_image_keeps_its_form(monkeypatch, has):
    api = cluster()
    api.change(
        SERVER.workload_path("blue"),
        {"spec": {"template": {"spec": {"containers": [{"name": "mcp", "image": has}]}}}},
        "strategic",
    )
    api.put(RECORD, {"data": {"current": json.dumps(release(image=f"{OLD}@{A}"))}})
    result, _lines = call(monkeypatch, api, Registry(AWAY), version="v1.1.5", image="r.io/mcp")
    assert (result["image_ref"], result["deploy"], result["pool"]) == (has, False, "blue")
