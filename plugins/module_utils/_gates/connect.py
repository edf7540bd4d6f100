# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect to the Prometheus that the options name, and read a pod's memory limit from the cluster."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._gates.prometheus import Prometheus
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def metrics_reader(params: dict[str, t.Any], server: Server, pool: str, back: float) -> MetricsReader:
    """Return a reader for gates on one of the pools that judge so many seconds. Nothing is read yet. Raise Failure."""
    return MetricsReader(
        connect(params), server, pool, params["prometheus"], back, lambda: memory_limit(params, server, pool)
    )


def connect(params: dict[str, t.Any]) -> Prometheus:
    """Return the Prometheus of the options. Nothing is sent yet. Raise Failure."""
    option = params["prometheus"]
    if option["timeout"] <= 0:
        raise Failure(f"prometheus.timeout is {option['timeout']:g}: it must be more than 0 seconds.")
    verify = option["validate_certs"] and (option["ca_cert"] or True)
    return Prometheus(option["url"], _authorization(params, option), verify, option["timeout"])


def memory_limit(params: dict[str, t.Any], server: Server, pool: str) -> float | None:
    """Return the bytes that a pod may use, by the pool's Deployment; None without a limit, or if it can't be read."""
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


def _authorization(params: dict[str, t.Any], option: dict[str, t.Any]) -> str:
    """Return the value of the header Authorization, empty without credentials. Raises Failure."""
    if any(option.get(name) for name in ("username", *credentials.SOURCES)):
        credentials.refuse_plain_http(option["url"], option.get("allow_http"), "prometheus")
    if option["username"]:
        return credentials.basic(option["username"], option["password"] or "")
    token = credentials.bearer_token(option, lambda name: _secret(params, name), "prometheus")
    return credentials.bearer(token) if token else ""


def _secret(params: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection

    return connection.connect(params).get(paths.secrets(params["namespace"], name))
