# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether each pool's Service selects the pods of its own pool, and none of the other.

Otherwise clients reach the version that is released before any weight is set, and measures of one pool are of both.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import mapping
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server, other
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

Labels = t.Mapping[str, t.Any]

# Labels that change with a release, or that the cluster adds, can't tell the pools apart.
_PASSING = ("version", "chart", "hash", "revision")


class Pool(t.NamedTuple):
    """What tells which pods a pool has."""

    service: str  # the Service's name, for people
    selector: Labels
    workload: str  # the Deployment's or StatefulSet's name, for people
    labels: Labels  # of its pod template


def problem(pools: t.Mapping[str, Pool], pool: str) -> str:
    """Return a sentence on the pool's Service, empty where it selects its own pods alone. Pure."""
    own, others = pools[pool], pools[other(pool)]
    selects = selectors.labels(own.selector)
    if not selectors.selects(own.selector, own.labels):
        return (
            f"{own.service} of pool {pool} selects {selects}, which the pod template of {own.workload} does not have: "
            f"its labels are {_shown(own.labels)}. Correct one of them, or name the pool's own objects in {pool} "
            f"(mcp_{pool})."
        )
    if not selectors.selects(own.selector, others.labels):
        return ""
    telling = _telling(own.labels, others.labels)
    advice = (
        f"Add {telling} to its selector."
        if telling
        else f"Give the pod template of {own.workload} a label of its own, such as pool={pool}, and add it to the "
        "selector once its pods have it."
    )
    return f"{own.service} of pool {pool} selects {selects}, and so also the pods of {others.workload}. {advice}"


def problems(pools: t.Mapping[str, Pool]) -> list[str]:
    """Return the sentences on both pools' Services. Pure."""
    return [sentence for pool in POOLS if (sentence := problem(pools, pool))]


def _telling(labels: Labels, others: Labels) -> str:
    """Return a label that only the first have, such as track=blue; empty without any."""
    own = [key for key, value in labels.items() if others.get(key) != value]
    lasting = [key for key in own if not any(word in key.lower() for word in _PASSING)]
    # One that both have with other values is made to tell them apart.
    best = min(lasting, key=lambda key: (key not in others, key), default="")
    return f"{best}={labels[best]}" if best else ""


def _shown(labels: Labels) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "none"


def read(cluster: Api, server: Server) -> dict[str, Pool]:
    """Return what tells which pods each pool has. Raises Failure."""
    return {
        pool: Pool(
            f"Service {server.namespace}/{server.service(pool)}",
            server.selector(cluster, pool),
            server.workload_title(pool),
            mapping(cluster.get(server.workload_path(pool)), "spec", "template", "metadata", "labels"),
        )
        for pool in POOLS
    }


def refuse(cluster: Api, server: Server) -> None:
    """Raise Failure when a pool's Service selects other pods than its own."""
    if found := problems(read(cluster, server)):
        raise Failure(" ".join(found))
