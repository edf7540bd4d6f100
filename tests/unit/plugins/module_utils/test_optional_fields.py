# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects of the cluster may lack any field that the API calls optional, or have null in its place.

Whatever is missing, what reads them returns a value or raises Failure, whose sentence a user can read. The whole
objects are in fakes/recorded.py. Each optional field is dropped alone, and many of them together at random.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import typing as t
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.server.plugins.module_utils._break_glass import breaking, restoring
from ansible_collections.mcp.server.plugins.module_utils._debug import asking, probes
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._jobs import reading
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import endpoints, field_managers
from ansible_collections.mcp.server.plugins.module_utils._mcp import targets
from ansible_collections.mcp.server.plugins.module_utils._modules import (
    mcp_guard,
    mcp_preflight,
    mcp_rollout_info,
    mcp_version_check,
)
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import PoolObjects
from ansible_collections.mcp.server.plugins.module_utils._preflight import checks
from ansible_collections.mcp.server.plugins.module_utils._release import lease, record
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._status import drift, instances
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import gitops, overwrite_monitor, pool_change
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import Overwritten
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import (
    autoscaling,
    disruption_budgets,
    pods,
    revisions,
    rollout,
)
from ansible_collections.mcp.server.plugins.module_utils._workload import history as rollout_history
from ansible_collections.mcp.server.tests.unit.fakes import recorded
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.routes import CUSTOM

NOW = datetime.datetime(2026, 11, 23, 10, 20, tzinfo=datetime.UTC)
Object = recorded.Object
Cluster = ApiServer
Read = t.Callable[[Cluster, Server], t.Any]


def rollout_state(cluster: Cluster, server: Server) -> None:
    for ago in (None, 60.0):
        view = rollout.View(cluster, server, "blue", 30.0, changed_ago=ago)
        str(view.state()), view.state()


def each_pod(cluster: Cluster, server: Server) -> None:
    found = cluster.get("/api/v1/namespaces/prod/pods")["items"]
    events = cluster.get("/api/v1/namespaces/prod/events")["items"]
    pods.earlier_restarts(found, "mcp", NOW)
    for pod in found:
        pods.problem(pod, events, NOW, 30.0, "mcp", NOW, 1)
        mcp_version_check.describe(pod, "mcp")
        instances.describe(pod, "mcp", "blue", {pods.name_of(pod): pod}, NOW)
        mcp_guard._last_output(pod)


def route(cluster: Cluster, server: Server) -> None:
    kind = kind_of(server)
    found = kind.read(cluster, server)
    kind.refused(found, server), kind.not_accepted(found, server), kind.run(found), kind.stable(found, server)
    kind.noted(found), kind.field(found, server), kind.has_affinity(found, server)
    weights = kind.weights(found, server)
    kind.is_as_written(found, server, weights), kind.notes(found, server)
    for blue in (0, 100) if server.route_kind == "service" else (0, 50, 100):  # which has too few pods for a split
        kind.writes(found, server, kind.reachable(found, server, {"blue": blue, "green": 100 - blue}))


def deployments(cluster: Cluster, server: Server) -> None:
    server.image(cluster, "blue")
    both = {pool: cluster.get(server.workload_path(pool)) for pool in ("blue", "green")}
    drift.between_pools(both, {"blue": ["mcp-blue"], "green": ["mcp-green"]}, {"blue": "mcp", "green": "mcp"})
    server.digest(cluster, "blue")
    server.ready_endpoints(cluster, "blue")
    found = cluster.get(server.workload_path("blue"))
    rollout.fenced(found, "mcp", {"image_ref": "a", "replicas": 1}, {"image_ref": "b", "replicas": 2}, "r1")


def history(cluster: Cluster, server: Server) -> None:
    for revision in (found := rollout_history.read(cluster, server, "blue")):
        revisions.find(found, revision["revision"])
    pool = {"live": True, "weight": 1, "ready": 1, "replicas": 1, "revisions": found}
    mcp_rollout_info.lines({"blue": pool}, "green")


def autoscalers(cluster: Cluster, server: Server) -> None:
    for scaler in autoscaling.find(cluster, server, lambda text: None).values():
        for wanted in (0, 5):
            scaler.size(2, wanted), scaler.patch(wanted), scaler.patch(wanted, "r1"), scaler.raised_to


def holder(cluster: Cluster, server: Server) -> None:
    found, _version = lease.Lease(cluster, "prod", "mcp").read()
    lease.refusal("prod/mcp", found, "r2", NOW)


def change(cluster: Cluster, server: Server) -> None:
    """Scale, with everything that is asked before."""
    task = Task({"run_id": None})
    for replicas in (1, 5):
        pool_change.change(task, cluster, server, "blue", image_ref="r.io/mcp:v9", replicas=replicas)


