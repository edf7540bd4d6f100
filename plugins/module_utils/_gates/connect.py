# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gates ask that is not pure: the Prometheus that the options name, with their credentials, and the cluster."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates.prometheus import Auth, Prometheus
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._mcp import auth
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def source(params: dict[str, t.Any], server: Server, pool: str, back: float) -> MetricsReader:
    """The series of the server, for gates on one of its pools that look back so many seconds. Nothing is asked yet."""
    return MetricsReader(
        connect(params), server, pool, params["prometheus"], back, lambda: memory_limit(params, server, pool)
    )


def connect(params: dict[str, t.Any]) -> Prometheus:
    """Nothing is sent to it yet. Raises Failure."""
    option = params["prometheus"]
    if option["timeout"] <= 0:
        raise Failure(f"prometheus.timeout is {option['timeout']:g}: it must be more than 0 seconds.")
    verify = option["validate_certs"] and (option["ca_cert"] or True)
    return Prometheus(option["url"], _auth(params, option), verify, option["timeout"])


def memory_limit(params: dict[str, t.Any], server: Server, pool: str) -> float | None:
    """Bytes that a pod of the pool may use, by its Deployment; None when that sets no limit, or can't be asked."""
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection

    try:
        deployment = connection.connect(params).get(server.deployment_path(pool))
    except Failure:
        return None
    # kubernetes is there, or connect() had failed.
    from kubernetes.utils.quantity import parse_quantity

    containers = [
        each for each in deployment["spec"]["template"]["spec"]["containers"] if each["name"] == server.container
    ]
    limits = [((each.get("resources") or {}).get("limits") or {}).get("memory") for each in containers]
    return float(parse_quantity(limits[0])) if limits and limits[0] else None


def _auth(params: dict[str, t.Any], option: dict[str, t.Any]) -> Auth | None:
    if option["username"]:
        return option["username"], option["password"] or ""
    token = auth.token(option, lambda name: _secret(params, name), "prometheus")
    return _bearer(token) if token else None


def _secret(params: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection

    return connection.connect(params).get(paths.secrets(params["namespace"], name))


def _bearer(token: str) -> Auth:
    def authorize(request: t.Any) -> t.Any:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize
