# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect to the Prometheus that the options name, and read a pod's memory limit from the cluster."""

from __future__ import annotations

import math
import os
import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._errors import Fault
from ansible_collections.mcp.server.plugins.module_utils._gates.prometheus import Prometheus
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._http.connection import checked
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import items
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

KUBELET = "kubelet"  # the source whose series have the name of a container


def metrics_reader(params: dict[str, t.Any], server: Server, pool: str, back: float) -> MetricsReader:
    """Return a reader for gates on one of the pools that judge so many seconds. Nothing is read yet. Raise Failure."""
    prometheus = connect(params)
    named = with_container(params, server)
    return MetricsReader(
        prometheus, named, pool, params["prometheus"], back, lambda: memory_limit(params, server, pool)
    )


def with_container(params: dict[str, t.Any], server: Server) -> Server:
    """Return the server with the name of its container, where a source asks for it and only the cluster knows it.

    Where it can't be read, it has the server's name.
    """
    if server.container or KUBELET not in params["prometheus"]["source"]:
        return server
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection

    try:
        return replace(server, container="|".join(server.containers(connection.connect(params))))
    except Failure:
        return server


def connect(params: dict[str, t.Any]) -> Prometheus:
    """Return the Prometheus of the options. Nothing is sent yet. Raise Failure."""
    option = params["prometheus"]
    if not 0 < option["timeout"] < math.inf:
        raise Failure(f"prometheus.timeout is {option['timeout']:g}: it must be more than 0 seconds.")
    verify = option["validate_certs"] and (option["ca_cert"] or True)
    return Prometheus(option["url"], _authorization(params, option), verify, option["timeout"], headers(option))


def headers(option: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the headers that the option prometheus names. Raise Failure, which holds none of their values."""
    given = {f"headers.{name}": (name, value) for name, value in (option.get("headers") or {}).items()}
    for name, variable in (option.get("headers_env") or {}).items():
        if not (value := os.environ.get(str(variable), "")):
            raise Failure(f"prometheus.headers_env.{name}: the environment variable {variable} is empty or missing.")
        given[f"headers_env.{name}"] = (name, value)
    found: dict[str, str] = {}
    for where, (name, value) in given.items():
        if str(name).lower() == "authorization":
            raise Failure(f"prometheus.{where}: give a token, or username and password, instead.")
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise Failure(f"prometheus.{where} must be text.")
        found[str(name)] = str(value).strip()
    try:
        checked(found)
    except Fault as fault:
        raise Failure(f"prometheus.headers {fault.msg}.") from None
    return found


def memory_limit(params: dict[str, t.Any], server: Server, pool: str) -> float | None:
    """Return the bytes that a pod may use, by the pool's workload: infinite without a limit, None if not known."""
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection

    try:
        cluster = connection.connect(params)
        workload = cluster.get(server.workload_path(pool))
        name = server.container_in(cluster, workload, pool)
    except Failure:
        return None
    # kubernetes is there, or connect() had failed.
    from kubernetes.utils.quantity import parse_quantity

    containers = [each for each in items(workload, "spec", "template", "spec", "containers") if each["name"] == name]
    limits = [((each.get("resources") or {}).get("limits") or {}).get("memory") for each in containers]
    if not limits:
        return None
    return float(parse_quantity(limits[0])) if limits[0] else math.inf


def _authorization(params: dict[str, t.Any], option: dict[str, t.Any]) -> str:
    """Return the value of the header Authorization, empty without credentials. Raises Failure."""
    if any(option.get(name) for name in ("username", "headers_env", *credentials.SOURCES)):
        credentials.refuse_plain_http(option["url"], option.get("allow_http"), "prometheus")
    if option["username"]:
        username = credentials.checked_username(option["username"], "prometheus")
        return credentials.basic(username, option["password"] or "")
    token = credentials.bearer_token(option, lambda name: _secret(params, name), "prometheus")
    return credentials.bearer(token) if token else ""


def _secret(params: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection

    return connection.connect(params).get(paths.secrets(params["namespace"], name))