def overwritten(cluster: Cluster, server: Server) -> None:
    expected = overwrite_monitor.at_start(cluster, server, overwrite_monitor.as_found(cluster, server))
    overwrite_monitor.read(cluster, server, expected._replace(minimums={"blue": 5}))
    other = expected._replace(images={"blue": "r.io/mcp:v9"}, sizes={"blue": 9})
    with contextlib.suppress(Overwritten):
        overwrite_monitor.refuse(cluster, server, "blue", cluster.get(server.workload_path("blue")), other)


def writers(cluster: Cluster, server: Server) -> None:
    for obj in list(cluster.objects.values()):
        for tool in field_managers.tools(obj):
            field_managers.holds(obj, tool, "/spec/replicas")
        field_managers.writer_of(obj, "/spec/replicas"), field_managers.ours_at(obj)


def probed(cluster: Cluster, server: Server) -> None:
    for pod in targets.pods_of_pool(cluster, server, "blue"):
        server.port_in(cluster, pod, "blue")
        targets.port_of_pod(cluster, "prod", pod["metadata"]["name"])
    targets.pod_of_service(cluster, "prod", "mcp-blue", None)
    endpoints.ready_pods(endpoints.slices(cluster, "prod", "mcp-blue"))


def preflight(cluster: Cluster, server: Server) -> None:
    params = {name: option.get("default") for name, option in mcp_preflight.SPEC.options.items()} | {
        "guard": True,
        "required_secrets": [{"name": "token", "keys": ["token"], "max_age_days": None}],
        "version": "v1.2.0",
    }
    for check in checks.checks(checks.Context(cluster, server, params)):
        assert is_sentence(check["message"])


def token(cluster: Cluster, server: Server) -> None:
    option = {"token_secret": {"name": "token", "key": "token"}}
    credentials.bearer_token(option, lambda name: cluster.get(f"/api/v1/namespaces/prod/secrets/{name}"))


def broken_and_restored(cluster: Cluster, server: Server) -> None:
    """Break the glass, and restore it."""
    params = {"actions": list(breaking.ACTIONS), "pool": "blue", "replicas": 3, "reason": "INC-42", "keep": False}
    for one in (breaking.Breaking(Task(params), cluster, server), restoring.Restoring(Task(params), cluster, server)):
        with contextlib.suppress(Failure), mock.patch.object(breaking, "GATEWAY", 0.0):
            one.run()
        assert not [problem for problem in one.problems if "This is a bug" in problem]


def guard(cluster: Cluster, server: Server) -> None:
    found = mcp_guard._read(cluster, server)
    mcp_guard._shown(found)
    mcp_guard.identity(found or {"metadata": {}})


def debugged(cluster: Cluster, server: Server) -> None:
    options = {"endpoint": None, "health_path": None, "health_checks": []}
    for probe in asking.of_server(cluster, server, options).probes:
        probes.words(probe)
    for pod in cluster.get("/api/v1/namespaces/prod/pods")["items"]:
        reading.state(pod, "mcp")


READERS: dict[str, Read] = {
    read.__name__: read
    for read in (
        rollout_state,
        each_pod,
        route,
        deployments,
        history,
        autoscalers,
        holder,
        change,
        overwritten,
        writers,
        probed,
        preflight,
        token,
        guard,
        broken_and_restored,
        debugged,
    )
} | {
    "record": record.read,
    "gitops": gitops.find,
    "budgets": lambda cluster, server: disruption_budgets.required_by(cluster, server, "blue", 3, lambda text: None),
}
# What each kind of object is read by; all others are whole meanwhile.
KINDS = {
    "/pods/unready": ("rollout_state", "each_pod", "deployments", "probed", "preflight"),
    "/pods/": ("each_pod", "debugged", "preflight"),
    "/events/": ("rollout_state", "each_pod"),
    "/deployments/": (
        "broken_and_restored",
        "rollout_state",
        "deployments",
        "history",
        "change",
        "overwritten",
        "writers",
        "gitops",
        "budgets",
        "preflight",
    ),
    "/replicasets/": ("rollout_state", "history"),
    "/endpointslices/": ("deployments", "probed", "preflight", "debugged"),
    "/services/": ("broken_and_restored", "probed", "preflight", "deployments", "debugged"),
    "/horizontalpodautoscalers/": (
        "broken_and_restored",
        "autoscalers",
        "change",
        "overwritten",
        "writers",
        "gitops",
        "preflight",
    ),
    "/poddisruptionbudgets/": ("budgets", "change", "preflight"),
    "/leases/": ("holder",),
    "/configmaps/": ("record", "preflight"),
    "/secrets/": ("preflight", "token"),
    "/nodes/": ("preflight",),
    "/jobs/": ("guard",),
    "/namespaces/prod": ("preflight",),
}
OF_A_ROUTE = ("broken_and_restored", "route", "change", "overwritten", "writers", "gitops", "preflight")


def is_sentence(text: str) -> bool:
    return text.endswith(".") and "Traceback" not in text and not text.startswith(("'", "KeyError", "TypeError"))


