# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back from an adoption: which objects it made, whether they may go, and their deletion."""

from __future__ import annotations

import typing as t
from contextlib import suppress

from ansible_collections.mcp.server.plugins.module_utils._adopt import routes
from ansible_collections.mcp.server.plugins.module_utils._adopt.copies import is_ours
from ansible_collections.mcp.server.plugins.module_utils._adopt.facts import Reader
from ansible_collections.mcp.server.plugins.module_utils._install.apply import difference
from ansible_collections.mcp.server.plugins.module_utils._install.existing import name_of
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._release import fence
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Task
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.ingress_nginx import WEIGHT

RBAC = "rbac.authorization.k8s.io/v1"
# In the order in which they are deleted: what leads to the pool first, the rights of whoever does it last.
KINDS = (
    ("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes"),  # of a trial that was killed
    ("networking.k8s.io/v1", "Ingress", "ingresses"),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    ("apps/v1", "Deployment", "deployments"),
    ("apps/v1", "StatefulSet", "statefulsets"),
    ("v1", "Service", "services"),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    (RBAC, "RoleBinding", "rolebindings"),
    (RBAC, "Role", "roles"),
)
PLURALS = {kind: plural for _version, kind, plural in KINDS}


def objects(cluster: Api, server: Server) -> list[Object]:
    """Return the objects that an adoption of this server made, in the order in which they are deleted."""
    reader = Reader(cluster, server.namespace)
    listed = [one for version, kind, plural in KINDS for one in reader.seen(version, kind, plural)]
    return [one for one in listed if is_ours(one, server)]


def problems(server: Server, ours: t.Iterable[Object], others: t.Iterable[str]) -> list[str]:
    """Return why the objects may not be deleted, a sentence for each reason.

    others: what gives traffic to the idle pool beside the adopted route.
    """
    found = [
        f"{one} leads to Service {server.service('green')}, which the adoption added: take the Service out of it first."
        for one in others
    ]
    for one in ours:
        weight = mapping(one, "metadata", "annotations").get(WEIGHT, "0")
        if one["kind"] == "Ingress" and weight != "0":
            found.append(routes.has_traffic(name_of(one), "The canary", server))
    return found


def sentence(server: Server, found: t.Sequence[str]) -> str:
    return printable(f"The adoption of {server} can't be undone now. {' '.join(found)}", 6000)


def delete(task: Task, cluster: Api, server: Server, ours: t.Iterable[Object], run: str) -> list[dict[str, str]]:
    """Delete the objects; return their diffs."""
    diffs = []
    for one in ours:
        path = paths.resource(
            one["apiVersion"], server.namespace, PLURALS[one["kind"]], str(mapping(one, "metadata").get("name"))
        )
        fence.check(cluster, server, run, dry_run=task.check_mode)
        with suppress(NotFound):  # somebody else was faster
            cluster.delete(path, dry_run=task.check_mode, propagationPolicy="Background")
        if not task.check_mode:
            task.progress(f"deleted {name_of(one)}")
        diffs.append(difference(one, one, None))
    return diffs
