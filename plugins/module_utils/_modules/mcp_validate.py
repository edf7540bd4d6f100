# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_validate: is a server as it should be after a release, each check with a verdict of its own."""

from __future__ import annotations

import functools
import threading
import time
import typing as t
from contextlib import suppress
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils import _results, _versions
from ansible_collections.mcp.server.plugins.module_utils._gates import connect, packs
from ansible_collections.mcp.server.plugins.module_utils._gates import options as gates_options
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import VALIDATION
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._mcp import (
    asking,
    auth,
    endpoint,
    handshake,
    own_requests,
    targets,
)
from ansible_collections.mcp.server.plugins.module_utils._mcp.answering import Answering
from ansible_collections.mcp.server.plugins.module_utils._mcp.requests import HealthPath
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_gate, mcp_health
from ansible_collections.mcp.server.plugins.module_utils._modules.calls import Calls, Module
from ansible_collections.mcp.server.plugins.module_utils._preflight.concurrently import begun
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Result, Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights, other
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure, Spec, Task, unexpected
from ansible_collections.mcp.server.plugins.module_utils._text import printable
from ansible_collections.mcp.server.plugins.module_utils._traffic import share
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._validation import (
    blame,
    counting,
    distribution,
    document,
    flow,
    performance,
    sending,
)
from ansible_collections.mcp.server.plugins.module_utils._validation.blame import Tried
from ansible_collections.mcp.server.plugins.module_utils._validation.distribution import Shares
from ansible_collections.mcp.server.plugins.module_utils._validation.rows import (
    ADVICE,
    CHECKS,
    DISTRIBUTION,
    HEALTH,
    LATENCY,
    MCP,
    METRICS,
    NAMES,
    THROUGHPUT,
)
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import name_of

# Documented in modules/mcp_validate.py
METRICS_OPTION: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "counter": {"type": "str", "default": "mcp_server_requests_total"},
        "port": {"type": "int", "default": 9090},
        "path": {"type": "str", "default": "/metrics"},
    },
}
SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "checks": {"type": "list", "elements": "str", "choices": list(CHECKS), "default": list(CHECKS)},
        "pool": {"type": "str", "choices": list(POOLS)},
        "endpoint": {**endpoint.OPTION, "required": True},
        "auth": auth.OPTION,
        "era": {"type": "str", "default": handshake.AUTO, "choices": list(handshake.ERAS)},
        "expect_version": {"type": "str"},
        "compare_version": {**_versions.COMPARE, "default": None},
        "health_max_age": {"type": "float"},
        "prometheus": gates_options.OPTION,
        "metrics": METRICS_OPTION,
        "requests": {"type": "int", "default": 20},
        "seconds": {"type": "float", "default": 300.0},
        "gates": {"type": "dict", "default": {}},
    },
)
PROBE = Module(mcp_health.SPEC, mcp_health.run)
GATE = Module(mcp_gate.SPEC, mcp_gate.run)

AGAIN = 1.0  # seconds between two reads of a counter
SLOW_REQUESTS = 10  # to a server that opens a session for each
SLOW_MOST = 40  # that show how they are spread over up to three instances
SENDING = 60.0  # seconds in which requests are sent
DIRECT_REQUESTS = 5  # to a pod, past the gateway
TRIES = 3  # looks at a failure before it counts in a release
ENOUGH = 600.0  # seconds: everything is bounded by itself, and ends sooner

Row = tuple[str, t.Callable[[], str]]


@lease_renewal.with_lease
def run(task: Task) -> dict[str, t.Any]:
    _refuse_wrong(task.params)
    validation = Validation(task)
    found = validation.results()
    result = {"changed": False, "checks": found, "instances": validation.instances}
    if problems := _results.problems(found):
        raise Failure(" ".join(problems), **result)
    return result


@lease_renewal.with_lease
def run_in_release(task: Task) -> dict[str, t.Any]:
    """Do the same for a pool that has just got the traffic: what fails must be the fault of its version.

    Otherwise a database that both pools have, a gateway or a scrape would take a good version back.
    """
    _refuse_wrong(task.params)
    validation = Validation(task)
    found = validation.results()
    blaming = Blaming(validation)
    found = [blaming.judged(one) if one["verdict"] == _results.FAILED else one for one in found]
    return {"changed": False, "checks": found, "instances": validation.instances}


