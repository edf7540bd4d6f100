# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of what a release needs from the start. Each returns a sentence, or raises Failure with one."""

from __future__ import annotations

import base64
import functools
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import gitops as gitops_policy
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.whoami import known_as
from ansible_collections.mcp.server.plugins.module_utils._preflight import overlap
from ansible_collections.mcp.server.plugins.module_utils._preflight.rights import (
    Question,
    missing_rights,
    narrowed,
    questions,
    rights,
)
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, record
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, unexpected
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic import gitops
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling, stateful_sets
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import condition, name_of

API_SERVER, NAMESPACE = "api_server", "namespace"  # ids of checks that others look up

PARALLEL = 8  # questions about rights asked at once


@dataclass(frozen=True)
class Context:
    """What the checks ask and compare."""

    cluster: Api
    server: Server
    # The options of mcp_preflight.
    params: dict[str, t.Any]


def checks(context: Context, progress: t.Callable[[str], None] = lambda line: None) -> list[dict[str, t.Any]]:
    """Return the results of all checks, as in RV(checks), up to a failed one without which the others can only fail."""
    results = []
    for check_id, name, check in CHECKS:
        result = _result(check_id, name, functools.partial(check, context))
        results.append(result)
        progress(f"{'skipped' if result['skipped'] else 'ok' if result['ok'] else 'FAILED'}: {result['message']}")
        if not result["ok"] and check_id in PREMISES:
            break
    return results


def _result(check_id: str, name: str, check: t.Callable[[], str]) -> dict[str, t.Any]:
    """Return an element of RV(checks)."""
    started = time.monotonic()
    ok, skipped = True, False
    try:
        message = check()
    except Forbidden:
        # The check of the rights reports what a release needs and may not do.
        skipped, message = True, f'Check "{name}" skipped: no permission.'
    except Failure as failure:
        ok, message = False, failure.msg
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        ok, message = False, f'Check "{name}" cannot read the API server\'s answer. {unexpected(error)}'
    seconds = round(time.monotonic() - started, 3)
    return {
        "id": check_id,
        "name": name,
        "ok": ok,
        "required": True,
        "skipped": skipped,
        "message": message,
        "seconds": seconds,
    }


def _api_server(context: Context) -> str:
    version = context.cluster.get("/version").get("gitVersion")
    kubernetes = f"Kubernetes {printable(version, 60) if isinstance(version, str) else 'of unknown version'}"
    return f"The API server {context.cluster.host} answers, {kubernetes}{known_as(context.cluster)}."


def _namespace(context: Context) -> str:
    name = context.server.namespace
    try:
        phase = context.cluster.get(paths.namespaces(name)).get("status", {}).get("phase")
    except NotFound:
        raise Failure(
            f"Namespace {name} does not exist on {context.cluster.host}: create it, or correct namespace."
        ) from None
    if phase == "Terminating":
        raise Failure(f"Namespace {name} is being deleted: wait until it is gone, then create it again.")
    return f"Namespace {name} exists."


def _rights(context: Context) -> str:
    server, params = context.server, context.params
    # Without the right to list autoscalers this finds none, and its warning would repeat what is reported below.
    autoscalers = autoscaling.find(context.cluster, server, warn=lambda text: None).values()
    wanted = rights(server, params["guard_service_account"], sorted(one.name for one in autoscalers))
    reviews = questions(right for right in wanted if not right.only_with or params[right.only_with])

    def may(one: Question) -> bool:
        return context.cluster.may(server.namespace, one.verb, one.right.group, one.right.resource, one.name)

    with ThreadPoolExecutor(PARALLEL) as threads:
        answers = list(threads.map(may, reviews))
    refused = narrowed(question for question, allowed in zip(reviews, answers, strict=True) if not allowed)
    missing = [right for right in refused if not right.optional]
    if missing:
        raise Failure(missing_rights(server.namespace, missing))
    optional = ", ".join(f"{right} ({right.purpose})" for right in refused)
    without = f"; continuing without: {optional}" if optional else ""
    return f"This user has all rights in namespace {server.namespace} that a release needs{without}."


def _workload(context: Context, pool: str) -> str:
    server = context.server
    name = server.workload_title(pool)
    workload = _existing(context, server.workload_path(pool), name)
    labels = mapping(workload["spec"]["template"], "metadata", "labels")
    image, replicas = server.deployed(context.cluster, workload, pool)
    traffic_label = kind_of(server).pod_label
    if traffic_label and traffic_label in labels:
        raise Failure(
            f"The pod template of {name} must not have the label {traffic_label}: "
            "new pods would get traffic at once. Remove the label there."
        )
    notes = ""
    if stateful_sets.is_set(workload):
        if keeps := stateful_sets.keeps_pods(workload):
            raise Failure(f"{name} would not give a new image to all of its pods: {keeps}.")
        notes = stateful_sets.volumes_note(workload)
    return f"{name} has {replicas} replicas of {image}{notes}."


def _service(context: Context, pool: str) -> str:
    server = context.server
    selects = selectors.labels(server.selector(context.cluster, pool))
    try:
        template = mapping(context.cluster.get(server.workload_path(pool)), "spec", "template")
        leads = f" and leads to their port {server.port_in(context.cluster, template, pool)}"
    except NotFound:  # another check reports it
        leads = ""
    return f"Service {server.namespace}/{server.service(pool)} selects {selects}{leads}."


