# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths of the Kubernetes API, as the methods of Api take them. Pure.

Without a name, a path is the one of the collection: what a list is read from, and where an object is created.
"""

from __future__ import annotations

ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
SUBJECT_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
NODES = "/api/v1/nodes"


def resource(api_version: str, namespace: str, plural: str, name: str = "") -> str:
    """Return the path of any namespaced resource. api_version: such as v1 or apps/v1. plural: such as pods."""
    root = "/apis" if "/" in api_version else "/api"
    collection = f"{root}/{api_version}/namespaces/{namespace}/{plural}"
    return f"{collection}/{name}" if name else collection


def namespaces(name: str) -> str:
    return f"/api/v1/namespaces/{name}"


def config_maps(namespace: str, name: str = "") -> str:
    return resource("v1", namespace, "configmaps", name)


def deployments(namespace: str, name: str = "") -> str:
    return resource("apps/v1", namespace, "deployments", name)


def disruption_budgets(namespace: str, name: str = "") -> str:
    return resource("policy/v1", namespace, "poddisruptionbudgets", name)


def endpoint_slices(namespace: str, name: str = "") -> str:
    return resource("discovery.k8s.io/v1", namespace, "endpointslices", name)


def events(namespace: str, name: str = "") -> str:
    return resource("v1", namespace, "events", name)


def horizontal_pod_autoscalers(namespace: str, name: str = "") -> str:
    return resource("autoscaling/v2", namespace, "horizontalpodautoscalers", name)


def jobs(namespace: str, name: str = "") -> str:
    return resource("batch/v1", namespace, "jobs", name)


def leases(namespace: str, name: str = "") -> str:
    return resource("coordination.k8s.io/v1", namespace, "leases", name)


def pods(namespace: str, name: str = "") -> str:
    return resource("v1", namespace, "pods", name)


def pod_log(namespace: str, pod: str) -> str:
    return f"{pods(namespace, pod)}/log"


def replica_sets(namespace: str, name: str = "") -> str:
    return resource("apps/v1", namespace, "replicasets", name)


def secrets(namespace: str, name: str = "") -> str:
    return resource("v1", namespace, "secrets", name)


def stateful_sets(namespace: str, name: str = "") -> str:
    return resource("apps/v1", namespace, "statefulsets", name)


def controller_revisions(namespace: str, name: str = "") -> str:
    return resource("apps/v1", namespace, "controllerrevisions", name)


def service_accounts(namespace: str, name: str = "") -> str:
    return resource("v1", namespace, "serviceaccounts", name)


def services(namespace: str, name: str = "") -> str:
    return resource("v1", namespace, "services", name)


def local_access_reviews(namespace: str) -> str:
    return resource("authorization.k8s.io/v1", namespace, "localsubjectaccessreviews")
