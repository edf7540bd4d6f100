# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search for the facts of a plan, by reading and by dry runs. What cannot be found is a problem of the plan."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results, _versions
from ansible_collections.mcp.server.plugins.module_utils._image import with_digest
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import connect
from ansible_collections.mcp.server.plugins.module_utils._plan import steps
from ansible_collections.mcp.server.plugins.module_utils._plan.plan import Facts, Pool, Step
from ansible_collections.mcp.server.plugins.module_utils._preflight import checks as preflight_checks
from ansible_collections.mcp.server.plugins.module_utils._preflight.context import Context
from ansible_collections.mcp.server.plugins.module_utils._preflight.dependencies import Finding, check_dependencies
from ansible_collections.mcp.server.plugins.module_utils._release import lease, record
from ansible_collections.mcp.server.plugins.module_utils._release import pools as pools_by_weight
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Run, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Kind, Route, of_all
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import rollout

Found = t.TypeVar("Found")
Module = tuple[Spec, Run]  # of _modules, which nothing here imports


class Modules(t.NamedTuple):
    """The modules that the search runs."""

    version_check: Module
    health: Module


class Search:
    """One search, for the options of mcp_plan_info."""

    def __init__(self, task: Task, modules: Modules) -> None:
        self.task = task
        self.modules = modules
        self.params = task.params
        self.problems: list[str] = list(task.params["problems"])
        self.server = Server.from_params(task.params)
        self.image_ref = _versions.reference(task.params["image"], task.params["version"])
        self.containers: dict[str, str] = {}  # the server's, by pool
        # The arguments of Facts, as far as they were found.
        self.known: dict[str, t.Any] = {}

    def facts(self) -> Facts:
        """Search, and return what was found."""
        params, server = self.params, self.server
        self.known |= {
            "server": str(server),
            "version": params["version"],
            "image_ref": self.image_ref,
            "container": server.container or server.name,
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
        """Return what look returns. When it fails, note the problem and return None.

        A missing permission is no problem here: the check of the rights reports it, once.
        """
        try:
            return look()
        except Forbidden:
            return None
        except Failure as failure:
            self.problems.append(failure.msg)
            return None

    def run(self, module: Module, **params: t.Any) -> dict[str, t.Any] | None:
        """Return the result of another module, run with the options of this one as far as it has them."""
        spec, run = module
        shared = {name: self.params[name] for name in spec.options if name in self.params}
        defaults = {name: option.get("default") for name, option in spec.options.items()}
        task = Task({**defaults, **shared, "run_id": None, **params}, check_mode=True, warn=self.task.warn)
        return self.attempt(lambda: run(task))

    def _image(self) -> None:
        only = {"namespace": None, "server": None, "endpoint": None}
        found = self.run(self.modules.version_check, **only)
        self.known["digest"] = (found["registry_image"]["digest"] if found else None) or ""
        if self.params["deploy_digest"]:
            self.image_ref = self.known["image_ref"] = with_digest(self.image_ref, self.known["digest"])

    def _cluster(self) -> None:
        cluster = self.attempt(lambda: connect(self.params))
        if cluster is None:
            return
        checks = preflight_checks.checks(Context(cluster, self.server, self.params))
        self.problems += _results.problems(checks)
        for check in checks:
            if not check["ok"] and not check["required"]:
                self.task.warn(check["message"])
        good = {check["id"] for check in checks if check["ok"]}
        if not {preflight_checks.API_SERVER, preflight_checks.NAMESPACE} <= good:
            return
        self.attempt(lambda: self._check_lease(cluster))
        deployed = [pool for pool in POOLS if preflight_checks.workload_id(pool) in good]
        pools = {pool: self.attempt(functools.partial(self._pool, cluster, pool)) for pool in deployed}
        self.known["pools"] = {pool: found for pool, found in pools.items() if found}
        kind = kind_of(self.server)
        try:
            route = kind.read(cluster, self.server)
            self.known["weights"] = kind.weights(route, self.server)
            self.known["of_all_traffic"] = of_all(self.known["weights"], kind.part(route, self.server))
            self.known["route_notes"] = tuple(kind.notes(route, self.server))
        except Failure:
            return  # the check of the route reports it
        self.attempt(lambda: self._live(cluster))
        if self.known.get("live"):
            self._shifts(kind, route)
            self._dry_run(cluster, kind, route)

    def _check_lease(self, cluster: Api) -> None:
        """Raise Failure when another run holds the Lease."""
        holder, _version = lease.Lease(cluster, self.server.namespace, self.server.name).read()
        dead = bool(holder and lease.is_dead(holder.process))
        refusal = lease.refusal(
            str(self.server), holder, "", cluster.server_time(), dead=dead, take_over=self.params["take_over"]
        )
        if refusal:
            raise Failure(refusal)

    def _pool(self, cluster: Api, pool: str) -> Pool:
        workload = cluster.get(self.server.workload_path(pool))
        image, replicas = self.server.deployed(cluster, workload, pool)
        self.containers[pool] = self.server.container_in(cluster, workload, pool)
        return Pool(image, replicas, self.server.ready_endpoints(cluster, pool), self.server.digest(cluster, pool))

    def _live(self, cluster: Api) -> None:
        """Find out which pool is live, and what that means for the release."""
        release_record, _version = record.read(cluster, self.server)
        weights = self.known["weights"]
        live = pools_by_weight.stable(weights, release_record.current)
        if live is None:
            raise Failure(
                f"Cannot tell which pool of {self.server} is live: its weights are blue {weights['blue']} % and green "
                f"{weights['green']} %, and no release is in progress. Give one pool 100 with mcp_traffic_shift first."
            )
        target: record.Side = {"pool": other(live), "image_ref": self.image_ref}
        pool = self.known["pools"].get(live)
        self.known |= {
            "container": self.containers.get(other(live), self.known["container"]),
            "live": live,
            "idle": other(live),
            "workload": self.server.workload_title(other(live)),
            "resumed": record.resumes(release_record.current, target),
            "already_live": bool(pool)
            and pools_by_weight.already_live(weights, release_record.current, pool.image_ref, self.image_ref),
            "history": tuple(release for release in (release_record.current, *release_record.history) if release),
        }
        if pool and not pool.ready and pool.replicas:
            raise Failure(f"Pool {live} of {self.server} is live and has no ready pod. Find out why first.")

    def _shifts(self, kind: Kind, route: Route) -> None:
        """Find out the weights that each step reaches, and the values that it sets."""
        planned, writes = [], []
        for step in self.known["steps"]:
            reached = None
            if 0 <= step.weight <= 100:
                wanted = pools_by_weight.split(self.known["idle"], step.weight)
                reached = self.attempt(functools.partial(kind.reachable, route, self.server, wanted, planning=True))
            part = kind.part(route, self.server, reached) if reached else 1.0
            shares = of_all(reached, part) if reached else {}
            idle = self.known["idle"]
            planned.append(Step(step.weight, step.seconds, reached[idle] if reached else None, shares.get(idle)))
            if reached:
                writes.append(self._writes(kind, route, reached))
        places = {place for write in writes for place in write}
        current = {place: value for place in places if (value := _at(route, place[1])) is not None}
        self.known |= {"steps": tuple(planned), "writes": tuple(writes), "current_values": current}

    def _writes(self, kind: Kind, route: Route, weights: dict[str, int]) -> dict[tuple[str, str], t.Any]:
        """Return the values that these weights set, by object and field."""
        try:
            patches = kind.writes(route, self.server, weights)
        except Failure:  # by pods that do not exist yet
            shares = ", ".join(f"{pool} {percent} %" for pool, percent in weights.items())
            return {(kind.name(self.server), "share"): shares}
        named = {kind.path(self.server): kind.name(self.server)}
        return {
            (named.get(path, path.rpartition("/namespaces/")[2]), operation["path"]): operation.get("value", "removed")
            for path, operations in patches
            for operation in operations
            if operation["op"] != "test" and operation["path"] != "/metadata/resourceVersion"
        }

    def _dry_run(self, cluster: Api, kind: Kind, route: Route) -> None:
        """Try the two important writes on the API server, with its quotas and webhooks."""
        idle, pools = self.known["idle"], self.known["pools"]
        if self.known["already_live"] or not pools.keys() >= set(POOLS):
            return
        before = {"image_ref": pools[idle].image_ref, "replicas": pools[idle].replicas}
        after = {"image_ref": self.image_ref, "replicas": max(pools[self.known["live"]].replicas, 1)}
        body = rollout.patch(self.known["container"], before, after)
        patched = self.attempt(lambda: cluster.patch(self.server.workload_path(idle), body, "strategic", dry_run=True))
        if patched and (patched.get("spec") or {}).get("paused"):
            self.problems.append(
                f"{self.known['workload']} is paused, so its pods will not be replaced. "
                "Resume it (kubectl rollout resume)."
            )
        self.attempt(lambda: kind.write(cluster, self.server, route, pools_by_weight.split(idle, 100), dry_run=True))

    def _later(self) -> None:
        """Check what the release needs later.

        As in the release itself, a dependency that is not required is a warning, and each one is when a release is
        resumed that has traffic already.
        """
        weights, idle = self.known.get("weights"), self.known.get("idle")
        has_traffic = bool(self.known.get("resumed") and weights and idle and weights[idle] > 0)
        failed: list[Finding] = [one for one in check_dependencies(self.params, self.server) if not one.ok]
        for one in failed:
            if one.required and not has_traffic:
                self.problems.append(one.message)
            else:
                self.task.warn(one.message)

    def _clients(self) -> None:
        """Check that the live version answers clients and, for its contract, in its pods.

        wait_timeout is that of a rollout, and must not apply here.
        """
        if "endpoint" not in self.params["bypassed"]:
            self.run(self.modules.health, pool=None, wait_timeout=0.0)
        live = self.known.get("live")
        if self.params["contract_check"] and live and live in self.known["pools"] and self.known["pools"][live].ready:
            self.run(self.modules.health, pool=live, health_path=None, health_checks=[], wait_timeout=0.0)


def _at(route: Route, pointer: str) -> t.Any:
    """Return the value at a JSON pointer; None when there is none, or when it is in another object."""
    found: t.Any = route
    for key in pointer.split("/")[1:]:
        try:
            found = found[int(key)] if isinstance(found, list) else found[key.replace("~1", "/").replace("~0", "~")]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return found
