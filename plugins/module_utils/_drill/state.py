# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a server before and after a drill: what people have set of its objects."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, mapping
from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.plugins.module_utils._workload import autoscaling

State = dict[str, t.Any]  # by what it is of


def read(cluster: Api, server: Server) -> State:
    """Return the state. Raises Failure."""
    kind = kind_of(server)
    route = kind.read(cluster, server)
    state: State = {
        f"the weights of {kind.name(server)}": kind.weights(route, server),
        kind.name(server): mapping(kind.written(route), "spec"),
    }
    for name in dict.fromkeys(server.service(pool) for pool in POOLS):
        service = cluster.get(paths.services(server.namespace, name))
        state[f"Service {server.namespace}/{name}"] = mapping(service, "spec")
    try:
        scalers = autoscaling.find(cluster, server, warn=lambda text: None)
    except Forbidden:
        scalers = {}
    for scaler in scalers.values():
        state[f"HorizontalPodAutoscaler {server.namespace}/{scaler.name}"] = mapping(scaler.obj, "spec")
    for pool in POOLS:
        spec: Object = dict(mapping(cluster.get(server.workload_path(pool)), "spec"))
        if pool in scalers:  # its size is the autoscaler's
            spec.pop("replicas", None)
        state[server.workload_title(pool)] = spec
    return state


def differences(before: State, after: State) -> list[str]:
    """Return what is not as before, a clause each, such as C(Service prod/mcp-blue has another selector). Pure."""
    found = []
    for title, was in before.items():
        now = after.get(title)
        if now == was:
            continue
        if not isinstance(now, dict) or not isinstance(was, dict):
            found.append(f"{title} is gone")
            continue
        fields = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
        found.append(f"{title} has another {', '.join(fields)}")
    return found
