# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights that a release of one server needs, by the names of its objects. Pure.

With the kinds of routes (rules()) this is the one list of what the Role in the README grants. A test compares the two.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils._guard import job
from ansible_collections.mcp.server.plugins.module_utils._pool_objects import DEPLOYMENT, STATEFUL_SET
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

MAX_RULES_SHOWN = 3  # in a sentence; when more are missing, the README is easier to read


@dataclass(frozen=True)
class Right:
    """A rule of the Role."""

    # The API group.
    group: str
    resource: str
    verbs: tuple[str, ...]
    # What it is for, as a part of a sentence.
    purpose: str
    # The names of the objects that it is narrowed to (resourceNames); none where Kubernetes cannot narrow it.
    names: tuple[str, ...] = ()
    # The option of mcp_preflight that needs it; empty when every release does.
    only_with: str = ""
    # Whether a release can go on without it.
    optional: bool = False

    def __str__(self) -> str:
        """Return what it permits, such as C(get and patch deployments.apps mcp-blue and mcp-green)."""
        return (
            f"{_and(self.verbs)} {self.resource}"
            + (f".{self.group}" if self.group else "")
            + (f" {_and(self.names)}" if self.names else "")
        )

    def rule(self) -> dict[str, list[str]]:
        """Return the rule of a Role."""
        named = {"resourceNames": list(self.names)} if self.names else {}
        return {"apiGroups": [self.group], "resources": [self.resource], **named, "verbs": list(self.verbs)}


class Question(t.NamedTuple):
    """A question for the API server: whether this user may do something."""

    right: Right
    verb: str
    # Of the object; empty when the right is not narrowed to names.
    name: str


def rights(
    server: Server, service_account: str = job.SERVICE_ACCOUNT, autoscalers: t.Sequence[str] = ()
) -> list[Right]:
    """Return all rights that a release of this server may need.

    service_account: the guard's. autoscalers: the names of those that scale the pools; the usual names without any.
    """
    pools = tuple(map(server.workload, POOLS))
    record = lease = (f"{server.name}-release",)
    guard = (job.name(server),)
    scaled = "autoscalers of the pools"
    # Creating cannot be narrowed to a name. A WebSocket to a pod is opened by a GET: it needs get, and from
    # Kubernetes 1.35 create as well.
    return [
        *(
            Right(rule.group, rule.resource, rule.verbs, "the traffic's weights", rule.names)
            for rule in kind_of(server).rules(server)
        ),
        *_workloads(server),
        Right("", "pods", ("list",), "whether the pods are ready"),
        Right("", "pods/portforward", ("get", "create"), "requests to single pods"),
        Right("", "pods/log", ("get",), "the logs of a bad pool, which a rollback keeps", optional=True),
        Right("", "services", ("get",), "what each pool's Service selects", tuple(map(server.service, POOLS))),
        Right("discovery.k8s.io", "endpointslices", ("list",), "which pods get traffic"),
        Right("", "configmaps", ("create",), "the release record"),
        Right("", "configmaps", ("get", "patch"), "the release record", record),
        Right("coordination.k8s.io", "leases", ("create",), "one release at a time"),
        Right("coordination.k8s.io", "leases", ("get", "patch"), "one release at a time", lease),
        Right("", "events", ("list",), "the reasons why pods are not ready", optional=True),
        Right("autoscaling", "horizontalpodautoscalers", ("list",), scaled, optional=True),
        # The size of an autoscaler that exists must be changed.
        Right(
            "autoscaling",
            "horizontalpodautoscalers",
            ("get", "patch"),
            scaled,
            tuple(autoscalers) or pools,
            optional=not autoscalers,
        ),
        Right("policy", "poddisruptionbudgets", ("list",), "how many pods must stay available", optional=True),
        Right(
            "authorization.k8s.io",
            "localsubjectaccessreviews",
            ("create",),
            "what the ServiceAccount of the server's pods may do",
            optional=True,
        ),
        Right("batch", "jobs", ("create",), "a guard", only_with="guard"),
        Right("batch", "jobs", ("get", "delete"), "a guard", guard, only_with="guard"),
        Right(
            "",
            "serviceaccounts",
            ("get",),
            "whether the guard's ServiceAccount exists",
            (service_account,),
            only_with="guard",
            optional=True,
        ),
    ]


def _workloads(server: Server) -> list[Right]:
    """Return the rights on the pools' workloads and their history, of the kinds that they are of."""
    names: dict[str, list[str]] = {}
    for pool in POOLS:
        names.setdefault(server.objects(pool).kind, []).append(server.workload(pool))
    resources = {DEPLOYMENT: ("deployments", "replicasets"), STATEFUL_SET: ("statefulsets", "controllerrevisions")}
    found = []
    for kind, of_kind in names.items():
        workloads, history = resources[kind]
        found.append(Right("apps", workloads, ("get", "patch"), "the pools' images and sizes", tuple(of_kind)))
        purpose = "which pods are of the new version" if kind == DEPLOYMENT else "the revisions to roll back to"
        found.append(Right("apps", history, ("list",), purpose, optional=kind == STATEFUL_SET))
    return found


def questions(wanted: t.Iterable[Right]) -> list[Question]:
    """Return the questions for these rights."""
    return [Question(right, verb, name) for right in wanted for verb in right.verbs for name in right.names or ("",)]


def narrowed(refused: t.Iterable[Question]) -> list[Right]:
    """Return the missing parts of rights, from the questions that were answered with no."""
    verbs: dict[tuple[Right, str], list[str]] = {}
    for question in refused:
        verbs.setdefault((question.right, question.name), []).append(question.verb)
    names: dict[tuple[Right, tuple[str, ...]], list[str]] = {}
    for (right, name), refused_verbs in verbs.items():
        names.setdefault((right, tuple(refused_verbs)), []).extend(filter(None, [name]))
    return [replace(right, verbs=some, names=tuple(of_names)) for (right, some), of_names in names.items()]


def missing_rights(namespace: str, missing: t.Sequence[Right]) -> str:
    """Return the sentence on rights that are missing in a namespace, and what to add to the Role."""
    grant = "grant the Role in the collection's README, with the names of this server's objects, to this user"
    if len(missing) <= MAX_RULES_SHOWN:
        grant += f", or add to its Role {' and '.join(json.dumps(right.rule()) for right in missing)}"
    return f"In namespace {namespace} this user may not {', '.join(map(str, missing))}: {grant}."


def _and(words: t.Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
