# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What objects of the cluster say of a server that is not well: objects in, findings out. Pure.

All of it was written by others: texts are made printable, and fields may be missing.
"""

from __future__ import annotations

import re
import shlex
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._status.quantities import number
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._workload import pods

OOM = "OOMKilled"
MAX_SAID = 300  # characters of a message that are shown
MAX_READ = 20 * MAX_SAID  # characters of it that are looked at
GRACE = 30.0  # seconds for which a pod may be without a node, a volume or a passed probe
NEARLY = 0.9  # of a limit
THROTTLED = 0.25  # of the periods
# By the cluster's word of pods.problem().
OF_REASONS = {
    **dict.fromkeys((*pods.TERMINAL, pods.PULL_FAILED), "image"),
    "CreateContainerConfigError": "configuration",
    "CreateContainerError": "configuration",
    "RunContainerError": "configuration",
    "FailedMount": "configuration",
    pods.CRASHING: "crash_loop",
    pods.UNHEALTHY: "probe",
    pods.UNSCHEDULABLE: "unschedulable",
    pods.GATED: "unschedulable",
}
# By the words of the API server that refuses a pod.
OF_REFUSALS = (
    (re.compile("exceeded quota"), "quota"),
    (re.compile("failed quota"), "quota"),
    (re.compile("webhook"), "webhook"),
    (re.compile(r"(maximum|minimum) \S+ usage per|limit range|limit to request ratio", re.IGNORECASE), "limit_range"),
)
# By its words when it refuses a Job of ours for a reason that it would refuse others' writes for, too.
OF_WRITES = (
    (re.compile("database space exceeded"), "etcd_full"),
    (re.compile("failed calling webhook"), "webhook"),
)
# Events that say why a controller makes no pods.
REFUSED = "FailedCreate"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    # A key of causes.CAUSES, or the name of a user's pattern.
    cause: str
    # The object or the log, such as pod mcp-server-blue-1.
    where: str
    # What is so, a clause.
    said: str
    # blue, green, or empty where it is neither's.
    pool: str = ""
    count: int = 1
    # ISO 8601; empty where that is not known.
    first: str = ""
    last: str = ""
    # A few lines of a log, redacted.
    lines: tuple[str, ...] = ()
    # Whether a line was only there while the server started; see streams.has_stopped().
    over: bool = False
    # Whether a check made now bears it out; None without one.
    confirmed: bool | None = None
    # What the next command needs to know, by name.
    facts: t.Mapping[str, str] = field(default_factory=dict, hash=False)

    def result(self) -> dict[str, t.Any]:
        return {
            "cause": self.cause,
            "where": self.where,
            "said": self.said,
            "pool": self.pool or None,
            "count": self.count,
            "first": self.first or None,
            "last": self.last or None,
            "lines": list(self.lines),
            "over": self.over,
            "confirmed": self.confirmed,
        }


def shown(text: t.Any) -> str:
    """Return text of others as a part of a clause, without secrets."""
    return printable(redact(str(text or "")[:MAX_READ]), MAX_SAID)


def of_pod(
    pod: Object,
    pool: str,
    events: t.Sequence[Object],
    now: datetime,
    container: str,
    nodes: t.Mapping[str, Object | None],
) -> t.Iterator[Finding]:
    """Yield what is wrong with a pod: killed, not started, not ready, evicted, not ended, or on a node that is lost.

    nodes: by name, those that could be read; None for one that does not exist.
    """
    name = printable(pods.name_of(pod), 100)
    where, facts = f"pod {name}", {"pod": name, "container": container}
    yield from _killed(pod, pool, where, facts)
    if lost := _lost(pod, events, nodes):
        yield Finding("node_lost", where, lost, pool, facts=facts)
        return
    if late := _late(pod, pool, now, where, nodes):
        yield late
        return
    if mapping(pod, "status").get("reason") == "Evicted":
        yield Finding("evicted", where, f"was evicted ({shown(mapping(pod, 'status').get('message'))})", pool)
        return
    problem = pods.problem(pod, events, now, GRACE, container)
    probes = list(_probes(pod, pool, events, where, facts))
    if problem and not (problem.reason == pods.CRASHING and OOM in problem.message):
        cause = OF_REASONS.get(problem.reason, "not_ready")
        yield Finding(cause, where, shown(problem.message), pool, facts=facts)
    elif not problem and (waits := _waits(pod, pool, where, facts)):
        yield waits
    elif (
        not problem and not probes and not pods.is_ready(pod) and not pods.is_leaving(pod) and not pods.is_finished(pod)
    ):
        yield Finding("starting", where, "is not ready yet", pool, facts=facts)
    if problem is None or problem.reason != pods.UNHEALTHY:
        yield from probes


def _waits(pod: Object, pool: str, where: str, facts: dict[str, str]) -> Finding | None:
    """Return what a container waits for that may pass by itself, such as a registry that did not answer once."""
    for status in _statuses(pod):
        waiting = mapping(status, "state", "waiting")
        reason = str(waiting.get("reason") or "")
        if reason and reason not in pods.CREATING and not (reason == pods.CRASHING and _is_killed(status)):
            name = printable(str(status.get("name")), 100)
            said = f"container {name}: {printable(reason, 60)} ({shown(waiting.get('message')) or 'no reason given'})"
            return Finding(OF_REASONS.get(reason, "not_ready"), where, said, pool, facts={**facts, "container": name})
    return None


def _is_killed(status: Object) -> bool:
    return any(mapping(status, one, "terminated").get("reason") == OOM for one in ("state", "lastState"))


def _killed(pod: Object, pool: str, where: str, facts: dict[str, str]) -> t.Iterator[Finding]:
    for status in _statuses(pod):
        ends = [mapping(status, one, "terminated") for one in ("state", "lastState")]
        killed = [one for one in ends if one.get("reason") == OOM]
        if not killed:
            continue
        name = printable(str(status.get("name")), 100)
        limit = limit_of(pod, str(status.get("name")), "memory")
        having = f"with its limit of {printable(limit, 30)}" if limit else "without a limit of its own"
        count = int(status.get("restartCount") or 0) or 1
        yield Finding(
            "oom_killed",
            where,
            f"container {name} was OOMKilled {having}, and restarted {status.get('restartCount') or 0} times",
            pool,
            count,
            last=str(killed[0].get("finishedAt") or ""),
            facts={**facts, "container": name},
        )


def limit_of(pod: Object, container: str, resource: str) -> str:
    """Return the limit of a container as it is written; empty without one."""
    for one in (*items(pod, "spec", "containers"), *items(pod, "spec", "initContainers")):
        if one.get("name") == container:
            return str(mapping(one, "resources", "limits").get(resource) or "")
    return ""


def _node_of(pod: Object) -> tuple[str, str]:
    """Return the name of a pod's node, as it is and as it is shown."""
    name = str(mapping(pod, "spec").get("nodeName") or "")
    return name, printable(name or "unknown", 100)


