# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pods that a Service sends traffic to, by its EndpointSlices."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import paths, selectors
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping


def slices(cluster: Api, namespace: str, service: str) -> list[Object]:
    """Return the EndpointSlices of a Service; none for a Service that does not exist. Raises Failure."""
    selector = selectors.service_slices(service)
    return items(cluster.get(paths.endpoint_slices(namespace), labelSelector=selector), "items")


def ready(endpoint_slices: t.Iterable[Object]) -> list[Object]:
    """Return the endpoints that are ready. Of a pod with IPv4 and IPv6, which is in two slices, there are two."""
    return [
        endpoint
        for endpoint_slice in endpoint_slices
        for endpoint in items(endpoint_slice, "endpoints")
        # The API says that an endpoint whose readiness is unknown counts as ready.
        if mapping(endpoint, "conditions").get("ready") is not False
    ]


def count_ready(endpoint_slices: t.Iterable[Object]) -> int:
    """Return how many pods are ready."""
    return len(
        {mapping(endpoint, "targetRef").get("uid") or endpoint["addresses"][0] for endpoint in ready(endpoint_slices)}
    )


def ready_pods(endpoint_slices: t.Iterable[Object]) -> list[str]:
    """Return the names of the pods that are ready, sorted. An endpoint may also be something else than a pod."""
    targets = [mapping(endpoint, "targetRef") for endpoint in ready(endpoint_slices)]
    return sorted({target["name"] for target in targets if target.get("kind") == "Pod" and target.get("name")})
