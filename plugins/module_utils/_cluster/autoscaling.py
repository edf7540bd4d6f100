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
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Conflict, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import POOLS, Server

Object = dict[str, t.Any]

ATTEMPTS = 5
NOTE = "mcp.server/min-replicas"  # {"former": 2, "raised": 5}
UNKNOWN = "Whether a HorizontalPodAutoscaler works on the pools is not known: we may not list them (see the Role in the collection's README)."


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
        except (KeyError, TypeError, ValueError):
            return self.least

    def raised(self, wanted: int) -> int:
        """Its least size while the pool needs C(wanted) pods: never below its own, nor above its greatest."""
        return max(self.own, min(wanted, self.obj["spec"]["maxReplicas"]))

    def size(self, now: int, wanted: int) -> int:
        """The size to set on the Deployment: 0 switches the autoscaler off, and going down is its own work."""
        return max(now, self.raised(wanted)) if wanted else 0

    def patch(self, wanted: int) -> Object | None:
        """A merge patch for C(wanted) pods, 0 to give back what was raised; None when it is so already."""
        raised = self.raised(wanted)
        note = json.dumps({"former": self.own, "raised": raised}) if raised > self.own else None
        if (raised, note) == (self.least, self._note):
            return None
        metadata = {"resourceVersion": self.obj["metadata"]["resourceVersion"], "annotations": {NOTE: note}}
        return {"metadata": metadata, "spec": {"minReplicas": raised}}

    @property
    def _note(self) -> str | None:
        return (self.obj["metadata"].get("annotations") or {}).get(NOTE)


def find(cluster: t.Any, server: Server, warn: t.Callable[[str], None]) -> dict[str, Autoscaler]:
    """The autoscalers by pool; none, with a warning, when we may not look."""
    try:
        items = cluster.get(_path(server))["items"]
    except NotFound:
        return {}
    except Forbidden:
        warn(UNKNOWN)
        return {}
    targets = {server.deployment(pool): pool for pool in POOLS}
    found = {}
    for item in items:
        target = item["spec"]["scaleTargetRef"]
        if target["kind"] == "Deployment" and target["name"] in targets:
            found[targets[target["name"]]] = Autoscaler(item)
    return found


def set_least(cluster: t.Any, server: Server, autoscaler: Autoscaler, wanted: int, *, dry_run: bool = False) -> bool:
    """Whether anything was to be changed."""
    for attempt in range(1, ATTEMPTS + 1):
        patch = autoscaler.patch(wanted)
        if patch is None:
            break
        try:
            cluster.patch(f"{_path(server)}/{autoscaler.name}", patch, dry_run=dry_run)
            return True
        except Conflict:
            # Its controller writes the status every 15 s.
            if attempt == ATTEMPTS:
                raise
            items = cluster.get(_path(server))["items"]
            autoscaler = next((Autoscaler(item) for item in items if item["metadata"]["name"] == autoscaler.name), autoscaler)
    return False


def give_back(cluster: t.Any, server: Server, warn: t.Callable[[str], None]) -> None:
    """All that was raised."""
    for autoscaler in find(cluster, server, warn).values():
        set_least(cluster, server, autoscaler, 0)


def _path(server: Server) -> str:
    return f"/apis/autoscaling/v2/namespaces/{server.namespace}/horizontalpodautoscalers"
