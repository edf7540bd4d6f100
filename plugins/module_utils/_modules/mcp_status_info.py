# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_status_info: all that can be read of a server, judged, as lines for people and as data."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils import _output, _times
from ansible_collections.mcp.server.plugins.module_utils._drill import last
from ansible_collections.mcp.server.plugins.module_utils._guide import stamps
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth, endpoint
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_gate, mcp_release_info, mcp_watch
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls, Module
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal, noted, pools, record, summary
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._status import drift, fleet, instances, judge, reading
from ansible_collections.mcp.server.plugins.module_utils._status import server as shown_server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task, started
from ansible_collections.mcp.server.plugins.module_utils._traffic import broken_glass
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._traffic.sessions import policy
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import is_finished, is_leaving

if t.TYPE_CHECKING:
    from ansible_collections.mcp.server.plugins.module_utils._status.reading import Found

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "endpoint": endpoint.OPTION,
        "auth": auth.OPTION,
        "seconds": {"type": "float", "default": 2.0},
        "releases": {"type": "int", "default": 5},
        "prometheus": mcp_gate.SPEC.options["prometheus"] | {"required": False},
        "triggers": {"type": "dict", "default": {}},
        "sessions_metric": policy.METRIC,
        "drill": {"type": "bool", "default": False},
        "guide": {"type": "bool", "default": False},
        "show": {"type": "bool", "default": True},
        "fleet": {"type": "list", "elements": "dict"},
        "others": {"type": "list", "elements": "dict", "default": []},
        "others_problem": {"type": "str", "default": ""},
        "label_selector": {"type": "str", "default": ""},
        "dest": {"type": "path"},
    }
)
GATE = Module(mcp_gate.SPEC, mcp_gate.run, "prometheus")
DRILL = "The last drill"
GUIDE = "When the guide was last validated"
GLASS = "Changes by break_glass.yml"  # whose reading never fails
WATCH = Module(mcp_watch.SPEC, mcp_watch.run)


def run(task: Task) -> dict[str, t.Any]:
    if task.params["fleet"] is not None:
        return _fleet(task, task.params["fleet"])
    found = read(task)
    result = {**found, "lines": shown_server.lines(found, task.params["releases"])}
    if task.params["show"]:
        for line in result["lines"]:
            task.progress(line)
    _output.write(task, "status", [{"host": task.params["server"], "status": found}])
    return result


def _fleet(task: Task, given: t.Sequence[t.Any]) -> dict[str, t.Any]:
    """Show servers that were read by other tasks, and write them to a file."""
    strangers = fleet.strangers(given, task.params["others"], task.params["label_selector"])
    problem = task.params["others_problem"]
    lines = [
        *(fleet.lines(given) if len(given) > 1 else []),
        *([strangers] if strangers else []),
        *([f"instances that no server has: not read: {problem}"] if problem else []),
    ]
    if task.params["show"]:
        for line in lines:
            task.progress(line)
    _output.write(task, "status", fleet.sick_first(given), state=judge.UNKNOWN)
    return {"changed": False, "lines": lines}


