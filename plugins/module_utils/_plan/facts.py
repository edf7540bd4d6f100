# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release would meet, found by reading and by dry runs; whatever can't be found is a problem, and the search goes on."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _versions
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._plan import steps
from ansible_collections.mcp.server.plugins.module_utils._plan.plan import Facts, Pool, Step
from ansible_collections.mcp.server.plugins.module_utils._preflight import checks as preflight_checks
from ansible_collections.mcp.server.plugins.module_utils._preflight.dependencies import Finding, check_dependencies
from ansible_collections.mcp.server.plugins.module_utils._release import lease, record
from ansible_collections.mcp.server.plugins.module_utils._release import pools as pools_by_weight
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Run, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Kind, Route
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import rollout

Found = t.TypeVar("Found")
Module = tuple[Spec, Run]


class Modules(t.NamedTuple):
    """The modules that are asked, each with its spec and its run."""

    version_check: Module
    health: Module


class Search:
    """known: what Facts takes, as far as it was found."""

    def __init__(self, task: Task, modules: Modules) -> None:
        self.task = task
        self.modules = modules
        self.params = task.params
        self.problems: list[str] = list(task.params["problems"])
        self.server = Server.from_params(task.params)
        self.image_ref = _versions.reference(task.params["image"], task.params["version"])
        self.known: dict[str, t.Any] = {}

    def facts(self) -> Facts:
        params, server = self.params, self.server
        self.known |= {
            "server": str(server),
            "version": params["version"],
            "image_ref": self.image_ref,
            "container": server.container,
            "record": f"ConfigMap {server.namespace}/{server.name}-release",
            "wait_timeout": params["wait_timeout"],
            "shift_timeout": params["shift_timeout"],
            "warm_seconds": params["warm_seconds"],
            "gate_descriptions": tuple(params["gate_descriptions"]),
            "steps": tuple(Step(step["weight"], step["seconds"]) for step in params["steps"]),
        }
        self._image()
        self._cluster()
        self._later()
        self._clients()
        self.problems += steps.problems([step.weight for step in self.known["steps"]])
        return Facts(**self.known, problems=tuple(dict.fromkeys(self.problems)))

    def attempt(self, look: t.Callable[[], Found]) -> Found | None:
        """What it gives; None when it fails, which is a problem then. What we may not do is the rights' check to tell, once."""
        try:
            return look()
        except Forbidden:
            return None
        except Failure as failure:
            self.problems.append(failure.msg)
            return None

    def run(self, module: Module, **params: t.Any) -> dict[str, t.Any] | None:
        """Another module's result, with our options as far as it has them."""
        spec, run = module
        ours = {name: self.params[name] for name in spec.options if name in self.params}
        defaults = {name: option.get("default") for name, option in spec.options.items()}
        return self.attempt(
            lambda: run(Task({**defaults, **ours, "run_id": None, **params}, check_mode=True, warn=self.task.warn))
        )

    def _image(self) -> None:
        only = {"namespace": None, "server": None, "endpoint": None}
        found = self.run(self.modules.version_check, **only)
        self.known["digest"] = (found["registry_image"]["digest"] if found else None) or ""

    def _cluster(self) -> None:
        cluster = self.attempt(lambda: connect(self.params))
        if cluster is None:
            return
        checks = preflight_checks.checks(preflight_checks.Context(cluster, self.server, self.params))
        self.problems += [check["message"] for check in checks if not check["ok"]]
        good = {check["id"] for check in checks if check["ok"]}
        if not {preflight_checks.API_SERVER, preflight_checks.NAMESPACE} <= good:
            return
        self.attempt(lambda: self._not_held(cluster))
        self.known["pools"] = {
            pool: found
            for pool in POOLS
            if preflight_checks.deployment_id(pool) in good
            and (found := self.attempt(lambda pool=pool: self._pool(cluster, pool)))
        }
        kind = kind_of(self.server)
        try:
            route = kind.read(cluster, self.server)
            self.known["weights"] = kind.weights(route, self.server)
        except Failure:
            return  # told by the check of the route
        self.attempt(lambda: self._live(cluster))
        if self.known.get("live"):
            self._moves(kind, route)
            self._dry_run(cluster, kind, route)

    def _not_held(self, cluster: Api) -> None:
        holder, _version = lease.Lease(cluster, self.server.namespace, self.server.name).read()
        dead = bool(holder and lease.is_dead(holder.process))
        complaint = lease.refusal(
            str(self.server), holder, "", cluster.server_time(), dead=dead, take_over=self.params["take_over"]
        )
        if complaint:
            raise Failure(complaint)

    def _pool(self, cluster: Api, pool: str) -> Pool:
        image, replicas = self.server.image(cluster, pool)
        return Pool(image, replicas, self.server.ready_endpoints(cluster, pool), self.server.digest(cluster, pool))

    def _live(self, cluster: Api) -> None:
        book, _version = record.read(cluster, self.server)
        weights = self.known["weights"]
        live = pools_by_weight.stable(weights, book.current)
        if live is None:
            raise Failure(
                f"Which pool of {self.server} is live can't be told from its weights (blue {weights['blue']} %, green {weights['green']} %), "
                "and no release is running: give one pool 100 with mcp_traffic_shift first."
            )
        target: record.Side = {"pool": other(live), "image_ref": self.image_ref}
        pool = self.known["pools"].get(live)
        self.known |= {
            "live": live,
            "idle": other(live),
            "deployment": f"Deployment {self.server.namespace}/{self.server.deployment(other(live))}",
            "resumed": record.resumes(book.current, target),
            "already_live": bool(pool)
            and pools_by_weight.already_live(weights, book.current, pool.image_ref, self.image_ref),
            "history": tuple(release for release in (book.current, *book.history) if release),
        }
        if pool and not pool.ready and pool.replicas:
            raise Failure(f"Pool {live} of {self.server} is live and has no ready pod: see why before anything else.")

    def _moves(self, kind: Kind, route: Route) -> None:
        """The weights that each step reaches, and what is written for it."""
        planned, writes = [], []
        for step in self.known["steps"]:
            wanted = pools_by_weight.split(self.known["idle"], step.weight)
            reached = (
                self.attempt(lambda wanted=wanted: kind.reachable(route, self.server, wanted, planning=True))
                if 0 <= step.weight <= 100
                else None
            )
            planned.append(Step(step.weight, step.seconds, reached[self.known["idle"]] if reached else None))
            if reached:
                writes.append(self._writes(kind, route, reached))
        places = {place for write in writes for place in write}
        written = {place: value for place in places if (value := _at(route, place[1])) is not None}
        self.known |= {"steps": tuple(planned), "writes": tuple(writes), "written": written}

    def _writes(self, kind: Kind, route: Route, weights: dict[str, int]) -> dict[tuple[str, str], t.Any]:
        try:
            patches = kind.writes(route, self.server, weights)
        except Failure:  # of pods that are not there yet
            return {
                (kind.name(self.server), "share"): ", ".join(f"{pool} {percent} %" for pool, percent in weights.items())
            }
        named = {kind.path(self.server): kind.name(self.server)}
        return {
            (named.get(path, path.rpartition("/namespaces/")[2]), operation["path"]): operation.get("value", "removed")
            for path, operations in patches
            for operation in operations
            if operation["op"] != "test" and operation["path"] != "/metadata/resourceVersion"
        }

    def _dry_run(self, cluster: Api, kind: Kind, route: Route) -> None:
        """What the API server, with its quotas and webhooks, says to the two writes that matter."""
        idle, pools = self.known["idle"], self.known["pools"]
        if self.known["already_live"] or not pools.keys() >= set(POOLS):
            return
        before = {"image_ref": pools[idle].image_ref, "replicas": pools[idle].replicas}
        after = {"image_ref": self.image_ref, "replicas": max(pools[self.known["live"]].replicas, 1)}
        body = rollout.patch(self.server.container, before, after)
        patched = self.attempt(
            lambda: cluster.patch(self.server.deployment_path(idle), body, "strategic", dry_run=True)
        )
        if patched and patched["spec"].get("paused"):
            self.problems.append(
                f"{self.known['deployment']} is paused, so that its pods stay as they are: resume it (kubectl rollout resume)."
            )
        self.attempt(lambda: kind.write(cluster, self.server, route, pools_by_weight.split(idle, 100), dry_run=True))

    def _later(self) -> None:
        """What the release can do without is a warning, as in the release itself, and all of it is for one that goes on with traffic."""
        weights, idle = self.known.get("weights"), self.known.get("idle")
        goes_on = bool(self.known.get("resumed") and weights and idle and weights[idle] > 0)
        failed: list[Finding] = [one for one in check_dependencies(self.params, self.server) if not one.ok]
        for one in failed:
            if one.required and not goes_on:
                self.problems.append(one.message)
            else:
                self.task.warn(one.message)

    def _clients(self) -> None:
        """Whether the live version answers, to clients and, for its contract, in its pods.

        wait_timeout of the plan is the one of a rollout, which is none of these.
        """
        self.run(self.modules.health, pool=None, wait_timeout=0.0)
        live = self.known.get("live")
        if self.params["contract_check"] and live and live in self.known["pools"] and self.known["pools"][live].ready:
            self.run(self.modules.health, pool=live, health=[], wait_timeout=0.0)


def _at(route: Route, pointer: str) -> t.Any:
    """What is at a JSON pointer, None when it is not there or in another object."""
    found: t.Any = route
    for key in pointer.split("/")[1:]:
        try:
            found = found[int(key)] if isinstance(found, list) else found[key.replace("~1", "/").replace("~0", "~")]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return found
