# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plain Service, with no gateway before it: the share is made by which pods it selects.

All or nothing: its selector has C(pool), so that every pod of that pool serves,
also one that replaces another, and none of the other pool. A split: it has the
serving label instead, which ready pods of both pools carry in the wanted
proportion. The label is on pods only. A pod that is made during a split
doesn't have it and gets nothing until the split is set again.

A Service spreads connections, not requests: one that is kept stays where it is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, pod_path
from ansible_collections.mcp.server.plugins.module_utils._release import pools
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, Weights
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import (
    Kind,
    Operation,
    Route,
    Rule,
    Stamp,
    percent,
    stamped,
)
from ansible_collections.mcp.server.plugins.module_utils._workload.pods import is_ready

SERVING = "mcp.server/serving"
PLACE = f"/metadata/labels/{SERVING.replace('/', '~1')}"


class Service(Kind):
    """What it reads is the Service (C(service)), the server's pods (C(pods)), and the Service's EndpointSlices (C(slices))."""

    title, group, version, resource = "Service", "", "v1", "services"
    per_connection = True
    pod_label = SERVING

    def rules(self, server: Server) -> tuple[Rule, ...]:
        return (Rule("", "services", ("get", "patch"), (server.route,)), Rule("", "pods", ("patch",)))

    def read(self, cluster: Api, server: Server) -> Route:
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{server.namespace}/endpointslices"
        return {
            "service": cluster.get(self.path(server)),
            "pods": cluster.get(pod_path(server.namespace), labelSelector=f"app={server.name}")["items"],
            "slices": cluster.get(slices, labelSelector=f"kubernetes.io/service-name={server.route}")["items"],
        }

    def weights(self, route: Route, server: Server) -> Weights:
        selector = route["service"]["spec"].get("selector") or {}
        pool, serving = selector.get("pool"), selector.get(SERVING)
        if selector.get("app") == server.name and pool in POOLS and serving is None:
            return {one: 100 if one == pool else 0 for one in POOLS}
        if selector.get("app") == server.name and pool is None and serving == "true":
            return percent(*(len([pod for pod in ready if _serves(pod)]) for ready in _ready(route).values()))
        now = ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or "nothing"
        raise Failure(
            f"{self.name(server)} selects {now}: it must select app={server.name} and pool=blue or pool=green "
            f"(or, while a split is set, {SERVING}=true instead of the pool)."
        )

    def reachable(self, route: Route, server: Server, wanted: Weights, *, planning: bool = False) -> Weights:
        if 100 in wanted.values():
            return wanted
        if route["service"]["spec"].get("sessionAffinity") == "ClientIP":
            raise Failure(
                f"{self.name(server)} has sessionAffinity ClientIP, which keeps each client where it is: without it the Service can be split."
            )
        counts = {pool: len(ready) for pool, ready in _ready(route).items()}
        shares = _shares(dict.fromkeys(POOLS, max(counts.values())) if planning else counts)
        if wanted["blue"] in shares:
            return wanted
        if server.route_nearest and shares:
            blue = min(shares, key=lambda share: abs(share - wanted["blue"]))
            return {"blue": blue, "green": 100 - blue}
        raise Failure(
            f"{self.name(server)} can't give green {wanted['green']} %: with {counts['blue']} ready pods of blue and {counts['green']} of green "
            f"it reaches {_list(100 - blue for blue in shares)} for green; set one of these, change the number of pods, or set route_nearest."
        )

    def note(self, route: Route, server: Server) -> str:
        most = max(len(ready) for ready in _ready(route).values())
        return f"; with {most} ready pods in each pool it reaches {_list(100 - blue for blue in _shares(dict.fromkeys(POOLS, most)))}"

    def written(self, route: Route) -> Route:
        return route["service"]

    def field(self, route: Route, server: Server) -> str:
        return "/spec/selector"

    def is_as_written(self, route: Route, server: Server, weights: Weights) -> bool:
        """A split changes with every pod that comes and goes: that the Service still selects for one is what can be told."""
        pool = pools.whole(weights)
        selector = route["service"]["spec"].get("selector") or {}
        return selector.get("pool") == pool if pool else selector.get(SERVING) == "true"

    def writes(
        self, route: Route, server: Server, wanted: Weights, stamp: Stamp | None = None
    ) -> list[tuple[str, list[Operation]]]:
        """Labels first: they count for nothing while the Service selects by pool, and a split is never empty on the way to another."""
        whole = pools.whole(wanted)
        if whole:
            operations = stamped(route["service"], _select(route, "pool", whole, SERVING), stamp)
            return [(self.path(server), operations)] if operations else []
        chosen = _chosen(route, self.reachable(route, server, wanted))
        pods = [
            (
                pod_path(server.namespace, pod["metadata"]["name"]),
                [{"op": "add", "path": PLACE, "value": str(serves).lower()}],
            )
            for serves in (True, False)
            for pod in route["pods"]
            if (pod["metadata"]["name"] in chosen) is serves and _serves(pod) is not serves
        ]
        selects = _select(route, SERVING, "true", "pool")
        # What is noted has to be right also when only pods change.
        operations = stamped(
            route["service"], selects, stamp._replace(alone=stamp.alone or bool(pods)) if stamp else None
        )
        return [*pods, (self.path(server), operations)] if operations else pods

    def write(
        self, cluster: Api, server: Server, route: Route, wanted: Weights, stamp: Stamp | None = None, *, dry_run: bool
    ) -> tuple[bool, Route]:
        if dry_run and pools.whole(wanted) is None:  # the pods of a release that is only planned can't be labelled
            return self.weights(route, server) != wanted, route
        return super().write(cluster, server, route, wanted, stamp, dry_run=dry_run)

    def after(self, cluster: Api, server: Server, route: Route, answers: list[Route], *, dry_run: bool) -> Route:
        return self.read(cluster, server) if answers else route

    def not_accepted(self, route: Route, server: Server) -> str:
        wanted = {
            pod["metadata"]["name"]
            for pod in route["pods"]
            if is_ready(pod) and _selects(route["service"]["spec"]["selector"], pod)
        }
        has = {
            (endpoint.get("targetRef") or {}).get("name")
            for item in route["slices"]
            for endpoint in item.get("endpoints") or []
            if (endpoint.get("conditions") or {}).get("ready") is not False
        }
        if wanted == has:
            return ""
        return f"its EndpointSlices have {_names(has)}, and not {_names(wanted)}: see the kube-controller-manager"


