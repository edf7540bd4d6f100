# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plain Service, without a gateway: the pods that it selects make the share.

All or nothing: its selector has C(pool), so that every pod of that pool serves, also a replacement, and none of the
other. A split: the selector has the serving label instead, which ready pods of both pools carry in the wanted
proportion. Only pods have the label. A pod that is created during a split doesn't have it, and gets no requests until
the split is set again.

A Service spreads connections, not requests: a connection that is kept alive stays on its pool.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import endpoints, paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items, mapping
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
    """A route that was read is the C(service), the server's C(pods), and the Service's EndpointSlices (C(slices))."""

    title, group, version, resource = "Service", "", "v1", "services"
    per_connection = True
    pod_label = SERVING

    def rules(self, server: Server) -> tuple[Rule, ...]:
        return (Rule("", "services", ("get", "patch"), (server.route,)), Rule("", "pods", ("patch",)))

    def read(self, cluster: Api, server: Server) -> Route:
        return {
            "service": cluster.get(self.path(server)),
            "pods": items(
                cluster.get(paths.pods(server.namespace), labelSelector=selectors.server_pods(server.name)), "items"
            ),
            "slices": endpoints.slices(cluster, server.namespace, server.route),
        }

    def weights(self, route: Route, server: Server) -> Weights:
        selector = _selector(route)
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
        if mapping(route["service"], "spec").get("sessionAffinity") == "ClientIP":
            raise Failure(
                f"{self.name(server)} has sessionAffinity ClientIP, which keeps each client on its pod. "
                "Remove it to split the traffic."
            )
        counts = {pool: len(ready) for pool, ready in _ready(route).items()}
        shares = _shares(dict.fromkeys(POOLS, max(counts.values())) if planning else counts)
        if wanted["blue"] in shares:
            return wanted
        if server.route_nearest and shares:
            blue = min(shares, key=lambda share: abs(share - wanted["blue"]))
            return {"blue": blue, "green": 100 - blue}
        raise Failure(
            f"{self.name(server)} can't give green {wanted['green']} %: with {counts['blue']} ready pods of blue and "
            f"{counts['green']} of green it reaches {_list(100 - blue for blue in shares)} for green. "
            "Set one of these, change the number of pods, or set route_nearest."
        )

    def notes(self, route: Route, server: Server) -> list[str]:
        most = max(len(ready) for ready in _ready(route).values())
        shares = _shares(dict.fromkeys(POOLS, most))
        return [f"with {most} ready pods in each pool it reaches {_list(100 - blue for blue in shares)}"]

    def written(self, route: Route) -> Route:
        service: Route = route["service"]
        return service

    def field(self, route: Route, server: Server) -> str:
        return "/spec/selector"

    def is_as_written(self, route: Route, server: Server, weights: Weights) -> bool:
        """Return whether it selects as it does for these weights.

        A split's share changes with every pod that comes or goes.
        """
        pool = pools.whole(weights)
        selector = _selector(route)
        return selector.get("pool") == pool if pool else selector.get(SERVING) == "true"

    def writes(
        self, route: Route, server: Server, wanted: Weights, stamp: Stamp | None = None
    ) -> list[tuple[str, list[Operation]]]:
        """Return the patches, labels first: without effect while the Service selects by pool, and added before removed.

        So a Service that is split is never without pods on the way to another split.
        """
        whole = pools.whole(wanted)
        if whole:
            operations = stamped(route["service"], _select(route, "pool", whole, SERVING), stamp)
            return [(self.path(server), operations)] if operations else []
        chosen = _chosen(route, self.reachable(route, server, wanted))
        pods = [
            (
                paths.pods(server.namespace, pod["metadata"]["name"]),
                [{"op": "add", "path": PLACE, "value": str(serves).lower()}],
            )
            for serves in (True, False)
            for pod in route["pods"]
            if (pod["metadata"]["name"] in chosen) is serves and _serves(pod) is not serves
        ]
        selects = _select(route, SERVING, "true", "pool")
        # The annotations have to be right also when only pods change.
        operations = stamped(
            route["service"], selects, stamp._replace(alone=stamp.alone or bool(pods)) if stamp else None
        )
        return [*pods, (self.path(server), operations)] if operations else pods

    def write(
        self, cluster: Api, server: Server, route: Route, wanted: Weights, stamp: Stamp | None = None, *, dry_run: bool
    ) -> tuple[bool, Route]:
        if dry_run and pools.whole(wanted) is None:  # in check mode the new pods may not exist yet
            return self.weights(route, server) != wanted, route
        return super().write(cluster, server, route, wanted, stamp, dry_run=dry_run)

    def after(self, cluster: Api, server: Server, route: Route, answers: list[Route], *, dry_run: bool) -> Route:
        return self.read(cluster, server) if answers else route

    def not_accepted(self, route: Route, server: Server) -> str:
        wanted = {pod["metadata"]["name"] for pod in route["pods"] if is_ready(pod) and _selects(_selector(route), pod)}
        has = {mapping(endpoint, "targetRef").get("name") for endpoint in endpoints.ready(route["slices"])}
        if wanted == has:
            return ""
        return f"its EndpointSlices have {_names(has)}, not {_names(wanted)}: check the kube-controller-manager"


KIND: Kind = Service()


def _ready(route: Route) -> dict[str, list[Route]]:
    """Return the ready pods of each pool that match all else that the Service selects, the oldest first."""
    selector = {key: value for key, value in _selector(route).items() if key not in ("pool", SERVING)}
    pods = sorted(
        route["pods"], key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"])
    )
    return {
        pool: [pod for pod in pods if is_ready(pod) and _selects({**selector, "pool": pool}, pod)] for pool in POOLS
    }


def _selector(route: Route) -> dict[str, str]:
    return mapping(route["service"], "spec", "selector")


def _selects(selector: dict[str, str], pod: Route) -> bool:
    labels = mapping(pod, "metadata", "labels")
    return selector.items() <= labels.items()


def _serves(pod: Route) -> bool:
    labels = mapping(pod, "metadata", "labels")
    return bool(labels.get(SERVING) == "true")


def _shares(counts: dict[str, int]) -> dict[int, dict[str, int]]:
    """Return each split that so many pods can make: blue's percent, falling, with the most pods that make it."""
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
    """Return the names of the pods that are to serve; those that do already are chosen first."""
    ready = _ready(route)
    counts = _shares({pool: len(ready[pool]) for pool in POOLS})[wanted["blue"]]
    return {
        pod["metadata"]["name"]
        for pool in POOLS
        for pod in sorted(ready[pool], key=lambda pod: not _serves(pod))[: counts[pool]]
    }


def _select(route: Route, key: str, value: str, instead_of: str) -> list[Operation]:
    """Return the operations that make the Service select by this key instead of the other; empty when it does."""
    place, selector = "/spec/selector/", _selector(route)
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
