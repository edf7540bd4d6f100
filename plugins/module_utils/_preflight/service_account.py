# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of what the ServiceAccount of the server's pods may do: all that it needs, and nothing of a list.

The API server is asked by LocalSubjectAccessReview, as C(kubectl auth can-i --as) asks, but without the right to
impersonate anybody.
"""

from __future__ import annotations

import functools
import json
import re
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

PARALLEL = 8  # questions asked at once
MAX_QUESTIONS = 200  # of one ServiceAccount
MAX_SHOWN = 10  # rights in a sentence
DEFAULT_ACCOUNT = "default"  # of pods that name none

# What asking takes, as in rights.py
REVIEW = {"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"], "verbs": ["create"]}

_ABSENT_ROLE = re.compile(r'(?:cluster)?role\.rbac\.authorization\.k8s\.io "[^"]{0,253}" not found')

_RULES: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "apiGroups": {"type": "list", "elements": "str", "default": [""]},
        "resources": {"type": "list", "elements": "str", "required": True},
        "resourceNames": {"type": "list", "elements": "str", "default": []},
        "verbs": {"type": "list", "elements": "str", "required": True},
    },
}
# What takes over other pods, or reads what is not the server's.
FORBIDDEN: list[dict[str, list[str]]] = [
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]},
    {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets"], "verbs": ["patch", "update"]},
    {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["escalate", "bind"]},
]
OPTIONS: dict[str, t.Any] = {
    "service_account": {"type": "str"},
    "service_account_rights": {**_RULES, "default": []},
    "service_account_forbidden": _RULES,
    "service_account_also_forbidden": {**_RULES, "default": []},
}


class Asked(t.NamedTuple):
    """A question for the API server. name: of the object; empty for all objects of the kind."""

    verb: str
    group: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {kind} {self.name}".rstrip()


class Answer(t.NamedTuple):
    """The API server's answer. reason: its own words, which mostly name the binding."""

    account: str
    asked: Asked
    allowed: bool
    reason: str


def questions(rules: t.Iterable[t.Mapping[str, t.Any]]) -> list[Asked]:
    """Return what is asked of the rules of a Role, each question once. Pure."""
    return list(
        dict.fromkeys(
            Asked(verb, group, resource, name)
            for rule in rules
            for group in rule.get("apiGroups") or [""]
            for resource in rule["resources"]
            for verb in rule["verbs"]
            for name in rule.get("resourceNames") or [""]
        )
    )


def forbidden(params: t.Mapping[str, t.Any]) -> list[Asked]:
    """Return the rights that the ServiceAccount must not have. What it needs is never one of them. Pure."""
    given = params["service_account_forbidden"]
    rules = [*(FORBIDDEN if given is None else given), *params["service_account_also_forbidden"]]
    needed = set(questions(params["service_account_rights"]))
    return [one for one in questions(rules) if one not in needed]


def are_own(params: t.Mapping[str, t.Any]) -> bool:
    """Return whether the user has named rights that are forbidden. Of the default list a release only warns. Pure."""
    return params["service_account_forbidden"] is not None or bool(params["service_account_also_forbidden"])


def check_rights(cluster: Api, server: Server, params: t.Mapping[str, t.Any]) -> str:
    """Return a sentence when the ServiceAccount may do all that it needs. Raises Failure with what is missing."""
    wanted = questions(params["service_account_rights"])
    if not wanted:
        return "No rights of the server's ServiceAccount are required (service_account_rights)."
    names = accounts(cluster, server, params["service_account"])
    if missing := lacking(server.namespace, _ask(cluster, server, names, wanted)):
        raise Failure(missing)
    return f"{title(server.namespace, names)} has all {len(wanted)} rights of service_account_rights."


def check_excess(cluster: Api, server: Server, params: t.Mapping[str, t.Any]) -> str:
    """Return a sentence when the ServiceAccount has no right of the list. Raises Failure with each right too many."""
    unwanted = forbidden(params)
    if not unwanted:
        return "No rights of the server's ServiceAccount are forbidden (service_account_forbidden)."
    names = accounts(cluster, server, params["service_account"])
    if found := excess(server.namespace, _ask(cluster, server, names, unwanted)):
        raise Failure(found)
    return f"{title(server.namespace, names)} has none of the {len(unwanted)} rights that a server must not have."


def accounts(cluster: Api, server: Server, named: str | None) -> list[str]:
    """Return the ServiceAccounts of the pools' pods, or the one that is named."""
    if named:
        return [named]
    found = []
    for pool in POOLS:
        try:
            workload = cluster.get(server.workload_path(pool))
        except NotFound:  # another check reports it
            continue
        spec = mapping(workload, "spec", "template", "spec")
        found.append(printable(spec.get("serviceAccountName") or DEFAULT_ACCOUNT, 253))
    if not found:
        raise Skipped("The pools do not exist, so the ServiceAccount of their pods is unknown.")
    return list(dict.fromkeys(found))