def _overlap(context: Context) -> str:
    try:
        pools = overlap.read(context.cluster, context.server)
    except (Forbidden, Unreachable):
        raise
    except Failure:
        return "The pods of the pools are not compared, as the checks of their objects have failed."
    if found := overlap.problems(pools):
        raise Failure(" ".join(found))
    return "The Service of each pool selects the pods of that pool, and no others of this server."


def _existing(context: Context, path: str, name: str) -> dict[str, t.Any]:
    """Return the object at a path. Raises Failure when there is none."""
    try:
        return context.cluster.get(path)
    except NotFound:
        raise Failure(
            f"{name} does not exist on {context.cluster.host}: create it, or correct server, pool_name_format, "
            "or blue and green."
        ) from None


def _route(context: Context) -> str:
    server = context.server
    kind = kind_of(server)
    name = kind.name(server)
    try:
        route = kind.read(context.cluster, server)
    except NotFound:
        raise Failure(
            f"{name} does not exist on {context.cluster.host}: create it, or correct route and route_kind."
        ) from None
    weights = kind.weights(route, server)
    if not any(weights.values()):
        raise Failure(f"{name} gives weight to no pool: give one of them 100.")
    reason = kind.not_accepted(route, server)
    if reason:
        raise Failure(f"{name} is not in force: {reason}.")
    shown = " and ".join(f"{pool} at {weight} %" for pool, weight in weights.items())
    notes = "".join(f"; {note}" for note in kind.notes(route, server))
    return f"{name} is in force, with {shown}{notes}."


def _gitops(context: Context) -> str:
    ignores = context.params["gitops_ignores"]
    found = gitops.find(context.cluster, context.server)
    refusal = gitops_policy.refusal(found, ignores)
    if refusal:
        raise Failure(refusal)
    return gitops_policy.note(found, ignores)


def _secrets(context: Context) -> str:
    wanted = context.params["required_secrets"]
    problems = [problem for secret in wanted if (problem := _secret_problem(context, secret))]
    if problems:
        raise Failure(f"In namespace {context.server.namespace} {'; '.join(problems)}.")
    names = ", ".join(secret["name"] for secret in wanted)
    return f"The required Secrets exist ({names})." if names else "No Secrets are required."


def _secret_problem(context: Context, secret: dict[str, t.Any]) -> str:
    """Return what is wrong with a required Secret, empty when nothing is."""
    name = secret["name"]
    try:
        data = mapping(context.cluster.get(paths.secrets(context.server.namespace, name)), "data")
    except NotFound:
        return f"Secret {name} does not exist: create it"
    except Forbidden:
        return f"this user may not read Secret {name}: grant get on it by name, or remove it from required_secrets"
    empty = [key for key in secret["keys"] if not base64.b64decode(data.get(key) or "").strip()]
    return f"Secret {name} has no value for {', '.join(empty)}: add it" if empty else ""


def _guard(context: Context) -> str:
    if not context.params["guard"]:
        return "No guard is configured."
    server, name = context.server, context.params["guard_service_account"]
    try:
        context.cluster.get(paths.service_accounts(server.namespace, quote(name, safe="")))
    except NotFound:
        raise Failure(
            f"The guard's ServiceAccount {server.namespace}/{name} does not exist on {context.cluster.host}: "
            "create it with the Role in docs/guard.md, or correct mcp_guard_service_account."
        ) from None
    return f"The guard's ServiceAccount {server.namespace}/{name} exists."


def _nodes(context: Context) -> str:
    nodes = items(context.cluster.get(paths.NODES), "items")
    unready = [name_of(node) for node in nodes if condition(node, "Ready").get("status") != "True"]
    if unready:
        raise Failure(
            f"{len(unready)} of {len(nodes)} nodes are not Ready ({', '.join(unready)}): repair or remove them."
        )
    return f"All {len(nodes)} nodes are Ready."


def _version(context: Context) -> str:
    if context.params.get("version") is None:
        return "No version is named, so none is looked up in the release record."
    version = _versions.text_of(context.params)
    release_record, _version = record.read(context.cluster, context.server)
    if refusal := failed_versions.refusal(release_record, version, context.params["force_version"]):
        raise Failure(refusal)
    return f"The release record has no failed release of version {version}."


def workload_id(pool: str) -> str:
    """Return the id of the check of this pool's Deployment or StatefulSet."""
    return f"workload_{pool}"


# id, name, check
CHECKS: tuple[tuple[str, str, t.Callable[[Context], str]], ...] = (
    (API_SERVER, "API server", _api_server),
    (NAMESPACE, "namespace", _namespace),
    ("rights", "rights", _rights),
    *((workload_id(pool), f"{pool} workload", functools.partial(_workload, pool=pool)) for pool in POOLS),
    *((f"service_{pool}", f"{pool} Service", functools.partial(_service, pool=pool)) for pool in POOLS),
    ("overlap", "pods of the pools", _overlap),
    ("route", "route", _route),
    ("gitops", "GitOps tools", _gitops),
    ("secrets", "secrets", _secrets),
    ("guard_service_account", "guard's ServiceAccount", _guard),
    ("nodes", "nodes", _nodes),
    ("version", "version", _version),
)

# The checks without which the others could only fail for the same reason.
PREMISES = (API_SERVER, NAMESPACE)
