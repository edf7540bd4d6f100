# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plain Service, without a gateway: the pods that it selects make the share.

All or nothing: it selects what the Service of one pool selects, so that every pod of that pool serves, also a
replacement, and none of the other. A split: it has the serving label instead of those labels in which the pools'
Services differ, and ready pods of both pools carry it in the wanted proportion. Only pods have the label. A pod that is
created during a split doesn't have it, and gets no requests until the split is set again.

A Service spreads connections, not requests: a connection that is kept alive stays on its pool.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import endpoints, paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
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
    """A route that was read is the C(service), and what is needed to judge it.

    That is what the Service of each pool selects (C(selectors)), the C(pods) of both pools, and the Service's
    EndpointSlices (C(slices)).
    """

    title, group, version, resource = "Service", "", "v1", "services"
    per_connection = True
    pod_label = SERVING

    def rules(self, server: Server) -> tuple[Rule, ...]:
        return (Rule("", "services", ("get", "patch"), (server.route,)), Rule("", "pods", ("patch",)))

    def read(self, cluster: Api, server: Server) -> Route:
        return {
            "service": cluster.get(self.path(server)),
            "selectors": {pool: server.selector(cluster, pool) for pool in POOLS},
            "pods": _pods(cluster, server),
            "slices": endpoints.slices(cluster, server.namespace, server.route),
        }

    def weights(self, route: Route, server: Server) -> Weights:
        shared, differing = _common(route), _differing(route)
        selector = _selector(route)
        serving = selector.get(SERVING)
        chosen = {key: selector[key] for key in differing if key in selector}
        if differing and shared.items() <= selector.items():
            for pool in POOLS:
                if serving is None and chosen == _own(route, pool):
                    return {one: 100 if one == pool else 0 for one in POOLS}
            if serving == "true" and not chosen:
                return percent(*(len([pod for pod in ready if _serves(pod)]) for ready in _ready(route).values()))
        wanted = " or ".join(_shown(selects) for selects in route["selectors"].values())
        raise Failure(
            f"{self.name(server)} selects {_shown(selector)}: it must select what the Service of one pool selects, "
            f"{wanted} (or, while a split is set, {_shown({**shared, SERVING: 'true'})})."
        )

    def reachable(self, route: Route, server: Server, wanted: Weights, *, planning: bool = False) -> Weights:
        if 100 in wanted.values():
            return wanted
        if mapping(route["service"], "spec").get("sessionAffinity") == "ClientIP":
            raise Failure(
                f"{self.name(server)} has sessionAffinity ClientIP, which keeps each client on its pod. "
                "Remove it to split the traffic."
            )
        if not _common(route):
            raise Failure(
                f"{self.name(server)} can't split the traffic: the Services of the pools select by no label that both "
                "pools' pods have. Shift all traffic at once, or give both selectors a label in common."
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
        if pool is None:
            return selector.get(SERVING) == "true"
        return {key: selector[key] for key in (*_differing(route), SERVING) if key in selector} == _own(route, pool)

    def writes(
        self, route: Route, server: Server, wanted: Weights, stamp: Stamp | None = None
    ) -> list[tuple[str, list[Operation]]]:
        """Return the patches, labels first: without effect while it selects one pool, and added before removed.

        So a Service that is split is never without pods on the way to another split.
        """
        whole = pools.whole(wanted)
        if whole:
            operations = stamped(route["service"], _select(route, _own(route, whole)), stamp)
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
        selects = _select(route, {SERVING: "true"})
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


def _pods(cluster: Api, server: Server) -> list[Route]:
    """Return the pods of both pools."""
    by_name = {pod["metadata"]["name"]: pod for pool in POOLS for pod in server.pods(cluster, pool)}
    return list(by_name.values())


def _ready(route: Route) -> dict[str, list[Route]]:
    """Return the ready pods of each pool that match all else that the Service selects, the oldest first."""
    differing = _differing(route)
    others = {key: value for key, value in _selector(route).items() if key not in (*differing, SERVING)}
    pods = sorted(
        route["pods"], key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"])
    )
    return {
        pool: [pod for pod in pods if is_ready(pod) and _selects({**others, **route["selectors"][pool]}, pod)]
        for pool in POOLS
    }


def _selector(route: Route) -> dict[str, str]:
    return mapping(route["service"], "spec", "selector")


def _common(route: Route) -> dict[str, str]:
    """Return the labels that the Services of both pools select by."""
    blue, green = (route["selectors"][pool] for pool in POOLS)
    return dict(blue.items() & green.items())


def _differing(route: Route) -> list[str]:
    """Return the labels in which what the Services of the pools select differs."""
    return sorted({key for selector in route["selectors"].values() for key in selector} - _common(route).keys())


def _own(route: Route, pool: str) -> dict[str, str]:
    """Return what tells the pool's pods from those of the other one."""
    return {key: value for key, value in route["selectors"][pool].items() if key not in _common(route)}


def _selects(selector: dict[str, str], pod: Route) -> bool:
    return selectors.selects(selector, mapping(pod, "metadata", "labels"))


def _shown(selector: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or "nothing"


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


def _select(route: Route, wanted: dict[str, str]) -> list[Operation]:
    """Return the operations by which the Service selects by these labels and no other that tells pods apart.

    Empty when it does.
    """
    place, selector = "/spec/selector/", _selector(route)
    return [
        *(
            {"op": "add", "path": place + key.replace("/", "~1"), "value": value}
            for key, value in wanted.items()
            if selector.get(key) != value
        ),
        *(
            {"op": "remove", "path": place + key.replace("/", "~1")}
            for key in (*_differing(route), SERVING)
            if key in selector and key not in wanted
        ),
    ]


def _list(shares: t.Iterable[int]) -> str:
    return ", ".join(map(str, (0, *shares, 100))) + " %"


def _names(names: t.Collection[str | None]) -> str:
    return ", ".join(sorted(name or "something that is no pod" for name in names)) or "no pod"