def _late(pod: Object, pool: str, now: datetime, where: str, nodes: t.Mapping[str, Object | None]) -> Finding | None:
    """Return that a pod which was deleted is still there, long after its time to end."""
    end = _times.parse(mapping(pod, "metadata").get("deletionTimestamp"))  # with its grace period
    late = (now - end).total_seconds() if end else 0.0
    if late <= GRACE:
        return None
    name, node = _node_of(pod)
    said = f"was deleted, should have ended {_times.duration(late)} ago, and is still there"
    if held := mapping(pod, "metadata").get("finalizers"):
        return Finding("not_ended", where, f"{said}: finalizers hold it ({shown(held)})", pool, facts=_pod(pod))
    if name in nodes:  # and ready, see _lost()
        return Finding("not_ended", where, f"{said}, though its node {node} is ready", pool, facts=_pod(pod))
    return Finding("node_lost", where, f"{said}: its node {node} does not end it", pool, facts=_pod(pod))


def _pod(pod: Object) -> dict[str, str]:
    return {"pod": pods.name_of(pod)}


def _lost(pod: Object, events: t.Sequence[Object], nodes: t.Mapping[str, Object | None]) -> str:
    """Return why the pod is lost with its node, a clause; empty while it is not."""
    if pods.is_finished(pod):
        return ""
    ready, (name, node) = pods.condition(pod, "Ready"), _node_of(pod)
    if name in nodes and nodes[name] is None:
        return f"its node {node} does not exist any more"
    its = pods.condition(nodes.get(name) or {}, "Ready")
    if its.get("status") == "False":
        return f"its node {node} is not ready ({shown(its.get('message')) or 'no reason given'})"
    if its and its.get("status") != "True":
        return f"its node {node} has not reported since {_times.day(its.get('lastHeartbeatTime'))}"
    if mapping(pod, "status").get("reason") == "NodeLost" or ready.get("reason") == "NodeStatusUnknown":
        return f"its node {node} does not report any more"
    # All that the node controller leaves of it until the pod is evicted.
    uid = pods.uid_of(pod)
    told = [one for one in events if uid and mapping(one, "involvedObject").get("uid") == uid]
    if not pods.is_ready(pod) and any(one.get("reason") == "NodeNotReady" for one in told):
        return f"its node {node} is not ready"
    disrupted = pods.condition(pod, "DisruptionTarget")
    if disrupted.get("status") == "True" and "Taint" in str(disrupted.get("reason")):
        return f"is taken off its node {node} ({shown(disrupted.get('message'))})"
    return ""


