# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look every few seconds whether somebody else changes what a release, a watch or a rollback has made.

In a thread of its own: an API server that is slow or away holds up nothing, and what could not be read is no finding.
"""

from __future__ import annotations

import functools
import threading
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import field_managers
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import (
    DEPLOYMENT,
    IMAGE,
    MINIMUM,
    ROUTE,
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

POLL_INTERVAL = 3.0  # seconds between looks
REQUEST_TIMEOUT = 3.0  # seconds that one request of a look may take

Object = dict[str, t.Any]


class OverwriteMonitor:
    """Looks from now on, until the block is left. When that fails, whoever changed something since the last look is the failure.

    expected: may be replaced at any time by whoever changes something. None: what the first look finds, which is at once.
    """

    def __init__(self, task: Task, cluster: Api, server: Server, expected: Expected | None) -> None:
        self.expected = expected
        self._task = task
        self._cluster = cluster.limited(0.0, REQUEST_TIMEOUT)
        self._server = server
        self._found: Failure | None = None
        self._warned: set[tuple[str, str]] = set()
        self._gone: t.Mapping[str, str] = {}  # at the last look
        self._over = threading.Event()
        self._one = threading.Lock()

    def __enter__(self) -> OverwriteMonitor:
        threading.Thread(target=self._work, daemon=True).start()
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        # Nobody waits for it: it may be waiting for the API server.
        self._over.set()
        if isinstance(error, Failure) and not isinstance(error, (LeaseLost, Overwritten)):
            self.look()  # that may be why

    def refuse(self) -> None:
        """Raise Overwritten once somebody else changed something, and Lost when another run did."""
        if self._found is not None:
            raise self._found

    def look(self) -> None:
        """Look now; see refuse()."""
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
            # Who may not read the pools still sees the route.
            self.expected = _get(lambda: at_start(self._cluster, self._server, found)) or found
            return
        seen, objects = read(self._cluster, self._server, expected)
        # Twice: an API server that starts knows no custom resources for a moment.
        gone, self._gone = {name: said for name, said in seen.gone.items() if name in self._gone}, seen.gone
        for finding in findings(expected, seen._replace(gone=gone)):
            found = _failure(self._cluster, self._server, finding, objects)
            # What was expected when the look began may have been changed by us meanwhile.
            if over() or expected is not self.expected:
                return
            with self._one:
                if finding.harmful:
                    self._found = self._found or found
                elif (finding.what, finding.pool) not in self._warned:
                    self._warned.add((finding.what, finding.pool))
                    self._task.progress(found.msg)
                    self._task.warn(found.msg)


def read(cluster: Api, server: Server, expected: Expected) -> tuple[Seen, dict[str, Object]]:
    """Return what is there of what is expected, and the objects that were read: the route, each pool's Deployment, its autoscaler."""
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
        seen |= _get(lambda: _weights(route, server, expected.weights)) or {}
    for pool in expected.images.keys() | expected.sizes.keys():
        there(pool, functools.partial(_deployment, cluster, server, pool, expected, seen, objects))
    if expected.minimums:
        scalers = _get(lambda: autoscaling.find(cluster, server, lambda _warning: None)) or {}
        seen["minimums"] = {pool: _get(lambda scaler=scaler: scaler.least) for pool, scaler in scalers.items()}
        objects |= {f"{MINIMUM} {pool}": scaler.obj for pool, scaler in scalers.items()}
    return Seen(**seen), objects


def as_found(cluster: Api, server: Server) -> Expected:
    """Return the weights that the route has now, whoever gave it these. Raises Failure."""
    kind = kind_of(server)
    route = kind.read(cluster, server)
    return Expected(weights=kind.weights(route, server), runs=frozenset({kind.run(route)}))


def at_start(cluster: Api, server: Server, expected: Expected) -> Expected:
    """Return this with the pools' images, sizes and minimums as they are now. Raises Failure."""
    unknown: list[str] = []
    scalers = autoscaling.find(cluster, server, unknown.append)
    images, sizes, minimums, runs = {}, {}, {}, set(expected.runs)
    for pool in POOLS:
        images[pool], sizes[pool], run = _deployed(cluster.get(server.deployment_path(pool)), server, pool)
        runs.add(run)
        if (scaler := scalers.get(pool)) is None:
            continue
        sizes[pool] = min(sizes[pool], scaler.least)
        if scaler.least > scaler.own:
            minimums[pool] = scaler.least
        elif pool == expected.pool and scaler.noted > scaler.least:  # put back between the rollout and now
            minimums[pool] = scaler.noted
    # Where nobody may tell whether an autoscaler works on them, any size may be its choice.
    return expected._replace(images=images, sizes={} if unknown else sizes, minimums=minimums, runs=frozenset(runs))


