# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HorizontalPodAutoscalers of the pools: what they may go down to is raised while a release needs more, and given back.

An autoscaler puts back any size that it did not choose, so the least size that
it may choose is what is changed. The former one is noted on the autoscaler by the
same write, so that a run that is killed does not lose it.
"""

from __future__ import annotations

import json
import typing as t
import weakref
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Conflict
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline

Object = dict[str, t.Any]

NOTE = "mcp.server/min-replicas"  # {"former": 2, "raised": 5}
# How an autoscaler of a Deployment is usually called: by kubectl autoscale and most charts, and by KEDA
NAMES = ("{deployment}", "keda-hpa-{deployment}")
UNLISTED_FOR = 30.0  # seconds
UNLISTED = (
    "Listing HorizontalPodAutoscalers in namespace {namespace} is forbidden: only those that have the usual names ({names}) are known; "
    "grant list on horizontalpodautoscalers.autoscaling as in the Role in the collection's README."
)
UNKNOWN = (
    "Whether a HorizontalPodAutoscaler works on the pools is not known: listing them in namespace {namespace}, and reading {names}, is forbidden; "
    "grant list and get on horizontalpodautoscalers.autoscaling as in the Role in the collection's README."
)


@dataclass(frozen=True)
class Autoscaler:
    """One as it was read."""

    obj: Object

    @property
    def name(self) -> str:
        return self.obj["metadata"]["name"]

    @property
    def least(self) -> int:
        return self.obj["spec"].get("minReplicas", 1)

    @property
    def own(self) -> int:
        """The least size that its owner gave it."""
        try:
            note = json.loads(self._note or "{}")
            # Another value than ours is its owner's newest word.
            return int(note["former"]) if note["raised"] == self.least else self.least
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            return self.least

    @property
    def noted(self) -> int:
        """The least size that a run raised it to, also when its owner has put it back since; 0 when none did."""
        try:
            return int(json.loads(self._note or "{}")["raised"])
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            return 0

    def raised(self, wanted: int) -> int:
        """Its least size while the pool needs C(wanted) pods: never below its own, nor above its greatest."""
        return max(self.own, min(wanted, self.obj["spec"]["maxReplicas"]))

    def size(self, now: int, wanted: int) -> int:
        """The size to set on the Deployment: 0 switches the autoscaler off, and going down is its own work."""
        return max(now, self.raised(wanted)) if wanted else 0

    def patch(self, wanted: int, run: str | None = None) -> tuple[t.Any, str] | None:
        """Return a patch for C(wanted) pods, 0 to give back what was raised, with its kind; None when it is so already.

        That of a run is fenced (fence.py). It fits later versions too, as the controller writes the status every 15 s.
        """
        raised = self.raised(wanted)
        note = json.dumps({"former": self.own, "raised": raised}) if raised > self.own else None
        if (raised, note) == (self.least, self._note):
            return None
        if run:
            read = [fence.unchanged(self.obj, f"/spec/{name}") for name in ("minReplicas", "maxReplicas")]
            raising = {"op": "add", "path": "/spec/minReplicas", "value": raised}
            return [*fence.stamp(self.obj, run, {NOTE: note}), *read, raising], "json"
        metadata = {"resourceVersion": self.obj["metadata"]["resourceVersion"], "annotations": {NOTE: note}}
        return {"metadata": metadata, "spec": {"minReplicas": raised}}, "merge"

    @property
    def _note(self) -> str | None:
        annotations = self.obj["metadata"].get("annotations")
        note = annotations.get(NOTE) if isinstance(annotations, dict) else None
        return note if isinstance(note, str) else None


class _Unlisted:
    """That listing is forbidden, and which of the usual names nobody has: known for a while, as whoever watches asks every few seconds."""

    def __init__(self) -> None:
        self.fresh = Deadline(UNLISTED_FOR)
        self.absent: set[str] = set()


_UNLISTED: weakref.WeakKeyDictionary[t.Any, _Unlisted] = weakref.WeakKeyDictionary()  # by connection


def find(cluster: Api, server: Server, warn: t.Callable[[str], None]) -> dict[str, Autoscaler]:
    """Return the autoscalers by pool. Warn when some of them may not be known for want of a right."""
    unlisted = _UNLISTED.get(cluster)
    if unlisted is None or not unlisted.fresh.left:
        try:
            return _by_pool(server, cluster.get(_path(server)).get("items"))
        except NotFound:
            return {}
        except Forbidden:
            unlisted = _UNLISTED[cluster] = _Unlisted()
    return _find_by_name(cluster, server, unlisted.absent, warn)


def _find_by_name(
    cluster: Api, server: Server, absent: set[str], warn: t.Callable[[str], None]
) -> dict[str, Autoscaler]:
    """Return those that have a usual name, which a Role that is narrowed by resourceNames lets us read. absent: paths that need no look."""
    names = [form.format(deployment=server.deployment(pool)) for pool in POOLS for form in NAMES]
    items, refused = [], 0
    for name in names:
        path = _path(server, name)
        try:
            if path not in absent:
                items.append(cluster.get(path))
        except NotFound:
            absent.add(path)
        except Forbidden:
            refused += 1
    found = _by_pool(server, items)
    if len(found) < len(POOLS):
        complaint = UNKNOWN if refused == len(names) else UNLISTED
        warn(complaint.format(namespace=server.namespace, names=", ".join(names)))
    return found


def _by_pool(server: Server, items: t.Any) -> dict[str, Autoscaler]:
    targets = {server.deployment(pool): pool for pool in POOLS}
    found = {}
    for item in items if isinstance(items, list) else ():
        match item:
            case {
                "metadata": {"name": str()},
                "spec": {"scaleTargetRef": {"kind": "Deployment", "name": str() as name}, "maxReplicas": int(), **rest},
            } if name in targets and isinstance(rest.get("minReplicas", 1), int):
                found[targets[name]] = Autoscaler(item)
    return found


def set_min_replicas(
    cluster: Api,
    server: Server,
    autoscaler: Autoscaler,
    wanted: int,
    run: str | None = None,
    *,
    dry_run: bool = False,
    warn: t.Callable[[str], None] | None = None,
) -> bool:
    """Return whether anything was to be changed. Raises Lost when the run was taken over.

    warn: for what must go on without the right, as an emergency, which is no run's.
    """

    def attempt() -> bool:
        patch = autoscaler.patch(wanted, run)
        if patch is None:
            return False
        fence.check(cluster, server, run, dry_run=dry_run)
        cluster.patch(_path(server, autoscaler.name), *patch, dry_run=dry_run)
        return True

    def again(_conflict: Conflict) -> None:
        nonlocal autoscaler
        autoscaler = Autoscaler(cluster.get(_path(server, autoscaler.name)))

    try:
        return on_conflict(attempt, cluster.patience, again)
    except Forbidden as failure:
        if run or warn is None:
            raise
        warn(
            f"HorizontalPodAutoscaler {server.namespace}/{autoscaler.name} keeps its minReplicas, and may take pods away again. {failure.msg}"
        )
        return False


def give_back(cluster: Api, server: Server, warn: t.Callable[[str], None], run: str | None = None) -> None:
    """All that was raised."""
    for autoscaler in find(cluster, server, warn).values():
        set_min_replicas(cluster, server, autoscaler, 0, run)


def _path(server: Server, name: str = "") -> str:
    return paths.horizontal_pod_autoscalers(server.namespace, name)