def read(task: Task) -> dict[str, t.Any]:
    """Return the status of a server, without lines. Raise Failure when the API server does not answer at all."""
    params = task.params
    cluster, server = connection.connect(params), Server.from_params(params)
    kind = kind_of(server)
    calls = Calls.of(params)
    share = started(functools.partial(_share, task, calls))
    warned: list[str] = []
    reads: dict[str, t.Callable[[], t.Any]] = {
        "The route": lambda: kind.read(cluster, server),
        "The release record": lambda: record.read(cluster, server)[0],
        "The Lease": lambda: mcp_release_info.holder(cluster, server),
        GLASS: lambda: broken_glass.find(cluster, server, warned.append),
    }
    if params["drill"]:
        reads[DRILL] = lambda: last.read(cluster, server)
    if params["guide"]:
        reads[GUIDE] = lambda: stamps.last(noted.parse(noted.read(cluster, server, stamps.ANNOTATION)))
    for pool in POOLS:
        reads |= {
            f"The Service of pool {pool}": functools.partial(server.pool_service, cluster, pool),
            f"The workload of pool {pool}": functools.partial(cluster.get, server.workload_path(pool)),
            f"The pods of pool {pool}": functools.partial(reading.pods, cluster, server, pool),
            f"The endpoints of pool {pool}": functools.partial(reading.slices, cluster, server, pool),
            f"Memory and CPU of pool {pool}": functools.partial(reading.usage_of_pool, cluster, server, pool),
        }
    found = reading.at_once(reads, reading.ENOUGH)
    reading.refuse_unreachable(found, but=GLASS)

    route = _route(found, server)
    recorded = found.get("The release record") or record.ReleaseRecord()
    live = pools.stable(route["weights"], recorded.current) if route["weights"] else None
    known: dict[str, dict[str, t.Any]] = {}
    every: list[instances.Instance] = []
    asked = []
    for pool in POOLS:
        known[pool], described = _pool(cluster, server, pool, found)
        every += [one for _pod, one in described]
        asked += [(pool, pod, one) for pod, one in described if not (is_finished(pod) or is_leaving(pod))]
    judging = started(functools.partial(_triggers, task, calls, judge_pools(route["weights"])))
    gaps = reading.ask_pods(cluster, server, params, asked)
    for pool in POOLS:
        own = [one["sessions"] for one in every if one["pool"] == pool and one["sessions"] is not None]
        known[pool]["sessions"] = sum(own) if own else None
        known[pool]["pods"] = [_as_checked(one) for of_pool, _pod, one in asked if of_pool == pool]
    triggers, trouble = judging(reading.ENOUGH)
    glass = found.get(GLASS) or []
    status: dict[str, t.Any] = {
        "changed": False,
        "server": str(server),
        "at": _times.iso(cluster.now()),
        "route": route,
        "release": _release(found, recorded, live, route["weights"]),
        "pools": known,
        "instances": every,
        "share": share(reading.ENOUGH),
        "triggers": triggers,
        "drift": _drift(cluster, server, found, known, recorded, live),
        "broken_glass": {
            "sentence": redact(broken_glass.sentence(glass, server)),
            "objects": [
                {"object": one.title, "since": one.note.since, "by": one.note.by, "reason": redact(one.note.reason)}
                for one in glass
            ],
        },
        "last_drill": found.get(DRILL),
        "last_guide": found.get(GUIDE),
        "unread": _unread(server, found, [*warned, *gaps, *trouble]),
    }
    findings = judge.judge(status)
    return {**status, "state": judge.state_of(findings), "findings": [redact(one.text) for one in findings]}


def judge_pools(weights: t.Mapping[str, int] | None) -> list[str]:
    """Return the pools whose triggers count: those with traffic."""
    return [pool for pool in POOLS if weights and weights[pool]]


def _share(task: Task, calls: Calls) -> dict[str, t.Any]:
    """Return what a watch found; of one that failed too, as that is what is to be shown."""
    seconds = task.params["seconds"]
    if seconds <= 0 or not task.params["endpoint"]:
        return {}
    quiet = replace(task, progress=lambda line: None)
    try:
        return calls.run(quiet, WATCH, seconds=seconds, inconclusive_timeout=0.0)
    except Failure as failure:
        return {**failure.evidence, "msg": failure.msg}


def _triggers(task: Task, calls: Calls, of_pools: t.Sequence[str]) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Return the verdict of each trigger on each of these pools, and a sentence for each pool that was not judged."""
    prometheus, found = task.params["prometheus"], []
    trouble: list[str] = []
    quiet = replace(task, progress=lambda line: None, warn=trouble.append, check_mode=False)
    for pool in of_pools if prometheus else ():
        try:
            judged = calls.run(
                quiet,
                GATE,
                prometheus=prometheus,
                pool=pool,
                checks=["triggers"],
                gates=task.params["triggers"],
                fail_on="never",
            )
        except Failure as failure:
            trouble.append(f"The triggers of pool {pool} were not judged. {failure.msg}")
        else:
            found += [{"pool": pool, **gate} for gate in judged["gates"]]
    return found, trouble


def _route(found: Found, server: Server) -> dict[str, t.Any]:
    """Return the route's name, its weights, None where they cannot be read, and whether it does not exist."""
    kind, weights = kind_of(server), None
    route = found.get("The route")
    if route is not None:
        try:
            weights = kind.weights(route, server)
        except Failure as failure:
            found.failures["The route"] = failure
    return {"name": kind.name(server), "weights": weights, "missing": found.is_missing("The route")}