def _probes(
    pod: Object, pool: str, events: t.Sequence[Object], where: str, facts: dict[str, str]
) -> t.Iterator[Finding]:
    """Yield the probes that failed, also of a pod that is ready again, but for those of its start."""
    uid, cause = pods.uid_of(pod), "probe_passed" if pods.is_ready(pod) else "probe"
    begun = _times.parse(pods.condition(pod, "Ready").get("lastTransitionTime"))
    mine = [one for one in events if uid and mapping(one, "involvedObject").get("uid") == uid]
    if cause == "probe_passed" and begun and not any(one.get("restartCount") for one in _statuses(pod)):
        mine = [one for one in mine if pods.event_time(one) > begun]
    for kind in ("Readiness", "Liveness", "Startup"):
        failed = [one for one in mine if one.get("reason") == pods.UNHEALTHY and kind in str(one.get("message"))]
        if failed:
            newest = max(failed, key=pods.event_time)
            count = sum(times(one) for one in failed)
            often = "once" if count == 1 else f"{count} times"
            said = f"its {kind.lower()} probe failed {often} ({shown(newest.get('message'))})"
            first, last = _span(failed)
            yield Finding(cause, where, said, pool, count, first, last, facts=facts)


def _statuses(pod: Object) -> list[Object]:
    return [*items(pod, "status", "containerStatuses"), *items(pod, "status", "initContainerStatuses")]


def times(event: Object) -> int:
    """Return how often an event happened."""
    for count in (mapping(event, "series").get("count"), event.get("count")):
        if isinstance(count, int) and count > 0:
            return count
    return 1


def _span(events: t.Sequence[Object]) -> tuple[str, str]:
    """Return the first and the last time of some events."""
    begins = [_times.parse(one.get("firstTimestamp")) or pods.event_time(one) for one in events]
    return _times.iso(min(begins), "seconds"), _times.iso(max(map(pods.event_time, events)), "seconds")


