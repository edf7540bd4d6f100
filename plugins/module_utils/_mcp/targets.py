# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pods stand behind a pool or a Service, out of what the API server lists."""

from __future__ import annotations

import typing as t

from ansible_collections.mcp.server.plugins.module_utils._cluster.pods import is_ready
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


class NoneReady(Failure):
    """There is nothing to ask yet."""


def ready_pods(pods: dict[str, t.Any]) -> list[str]:
    """Names out of a PodList."""
    return sorted(pod["metadata"]["name"] for pod in pods["items"] if is_ready(pod))


def ready_endpoints(slices: dict[str, t.Any]) -> list[str]:
    """Names of pods out of an EndpointSliceList. An endpoint that does not say whether it is ready, is."""
    return sorted(
        {
            endpoint["targetRef"]["name"]
            for endpoint_slice in slices["items"]
            for endpoint in endpoint_slice.get("endpoints") or []
            if endpoint.get("targetRef", {}).get("kind") == "Pod" and endpoint.get("conditions", {}).get("ready") is not False
        }
    )


def pods_of_pool(cluster: t.Any, namespace: str, server: str, pool: str) -> list[str]:
    selector = f"app={server},pool={pool}"
    pods = cluster.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
    names = ready_pods(pods)
    if not names:
        count = len(pods["items"])
        what = f"None of the {count} pods" if count else "There is no pod"
        raise NoneReady(f"{what} of pool {pool} ({selector}) in namespace {namespace}{' is ready' if count else ''}.")
    return names


def pod_of_service(cluster: t.Any, namespace: str, service: str) -> str:
    """One of them, as C(kubectl port-forward) does."""
    slices = cluster.get(
        f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices", labelSelector=f"kubernetes.io/service-name={service}"
    )
    names = ready_endpoints(slices)
    if not names:
        # Raises NotFound when that is why.
        cluster.get(f"/api/v1/namespaces/{namespace}/services/{service}")
        raise NoneReady(f"Service {namespace}/{service} has no ready endpoint.")
    return names[0]
