# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From findings to the likely causes, in their order, and to the paragraph "Most likely ...". Pure.

A score orders causes; it is no probability. What explains others comes before what it explains: a pod that crashes
because its memory is used up, or a probe that fails because the database is away.
"""

from __future__ import annotations

import math
import re
import shlex
import typing as t
from datetime import datetime

from ansible_collections.mcp.server.plugins.module_utils import _times
from ansible_collections.mcp.server.plugins.module_utils._diagnose.findings import Finding
from ansible_collections.mcp.server.plugins.module_utils._diagnose.patterns import Pattern


class Cause(t.NamedTuple):
    """What a kind of finding means."""

    score: float
    # The likely cause, a clause.
    clause: str
    # The next command. Names in braces are facts of the finding; see _command().
    next: str
    # Whether it mostly follows from another cause.
    is_symptom: bool = False


POD = "kubectl -n {namespace} describe pod {pod}"
LOGS = "kubectl -n {namespace} logs {pod} -c {container} --previous"
EVENTS = "kubectl -n {namespace} get events --sort-by=.lastTimestamp"
QUOTA = "kubectl -n {namespace} describe resourcequota,limitrange"
OBJECTS = "kubectl -n {namespace} get deployments,statefulsets,services"
SECRETS = "kubectl -n {namespace} get secret"
ENDPOINTS = "kubectl -n {namespace} get endpointslices"
ETCD = "etcdctl alarm list"
HEALTH = "ansible-playbook mcp.server.status"
PREFLIGHT = "ansible-playbook mcp.server.preflight"
DEBUG = "ansible-playbook mcp.server.debug"

CAUSES: dict[str, Cause] = {
    # Of our own writes
    "etcd_full": Cause(96, "etcd is full, so the cluster takes no writes: no pod starts, none moves", ETCD),
    # Of objects
    "oom_killed": Cause(95, "a container needs more memory than its limit allows", POD),
    "quota": Cause(94, "the quota of the namespace is used up, so no new pod is made", QUOTA),
    "limit_range": Cause(92, "the pod template breaks a LimitRange of the namespace, so no new pod is made", QUOTA),
    "webhook": Cause(92, "an admission webhook refuses new pods, or does not answer", EVENTS),
    "pods_refused": Cause(90, "the API server refuses new pods", EVENTS),
    "missing": Cause(85, "an object of the server does not exist, or has another name", OBJECTS),
    "image": Cause(92, "the image cannot be pulled", POD),
    "configuration": Cause(91, "the pod template refers to something that is missing or wrong", POD),
    "unschedulable": Cause(86, "no node has room for the pods", POD),
    "node_lost": Cause(88, "a node is lost", "kubectl get nodes"),
    "not_ended": Cause(46, "a pod that was deleted does not end", POD),
    "evicted": Cause(70, "a node ran out of memory or disk, and evicted pods", "kubectl get nodes"),
    "throttled": Cause(68, "the containers get too little CPU: their limit throttles them", POD),
    "memory_use": Cause(72, "a container uses nearly all of its memory limit", POD),
    "cpu_use": Cause(50, "a container uses nearly all of its CPU limit", POD),
    "quota_full": Cause(48, "the quota of the namespace is used up: no further pod can be made", QUOTA),
    "paused": Cause(45, "the rollouts of a workload are paused", "kubectl -n {namespace} get deployments"),
    "crash_loop": Cause(80, "the server ends again and again", LOGS, True),
    "probe": Cause(60, "the server runs, and its probe fails", POD, True),
    "probe_passed": Cause(28, "a probe has failed and passes again", POD, True),
    "not_ready": Cause(58, "a pod does not become ready", POD, True),
    "starting": Cause(10, "pods are still starting", POD, True),
    "no_endpoints": Cause(54, "a pool with traffic has no ready pod", ENDPOINTS, True),
    # Of logs
    "database": Cause(78, "a database or another server that this one needs refuses connections, or is slow", DEBUG),
    "name_resolution": Cause(79, "a name that the server needs cannot be resolved in the pods' network", DEBUG),
    "memory": Cause(76, "the memory is used up", POD),
    "disk": Cause(77, "a disk or volume is full, or read-only", POD),
    "certificate": Cause(74, "a certificate has expired, or its authority is not trusted", DEBUG),
    "authentication": Cause(70, "a token or password is wrong or has expired", SECRETS),
    "too_many_sessions": Cause(
        71, "clients or probes open sessions and do not end them, until the server takes no more", HEALTH
    ),
    "host_refused": Cause(
        69, "the server refuses the Host or Origin that clients send: its allowlist lacks it", PREFLIGHT
    ),
    "misdirected": Cause(
        67, "the server or the gateway answers 421: it does not serve the Host that clients send", PREFLIGHT
    ),
    "revision": Cause(66, "clients and server have no revision of the protocol in common", PREFLIGHT),
    "contract": Cause(62, "clients call what this version does not offer: its contract has changed", HEALTH),
    "session_not_found": Cause(
        64, "clients use sessions that this pool or pod does not know: traffic moved, or pods were replaced", HEALTH
    ),
    "not_acceptable": Cause(60, "clients do not accept both JSON and event streams, which MCP requires", HEALTH),
    "gateway": Cause(53, "the gateway gets no good answer from the pods", ENDPOINTS, True),
    "crash": Cause(57, "the server fails with an error of its own", LOGS, True),
}
OF_USERS = 75.0  # the score of a pattern that users add: they know what they look for
CONFIRMED, REFUTED = 12.0, -30.0
OLD, OLD_AFTER = -25.0, 900.0  # seconds since the last time
OVER = -22.0  # of lines of a start that is over: a probe that fails now comes first
EXPLAINED = -30.0  # of what follows from another cause of the same pool
WEAK = 15.0  # below which nothing is said to be likely
OF_SYMPTOMS = 52.0  # the score from which a cause explains symptoms
WITHOUT_TRAFFIC = -3.0


class Ranked(t.NamedTuple):
    """A likely cause with what points to it, the strongest first."""

    name: str
    score: float
    clause: str
    # The next command; empty without one.
    next: str
    findings: tuple[Finding, ...]

    def result(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "score": round(self.score, 1),
            "clause": self.clause,
            "next": self.next,
            "where": list(dict.fromkeys(one.where for one in self.findings)),
        }


def ranked(
    found: t.Sequence[Finding],
    own: t.Mapping[str, Pattern],
    weights: t.Mapping[str, int],
    now: datetime,
    facts: t.Mapping[str, str],
) -> list[Ranked]:
    """Return the likely causes, the most likely one first.

    own: the patterns of users, by name. weights: of the pools, empty when they are not known. facts: for commands.
    """
    scored = [(one, _score(one, own, weights, now)) for one in found]
    strong = {
        one.pool
        for one, score in scored
        if not _is_symptom(one, own) and score >= OF_SYMPTOMS and (not one.over or one.confirmed)
    }
    scored = [
        (one, score + EXPLAINED if _is_symptom(one, own) and ({one.pool, ""} & strong) else score)
        for one, score in scored
    ]
    by_cause: dict[str, list[tuple[Finding, float]]] = {}
    for one, score in scored:
        by_cause.setdefault(one.cause, []).append((one, score))
    causes = []
    for name, its in by_cause.items():
        its.sort(key=lambda pair: -pair[1])
        findings = tuple(one for one, _score_of_it in its)
        clause, command = _words(name, own)
        of_check = findings[0].facts.get("next", "")
        command = of_check or _command(command, {**facts, **findings[0].facts})
        causes.append(Ranked(name, its[0][1], clause, command, findings))
    return sorted(causes, key=lambda one: (-one.score, one.name))


def _is_symptom(one: Finding, own: t.Mapping[str, Pattern]) -> bool:
    return one.cause not in own and one.cause in CAUSES and CAUSES[one.cause].is_symptom


def _score(one: Finding, own: t.Mapping[str, Pattern], weights: t.Mapping[str, int], now: datetime) -> float:
    known = CAUSES.get(one.cause)
    score = OF_USERS if one.cause in own or known is None else known.score
    score += min(math.log10(max(one.count, 1)), 4.0)
    if one.confirmed is not None:
        score += CONFIRMED if one.confirmed else REFUTED
    last = _times.parse(one.last)
    if one.confirmed:
        pass  # it is so now, whenever it was seen
    elif last is not None and (now - last).total_seconds() > OLD_AFTER:
        score += OLD
    elif one.over:
        score += OVER
    if one.pool and weights and not weights.get(one.pool):
        score += WITHOUT_TRAFFIC
    return score


def _words(name: str, own: t.Mapping[str, Pattern]) -> tuple[str, str]:
    """Return the clause and the template of the next command."""
    known = CAUSES.get(name)
    if name not in own:
        return (known.clause, known.next) if known else (name, "")
    pattern = own[name]
    # Text of users is no template.
    command = re.sub(r"[{}]", lambda brace: brace[0] * 2, pattern.next)
    return pattern.cause or (known.clause if known else name), command or (known.next if known else "")


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name.upper()


def _command(template: str, facts: t.Mapping[str, str]) -> str:
    """Return a command with these facts, quoted for a shell: the names of objects come from the cluster."""
    return template.format_map(_Facts({name: shlex.quote(value) for name, value in facts.items()}))


def paragraph(
    causes: t.Sequence[Ranked],
    server: str,
    since: str,
    doubts: int,
    contacts: t.Sequence[str],
    pods: str = "",
) -> str:
    """Return one paragraph: the most likely cause, what shows it, the next command, and whom to call.

    since: for how long logs were read, such as 60 min. doubts: how many sources could not be read. contacts: as
    escalation.lines() gives them. pods: the command that lists the pods, where none could be read; empty otherwise.
    """
    doubt = (
        f" Not all was read ({doubts} of the sources, listed above), so another cause is possible." if doubts else ""
    )
    call = f" If that does not help, call {contacts[0].partition('. ')[2]}." if contacts else ""
    if pods and (not causes or causes[0].score < WEAK):
        return (
            f"Most likely this user cannot see {server}: the pods of no pool could be read, and why is listed above "
            f'under "not read". So nothing is ruled out. Next: {pods}.{call}'
        )
    if not causes or causes[0].score < WEAK:
        return (
            f"Most likely nothing in the cluster is wrong with {server}: no pod, event, quota or log line of the last "
            f"{since} points to a cause.{doubt} Next: {HEALTH}.{call}"
        )
    first, *others = causes
    strongest = first.findings[0]
    the = "the " if strongest.where.startswith("log ") else ""
    text = f"Most likely {first.clause}. Seen in {the}{strongest.where}: {strongest.said.rstrip('.')}."
    if strongest.confirmed:
        check = strongest.facts.get("check")
        text += f" A check made now confirms it: {check}." if check else " It is so now."
    elif strongest.confirmed is False:
        text += " A check made now succeeded, so it may be over."
    near = [one for one in others if one.score >= max(first.score - 15, 40)][:2]
    if near:
        text += f" Less likely: {'; or '.join(f'{one.clause} ({one.findings[0].where})' for one in near)}."
    if first.next:
        text += f" Next: {first.next}."
    return text + doubt + call