def of_refusals(events: t.Sequence[Object], pool: str, names: t.Collection[str]) -> t.Iterator[Finding]:
    """Yield why no pods are made. names: of the pool's workload and of its ReplicaSets."""
    failed = [
        one
        for one in events
        if one.get("reason") == REFUSED and str(mapping(one, "involvedObject").get("name")) in names
    ]
    by_cause: dict[str, list[Object]] = {}
    for one in failed:
        by_cause.setdefault(refusal(str(one.get("message") or "")), []).append(one)
    for cause, found in by_cause.items():
        newest, (first, last) = max(found, key=pods.event_time), _span(found)
        about = mapping(newest, "involvedObject")
        where = printable(f"{about.get('kind')} {about.get('name')}", 150)
        count = sum(map(times, found))
        often = "once" if count == 1 else f"{count} times"
        yield Finding(
            cause, where, f"its pods were refused {often} ({shown(newest.get('message'))})", pool, count, first, last
        )


def refusal(message: str) -> str:
    """Return the cause of a refused pod, by the API server's words."""
    return next((cause for words, cause in OF_REFUSALS if words.search(message)), "pods_refused")


def of_condition(workload: Object, title: str, pool: str) -> t.Iterator[Finding]:
    """Yield what the workload's own conditions say: events are kept for an hour only."""
    failure = pods.condition(workload, "ReplicaFailure")
    if failure.get("status") == "True":
        message = str(failure.get("message") or "")
        yield Finding(
            refusal(message),
            title,
            f"its pods are refused ({shown(message)})",
            pool,
            last=str(failure.get("lastTransitionTime") or ""),
        )
    if mapping(workload, "spec").get("paused") is True:
        yield Finding("paused", title, "its rollouts are paused", pool)


def of_quotas(quotas: t.Sequence[Object]) -> t.Iterator[Finding]:
    """Yield the quotas of the namespace that are used up."""
    for one in quotas:
        hard, used = mapping(one, "status", "hard"), mapping(one, "status", "used")
        full = []
        for resource, most in hard.items():
            limit, taken = number(most), number(used.get(resource, 0))
            if limit is not None and taken is not None and taken >= limit:
                full.append(f"{printable(str(resource), 60)}: {printable(str(used.get(resource, 0)), 20)} of {most}")
        if full:
            name = printable(pods.name_of(one), 100)
            yield Finding("quota_full", f"ResourceQuota {name}", f"is used up ({printable(', '.join(full), 200)})")


class Usage(t.NamedTuple):
    """What a container uses, and its limits, as they are written; empty where that is not known."""

    pod: str
    container: str
    memory: str
    memory_limit: str
    cpu: str
    cpu_limit: str


def usages(metrics: t.Sequence[Object], by_name: t.Mapping[str, Object]) -> list[Usage]:
    """Return what the metrics API says of these pods."""
    found = []
    for one in metrics:
        name = pods.name_of(one)
        pod = by_name.get(name)
        if pod is None:
            continue
        for container in items(one, "containers"):
            its = str(container.get("name"))
            used = mapping(container, "usage")
            found.append(
                Usage(
                    name,
                    printable(its, 100),
                    str(used.get("memory") or ""),
                    limit_of(pod, its, "memory"),
                    str(used.get("cpu") or ""),
                    limit_of(pod, its, "cpu"),
                )
            )
    return found


def of_usage(found: t.Sequence[Usage], pool_of: t.Mapping[str, str]) -> t.Iterator[Finding]:
    for one in found:
        for resource, used, limit in (
            ("memory", one.memory, one.memory_limit),
            ("cpu", one.cpu, one.cpu_limit),
        ):
            part = share_of(used, limit)
            if part is not None and part >= NEARLY:
                said = f"container {one.container} uses {100 * part:.0f} % of its {resource} limit of {limit}"
                facts = {"pod": one.pod, "container": one.container}
                yield Finding(
                    f"{resource}_use", f"pod {one.pod}", said, pool_of.get(one.pod, ""), facts=facts, confirmed=True
                )


def share_of(used: str, limit: str) -> float | None:
    """Return which part of a limit is used; None where that cannot be told."""
    value, most = number(used), number(limit)
    return value / most if value is not None and most else None