def _weights(route: Route, server: Server, expected: Weights) -> dict[str, t.Any]:
    kind = kind_of(server)
    try:
        return {"weights": kind.weights(route, server), "as_written": kind.is_as_written(route, server, expected)}
    except Failure as failure_:
        return {"broken": failure_.msg}


def overwritten_route(cluster: Api, server: Server, route: Route, expected: Weights) -> Failure | None:
    """Return the failure that says who changed these weights of a route that was read just now; None when nobody did."""
    kind = kind_of(server)

    def find() -> Failure | None:
        run = kind.run(route)
        finding = overwritten(
            Expected(weights=expected, runs=frozenset({run})), Seen(run=run, **_weights(route, server, expected))
        )
        return finding and _failure(cluster, server, finding, {ROUTE: route})

    return _get(find)


def refuse(cluster: Api, server: Server, pool: str, deployment: Object, expected: Expected) -> None:
    """Raise Overwritten when somebody else changed a Deployment that was read just now, and Lost when another run did."""
    seen: dict[str, t.Any] = {"images": {}, "image_runs": {}, "sizes": {}}
    _add(server, pool, expected, seen, deployment)
    if not expected.runs:  # nothing tells a run that wrote after us from one that wrote before
        seen["image_runs"] = {}
    if (finding := overwritten(expected, Seen(**seen))) is not None:
        raise _failure(cluster, server, finding, {pool: deployment})


def _deployment(
    cluster: Api, server: Server, pool: str, expected: Expected, seen: dict[str, t.Any], objects: dict[str, Object]
) -> None:
    """Read a pool's Deployment."""
    objects[pool] = cluster.get(server.deployment_path(pool))
    _add(server, pool, expected, seen, objects[pool])


def _add(server: Server, pool: str, expected: Expected, seen: dict[str, t.Any], deployment: Object) -> None:
    """Add what a pool's Deployment is."""
    try:
        seen["images"][pool], seen["sizes"][pool], run = _deployed(deployment, server, pool)
    except Failure:  # somebody replaced it
        seen["images"][pool], run = f"no container {server.container}", ""
    seen["image_runs"][pool] = _run(deployment, run, expected)


def _deployed(deployment: Object, server: Server, pool: str) -> tuple[str, int, str]:
    """Return its image, its size, and the run that wrote it last."""
    image, size = server.deployed(deployment, pool)
    run = (deployment["metadata"].get("annotations") or {}).get(fence.RUN)
    return image, size, run if isinstance(run, str) else ""


def _get(get: t.Callable[[], t.Any], but: type[Failure] | tuple[()] = ()) -> t.Any:
    """Return what it gives; None when that can't be read, or is not what it should be. but: raised all the same."""
    try:
        return get()
    except but:
        raise
    except Exception:  # whatever anybody wrote there: the next look may tell
        return None


def _run(obj: Object, run: str, expected: Expected) -> str:
    """Return the run that wrote the object, unless its id is a copy: in somebody's manifest, say."""
    if run in expected.runs:
        return run
    return run if field_managers.writer_of(obj, place_of(RUN)).name == field_managers.UNKNOWN else ""


def _failure(cluster: Api, server: Server, finding: Finding, objects: dict[str, Object]) -> Failure:
    if finding.run:
        return LeaseLost(
            f"This run is not the one that releases {server} any more: run {finding.run} has written since. Nothing more is changed by it."
        )
    name, obj, place = _where(server, finding, objects)
    return failure(finding, name, field_managers.writer_of(obj, place), place, f"{cluster.now():%H:%M:%S}")


def _where(server: Server, finding: Finding, objects: dict[str, Object]) -> tuple[str, Object, str]:
    """Return the name of the object that was changed, the object, and the JSON pointer of the field, empty where the object is gone."""
    if finding.what == ROUTE:
        kind = kind_of(server)
        if ROUTE not in objects:
            return kind.name(server), {}, ""
        route = objects[ROUTE]
        return kind.name(server), kind.written(route), kind.field(route, server)
    if finding.what == MINIMUM:
        scaler = objects[f"{MINIMUM} {finding.pool}"]
        return f"HorizontalPodAutoscaler {server.namespace}/{scaler['metadata']['name']}", scaler, "/spec/minReplicas"
    name = f"Deployment {server.namespace}/{server.deployment(finding.pool)}"
    if finding.what == DEPLOYMENT:
        return name, {}, ""
    deployment = objects[finding.pool]
    if finding.what != IMAGE:
        return name, deployment, "/spec/replicas"
    containers = "/spec/template/spec/containers"
    names = [container["name"] for container in deployment["spec"]["template"]["spec"]["containers"]]
    return (
        name,
        deployment,
        f"{containers}/{names.index(server.container)}/image" if server.container in names else containers,
    )
