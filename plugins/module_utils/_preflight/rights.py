# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights that a release of one server needs, by the names of its objects. Pure: plain data in, rules and sentences out.

With the kinds of routes (rules()) this is the one source of what the Role in the README grants; a test compares the two.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.mcp.server.plugins.module_utils._guard import job
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

SPELT_OUT = 3  # rules that a sentence may spell out; with more than that missing, the README is easier to read


@dataclass(frozen=True)
class Right:
    """A rule of the Role.

    purpose: what it is for. names: of the objects that it is narrowed to (resourceNames); none where Kubernetes can't narrow it.
    only_with: the option of mcp_preflight without which it is not needed, empty when every release needs it.
    optional: a release can do without it.
    """

    group: str
    resource: str
    verbs: tuple[str, ...]
    purpose: str
    names: tuple[str, ...] = ()
    only_with: str = ""
    optional: bool = False

    def __str__(self) -> str:
        """What it permits, such as C(get and patch deployments.apps mcp-blue and mcp-green)."""
        return (
            f"{_and(self.verbs)} {self.resource}"
            + (f".{self.group}" if self.group else "")
            + (f" {_and(self.names)}" if self.names else "")
        )

    def rule(self) -> dict[str, list[str]]:
        """It as the rule of a Role."""
        named = {"resourceNames": list(self.names)} if self.names else {}
        return {"apiGroups": [self.group], "resources": [self.resource], **named, "verbs": list(self.verbs)}


class Question(t.NamedTuple):
    """What to ask the API server. name: empty when the verb can't be narrowed to names."""

    right: Right
    verb: str
    name: str


def rights(
    server: Server, service_account: str = job.SERVICE_ACCOUNT, autoscalers: t.Sequence[str] = ()
) -> list[Right]:
    """Return all that a release of this server may have to do.

    service_account: the guard's. autoscalers: the names of those that work on the pools; without any, the names are taken that one may get.
    """
    pools = tuple(map(server.deployment, POOLS))
    record = lease = (f"{server.name}-release",)
    guard = (job.name(server),)
    scaled = "autoscalers of the pools"
    # Creating has no name to be narrowed to. A WebSocket to a pod is opened by a GET: it needs get, and from Kubernetes 1.35 create as well.
    return [
        *(
            Right(rule.group, rule.resource, rule.verbs, "the traffic's weights", rule.names)
            for rule in kind_of(server).rules(server)
        ),
        Right("apps", "deployments", ("get", "patch"), "the pools' images and sizes", pools),
        Right("apps", "replicasets", ("list",), "which pods are of the new version"),
        Right("", "pods", ("list",), "whether the pods are ready"),
        Right("", "pods/portforward", ("get", "create"), "asking a pod directly"),
        Right("", "services", ("get",), "what each pool's Service selects", tuple(map(server.service, POOLS))),
        Right("discovery.k8s.io", "endpointslices", ("list",), "which pods get traffic"),
        Right("", "configmaps", ("create",), "the release record"),
        Right("", "configmaps", ("get", "patch"), "the release record", record),
        Right("coordination.k8s.io", "leases", ("create",), "one release at a time"),
        Right("coordination.k8s.io", "leases", ("get", "patch"), "one release at a time", lease),
        Right("", "events", ("list",), "the reasons why pods are not ready", optional=True),
        Right("autoscaling", "horizontalpodautoscalers", ("list",), scaled, optional=True),
        # Of one that is there, the size has to be changed.
        Right(
            "autoscaling",
            "horizontalpodautoscalers",
            ("get", "patch"),
            scaled,
            tuple(autoscalers) or pools,
            optional=not autoscalers,
        ),
        Right("policy", "poddisruptionbudgets", ("list",), "how many pods have to be there", optional=True),
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


def questions(wanted: t.Iterable[Right]) -> list[Question]:
    """Return what to ask for these rights."""
    return [Question(right, verb, name) for right in wanted for verb in right.verbs for name in right.names or ("",)]


def narrowed(refused: t.Iterable[Question]) -> list[Right]:
    """Return what is missing of each right, when these questions were answered with no."""
    verbs: dict[tuple[Right, str], list[str]] = {}
    for question in refused:
        verbs.setdefault((question.right, question.name), []).append(question.verb)
    names: dict[tuple[Right, tuple[str, ...]], list[str]] = {}
    for (right, name), its in verbs.items():
        names.setdefault((right, tuple(its)), []).extend(filter(None, [name]))
    return [replace(right, verbs=its, names=tuple(its_names)) for (right, its), its_names in names.items()]


def complaint(namespace: str, missing: t.Sequence[Right]) -> str:
    """Say which rights are missing in a namespace, and what to add to the Role."""
    grant = "grant the Role in the collection's README, with the names of this server's objects, to this user"
    if len(missing) <= SPELT_OUT:
        grant += f", or add to its Role {' and '.join(json.dumps(right.rule()) for right in missing)}"
    return f"In namespace {namespace} this user may not {', '.join(map(str, missing))}: {grant}."


def _and(words: t.Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