def title(namespace: str, names: t.Sequence[str]) -> str:
    """Return the ServiceAccounts for a sentence. Pure."""
    return f"ServiceAccount {' and '.join(f'{namespace}/{name}' for name in names)} of the server's pods"


def lacking(namespace: str, answers: t.Iterable[Answer]) -> str:
    """Return the sentence on what a ServiceAccount may not do, empty when it may do all. Pure."""
    sentences = []
    for account, some in _by_account(one for one in answers if not one.allowed).items():
        rule = {
            "apiGroups": sorted({one.asked.group for one in some}),
            "resources": sorted({one.asked.resource for one in some}),
            **({"resourceNames": names} if (names := sorted({one.asked.name for one in some} - {""})) else {}),
            "verbs": sorted({one.asked.verb for one in some}),
        }
        sentences.append(
            f"{title(namespace, [account])} may not {_shown(str(one.asked) for one in some)}: add it to a Role "
            f"({json.dumps(rule)}) that a RoleBinding gives to this ServiceAccount, or correct service_account_rights."
        )
    return " ".join(sentences)


def excess(namespace: str, answers: t.Iterable[Answer]) -> str:
    """Return the sentence on what a ServiceAccount may do and must not, empty when there is nothing. Pure."""
    sentences = []
    for account, some in _by_account(one for one in answers if one.allowed).items():
        reasons = list(dict.fromkeys(one.reason for one in some if one.reason))
        sentences.append(
            f"{title(namespace, [account])} may {_shown(str(one.asked) for one in some)}, which a server must not: "
            f"take it out of the Role, or remove the binding"
            + (f" ({_shown(reasons, '; ')})" if reasons else "")
            + f". To find the bindings: kubectl get rolebindings,clusterrolebindings -A -o wide | grep {account}. A "
            "right that the server needs belongs into service_account_rights."
        )
    return " ".join(sentences)


def _by_account(answers: t.Iterable[Answer]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for one in answers:
        found.setdefault(one.account, []).append(one)
    return found


def _shown(texts: t.Iterable[str], between: str = ", ") -> str:
    found = list(texts)
    more = len(found) - MAX_SHOWN
    return between.join(found[:MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _ask(cluster: Api, server: Server, names: t.Sequence[str], asked: t.Sequence[Asked]) -> list[Answer]:
    """Return the answers for all ServiceAccounts. Raises Skipped where this user may not ask."""
    if len(asked) > MAX_QUESTIONS:
        raise Failure(f"{len(asked)} rights are too many to ask for: name at most {MAX_QUESTIONS}.")
    calls = [functools.partial(_review, cluster, server.namespace, name, one) for name in names for one in asked]
    try:
        with ThreadPoolExecutor(PARALLEL) as threads:
            return list(threads.map(lambda call: call(), calls))
    except Forbidden:
        raise Skipped(
            f"The rights of the server's ServiceAccount are not checked: no permission. Add {json.dumps(REVIEW)} "
            "to this user's Role."
        ) from None


def _review(cluster: Api, namespace: str, account: str, asked: Asked) -> Answer:
    resource, _slash, subresource = asked.resource.partition("/")
    attributes = {
        "namespace": namespace,
        "verb": asked.verb,
        "group": asked.group,
        "resource": resource,
        "subresource": subresource,
        "name": asked.name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "LocalSubjectAccessReview",
        "metadata": {"namespace": namespace},
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{account}",
            # Impersonation adds these groups by itself; a review has only those that it names.
            "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
            "resourceAttributes": attributes,
        },
    }
    # It stores nothing: as a dry run it may be sent again.
    status = mapping(cluster.create(paths.local_access_reviews(namespace), review, dryRun="All"), "status")
    allowed = status.get("allowed")
    if not isinstance(allowed, bool):
        raise CannotMeasure(
            f"The API server {cluster.host} does not say whether ServiceAccount {namespace}/{account} may {asked}. "
            "Try again; if it stays so, its authorization webhook has to be repaired."
        )
    # A binding to a Role that does not exist gives nothing; old clusters are full of them.
    unknown = _ABSENT_ROLE.sub("", str(status.get("evaluationError") or ""))
    if not allowed and any(map(str.isalnum, unknown)):
        raise CannotMeasure(
            f"The API server {cluster.host} cannot tell whether ServiceAccount {namespace}/{account} may {asked}: "
            f"{printable(status['evaluationError'], 300)}. Repair the Roles or the authorizer that it names."
        )
    return Answer(account, asked, allowed, printable(status.get("reason") or "", 300))
