# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rollout history of a Deployment, by its ReplicaSets. Pure: objects in, revisions out."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import owner, uid_of
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout_state import revision as revision_of

# The former numbers of a revision that the Deployment returned to, separated by commas.
FORMER = "deployment.kubernetes.io/revision-history"


def revisions(deployment: Object, replicasets: t.Iterable[Object], container: str) -> list[dict[str, t.Any]]:
    """Return the Deployment's revisions, oldest first.

    Each is {revision, former, image_ref, change_cause, created, replicas, ready, current}. former: the numbers that it
    had before. image_ref: of the container, None without that container. created: of its ReplicaSet.
    """
    uid, current = uid_of(deployment), _number(deployment)
    found = []
    for replicaset in replicasets:
        if not uid or owner(replicaset) != uid:
            continue
        notes = mapping(replicaset, "metadata", "annotations")
        containers = items(replicaset, "spec", "template", "spec", "containers")
        replicas = mapping(replicaset, "spec").get("replicas")
        found.append(
            {
                "revision": _number(replicaset),
                "former": [int(number) for number in (notes.get(FORMER) or "").split(",") if number.isdecimal()],
                "image_ref": next((one.get("image") for one in containers if one.get("name") == container), None),
                "change_cause": notes.get("kubernetes.io/change-cause") or "",
                "created": mapping(replicaset, "metadata").get("creationTimestamp") or "",
                "replicas": 1 if replicas is None else replicas,
                "ready": mapping(replicaset, "status").get("readyReplicas") or 0,
                "current": _number(replicaset) == current,
            }
        )
    return sorted(found, key=lambda one: one["revision"])


def find(history: t.Iterable[dict[str, t.Any]], revision: int) -> dict[str, t.Any] | None:
    """Return the revision with this number, or that had it before; None without one.

    A rollback to a revision renumbers it, and the same command has to find it again.
    """
    matches = [one for one in history if revision == one["revision"] or revision in one["former"]]
    return max(matches, key=lambda one: one["revision"] == revision, default=None)


def _number(obj: Object) -> int:
    number = revision_of(obj)
    return int(number) if number.isdecimal() else 0
