# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check every few seconds whether another client overwrites what a release, a watch or a rollback has written.

In a thread of its own: an API server that is slow or away delays nothing, and what can't be read is no finding.
"""

from __future__ import annotations

import functools
import threading
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._release.broken_glass import read as note_of
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._traffic.broken_glass import GlassBroken
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import (
    IMAGE,
    MINIMUM,
    ROUTE,
    WORKLOAD,
    Expected,
    Finding,
    Overwritten,
    Seen,
    failure,
    findings,
    overwritten,
)
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import RUN, Route, place_of
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling

POLL_INTERVAL = 3.0  # seconds between checks
REQUEST_TIMEOUT = 3.0  # seconds for one request of a check

Object = dict[str, t.Any]
Got = t.TypeVar("Got")


class OverwriteMonitor:
    """Check until the block is left. When the block fails, a last check may name an overwrite as the cause.

    expected: may be replaced at any time by whoever writes. None takes what the first check, at once, finds.
    glass: the note of a break-glass that the task knows of; any other one ends it.
    """

    def __init__(self, task: Task, cluster: Api, server: Server, expected: Expected | None, glass: str = "") -> None:
        self.expected = expected
        self._task = task
        self._cluster = cluster.limited(0.0, REQUEST_TIMEOUT)
        self._server = server
        self._glass = glass
        self._found: Failure | None = None
        self._warned: set[tuple[str, str]] = set()
        self._gone: t.Mapping[str, str] = {}  # objects that were missing at the last check, with the API server's words
        self._over = threading.Event()
        self._one = threading.Lock()

    def __enter__(self) -> OverwriteMonitor:
        threading.Thread(target=self._work, daemon=True).start()
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        # The thread is not joined: it may be waiting for the API server.
        self._over.set()
        if isinstance(error, Failure) and not isinstance(error, (LeaseLost, Overwritten, GlassBroken)):
            self.look()  # an overwrite may be the cause

    def refuse(self) -> None:
        """Raise Overwritten once another client has overwritten something, and LeaseLost when another run has.

        Raises GlassBroken once break_glass.yml has.
        """
        if self._found is not None:
            raise self._found

    def look(self) -> None:
        """Check now; see refuse() for what is raised."""
        _get(lambda: self._look(lambda: False))
        self.refuse()

    def _work(self) -> None:
        while self._found is None and not self._over.wait(POLL_INTERVAL if self.expected else 0.0):
            _get(lambda: self._look(self._over.is_set))
            if self.expected is None:
                self._over.wait(POLL_INTERVAL)

    def _look(self, over: t.Callable[[], bool]) -> None:
        expected = self.expected
        if expected is None:
            found = as_found(self._cluster, self._server)
            # Without the right to read the pools the route is still checked.
            self.expected = _get(lambda: at_start(self._cluster, self._server, found)) or found
            return
        seen, objects = read(self._cluster, self._server, expected)
        if broken := _by_break_glass(self._server, objects, self._glass):
            if not over():
                self._found = GlassBroken(broken_glass.sentence(broken, self._server))
            return
        # Missing twice: an API server that starts knows no custom resources for a moment.
        gone = {name: message for name, message in seen.gone.items() if name in self._gone}
        self._gone = seen.gone
        for finding in findings(expected, seen._replace(gone=gone)):
            failure_ = _failure(self._cluster, self._server, finding, objects)
            # The task itself may have changed what is expected since the check began.
            if over() or expected is not self.expected:
                return
            with self._one:
                if finding.harmful:
                    self._found = self._found or failure_
                elif (finding.what, finding.pool) not in self._warned:
                    self._warned.add((finding.what, finding.pool))
                    self._task.progress(failure_.msg)
                    self._task.warn(failure_.msg)


def read(cluster: Api, server: Server, expected: Expected) -> tuple[Seen, dict[str, Object]]:
    """Return the present state of what is expected, and the objects read: route, workloads and autoscalers."""
    objects: dict[str, Object] = {}
    gone: dict[str, str] = {}
    seen: dict[str, t.Any] = {"images": {}, "image_runs": {}, "sizes": {}, "minimums": {}, "gone": gone}
    kind = kind_of(server)

    def there(name: str, get: t.Callable[[], t.Any]) -> t.Any:
        try:
            return _get(get, NotFound)
        except NotFound as failure_:
            gone[name] = failure_.msg
            return None

    if expected.weights is not None and (route := there(ROUTE, lambda: kind.read(cluster, server))) is not None:
        objects[ROUTE] = route
        seen["run"] = _run(kind.written(route), kind.run(route), expected)
        weights = expected.weights
        seen |= _get(lambda: _weights(route, server, weights)) or {}
    for pool in expected.images.keys() | expected.sizes.keys():
        there(pool, functools.partial(_workload, cluster, server, pool, expected, seen, objects))
    if expected.minimums:
        scalers = _get(lambda: autoscaling.find(cluster, server, lambda _warning: None)) or {}
        seen["minimums"] = {
            pool: _get(functools.partial(getattr, scaler, "min_replicas")) for pool, scaler in scalers.items()
        }
        objects |= {f"{MINIMUM} {pool}": scaler.obj for pool, scaler in scalers.items()}
    return Seen(**seen), objects


def _by_break_glass(server: Server, objects: t.Mapping[str, Object], known: str) -> list[broken_glass.Broken]:
    """Return the objects that break_glass.yml changed. known: the note that does not count. Pure."""
    kind, found = kind_of(server), []
    for name, obj in objects.items():
        carrier = kind.written(obj) if name == ROUTE else obj
        if name == ROUTE:
            title = kind.name(server)
        elif name in POOLS:
            title = server.workload_title(name)
        else:
            title = f"HorizontalPodAutoscaler {server.namespace}/{mapping(obj, 'metadata').get('name')}"
        note = note_of(carrier)
        if note is not None and broken_glass.mark(carrier) != known:
            found.append(broken_glass.Broken(title, note))
    return found


def as_found(cluster: Api, server: Server) -> Expected:
    """Return the route's present weights and writer as what is expected. Raises Failure."""
    kind = kind_of(server)
    route = kind.read(cluster, server)
    return Expected(weights=kind.weights(route, server), runs=frozenset({kind.run(route)}))


