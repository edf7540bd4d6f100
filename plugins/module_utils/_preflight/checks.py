# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of what a release needs now. Each returns a sentence, or raises Failure with one."""

from __future__ import annotations

import base64
import functools
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import gitops as decision
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.whoami import known_as
from ansible_collections.mcp.server.plugins.module_utils._preflight.rights import complaint, narrowed, questions, rights
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, record
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, unexpected
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic import gitops
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import condition

API_SERVER, NAMESPACE = "api_server", "namespace"  # ids of checks that others look up


PARALLEL = 8


@dataclass(frozen=True)
class Context:
    cluster: Api
    server: Server
    params: dict[str, t.Any]


def checks(context: Context, progress: t.Callable[[str], None] = lambda line: None) -> list[dict[str, t.Any]]:
    """All of them, as in RV(checks); the last is a premise of the others when that fails."""
    found = []
    for identifier, name, look in CHECKS:
        check = _checked(identifier, name, functools.partial(look, context))
        found.append(check)
        progress(f"{'skipped' if check['skipped'] else 'ok' if check['ok'] else 'FAILED'}: {check['message']}")
        if not check["ok"] and look in PREMISES:
            break
    return found


def _checked(identifier: str, name: str, look: t.Callable[[], str]) -> dict[str, t.Any]:
    """An element of RV(checks)."""
    started = time.monotonic()
    ok, skipped = True, False
    try:
        message = look()
    except Forbidden:
        # What a release needs and we may not is the rights' check to tell, once
        skipped, message = True, f"The check of the {name} was skipped: we are not permitted to look."
    except Failure as failure:
        ok, message = False, failure.msg
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        ok, message = False, f"The check of the {name} could not read what the API server answered: {unexpected(error)}"
    seconds = round(time.monotonic() - started, 3)
    return {
        "id": identifier,
        "name": name,
        "ok": ok,
        "required": True,
        "skipped": skipped,
        "message": message,
        "seconds": seconds,
    }


def _api_server(context: Context) -> str:
    version = context.cluster.get("/version").get("gitVersion")
    known = f"Kubernetes {printable(version, 60)}" if isinstance(version, str) else "without its version"
    return f"The API server {context.cluster.host} answers, {known}{known_as(context.cluster)}."


def _namespace(context: Context) -> str:
    name = context.server.namespace
    try:
        phase = context.cluster.get(paths.namespaces(name)).get("status", {}).get("phase")
    except NotFound:
        raise Failure(
            f"Namespace {name} does not exist on {context.cluster.host}: create it, or correct namespace."
        ) from None
    if phase == "Terminating":
        raise Failure(f"Namespace {name} is being deleted: wait until it is gone and create it again.")
    return f"Namespace {name} exists."


def _rights(context: Context) -> str:
    server, params = context.server, context.params
    # Without the right to look there is none, which the answers below tell as well
    scalers = autoscaling.find(context.cluster, server, warn=lambda said: None).values()
    wanted = rights(server, params["guard_service_account"], sorted(scaler.name for scaler in scalers))
    asked = questions(right for right in wanted if not right.only_with or params[right.only_with])
    with ThreadPoolExecutor(PARALLEL) as threads:
        answers = list(
            threads.map(
                lambda one: context.cluster.may(
                    server.namespace, one.verb, one.right.group, one.right.resource, one.name
                ),
                asked,
            )
        )
    lacking = narrowed(question for question, may in zip(asked, answers, strict=True) if not may)
    missing = [right for right in lacking if not right.optional]
    if missing:
        raise Failure(complaint(server.namespace, missing))
    do_without = "".join(f"; we do without {right} ({right.purpose})" for right in lacking)
    return f"We have all rights in namespace {server.namespace} that a release needs{do_without}."


def _deployment(context: Context, pool: str) -> str:
    server = context.server
    name = f"Deployment {server.namespace}/{server.deployment(pool)}"
    deployment = _existing(context, server.deployment_path(pool), name)
    image, replicas = server.image(context.cluster, pool)
    labels = deployment["spec"]["template"]["metadata"].get("labels")
    _has_labels(f"{name}: its pods", labels, server, pool)
    ours = kind_of(server).pod_label
    if ours and ours in (labels or {}):
        raise Failure(
            f"{name}: its template must not have the label {ours}, or new pods get traffic by themselves: remove it there."
        )
    return f"{name} has {replicas} replicas of {image}."