def server_of(kind: str) -> Server:
    return Server(
        "prod", "mcp", "{server}-{pool}", "mcp", "mcp", kind, route_custom=CUSTOM if kind == "custom" else None
    )


def server_of_sets() -> Server:
    objects = {pool: PoolObjects(f"mcp-{pool}", "StatefulSet", f"mcp-{pool}") for pool in ("blue", "green")}
    return dataclasses.replace(server_of("httproute"), **objects)


# What reads a pool's workload
OF_SETS = (
    "broken_and_restored",
    "rollout_state",
    "deployments",
    "history",
    "change",
    "overwritten",
    "gitops",
    "budgets",
    "preflight",
)


@functools.cache
def asked(name: str, kind: str, sets: bool) -> frozenset[str]:
    """Return the paths that a reader asks for while all objects are whole."""
    cluster = ApiServer(all_of_sets() if sets else recorded.objects(kind))
    READERS[name](cluster, server_of_sets() if sets else server_of(kind))
    return frozenset(request.path for request in cluster.log)


def meets(name: str, path: str, kind: str, sets: bool = False) -> bool:
    """Return whether a reader can meet this object: by its path, or in a list.

    One that asks for neither while all is whole does the same when only this object is another, so it need not run.
    """
    if name == "writers":  # it takes the objects as they are
        return True
    return any(
        path == one or path.startswith(f"{one}/") or f"/{path.split('/')[-2]}" == one[one.rfind("/") :]
        for one in asked(name, kind, sets)
    )


def read_all(
    readers: t.Iterable[str], objects: dict[str, Object], kind: str = "httproute", server: Server | None = None
) -> None:
    """Read them; only a Failure with a sentence may come."""
    for name in readers:
        cluster = ApiServer()
        # As they are: put() would fill in what is missing.
        cluster.objects |= objects
        try:
            READERS[name](cluster, server or server_of(kind))
        except Failure as failure:
            assert is_sentence(failure.msg), failure.msg


def readers_of(path: str, kind: str) -> t.Sequence[str]:
    if path in recorded.ROUTES[kind]:
        return [name for name in OF_A_ROUTE if meets(name, path, kind)]
    if kind == "service":
        return ("route",)
    found = next((readers for part, readers in KINDS.items() if part in path or path.endswith(part)), ())
    return [name for name in found if meets(name, path, kind)]


CASES = [
    *(
        (path, "httproute")
        for path in recorded.objects()
        if not path.endswith(("-green", "/serviceaccounts/mcp-guard"))
    ),
    *((path, kind) for kind in recorded.ROUTES if kind != "httproute" for path in recorded.ROUTES[kind]),
    ("/api/v1/namespaces/prod/pods/ready", "service"),
    ("/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices/mcp-blue-1", "service"),
]


def test_every_kind_of_object_has_a_reader() -> None:
    assert all(readers_of(path, kind) for path, kind in CASES)
    assert {kind for _path, kind in CASES} == set(recorded.ROUTES)


@pytest.mark.parametrize("kind", recorded.ROUTES)
def test_whole_objects_are_read(kind: str) -> None:
    """Without a Failure, so that the readers get to the end of them."""
    for name in READERS:
        cluster = ApiServer(recorded.objects(kind))
        READERS[name](cluster, server_of(kind))


@pytest.mark.parametrize(("path", "kind"), CASES)
def test_any_optional_field_may_be_missing_or_null(path: str, kind: str) -> None:
    objects = recorded.objects(kind)
    for place in recorded.optional(objects[path]):
        for null in (False, True):
            changed = recorded.without(objects[path], [(place, null)])
            if changed != objects[path]:
                read_all(readers_of(path, kind), {**objects, path: changed}, kind)


def all_of_sets() -> dict[str, Object]:
    return {**recorded.objects(), **recorded.objects_of_sets()}


def test_whole_stateful_sets_are_read() -> None:
    for name in OF_SETS:
        READERS[name](ApiServer(all_of_sets()), server_of_sets())


@pytest.mark.parametrize("path", [path for path in recorded.objects_of_sets() if not path.endswith("-green")])
def test_any_optional_field_of_a_stateful_set_may_be_missing_or_null(path: str) -> None:
    objects = all_of_sets()
    readers = [name for name in OF_SETS if meets(name, path, "httproute", sets=True)]
    assert readers
    for place in recorded.optional(objects[path]):
        for null in (False, True):
            changed = recorded.without(objects[path], [(place, null)])
            read_all(readers, {**objects, path: changed}, server=server_of_sets())


@pytest.mark.parametrize(("path", "kind"), CASES)
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_optional_fields_may_be_missing_together(path: str, kind: str, data: st.DataObject) -> None:
    objects = recorded.objects(kind)
    places = list(recorded.optional(objects[path]))
    dropped = data.draw(st.lists(st.tuples(st.sampled_from(places), st.booleans()), min_size=2, max_size=12))
    read_all(readers_of(path, kind), {**objects, path: recorded.without(objects[path], dropped)}, kind)
