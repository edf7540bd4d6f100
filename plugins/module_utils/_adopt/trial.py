# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Try on another HTTPRoute whether the gateway takes a header on each backend, before the one that clients come by.

The Gateway API leaves that to implementations, and one that can't do it may answer each request with 500. The route of
the trial has the same host names and parents, and takes only requests with a header that nobody sends.
"""

from __future__ import annotations

import copy
import typing as t
from contextlib import suppress

from ansible_collections.mcp.server.plugins.module_utils._adopt.copies import made
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.httproute import KIND

API_VERSION = "gateway.networking.k8s.io/v1"
HEADER = "X-MCP-Adoption-Trial"
SECONDS = 10.0  # for which the gateway's word is waited for
EVERY = 0.25


def route(server: Server, live: Object, backends: list[Object]) -> Object:
    """Return the HTTPRoute of the trial. backends: as the route is to have them."""
    match = {"path": {"type": "PathPrefix", "value": "/"}, "headers": [{"name": HEADER, "value": server.name}]}
    spec = {key: copy.deepcopy(value) for key, value in live["spec"].items() if key != "rules"}
    spec["rules"] = [{"matches": [match], "backendRefs": backends}]
    return made(server, API_VERSION, "HTTPRoute", f"{server.route}-adoption-trial", spec)


def refusal(cluster: Api, server: Server, live: Object, backends: list[Object], stop: t.Callable[[], None]) -> str:
    """Return why the gateway refuses these backends; empty when it takes them, or says nothing, or may not be asked.

    stop: raises where this run may not write any more.
    """
    trial = route(server, live, backends)
    path = paths.resource(API_VERSION, server.namespace, "httproutes", trial["metadata"]["name"])
    try:
        cluster.patch(path, trial, "apply", force="true")
    except Forbidden:
        return ""
    try:
        return _reported(cluster, server, path, stop)
    finally:
        with suppress(NotFound):
            cluster.delete(path)


def _reported(cluster: Api, server: Server, path: str, stop: t.Callable[[], None]) -> str:
    bound = Deadline(SECONDS)
    while True:
        stop()
        found = cluster.get(path)
        if refused := KIND.refused(found, server):
            return refused
        if not KIND.not_accepted(found, server) or not bound.pause(EVERY):
            return ""