def of_throttling(shares: t.Mapping[str, float], pool_of: t.Mapping[str, str]) -> t.Iterator[Finding]:
    """Yield the pods that wait for CPU. shares: by the pod's name, of the periods in which it was throttled."""
    for name, share in shares.items():
        if share >= THROTTLED and name in pool_of:
            said = f"was throttled in {100 * share:.0f} % of its CPU periods"
            yield Finding("throttled", f"pod {name}", said, pool_of[name], facts={"pod": name})


def of_endpoints(
    ready: t.Mapping[str, int], weights: t.Mapping[str, int], services: t.Mapping[str, str]
) -> t.Iterator[Finding]:
    """Yield the pools that get traffic and have no ready endpoint. services: the name of each pool's Service."""
    for pool, count in ready.items():
        if not count and weights.get(pool):
            said = f"has no ready endpoint, and the route gives it {weights[pool]} %"
            yield Finding("no_endpoints", f"Service {services[pool]}", said, pool)


def of_missing(missing: t.Sequence[tuple[str, str]], server: str) -> t.Iterator[Finding]:
    """Yield the objects of the server that do not exist. missing: pool, or nothing, and a sentence of each."""
    for pool, sentence in missing:
        yield Finding("missing", f"server {server}", shown(sentence), pool, confirmed=True)


class Wanted(t.NamedTuple):
    """A Secret that a container refers to."""

    name: str
    # The keys that it must have; empty where all of them are taken (envFrom).
    keys: tuple[str, ...]
    optional: bool


def secrets_of(workload: Object) -> list[Wanted]:
    """Return the Secrets that the pods of a workload refer to, by name."""
    spec = mapping(workload, "spec", "template", "spec")
    keys: dict[str, set[str]] = {}
    needed: set[str] = set()

    def add(reference: Object, key: t.Any = None) -> None:
        name = reference.get("name") or reference.get("secretName")
        if isinstance(name, str) and name:
            keys.setdefault(name, set()).update([key] if isinstance(key, str) else [])
            if reference.get("optional") is not True:
                needed.add(name)

    for container in (*items(spec, "containers"), *items(spec, "initContainers")):
        for one in items(container, "env"):
            if reference := mapping(one, "valueFrom", "secretKeyRef"):
                add(reference, reference.get("key"))
        for one in items(container, "envFrom"):
            if reference := mapping(one, "secretRef"):
                add(reference)
    for volume in items(spec, "volumes"):
        if reference := mapping(volume, "secret"):
            add(reference)
            for one in items(reference, "items"):
                add(reference, one.get("key"))
    for one in items(spec, "imagePullSecrets"):
        add({**one, "optional": True})  # the kubelet goes on without it: the image may be there, or public
    return [Wanted(name, tuple(sorted(found)), name not in needed) for name, found in sorted(keys.items())]


def of_secret(wanted: Wanted, found: t.Collection[str] | None, namespace: str) -> t.Iterator[Finding]:
    """Yield what a Secret lacks. found: its keys; None when there is no such Secret."""
    command = f"kubectl -n {shlex.quote(namespace)} describe secret {shlex.quote(wanted.name)}"
    facts = {"secret": wanted.name, "next": command}
    if wanted.optional:
        return
    name = printable(wanted.name, 100)
    if found is None:
        yield Finding("configuration", f"Secret {namespace}/{name}", "does not exist", facts=facts, confirmed=True)
        return
    missing = [printable(key, 100) for key in wanted.keys if key not in found]
    if missing:
        said = f"has no key {', '.join(missing)}"
        yield Finding("configuration", f"Secret {namespace}/{name}", said, facts=facts, confirmed=True)


def of_refused_writes(said: t.Iterable[str]) -> list[Finding]:
    """Return what the API server's words on writes that it refused us say of all writes. Pure."""
    found = {cause: text for text in said for words, cause in OF_WRITES if words.search(text)}
    return [Finding(cause, "the API server", text) for cause, text in found.items()]
