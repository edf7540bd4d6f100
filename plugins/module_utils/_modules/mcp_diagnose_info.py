# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_diagnose_info: what is wrong with a server, by its objects, its logs and checks made now."""

from __future__ import annotations

import functools
import shlex
import typing as t
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils import _output, _times
from ansible_collections.mcp.server.plugins.module_utils._announce import escalation
from ansible_collections.mcp.server.plugins.module_utils._debug import job, probes
from ansible_collections.mcp.server.plugins.module_utils._debug.objects import USER
from ansible_collections.mcp.server.plugins.module_utils._diagnose import (
    causes,
    checks,
    findings,
    patterns,
    sources,
    streams,
    text,
    throttling,
)
from ansible_collections.mcp.server.plugins.module_utils._diagnose.checks import Check
from ansible_collections.mcp.server.plugins.module_utils._diagnose.findings import Finding
from ansible_collections.mcp.server.plugins.module_utils._diagnose.sources import Sources
from ansible_collections.mcp.server.plugins.module_utils._diagnose.streams import Log
from ansible_collections.mcp.server.plugins.module_utils._gates import options as gates_options
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection, paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._text import printable

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "endpoint": endpoint.OPTION,
        "auth": auth.OPTION,
        "prometheus": gates_options.OPTION,
        "patterns": patterns.OPTION,
        "seconds": {"type": "float", "default": 3600.0},
        "timeout": {"type": "float", "default": 60.0},
        "gateway": {
            "type": "dict",
            "options": {
                "namespace": {"type": "str", "required": True},
                "selector": {"type": "dict", "required": True},
            },
        },
        "node_logs": {"type": "bool", "default": True},
        "review_token": {"type": "bool", "default": False},
        "hosts": {"type": "list", "elements": "str", "default": []},
        "debug_image_ref": {"type": "str"},
        "debug_user": {"type": "int", "default": USER},
        "escalation": escalation.OPTION,
        "fleet": {"type": "list", "elements": "dict"},
        "dest": {"type": "path"},
    },
)
SHORTEST, LONGEST = 5.0, 3600.0  # seconds of the deadline
OLDEST = 30 * 86400.0  # seconds for which logs are read
OF_OBJECTS = 0.35  # the part of the deadline after which objects are read no more
FOR_CHECKS = 0.4  # the part of the deadline that is kept for checks, where some may be made
MAX_BYTES = 1 << 30  # of one log


def run(task: Task) -> dict[str, t.Any]:
    """Return what RETURN of mcp_diagnose_info lists."""
    params = task.params
    if params["fleet"] is not None:
        return _fleet(task, params["fleet"])
    _refuse(params)
    searched = patterns.searched(params["patterns"])
    asked = [probe for host in params["hosts"] for probe in probes.of_host(host)]
    deadline = Deadline(params["timeout"])
    server = Server.from_params(params)
    cluster = connection.connect(params).limited(params["timeout"] / 4, params["timeout"] / 2)
    task.progress(f"reads {server}: objects, then logs, then checks; at most {params['timeout']:g} s")
    found = sources.read(cluster, server, _part(deadline, OF_OBJECTS))
    shares = _throttling(params, server, found, deadline)
    used = findings.usages(found.metrics, found.by_name())
    of_objects = [*_of_objects(cluster, server, found), *findings.of_usage(used, found.pool_of())]
    of_objects += findings.of_throttling(shares, found.pool_of())

    may_check = bool(params["hosts"] or params["review_token"])
    logs = [*streams.of_pods(found), *_gateway(cluster, params, found, server), *_nodes(params, found)]
    counted = streams.read(
        logs,
        functools.partial(_opened, cluster, params["seconds"], deadline),
        searched,
        _part(deadline, 1 - FOR_CHECKS if may_check else 0.95),
        found,
        task.progress,
    )
    made, missing = _checks(task, cluster, server, found, asked, deadline)
    of_objects += missing
    judged = checks.judged([*of_objects, *counted.findings], made)
    names = {one["name"] for one in params["patterns"]}
    own = {pattern.name: pattern for pattern, _expression in searched if pattern.name in names}
    every = [*judged, *checks.alone(judged, made)]
    ranked = causes.ranked(every, own, found.weights, cluster.now(), _facts(server))
    contacts = escalation.lines(params["escalation"], escalation.APPLICATION)
    since = f"{params['seconds'] / 60:.0f} min" if params["seconds"] >= 120 else f"{params['seconds']:.0f} s"
    blind = "" if found.pods else f"kubectl -n {shlex.quote(server.namespace)} get pods"
    most_likely = causes.paragraph(ranked, str(server), since, found.doubts, contacts, blind)
    title = f"{server}, at {_times.day(_times.iso(cluster.now()))}"
    read = f"{counted.logs} of {len(logs)} read, {counted.lines} lines of the last {since}"
    shown = text.lines(
        title, found, judged[: len(of_objects)], judged[len(of_objects) :], read, used, made, most_likely, contacts
    )
    for line in shown:
        task.progress(line)
    result = {
        "changed": False,
        "lines": shown,
        "most_likely": most_likely,
        "causes": [one.result() for one in ranked],
        "findings": [one.result() for one in every],
        "checks": [one.result() for one in made],
        "not_read": found.not_read,
        "logs": {"read": counted.logs, "found": len(logs), "lines": counted.lines},
    }
    _output.write(task, "diagnosis", [{"host": server.name, "status": result}])
    return result


