# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HorizontalPodAutoscalers of the pools: raise minReplicas while a release needs more pods, and restore it afterwards.

An autoscaler reverts any size that it did not choose, so a release changes minReplicas. The same write notes the
original value on the autoscaler, so that it survives a run that is killed.
"""

from __future__ import annotations

import functools
import json
import threading
import typing as t
import weakref
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Conflict
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.retry import on_conflict
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, started

Object = dict[str, t.Any]

NOTE = "mcp.server/min-replicas"  # {"former": 2, "raised": 5}
# The usual names of a workload's autoscaler: of kubectl autoscale and most charts, and of KEDA.
NAMES = ("{workload}", "keda-hpa-{workload}")
UNLISTED_FOR = 30.0  # seconds
UNLISTED = (
    "No permission to list HorizontalPodAutoscalers in namespace {namespace}: only those with the usual names "
    "({names}) "
    "are known. Grant list on horizontalpodautoscalers.autoscaling as in the Role in the collection's README."
)
UNKNOWN = (
    "Cannot tell whether a HorizontalPodAutoscaler scales the pools: no permission to list them in namespace "
    "{namespace}, "
    "nor to read {names}. Grant list and get on horizontalpodautoscalers.autoscaling as in the Role in the "
    "collection's "
    "README."
)


@dataclass(frozen=True)
class Autoscaler:
    """A HorizontalPodAutoscaler."""

    # As it was read.
    obj: Object

    @property
    def name(self) -> str:
        return str(self.obj["metadata"]["name"])

    @property
    def min_replicas(self) -> int:
        least = self.obj["spec"].get("minReplicas")
        return 1 if least is None else int(least)

    @property
    def original_min_replicas(self) -> int:
        """Return the minReplicas that its owner set."""
        try:
            note = json.loads(self._note or "{}")
            # A value that no run set is the owner's newest one.
            return int(note["former"]) if note["raised"] == self.min_replicas else self.min_replicas
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            return self.min_replicas

    @property
    def raised_to(self) -> int:
        """Return the minReplicas that a run set, also when the owner has reverted that since; 0 when no run did."""
        try:
            return int(json.loads(self._note or "{}")["raised"])
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            return 0

    def min_replicas_for(self, wanted: int) -> int:
        """Return the minReplicas while the pool needs C(wanted) pods: between the original value and maxReplicas."""
        return max(self.original_min_replicas, min(wanted, int(self.obj["spec"]["maxReplicas"])))

    def size(self, now: int, wanted: int) -> int:
        """Return the size to set on the workload. 0 switches the autoscaler off; to scale down is its own work."""
        return max(now, self.min_replicas_for(wanted)) if wanted else 0

    def patch(self, wanted: int, run: str | None = None) -> tuple[t.Any, str] | None:
        """Return a patch for C(wanted) pods (0: the original value), and its kind; None when nothing differs.

        The patch of a run is fenced (fence.py). It needs no resourceVersion, as the controller writes the status every
        15 s.
        """
        raised = self.min_replicas_for(wanted)
        note = (
            json.dumps({"former": self.original_min_replicas, "raised": raised})
            if raised > self.original_min_replicas
            else None
        )
        if (raised, note) == (self.min_replicas, self._note):
            return None
        if run:
            read = [fence.unchanged(self.obj, f"/spec/{name}") for name in ("minReplicas", "maxReplicas")]
            raising = {"op": "add", "path": "/spec/minReplicas", "value": raised}
            return [*fence.stamp(self.obj, run, {NOTE: note}), *read, raising], "json"
        metadata = {"resourceVersion": self.obj["metadata"].get("resourceVersion"), "annotations": {NOTE: note}}
        return {"metadata": metadata, "spec": {"minReplicas": raised}}, "merge"

    @property
    def _note(self) -> str | None:
        annotations = self.obj["metadata"].get("annotations")
        note = annotations.get(NOTE) if isinstance(annotations, dict) else None
        return note if isinstance(note, str) else None


class _Unlisted:
    """A cache for a user who may not list autoscalers: which of the usual names do not exist. A watch asks often."""

    def __init__(self) -> None:
        self.fresh = Deadline(UNLISTED_FOR)
        self.absent: set[str] = set()


_UNLISTED: weakref.WeakKeyDictionary[t.Any, _Unlisted] = weakref.WeakKeyDictionary()  # by connection


def find(cluster: Api, server: Server, warn: t.Callable[[str], None]) -> dict[str, Autoscaler]:
    """Return the autoscalers by pool. Warn when a missing permission may hide some of them."""
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
    """Return the autoscalers with a usual name, which a Role with resourceNames allows to read.

    absent: paths that are known not to exist; more are added.
    """
    names = [form.format(workload=server.workload(pool)) for pool in POOLS for form in NAMES]
    items, refused = [], 0
    asked = [path for name in names if (path := _path(server, name)) not in absent]
    # All at once, as an API server in trouble takes seconds for each.
    for path, wait in [(path, started(functools.partial(cluster.get, path))) for path in asked]:
        try:
            items.append(wait(threading.TIMEOUT_MAX))
        except NotFound:
            absent.add(path)
        except Forbidden:
            refused += 1
    found = _by_pool(server, items)
    if len(found) < len(POOLS):
        warning = UNKNOWN if refused == len(names) else UNLISTED
        warn(warning.format(namespace=server.namespace, names=", ".join(names)))
    return found


def _by_pool(server: Server, items: t.Any) -> dict[str, Autoscaler]:
    objects = {pool: server.objects(pool) for pool in POOLS}
    targets = {(one.kind, one.workload): pool for pool, one in objects.items()}
    found = {}
    for item in items if isinstance(items, list) else ():
        match item:
            case {
                "metadata": {"name": str()},
                "spec": {
                    "scaleTargetRef": {"kind": str() as kind, "name": str() as name},
                    "maxReplicas": int(),
                    **rest,
                },
            } if (kind, name) in targets and isinstance(rest.get("minReplicas"), int | None):
                found[targets[kind, name]] = Autoscaler(item)
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
    """Set minReplicas for C(wanted) pods; return whether it changed. Raises LeaseLost when another run took over.

    warn: only warn about a missing permission. For an emergency, which has no run.
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
            f"HorizontalPodAutoscaler {server.namespace}/{autoscaler.name} keeps its minReplicas and may remove pods "
            "again. "
            f"{failure.msg}"
        )
        return False


def restore_min_replicas(cluster: Api, server: Server, warn: t.Callable[[str], None], run: str | None = None) -> None:
    """Restore the original minReplicas of both pools. Raises Failure."""
    for autoscaler in find(cluster, server, warn).values():
        set_min_replicas(cluster, server, autoscaler, 0, run)


def _path(server: Server, name: str = "") -> str:
    return paths.horizontal_pod_autoscalers(server.namespace, name)
