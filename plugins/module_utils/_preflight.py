# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_preflight: all that a release needs, looked at before anything is changed."""

from __future__ import annotations

import base64
import functools
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Forbidden, NotFound, connect
from ansible_collections.mcp.server.plugins.module_utils._cluster.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._cluster.pods import condition
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import gitops as decision
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import gitops
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **decision.OPTION,
        "required_secrets": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "no_log": False,
            "options": {
                "name": {"type": "str", "required": True},
                "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            },
        },
        "in_pod_checks": {"type": "bool", "default": False},
        "guard": {"type": "bool", "default": False},
    }
)

RELEASE, IN_POD_CHECKS, GUARD, OPTIONAL = "release", "in_pod_checks", "guard", "optional"


@dataclass(frozen=True)
class Right:
    """A rule of the Role. needed: for every release, only with in_pod_checks or guard, or better to have (purpose: what for)."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    purpose: str
    needed: str = RELEASE


# With those of the kind of route the one source of what the README's Role grants; a test compares the two.
# A WebSocket to a pod is opened by a GET: it needs get, and from Kubernetes 1.35 create as well
RIGHTS = (
    Right("apps", "deployments", ("get", "patch"), "the pools' images and sizes"),
    Right("apps", "replicasets", ("list",), "which pods are of the new version"),
    Right("", "pods", ("get", "list"), "whether the pods are ready"),
    Right("", "pods/portforward", ("get", "create"), "asking a pod directly"),
    Right("", "services", ("get",), "what each pool's Service selects"),
    Right("discovery.k8s.io", "endpointslices", ("list",), "which pods get traffic"),
    Right("", "configmaps", ("get", "create", "patch"), "the release record"),
    Right("coordination.k8s.io", "leases", ("get", "create", "patch"), "one release at a time"),
    Right("", "pods/exec", ("get", "create"), "checks inside the pods", IN_POD_CHECKS),
    Right("batch", "jobs", ("get", "create", "delete"), "a guard", GUARD),
    Right("", "events", ("list",), "the reasons why pods are not ready", OPTIONAL),
    Right("autoscaling", "horizontalpodautoscalers", ("list", "patch"), "autoscalers of the pools", OPTIONAL),
    Right("policy", "poddisruptionbudgets", ("list",), "how many pods have to be there", OPTIONAL),
)
PARALLEL = 8


def rights(server: Server) -> list[Right]:
    """All that a release of this server may have to do."""
    return [*RIGHTS, *(Right(*rule, "the traffic's weights") for rule in kind_of(server).rules(server))]


@dataclass(frozen=True)
class Context:
    cluster: t.Any
    server: Server
    params: dict[str, t.Any]


def run(task: Task) -> dict[str, t.Any]:
    found = checks(Context(connect(task.params), Server.from_params(task.params), task.params), task.progress)
    result = {"changed": False, "checks": found}
    failed = [check["sentence"] for check in found if not check["ok"]]
    if failed:
        raise Failure(" ".join(failed), **result)
    return result


def checks(context: Context, progress: t.Callable[[str], None] = lambda line: None) -> list[dict[str, t.Any]]:
    """All of them, as in RV(checks); the last is a premise of the others when that fails."""
    found = []
    for name, look in CHECKS:
        check = _checked(name, functools.partial(look, context))
        found.append(check)
        progress(f"{'skipped' if check['skipped'] else 'ok' if check['ok'] else 'FAILED'}: {check['sentence']}")
        if not check["ok"] and look in PREMISES:
            break
    return found


def _checked(name: str, look: t.Callable[[], str]) -> dict[str, t.Any]:
    """An element of RV(checks)."""
    started = time.monotonic()
    ok, skipped = True, False
    try:
        sentence = look()
    except Forbidden:
        # What a release needs and we may not is the rights' check to tell, once
        skipped, sentence = True, f"The check of the {name} was skipped: we are not permitted to look."
    except Failure as failure:
        ok, sentence = False, failure.msg
    return {"name": name, "ok": ok, "skipped": skipped, "sentence": sentence, "seconds": round(time.monotonic() - started, 3)}


# Each check returns a sentence, or raises Failure with one


def _api_server(context: Context) -> str:
    return f"The API server {context.cluster.host} answers, Kubernetes {context.cluster.get('/version')['gitVersion']}."


def _namespace(context: Context) -> str:
    name = context.server.namespace
    try:
        phase = context.cluster.get(f"/api/v1/namespaces/{name}").get("status", {}).get("phase")
    except NotFound:
        raise Failure(f"Namespace {name} does not exist on {context.cluster.host}: create it, or correct namespace.") from None
    if phase == "Terminating":
        raise Failure(f"Namespace {name} is being deleted: wait until it is gone and create it again.")
    return f"Namespace {name} exists."


def _rights(context: Context) -> str:
    namespace = context.server.namespace
    asked = [(right, verb) for right in rights(context.server) for verb in right.verbs if context.params.get(right.needed, True)]
    with ThreadPoolExecutor(PARALLEL) as threads:
        answers = list(threads.map(lambda one: context.cluster.may(namespace, one[1], one[0].group, one[0].resource), asked))
    refused = [one for one, may in zip(asked, answers, strict=True) if not may]
    missing = [_named(right, verb) for right, verb in refused if right.needed != OPTIONAL]
    if missing:
        raise Failure(f"In namespace {namespace} we may not {', '.join(missing)}: grant the Role in the collection's README to this user.")
    do_without = "".join(f"; we do without {_named(right, verb)} ({right.purpose})" for right, verb in refused)
    return f"We have all rights in namespace {namespace} that a release needs{do_without}."


def _named(right: Right, verb: str) -> str:
    return f"{verb} {right.resource}" + (f".{right.group}" if right.group else "")


def _deployment(context: Context, pool: str) -> str:
    server = context.server
    name = f"Deployment {server.namespace}/{server.deployment(pool)}"
    deployment = _existing(context, server.deployment_path(pool), name)
    image, replicas = server.image(context.cluster, pool)
    labels = deployment["spec"]["template"]["metadata"].get("labels")
    _has_labels(f"{name}: its pods", labels, server, pool)
    ours = kind_of(server).pod_label
    if ours and ours in (labels or {}):
        raise Failure(f"{name}: its template must not have the label {ours}, or new pods get traffic by themselves: remove it there.")
    return f"{name} has {replicas} replicas of {image}."


def _service(context: Context, pool: str) -> str:
    server = context.server
    name = f"Service {server.namespace}/{server.service(pool)}"
    service = _existing(context, f"/api/v1/namespaces/{server.namespace}/services/{server.service(pool)}", name)
    _has_labels(f"{name}: its selector", service["spec"].get("selector"), server, pool)
    return f"{name} selects its own pool only."


def _existing(context: Context, path: str, name: str) -> dict[str, t.Any]:
    try:
        return context.cluster.get(path)
    except NotFound:
        raise Failure(f"{name} does not exist on {context.cluster.host}: create it, or correct server and pool_name_format.") from None


def _has_labels(whose: str, labels: dict[str, str] | None, server: Server, pool: str) -> None:
    needed = {"app": server.name, "pool": pool}
    has = labels or {}
    if any(has.get(key) != value for key, value in needed.items()):
        raise Failure(f"{whose} must have the labels app={server.name} and pool={pool}, but has {_labels(has) or 'none'}: correct it.")


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _route(context: Context) -> str:
    server = context.server
    kind = kind_of(server)
    name = kind.name(server)
    try:
        route = kind.read(context.cluster, server)
    except NotFound:
        raise Failure(f"{name} does not exist on {context.cluster.host}: create it, or correct route and route_kind.") from None
    weights = kind.weights(route, server)
    if not any(weights.values()):
        raise Failure(f"{name} gives weight to no pool: give one of them 100.")
    reason = kind.not_accepted(route, server)
    if reason:
        raise Failure(f"{name} is not in force: {reason}.")
    return f"{name} is in force, with " + " and ".join(f"{pool} at {weight} %" for pool, weight in weights.items()) + kind.note(route, server) + "."


def _gitops(context: Context) -> str:
    ignores = context.params["gitops_ignores"]
    found = gitops.find(context.cluster, context.server)
    refused = decision.refusal(found, ignores)
    if refused:
        raise Failure(refused)
    return decision.note(found, ignores)


def _secrets(context: Context) -> str:
    wanted = context.params["required_secrets"]
    with_faults = [fault for secret in wanted if (fault := _secret_fault(context, secret))]
    if with_faults:
        raise Failure(f"In namespace {context.server.namespace} {'; '.join(with_faults)}.")
    return f"The required Secrets ({', '.join(secret['name'] for secret in wanted) or 'none'}) are there."


def _secret_fault(context: Context, secret: dict[str, t.Any]) -> str:
    name = secret["name"]
    try:
        data = context.cluster.get(f"/api/v1/namespaces/{context.server.namespace}/secrets/{name}").get("data") or {}
    except NotFound:
        return f"Secret {name} does not exist: create it"
    except Forbidden:
        return f"we may not read Secret {name}: grant get on it by name, or leave it out of required_secrets"
    empty = [key for key in secret["keys"] if not base64.b64decode(data.get(key, "")).strip()]
    return f"Secret {name} has no value for {', '.join(empty)}: add it" if empty else ""


def _nodes(context: Context) -> str:
    nodes = context.cluster.get("/api/v1/nodes")["items"]
    unready = [node["metadata"]["name"] for node in nodes if condition(node, "Ready").get("status") != "True"]
    if unready:
        raise Failure(f"{len(unready)} of {len(nodes)} nodes are not Ready ({', '.join(unready)}): repair or remove them.")
    return f"All {len(nodes)} nodes are Ready."


CHECKS: tuple[tuple[str, t.Callable[[Context], str]], ...] = (
    ("API server", _api_server),
    ("namespace", _namespace),
    ("rights", _rights),
    *((f"{pool} Deployment", functools.partial(_deployment, pool=pool)) for pool in POOLS),
    *((f"{pool} Service", functools.partial(_service, pool=pool)) for pool in POOLS),
    ("route", _route),
    ("GitOps tools", _gitops),
    ("secrets", _secrets),
    ("nodes", _nodes),
)
# Without these the others could only fail for the same reason
PREMISES = (_api_server, _namespace)