def _fleet(task: Task, given: t.Sequence[t.Any]) -> dict[str, t.Any]:
    """Show the last word on servers that other tasks have diagnosed, and write them to a file."""
    servers = [one for one in given if isinstance(one, dict) and {"host", "status"} <= one.keys()]
    lines = [
        f"{printable(str(one['host']), 100)}: {mapping(one, 'status').get('most_likely') or _why(one['status'])}"
        for one in servers
    ]
    for line in lines if len(lines) > 1 else ():
        task.progress(line)
    _output.write(task, "diagnosis", servers)
    return {"changed": False, "lines": lines}


def _why(status: t.Any) -> str:
    return str(mapping({"status": status}, "status").get("msg") or "was not diagnosed")


def _refuse(params: dict[str, t.Any]) -> None:
    """Raise Failure for numbers that make no sense."""
    if not SHORTEST <= params["timeout"] <= LONGEST:
        raise Failure(
            f"timeout (mcp_diagnose_timeout) is {params['timeout']:g}: it must be from {SHORTEST:g} to {LONGEST:g} s."
        )
    if not 1 <= params["seconds"] <= OLDEST:
        raise Failure(f"seconds (mcp_diagnose_seconds) is {params['seconds']:g}: it must be from 1 to {OLDEST:g}.")


def _part(deadline: Deadline, part: float) -> Deadline:
    """Return the end of a part of the whole time."""
    return Deadline(max(0.1, min(deadline.left, deadline.seconds * part - deadline.elapsed)))


def _facts(server: Server) -> dict[str, str]:
    return {"namespace": server.namespace, "server": server.name}


def _of_objects(cluster: Api, server: Server, found: Sources) -> list[Finding]:
    """Return what the objects say."""
    now, its = cluster.now(), list[Finding]()
    for pool in POOLS:
        container = _container(cluster, server, found, pool)
        for pod in found.pods.get(pool, []):
            its += findings.of_pod(pod, pool, found.events, now, container, found.nodes)
        if workload := found.workloads.get(pool):
            of_events = list(findings.of_refusals(found.events, pool, found.makers(pool)))
            its += of_events
            known = {one.cause for one in of_events}
            its += [
                one
                for one in findings.of_condition(workload, server.workload_title(pool), pool)
                if one.cause not in known
            ]
    its += findings.of_endpoints(found.ready, found.weights, {pool: server.service(pool) for pool in POOLS})
    its += findings.of_quotas(found.quotas)
    its += findings.of_missing(found.missing, str(server))
    return its


def _container(cluster: Api, server: Server, found: Sources, pool: str) -> str:
    try:
        return server.container_in(cluster, found.workloads[pool], pool)
    except (Failure, KeyError):
        return server.container or server.name


def _throttling(params: dict[str, t.Any], server: Server, found: Sources, deadline: Deadline) -> dict[str, float]:
    """Return the share of throttled periods by pod; none without Prometheus."""
    if not params["prometheus"] or not deadline.left:
        return {}
    try:
        return throttling.read(params, server.namespace)
    except Failure as failure:
        found.note("CPU throttling", failure)
        return {}


