# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of what a release needs from the start. Each returns a sentence, or raises Failure with one."""

from __future__ import annotations

import functools
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from ansible_collections.mcp.server.plugins.module_utils import _results, _versions
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import gitops as gitops_policy
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.whoami import known_as
from ansible_collections.mcp.server.plugins.module_utils._preflight import (
    budgets,
    image,
    interrupted,
    naming,
    nodes,
    overlap,
    quotas,
    secrets,
    service_account,
)
from ansible_collections.mcp.server.plugins.module_utils._preflight import pools as pool_checks
from ansible_collections.mcp.server.plugins.module_utils._preflight.concurrently import begun
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._preflight.rights import (
    Question,
    missing_rights,
    narrowed,
    questions,
    rights,
)
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, record
from ansible_collections.mcp.server.plugins.module_utils._results import Result, Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass, gitops
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling, stateful_sets

API_SERVER, NAMESPACE = "api_server", "namespace"  # ids of checks that others look up

PARALLEL = 16  # questions about rights asked at once


def checks(context: Context, progress: t.Callable[[str], None] = lambda line: None) -> list[Result]:
    """Return the results of all checks, as in RV(checks), up to a failed one without which the others can only fail."""
    bypassed = set(context.params.get("bypassed") or ()) & set(BYPASSABLE)
    results: list[Result] = []

    def add(result: Result) -> Result:
        results.append(result)
        progress(f"{_results.word(result)}: {result['message']}")
        return result

    for check_id, name, check in CHECKS:
        if check_id in PREMISES and not add(_result(check_id, name, functools.partial(check, context)))["ok"]:
            return results
    warns = {*WARNINGS, *_warned_of(context)}
    # Side by side: of an API server that takes seconds for an answer, one after the other takes minutes.
    calls = [
        functools.partial(_bypassed, check_id, name)
        if check_id in bypassed
        else functools.partial(_result, check_id, name, functools.partial(check, context), check_id not in warns)
        for check_id, name, check in CHECKS
        if check_id not in PREMISES
    ]
    for answer in begun(calls):
        add(answer(threading.TIMEOUT_MAX))  # their requests have time-outs of their own
    return results


def _bypassed(check_id: str, name: str) -> Result:
    """Return the result of a check that is not made: what it asks may be what hangs."""
    return _results.result(check_id, name, _results.SKIPPED, f'Check "{name}" is bypassed.', required=False)


def _warned_of(context: Context) -> t.Iterable[str]:
    """Return the checks that refuse other releases, and only warn in this one."""
    if not service_account.are_own(context.params):
        yield "service_account_excess"
    if interrupted.find(context) is not None:
        yield from GONE_ON_WITHOUT


def _result(check_id: str, name: str, check: t.Callable[[], str], required: bool = True) -> Result:
    """Make a check and return its result."""

    def permitted() -> str:
        try:
            return check()
        except Forbidden:
            # The check of the rights reports what a release needs and may not do.
            raise Skipped(f'Check "{name}" skipped: no permission.') from None

    return _results.made(check_id, name, permitted, required=required)


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


def _pool_header(context: Context) -> str:
    return naming.check(context.cluster, context.server, context.params)


def _gitops(context: Context) -> str:
    ignores = context.params["gitops_ignores"]
    found = gitops.find(context.cluster, context.server)
    refusal = gitops_policy.refusal(found, ignores)
    if refusal:
        raise Failure(refusal)
    return gitops_policy.note(found, ignores)


def _break_glass(context: Context) -> str:
    unknown: list[str] = []
    if found := broken_glass.find(context.cluster, context.server, unknown.append):
        raise Failure(broken_glass.sentence(found, context.server))
    if unknown:
        return " ".join(dict.fromkeys(unknown))
    return "Nothing is changed by break_glass.yml."


def _secrets(context: Context) -> str:
    return secrets.check(context.cluster, context.server, context.params)


def _secrets_age(context: Context) -> str:
    return secrets.check_age(context.cluster, context.server, context.params)


def _service_account_rights(context: Context) -> str:
    return service_account.check_rights(context.cluster, context.server, context.params)


def _service_account_excess(context: Context) -> str:
    return service_account.check_excess(context.cluster, context.server, context.params)


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
    ("pool_header", "which pool answers", _pool_header),
    ("gitops", "GitOps tools", _gitops),
    ("break_glass", "break-glass", _break_glass),
    ("secrets", "secrets", _secrets),
    ("secrets_age", "age of the secrets", _secrets_age),
    ("service_account_rights", "rights of the server's ServiceAccount", _service_account_rights),
    ("service_account_excess", "rights that no server may have", _service_account_excess),
    ("guard_service_account", "guard's ServiceAccount", _guard),
    ("nodes", "nodes", nodes.check),
    ("room", "room for the idle pool", nodes.room),
    ("quotas", "quotas", quotas.check),
    ("limit_ranges", "limit ranges", quotas.check_limits),
    ("disruption_budgets", "disruption budgets", budgets.check),
    *((f"running_{pool}", f"{pool} runs", functools.partial(pool_checks.running, pool=pool)) for pool in POOLS),
    ("drift", "drift between the pools", pool_checks.drift),
    ("registry", "image in the registry", image.registry),
    ("platform", "platform of the image", image.platform),
    ("image_check", "command on the image", image.command),
    ("version", "version", _version),
)

# The checks without which the others could only fail for the same reason.
PREMISES = (API_SERVER, NAMESPACE)

# What a release can do with: the plan and the release only say it. The pods of a pool differ after a release that was
# cut off, and, by their platform, of an image that is the same.
WARNINGS = ("secrets_age", "disruption_budgets", "running_blue", "running_green", "drift")

# What was looked at when a release began that was interrupted. It may have half of the traffic, and has to go on while
# a node is away, or has no room. A registry that is away is image.py's.
GONE_ON_WITHOUT = (
    *("secrets", "service_account_rights", "service_account_excess"),
    *("nodes", "room", "quotas", "limit_ranges", "platform"),
)

# What the release itself refuses too, or can't do without.
NEVER_BYPASSED = (*PREMISES, "overlap", "gitops", "break_glass", "version")
BYPASSABLE = tuple(check_id for check_id, _name, _check in CHECKS if check_id not in NEVER_BYPASSED)