def _refuse_wrong(params: dict[str, t.Any]) -> None:
    """Raise Failure for options that cannot be."""
    if not 1 <= params["requests"] <= distribution.MOST:
        raise Failure(f"requests is {params['requests']}: it must be from 1 to {distribution.MOST}.")
    if not params["seconds"] > 0:
        raise Failure(f"seconds is {params['seconds']:g}: it must be more than 0.")
    gates_options.gates(VALIDATION, params["gates"], "gates")


class Validation:
    """The checks of one server. What several of them need is read once."""

    def __init__(self, task: Task) -> None:
        self.task, self.params = task, task.params
        self.server = Server.from_params(task.params)
        self.cluster = connection.connect(task.params)
        self.calls = Calls.of(task.params)
        self.quiet = replace(task, progress=lambda line: None, check_mode=False)
        self.public = endpoint.public(task.params["endpoint"], task.params["auth"], Answering.from_params(task.params))
        self.instances: dict[str, float] = {}
        self._weights: Weights | Failure | None = None
        self._shares: dict[str, float] | None = None
        self._risen: list[tuple[counting.Counter, flow.Risen]] = []
        self._stateful = False

    def results(self) -> list[Result]:
        """Return the results of the checks that are wanted, in the order of CHECKS.

        Those that send requests and count them come one after the other, the rest beside them.
        """
        wanted = [name for name in CHECKS if name in self.params["checks"]]
        if {METRICS, DISTRIBUTION, LATENCY, THROUGHPUT} & set(wanted):
            self._read_weights()
        rows: dict[str, t.Callable[[], str]] = {
            HEALTH: self.health,
            MCP: self.mcp,
            METRICS: self.metrics,
            DISTRIBUTION: self.distribution,
            LATENCY: functools.partial(self.performance, LATENCY),
            THROUGHPUT: functools.partial(self.performance, THROUGHPUT),
        }
        groups = [[METRICS, DISTRIBUTION], *([name] for name in CHECKS if name not in (METRICS, DISTRIBUTION))]
        waits = begun(
            functools.partial(self._made, [(name, rows[name]) for name in group if name in wanted]) for group in groups
        )
        found = {one["id"]: one for wait in waits for one in wait(ENOUGH)}
        return [found[name] for name in wanted]

    def _made(self, rows: t.Sequence[Row]) -> list[Result]:
        found = []
        for name, check in rows:
            one = _results.made(name, NAMES[name], check)
            if name in ADVICE and one["verdict"] == _results.CANNOT_MEASURE:
                one["required"] = False
            self.task.progress(f"{NAMES[name]}: {one['verdict'].replace('_', ' ')} after {one['seconds']:.1f} s")
            found.append(one)
        return found

    def _read_weights(self) -> None:
        """Read which pools have traffic. One that is named has all that counts."""
        if self.params["pool"]:
            self._weights = {pool: 100 * (pool == self.params["pool"]) for pool in POOLS}
            return
        try:
            kind = kind_of(self.server)
            self._weights = kind.weights(kind.read(self.cluster, self.server), self.server)
        except Failure as failure:  # the other checks do without
            self._weights = failure

    @property
    def weights(self) -> Weights:
        """Return the weights of the pools. Raise Failure."""
        if isinstance(self._weights, Failure):
            raise Failure(self._weights.msg)
        return self._weights or {}

    @property
    def pools(self) -> list[str]:
        """Return the pools that have traffic. Raise Failure."""
        return [pool for pool in POOLS if self.weights.get(pool)]

    def health(self) -> str:
        answering = self.public.answering
        if answering.health_path is None:
            raise Skipped("The server has no health document that is known: set health_path (mcp_health_path).")
        found = self._probe(
            mcp=False,
            auth=None,  # a health path gets no credentials, and auth.expect_401 is about MCP
            lists=[],
            compare_version=None,
            expect_version=self.params["expect_version"] if self._compares_health() else None,
        )
        return document.judged(
            f"{self.public.name}{answering.health_path}",
            found["health"],
            self.cluster.now(),
            declared=bool(answering.health_checks),
            max_age=self.params["health_max_age"],
        )

    def _compares_health(self) -> bool:
        return _versions.HEALTH in (self.params["compare_version"] or [_versions.HEALTH])

    def mcp(self) -> str:
        guarded = self.is_guarded
        found = self._probe(health_path=None, health_checks=None, compare_version=None, era=self.params["era"])
        if guarded:
            return f"{self.public.name} refuses clients without a token, and names where they get one."
        info = found["server_info"] or {}
        named = printable(" ".join(str(info[key]) for key in ("name", "version") if info.get(key)), 200)
        tools = len(found["tools"] or [])
        return (
            f"{self.public.name} speaks MCP {printable(str(found['protocol_version']), 40)} ({found['session_mode']}"
            f"{', ' + named if named else ''}): {tools} tools, {1000 * found['seconds']:.0f} ms."
        )

    @property
    def is_guarded(self) -> bool:
        """Return whether the server is only checked for refusing clients."""
        return bool(self.params["auth"] and self.params["auth"]["expect_401"])

    def _probe(self, **options: t.Any) -> dict[str, t.Any]:
        """Return what mcp_health finds at the endpoint. Raise Failure when that is not healthy."""
        task = replace(self.quiet, params=self.calls.params(PROBE, **options))
        try:
            found: dict[str, t.Any] = mcp_health.run(task)["servers"][0]
        except Failure as failure:
            raise Failure(failure.msg) from None
        return found

    def metrics(self) -> str:
        counters = self.counters(self.pools)
        if not counters:
            raise Skipped(
                "Nothing says where the server's metrics are: set prometheus (mcp_prometheus), or metrics "
                "(mcp_metrics), to read them in the pods."
            )
        if self.is_guarded:
            raise Skipped("The server is only checked for refusing clients, so it counts no request.")
        said = self._send_counted(counters)
        good = [one for one in said if not one.reason]
        if not good:
            raise CannotMeasure(
                f"None of {len(said)} requests was answered well, so no counter can rise "
                f"({said[-1].reason.rstrip('.') if said else 'they took too long'})."
            )
        told, limit = [], Deadline(0)
        for counter in counters:
            risen = self.risen_of(counter, functools.partial(flow.enough, sent=len(good)), limit)
            self._risen.append((counter, risen))
            told.append(flow.judged(counter.source, counter.name, risen, len(good), limit.elapsed))
        return " ".join(told)

    def counters(self, pools: t.Sequence[str]) -> list[counting.Counter]:
        """Return the counters of requests of these pools. Raise CannotMeasure where they can't be read."""
        found: list[counting.Counter] = []
        if self.params["prometheus"] is not None:
            try:
                prometheus = connect.connect(self.params)
            except Failure as failure:  # such as a token that is not there
                raise CannotMeasure(failure.msg) from None
            found += [
                counting.InPrometheus(
                    prometheus, self.server, pools, pack, functools.partial(counting.ready, self.cluster, self.server)
                )
                for pack in packs.chosen(self.params["prometheus"])
                if counting.has_requests(pack)
            ]
        if self.params["metrics"] is not None:
            option = self.params["endpoint"]
            found.append(counting.InPods(self.cluster, self.server, pools, self.params["metrics"], option))
        return found

    def _send_counted(self, counters: t.Sequence[counting.Counter]) -> list[t.Any]:
        """Send MCP requests, which every server counts. Raise CannotMeasure when a counter can't be read."""
        try:
            for counter in counters:
                counter.start()
            # What counts is MCP: a health path may be served by something before the server.
            public = asking.endpoint_of({**self.params, "health_path": None, "health_checks": []})
            way = share.way_of(public)
            said = sending.send(public, way, 1, SENDING, threading.Event())
            self._stateful = bool(way.note)
            said += sending.send(public, way, self._wanted() - len(said), SENDING, threading.Event())
            for counter in counters:
                counter.sent()
        except Failure as failure:
            raise CannotMeasure(failure.msg) from None
        return said

    def _wanted(self) -> int:
        """Return how many requests are sent: more than asked for where more instances need them."""
        wanted: int = self.params["requests"]
        most = distribution.MOST
        if self._stateful:
            wanted, most = min(wanted, SLOW_REQUESTS), SLOW_MOST
        if DISTRIBUTION in self.params["checks"]:
            with suppress(Failure):
                wanted = max(wanted, distribution.needed(self._expected()))
        return min(wanted, most)

    def risen_of(
        self, counter: counting.Counter, enough: t.Callable[[flow.Risen], bool], since: Deadline
    ) -> flow.Risen:
        """Return how much a counter has risen, as soon as that is enough, or once all of it was read."""
        while True:
            try:
                risen = counter.risen()
            except Failure as failure:
                raise CannotMeasure(failure.msg) from None
            over = since.elapsed >= counter.patience
            if enough(risen) or over:
                return risen
            time.sleep(AGAIN)
            self.task.check_lease()

    def _expected(self) -> dict[str, float]:
        """Return the share of each ready pod, by the weights of the pools. Raise Failure."""
        if self._shares is None:
            weights, found = self.weights, dict[str, float]()
            for pool in self.pools:
                pods = [name_of(pod) for pod in targets.pods_of_pool(self.cluster, self.server, pool)]
                found |= dict.fromkeys(pods, weights[pool] / 100 / len(pods))
            self._shares = found
        return self._shares

    def distribution(self) -> str:
        try:
            shares = self._expected()
        except targets.NoneReady as failure:
            raise Failure(failure.msg) from None
        if len(shares) < 2:
            self.instances = dict.fromkeys(shares, 0.0)
            return distribution.judged({}, shares, "")
        counts, source = self._by_instance(shares)
        self._shares = None
        if self._expected() != shares:
            raise CannotMeasure("Pods have come or gone while requests were sent. Run it again.")
        self.instances = {pod: round(counts.get(pod, 0.0)) for pod in {*shares, *counts}}
        pinned = self._pinned() or (
            "the server keeps sessions, so other clients stay with one instance"
            if self._stateful and source.startswith("counted")
            else ""
        )
        needed = distribution.needed(shares)
        if self._stateful and source.startswith("counted") and needed > SLOW_MOST:
            raise Skipped(
                f"The server keeps sessions, so at most {SLOW_MOST} requests are sent, and {needed} are needed to tell "
                f"whether {len(shares)} instances get their share. Look at the metrics of each pod."
            )
        return distribution.judged(counts, shares, source, pinned)

    def _by_instance(self, shares: Shares) -> tuple[dict[str, float], str]:
        """Return how many requests each instance has answered, and by what that is known. Raise CannotMeasure."""
        path = self.public.answering.health_path
        if path is not None:
            count = min(max(self.params["requests"], distribution.needed(shares)), distribution.MOST)
            way = HealthPath(self.public, path)
            said = sending.send(self.public, way, 1, SENDING, threading.Event())
            if set(sending.instances(said)) <= set(shares) and sending.instances(said):
                said += sending.send(self.public, way, count - 1, SENDING, threading.Event())
                return sending.instances(said), "by instance_id of the health document"
        for counter, risen in self._risen:
            if risen.by_pod:
                return dict(risen.by_pod), f"counted by {counter.name}, {counter.source}"
        raise CannotMeasure(
            "Nothing tells which instance answers: the health document has no instance_id that is a pod's name, and no "
            "counter of requests was read for each pod. Set metrics (mcp_metrics) to the pods' counter."
        )

    def _pinned(self) -> str:
        """Return why requests of one client may stay with one pod, a clause; empty where nothing says so."""
        for pool in self.pools:
            service = self.server.pool_service(self.cluster, pool)
            spec = mapping(service, "spec")
            name = f"Service {self.server.service(pool)}"
            if spec.get("sessionAffinity") == "ClientIP":
                return f"{name} has sessionAffinity ClientIP, which keeps a client with one pod"
            if spec.get("trafficDistribution"):
                return f"{name} has trafficDistribution, which prefers pods that are near"
        return ""

    def performance(self, name: str) -> str:
        if self.params["prometheus"] is None:
            raise Skipped("There is no Prometheus: set prometheus (mcp_prometheus), or measure it by a load test.")
        told = []
        for pool in self.pools:
            try:
                judged = self.calls.run(
                    self.quiet,
                    GATE,
                    prometheus=self.params["prometheus"],
                    pool=pool,
                    checks=["validation"],
                    gates=self.params["gates"],
                    seconds=self.params["seconds"],
                    fail_on="never",
                )
            except Failure as failure:
                raise CannotMeasure(failure.msg) from None
            verdict = next((one for one in judged["gates"] if one["gate"] == name), None)
            if verdict is None:
                raise Skipped(f"The gate {name} is switched off in gates (mcp_validation_gates).")
            is_set = (self.params["gates"].get(name) or {}).get("limit") is not None
            told.append(performance.judged(pool, verdict, self.params["seconds"], is_set=is_set))
        return " ".join(told)