def _release(
    found: Found, recorded: record.ReleaseRecord, live: str | None, weights: t.Mapping[str, int] | None
) -> dict[str, t.Any]:
    """Return what mcp_release_info returns, with None for what is not known."""
    newest = recorded.current
    return {
        "changed": False,
        "live": live,
        "idle": other(live) if live else None,
        "weights": weights,
        "record": newest,
        "history": list(recorded.history),
        "stats": summary.stats(summary.readable(newest)) if newest else None,
        "holder": found.get("The Lease"),
        "holder_known": "The Lease" not in found.failures,
        "record_known": "The release record" not in found.failures,
    }


def _pool(
    cluster: Api, server: Server, pool: str, found: Found
) -> tuple[dict[str, t.Any], list[tuple[dict[str, t.Any], instances.Instance]]]:
    """Return what is known of a pool, and its pods, each with its description."""
    workload, pods = found.get(f"The workload of pool {pool}"), found.get(f"The pods of pool {pool}")
    described = reading.instances_of_pool(cluster, server, pool, found)
    image, replicas = None, None
    if workload is not None:
        try:
            image, replicas = server.deployed(cluster, workload, pool)
        except Failure as failure:
            found.failures[f"The image of pool {pool}"] = failure
    ready = None if pods is None else sum(one["ready"] for _pod, one in described)
    endpoints = found.get(f"The endpoints of pool {pool}")
    known = {
        "missing": [title for name, title in _objects(server, pool).items() if found.is_missing(name)],
        "image_ref": image,
        "replicas": replicas,
        "ready": ready,
        "endpoints": endpoints,
    }
    return known, described


def _as_checked(one: instances.Instance) -> dict[str, t.Any]:
    """Return an instance as mcp_version_check describes a pod."""
    keys = ("image_ref", "digest", "ready", "health_version", "problem")
    return {"name": one["pod"], **{key: one[key] for key in keys}, "server_version": None}


def _drift(
    cluster: Api,
    server: Server,
    found: Found,
    known: t.Mapping[str, t.Mapping[str, t.Any]],
    recorded: record.ReleaseRecord,
    live: str | None,
) -> list[str]:
    workloads = {pool: found.get(f"The workload of pool {pool}") for pool in POOLS}
    names = {pool: [server.workload(pool), server.service(pool)] for pool in POOLS}
    try:
        both = {pool: workload for pool, workload in workloads.items() if workload is not None}
        containers = {pool: reading.container_of(cluster, server, pool, one, []) for pool, one in both.items()}
        sentences = drift.between_pools(both, names, containers) if len(both) == len(POOLS) else []
    except RecursionError:
        sentences = []
    for pool in POOLS:
        digests = {pod["digest"] for pod in known[pool]["pods"] if pod["ready"] and pod["digest"]}
        sentences += drift.of_pods(pool, digests)
        if pool == live and not (recorded.current and record.is_running(recorded.current)):
            sentences += drift.from_record(recorded.current, live, known[pool]["image_ref"], digests)
    return sentences


def _objects(server: Server, pool: str) -> dict[str, str]:
    """Return what the objects of a pool are called, by the names of their reads."""
    return {
        f"The workload of pool {pool}": server.workload_title(pool),
        f"The Service of pool {pool}": f"Service {server.namespace}/{server.service(pool)}",
    }


def _unread(server: Server, found: Found, more: t.Sequence[str]) -> list[str]:
    """Return a sentence for each thing that could not be read. What does not exist, the findings say."""
    told = {"The route", *(name for pool in POOLS for name in _objects(server, pool))}
    failures = [one.msg for name, one in found.failures.items() if not (name in told and found.is_missing(name))]
    # What was not read is said once, whoever else needed it.
    every = tuple(one.msg for one in found.failures.values())
    return list(dict.fromkeys(redact(one) for one in (*failures, *(one for one in more if not one.endswith(every)))))