def at_start(cluster: Api, server: Server, expected: Expected) -> Expected:
    """Return what is expected with the pools' present images, sizes and minReplicas. Raises Failure."""
    unknown: list[str] = []
    scalers = autoscaling.find(cluster, server, unknown.append)
    images, sizes, minimums, runs = {}, {}, {}, set(expected.runs)
    for pool in POOLS:
        images[pool], sizes[pool], run = _deployed(cluster, cluster.get(server.workload_path(pool)), server, pool)
        runs.add(run)
        if (scaler := scalers.get(pool)) is None:
            continue
        sizes[pool] = min(sizes[pool], scaler.min_replicas)
        if scaler.min_replicas > scaler.original_min_replicas:
            minimums[pool] = scaler.min_replicas
        elif (
            pool == expected.pool and scaler.raised_to > scaler.min_replicas
        ):  # overwritten between the rollout and now
            minimums[pool] = scaler.raised_to
    # When autoscalers can't be listed, any size may be the choice of one.
    return expected._replace(images=images, sizes={} if unknown else sizes, minimums=minimums, runs=frozenset(runs))


def _weights(route: Route, server: Server, expected: Weights) -> dict[str, t.Any]:
    kind = kind_of(server)
    try:
        return {"weights": kind.weights(route, server), "as_written": kind.is_as_written(route, server, expected)}
    except Failure as failure_:
        return {"broken": failure_.msg}


def overwritten_route(cluster: Api, server: Server, route: Route, expected: Weights) -> Failure | None:
    """Return the failure that names who overwrote the weights of a route that was just read; None when nobody did."""
    kind = kind_of(server)

    def find() -> Failure | None:
        run = kind.run(route)
        finding = overwritten(
            Expected(weights=expected, runs=frozenset({run})), Seen(run=run, **_weights(route, server, expected))
        )
        return finding and _failure(cluster, server, finding, {ROUTE: route})

    return _get(find)