class Blaming:
    """Tells the faults of a new version from those that the old one has, too, by asking the pods of both pools."""

    def __init__(self, validation: Validation) -> None:
        self._validation = validation
        self._params, self._calls = validation.params, validation.calls
        self._new: str = validation.params["pool"]
        self._old = other(self._new)

    def judged(self, one: Result) -> Result:
        """Return the result of a check that has failed, as it counts in a release."""
        name = one["id"]
        if name in ADVICE:  # by limits that this release's user has asked for
            return one
        tries: dict[str, t.Callable[[str], Tried]] = {
            HEALTH: functools.partial(self._answering, mcp=False, auth=None, lists=[], era=None),
            MCP: functools.partial(self._answering, health_path=None, health_checks=None),
            METRICS: self._counting,
        }
        if name not in tries:
            return blame.judged(one, self._new, self._old, Tried(unknown=blame.OF_GATEWAY), Tried())
        for number in range(TRIES):
            if number:
                time.sleep(AGAIN)
            waits = begun(functools.partial(_tried, tries[name], pool) for pool in (self._new, self._old))
            new, old = (wait(ENOUGH) for wait in waits)
            found = blame.judged(one, self._new, self._old, new, old)
            # What lasts has no need of another look where that takes minutes.
            if found["verdict"] != _results.FAILED or name == METRICS:
                return found
        return found

    def _answering(self, pool: str, **options: t.Any) -> Tried:
        """Ask all ready pods of the pool."""
        validation = self._validation
        options = {"era": self._params["era"], **options, "pool": pool, "compare_version": None}
        task = replace(validation.quiet, params=self._calls.params(PROBE, **options))
        try:
            found = mcp_health.run(task)["servers"]
        except Failure as failure:
            found = failure.evidence.get("servers")
            if not found:
                return Tried(unknown=failure.msg)
        reasons = []
        for one in found:
            reason = "" if one["healthy"] else f"{one['target']}: {one['reason'] or 'no reason'}"
            if not reason and options.get("mcp") is False:
                reason = self._sick(one)
            reasons.append(reason)
        return Tried(tuple(reasons))

    def _sick(self, one: dict[str, t.Any]) -> str:
        """Return why the health document of a pod is not good; empty when it is, or does not tell."""
        answering = self._validation.public.answering
        try:
            document.judged(
                f"{one['target']}{answering.health_path}",
                one["health"],
                self._validation.cluster.now(),
                declared=bool(answering.health_checks),
                max_age=self._params["health_max_age"],
            )
        except CannotMeasure:
            return ""
        except Failure as failure:
            return failure.msg
        return ""

    def _counting(self, pool: str) -> Tried:
        """Send requests to one pod of the pool, past the gateway, and see whether it counts them."""
        validation = self._validation
        pod = targets.pods_of_pool(validation.cluster, validation.server, pool)[0]
        target = targets.in_pool(
            validation.cluster, validation.server, pod, pool, {**self._params, "health_path": None, "health_checks": []}
        )
        way = own_requests.of(replace(target, headers=targets.credentials_of(self._params).headers))
        counters = validation.counters([pool])
        for counter in counters:
            counter.start()
        said = sending.send(target, way, DIRECT_REQUESTS, SENDING, threading.Event())
        for counter in counters:
            counter.sent()
        good = sum(not one.reason for one in said)
        if not good:
            reason = said[-1].reason if said else "they took too long"
            return Tried(unknown=f"no request straight to {target.name} was answered well ({reason})")
        name, reasons, limit = name_of(pod), [], Deadline(0)
        for counter in counters:

            def enough(risen: flow.Risen) -> bool:
                return risen.by_pod.get(name, 0.0) >= good - 0.5

            risen = validation.risen_of(counter, enough, limit)
            if not enough(risen) and (name not in risen.by_pod or not risen.is_whole):
                return Tried(unknown=f"{counter.source} has no whole {counter.name} of {target.name}", how=way.request)
            told = f"{good} requests straight to {target.name}, and its {counter.name} rose by {risen.by_pod[name]:.0f}"
            reasons.append("" if enough(risen) else told)
        return Tried(tuple(reasons), how=way.request)


def _tried(call: t.Callable[[str], Tried], pool: str) -> Tried:
    """Return what came of it. Whatever goes wrong with it is no fault of the version."""
    try:
        return call(pool)
    except Failure as failure:
        return Tried(unknown=failure.msg)
    except Exception as error:
        return Tried(unknown=unexpected(error))