KIND: Kind = Service()


def _ready(route: Route) -> dict[str, list[Route]]:
    """The ready pods of each pool that have whatever else the Service selects, the oldest first."""
    selector = {
        key: value for key, value in route["service"]["spec"]["selector"].items() if key not in ("pool", SERVING)
    }
    pods = sorted(
        route["pods"], key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"])
    )
    return {
        pool: [pod for pod in pods if is_ready(pod) and _selects({**selector, "pool": pool}, pod)] for pool in POOLS
    }


def _selects(selector: dict[str, str], pod: Route) -> bool:
    return selector.items() <= pod["metadata"]["labels"].items()


def _serves(pod: Route) -> bool:
    return pod["metadata"]["labels"].get(SERVING) == "true"


def _shares(counts: dict[str, int]) -> dict[int, dict[str, int]]:
    """Blue's percent of each split that so many pods can make, falling, with the pods that make it: as many as possible."""
    found: dict[int, dict[str, int]] = {}
    for blue in range(1, counts["blue"] + 1):
        for green in range(1, counts["green"] + 1):
            found[percent(blue, green)["blue"]] = max(
                found.get(percent(blue, green)["blue"], {}),
                {"blue": blue, "green": green},
                key=lambda one: sum(one.values()),
            )
    return dict(sorted(found.items(), reverse=True))


def _chosen(route: Route, wanted: Weights) -> set[str]:
    """The names of the pods that are to serve; those that do already are kept."""
    ready = _ready(route)
    counts = _shares({pool: len(ready[pool]) for pool in POOLS})[wanted["blue"]]
    return {
        pod["metadata"]["name"]
        for pool in POOLS
        for pod in sorted(ready[pool], key=lambda pod: not _serves(pod))[: counts[pool]]
    }


def _select(route: Route, key: str, value: str, instead_of: str) -> list[Operation]:
    """Return what makes the Service select so; empty when it does."""
    place, selector = "/spec/selector/", route["service"]["spec"]["selector"]
    operations = (
        [{"op": "add", "path": place + key.replace("/", "~1"), "value": value}] if selector.get(key) != value else []
    )
    if instead_of in selector:
        operations.append({"op": "remove", "path": place + instead_of.replace("/", "~1")})
    return operations


def _list(shares: t.Iterable[int]) -> str:
    return ", ".join(map(str, (0, *shares, 100))) + " %"


def _names(names: t.Collection[str | None]) -> str:
    return ", ".join(sorted(name or "something that is no pod" for name in names)) or "no pod"