def _gateway(cluster: Api, params: dict[str, t.Any], found: Sources, server: Server) -> list[Log]:
    """Return the logs of the gateway's pods: those that the option names, or those of the route's Gateways."""
    public = params["endpoint"] or {}
    host = public.get("host") or urlsplit(public.get("url") or "").hostname or ""
    about = [host, *sources.addresses(found)]
    if given := params["gateway"]:
        places = [(given["namespace"], {str(key): str(value) for key, value in given["selector"].items()})]
    else:
        places = [(namespace, {sources.GATEWAY_LABEL: name}) for namespace, name in found.gateways]
    logs: list[Log] = []
    for namespace, labels in places:
        title = f"Pods of the gateway in namespace {namespace}"
        try:
            its = items(cluster.get(paths.pods(namespace), labelSelector=selectors.labels(labels)), "items")
        except Failure as failure:
            found.note(title, failure, "optional")
            continue
        if not its:
            found.not_read.append(
                f"Log of the gateway: namespace {namespace} has no pod with {selectors.labels(labels)}; set gateway "
                "(mcp_diagnose_gateway) to its namespace and selector."
            )
        logs += streams.of_gateway(its, about)
    if not places:
        found.not_read.append(
            "Log of the gateway: the route names no Gateway; set gateway (mcp_diagnose_gateway) to the namespace and "
            "the labels of the pods that route."
        )
    return logs


def _nodes(params: dict[str, t.Any], found: Sources) -> list[Log]:
    """Return the logs of the kubelets of the server's pods. Only lines about these pods count."""
    if not params["node_logs"]:
        return []
    by_node: dict[str, set[str]] = {}
    for name, pod in found.by_name().items():
        if node := mapping(pod, "spec").get("nodeName"):
            by_node.setdefault(str(node), set()).add(name)
    return [
        Log(
            f"log of the kubelet on node {node}",
            "",
            "",
            "",
            about=frozenset(names),
            path=f"{paths.NODES}/{node}/proxy/logs/",
            optional="get nodes/proxy, which is optional",
        )
        for node, names in sorted(by_node.items())
    ]


def _opened(cluster: Api, seconds: float, deadline: Deadline, log: Log) -> t.Iterator[tuple[str, str]]:
    """Yield the lines of a log, with the time of each. Raises Failure."""
    return streams.lines(cluster, log, seconds, deadline.left, MAX_BYTES)


def _checks(
    task: Task, cluster: Api, server: Server, found: Sources, asked: t.Sequence[probes.Probe], deadline: Deadline
) -> tuple[list[Check], list[Finding]]:
    """Return the guide's debug commands, run, and what their answers show by themselves."""
    params = task.params
    limited = cluster.limited(0.0, max(min(deadline.left / 2, 10.0), 1.0))
    made, missing = checks.secret_keys(limited, server, found)
    made += checks.target_endpoints(limited, server, params["hosts"])
    if params["review_token"] and (token := _token(limited, server, params)):
        made.append(checks.token_review(limited, token))
    probed = _probed(task, cluster, server, asked, deadline)
    refused = [one.said for one in probed if one.ok is None]
    return [*made, *probed], [*missing, *findings.of_refused_writes(refused)]


def _token(cluster: Api, server: Server, params: dict[str, t.Any]) -> str | None:
    def secret(name: str) -> Object:
        return cluster.get(paths.secrets(server.namespace, name))

    try:
        return credentials.bearer_token(params["auth"], secret)
    except Failure:
        return None


def _probed(
    task: Task, cluster: Api, server: Server, asked: t.Sequence[probes.Probe], deadline: Deadline
) -> list[Check]:
    """Return what DNS and TCP say from inside the pods' network."""
    params = task.params
    if not asked:
        return []
    if not params["debug_image_ref"]:
        return [
            Check(
                "tcp",
                "DNS and TCP from inside the pods' network",
                None,
                "set debug_image_ref (mcp_debug_image_ref) to an image with these tools",
            )
        ]
    if task.check_mode:
        return [Check("tcp", "DNS and TCP from inside the pods' network", None, "check mode creates no Job")]
    user, left = params["debug_user"] or None, max(deadline.left - 1, 1.0)
    try:
        outcomes = job.run(task, cluster, server, params["debug_image_ref"], asked, timeout=left, user=user)
    except Failure as failure:
        return [Check("tcp", "DNS and TCP from inside the pods' network", None, findings.shown(failure.msg))]
    return [
        Check(one.probe.kind, f"{one.probe.kind.upper()} {one.probe.target}", one.ok, findings.shown(one.detail))
        for one in outcomes
    ]