def refuse(cluster: Api, server: Server, pool: str, workload: Object, expected: Expected) -> None:
    """Raise Overwritten when another client has overwritten a workload just read, LeaseLost when a run has."""
    seen: dict[str, t.Any] = {"images": {}, "image_runs": {}, "sizes": {}}
    _add(cluster, server, pool, expected, seen, workload)
    if not expected.runs:  # a run that wrote later can't be told from one that wrote before
        seen["image_runs"] = {}
    if (finding := overwritten(expected, Seen(**seen))) is not None:
        raise _failure(cluster, server, finding, {pool: workload})


def _workload(
    cluster: Api, server: Server, pool: str, expected: Expected, seen: dict[str, t.Any], objects: dict[str, Object]
) -> None:
    """Read a pool's workload, and add its state to C(seen)."""
    objects[pool] = cluster.get(server.workload_path(pool))
    _add(cluster, server, pool, expected, seen, objects[pool])


def _add(cluster: Api, server: Server, pool: str, expected: Expected, seen: dict[str, t.Any], workload: Object) -> None:
    """Add the state of a pool's workload to C(seen)."""
    try:
        seen["images"][pool], seen["sizes"][pool], run = _deployed(cluster, workload, server, pool)
    except Failure:  # it was replaced by another one
        seen["images"][pool], run = f"no container {server.container or 'of the server'}", ""
    seen["image_runs"][pool] = _run(workload, run, expected)


def _deployed(cluster: Api, workload: Object, server: Server, pool: str) -> tuple[str, int, str]:
    """Return a workload's image, its replicas, and the run that wrote it last."""
    image, size = server.deployed(cluster, workload, pool)
    run = mapping(workload, "metadata", "annotations").get(fence.RUN)
    return image, size, run if isinstance(run, str) else ""


def _get(get: t.Callable[[], Got], but: type[Failure] | tuple[()] = ()) -> Got | None:
    """Return what get() returns; None when that fails. but: failures that are raised regardless."""
    try:
        return get()
    except but:
        raise
    except Exception:  # any error, such as an object in another form: the next check may succeed
        return None


def _run(obj: Object, run: str, expected: Expected) -> str:
    """Return the run that wrote the object; empty when another client copied its id, for example into a manifest."""
    if run in expected.runs:
        return run
    return run if field_managers.writer_of(obj, place_of(RUN)).name == field_managers.UNKNOWN else ""


def _failure(cluster: Api, server: Server, finding: Finding, objects: dict[str, Object]) -> Failure:
    if finding.run:
        return LeaseLost(
            f"This run lost the Lease of {server} (run {finding.run} has written since) and makes no further changes."
        )
    name, obj, place = _where(cluster, server, finding, objects)
    return failure(finding, name, field_managers.writer_of(obj, place), place, cluster.now())


def _where(cluster: Api, server: Server, finding: Finding, objects: dict[str, Object]) -> tuple[str, Object, str]:
    """Return the overwritten object's name, the object, and the field's JSON pointer, empty when the object is gone."""
    if finding.what == ROUTE:
        kind = kind_of(server)
        if ROUTE not in objects:
            return kind.name(server), {}, ""
        route = objects[ROUTE]
        return kind.name(server), kind.written(route), kind.field(route, server)
    if finding.what == MINIMUM:
        scaler = objects[f"{MINIMUM} {finding.pool}"]
        return f"HorizontalPodAutoscaler {server.namespace}/{scaler['metadata']['name']}", scaler, "/spec/minReplicas"
    name = server.workload_title(finding.pool)
    if finding.what == WORKLOAD:
        return name, {}, ""
    workload = objects[finding.pool]
    if finding.what != IMAGE:
        return name, workload, "/spec/replicas"
    containers = "/spec/template/spec/containers"
    names = [container.get("name") for container in items(workload, "spec", "template", "spec", "containers")]
    try:
        at = names.index(server.container_in(cluster, workload, finding.pool))
    except Failure:
        return name, workload, containers
    return name, workload, f"{containers}/{at}/image"
