# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often the pods of a server wait for CPU because of their limit, by cAdvisor's metrics in Prometheus."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates import connect
from ansible_collections.mcp.server.plugins.module_utils._gates.series import Series

SECONDS = 600  # for which it is looked at
MOST = 1000  # pods


def query(namespace: str) -> str:
    """Return the PromQL of the share of throttled periods, by pod. Pure."""
    # A JSON text is a valid string of PromQL.
    where = f'{{namespace={json.dumps(namespace)}, container!="", container!="POD"}}'
    periods = [f"sum by (pod) (increase(container_cpu_cfs_{name}_total{where}[{SECONDS}s]))" for name in KINDS]
    return " / ".join(periods)


KINDS = ("throttled_periods", "periods")


def read(params: dict[str, t.Any], namespace: str) -> dict[str, float]:
    """Return the share of the periods in which each pod was throttled, by the pod's name. Raises Failure."""
    prometheus = connect.connect(params)
    now = prometheus.now()
    return shares(prometheus.values(query(namespace), now, now, 60.0))


def shares(found: t.Sequence[Series]) -> dict[str, float]:
    """Return the newest value of each series by its label pod. Pure."""
    values = {}
    for one in found[:MOST]:
        pod = one.labels.get("pod")
        if pod and one.samples and one.samples[-1][1] == one.samples[-1][1]:  # not NaN
            values[pod] = one.samples[-1][1]
    return values
