# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rollout history of a Deployment, by its ReplicaSets, or of a StatefulSet, by its ControllerRevisions.

Pure: objects in, revisions out.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._workload import stateful_sets
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import is_ready, name_of, owner, uid_of
from ansible_collections.mcp.server.plugins.module_utils._workload.rollout_state import revision as revision_of

CAUSE = "kubernetes.io/change-cause"
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
                "change_cause": notes.get(CAUSE) or "",
                "created": mapping(replicaset, "metadata").get("creationTimestamp") or "",
                "replicas": 1 if replicas is None else replicas,
                "ready": mapping(replicaset, "status").get("readyReplicas") or 0,
                "current": _number(replicaset) == current,
            }
        )
    return sorted(found, key=lambda one: one["revision"])


def revisions_of_set(
    workload: Object, controller_revisions: t.Iterable[Object], pods: t.Sequence[Object], container: str
) -> list[dict[str, t.Any]]:
    """Return a StatefulSet's revisions, as revisions() does. Their former numbers are not kept by Kubernetes.

    pods: at least those of the set.
    """
    uid, newest = uid_of(workload), stateful_sets.newest_revision(workload)
    found: list[dict[str, t.Any]] = []
    for revision in controller_revisions:
        if not uid or owner(revision) != uid:
            continue
        own = [pod for pod in pods if owner(pod) == uid and stateful_sets.is_of(pod, name_of(revision))]
        containers = items(revision, "data", "spec", "template", "spec", "containers")
        found.append(
            {
                "revision": int(revision.get("revision") or 0),
                "former": [],
                "image_ref": next((one.get("image") for one in containers if one.get("name") == container), None),
                # As the set had it when the revision was made: the change that made it may have come with another one.
                "change_cause": mapping(revision, "metadata", "annotations").get(CAUSE) or "",
                "created": mapping(revision, "metadata").get("creationTimestamp") or "",
                "replicas": len(own),
                "ready": sum(map(is_ready, own)),
                "current": name_of(revision) == newest,
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