def _service(context: Context, pool: str) -> str:
    server = context.server
    name = f"Service {server.namespace}/{server.service(pool)}"
    service = _existing(context, paths.services(server.namespace, server.service(pool)), name)
    _has_labels(f"{name}: its selector", service["spec"].get("selector"), server, pool)
    return f"{name} selects its own pool only."


def _existing(context: Context, path: str, name: str) -> dict[str, t.Any]:
    try:
        return context.cluster.get(path)
    except NotFound:
        raise Failure(
            f"{name} does not exist on {context.cluster.host}: create it, or correct server and pool_name_format."
        ) from None


def _has_labels(whose: str, labels: dict[str, str] | None, server: Server, pool: str) -> None:
    needed = {"app": server.name, "pool": pool}
    has = labels or {}
    if any(has.get(key) != value for key, value in needed.items()):
        raise Failure(
            f"{whose} must have the labels app={server.name} and pool={pool}, but has {_labels(has) or 'none'}: correct it."
        )


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


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
    return (
        f"{name} is in force, with "
        + " and ".join(f"{pool} at {weight} %" for pool, weight in weights.items())
        + kind.note(route, server)
        + "."
    )


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
        data = context.cluster.get(paths.secrets(context.server.namespace, name)).get("data") or {}
    except NotFound:
        return f"Secret {name} does not exist: create it"
    except Forbidden:
        return f"we may not read Secret {name}: grant get on it by name, or leave it out of required_secrets"
    empty = [key for key in secret["keys"] if not base64.b64decode(data.get(key, "")).strip()]
    return f"Secret {name} has no value for {', '.join(empty)}: add it" if empty else ""


def _guard(context: Context) -> str:
    if not context.params["guard"]:
        return "No guard is wanted."
    server, name = context.server, context.params["guard_service_account"]
    try:
        context.cluster.get(paths.service_accounts(server.namespace, quote(name, safe="")))
    except NotFound:
        raise Failure(
            f"ServiceAccount {server.namespace}/{name}, which the guard is to have, does not exist on {context.cluster.host}: "
            "create it with the Role in docs/guard.md, or correct mcp_guard_service_account."
        ) from None
    return f"The guard's ServiceAccount {server.namespace}/{name} exists."


def _nodes(context: Context) -> str:
    nodes = context.cluster.get(paths.NODES)["items"]
    unready = [node["metadata"]["name"] for node in nodes if condition(node, "Ready").get("status") != "True"]
    if unready:
        raise Failure(
            f"{len(unready)} of {len(nodes)} nodes are not Ready ({', '.join(unready)}): repair or remove them."
        )
    return f"All {len(nodes)} nodes are Ready."


def _version(context: Context) -> str:
    if context.params.get("version") is None:
        return "No version is named, so nothing is known against it."
    version = _versions.text_of(context.params)
    if found := failed_versions.refusal(
        record.read(context.cluster, context.server)[0], version, context.params["force_version"]
    ):
        raise Failure(found)
    return f"The release record has nothing against version {version}."


def deployment_id(pool: str) -> str:
    """Return the id of the check of this pool's Deployment."""
    return f"deployment_{pool}"


# id, name, check
CHECKS: tuple[tuple[str, str, t.Callable[[Context], str]], ...] = (
    (API_SERVER, "API server", _api_server),
    (NAMESPACE, "namespace", _namespace),
    ("rights", "rights", _rights),
    *((deployment_id(pool), f"{pool} Deployment", functools.partial(_deployment, pool=pool)) for pool in POOLS),
    *((f"service_{pool}", f"{pool} Service", functools.partial(_service, pool=pool)) for pool in POOLS),
    ("route", "route", _route),
    ("gitops", "GitOps tools", _gitops),
    ("secrets", "secrets", _secrets),
    ("guard_service_account", "guard's ServiceAccount", _guard),
    ("nodes", "nodes", _nodes),
    ("version", "version", _version),
)


# Without these the others could only fail for the same reason
PREMISES = (_api_server, _namespace)
