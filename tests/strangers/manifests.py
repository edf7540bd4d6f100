# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How somebody runs a server who has not heard of this collection: one Deployment, one Service, one HTTPRoute."""

from __future__ import annotations

import typing as t

from .table import Server

GATEWAY = {"name": "sandbox", "namespace": "projectcontour"}
CONTAINER = "server"


def workload(server: Server) -> str:
    return f"{server.name}-app"


def service(server: Server) -> str:
    return f"{server.name}-svc"


def route(server: Server) -> str:
    return f"{server.name}-route"


def deployed(server: Server, namespace: str, host: str, version: str) -> list[t.Any]:
    """Return the objects of a server. Their names and labels are of its users' own making."""
    name = server.name
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "assistants"}
    select = {"app.kubernetes.io/name": name}
    container = {
        "name": CONTAINER,
        "image": f"ghcr.io/{server.image(version)}",
        "env": [{"name": key, "value": value.replace("HOST", host)} for key, value in server.env.items()],
        "args": [word.replace("HOST", host) for word in server.args],
        "ports": [{"name": "web", "containerPort": server.port}],
        "readinessProbe": {"tcpSocket": {"port": "web"}, "periodSeconds": 1, "failureThreshold": 60},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        # As the kubelet stops sending a moment after the process is told to end.
        "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
    }
    pod = {"containers": [container], "terminationGracePeriodSeconds": 10, "enableServiceLinks": False}
    rule = {"backendRefs": [{"name": service(server), "port": 80}], "timeouts": {"request": "0s"}}
    parts: list[tuple[str, str, str, t.Any]] = [
        (
            "apps/v1",
            "Deployment",
            workload(server),
            {
                "replicas": server.replicas,
                "selector": {"matchLabels": select},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        ),
        ("v1", "Service", service(server), {"selector": select, "ports": [{"port": 80, "targetPort": "web"}]}),
        (
            "gateway.networking.k8s.io/v1",
            "HTTPRoute",
            route(server),
            {"parentRefs": [GATEWAY], "hostnames": [host], "rules": [rule]},
        ),
    ]
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}] + [
        {
            "apiVersion": api,
            "kind": kind,
            "metadata": {"name": called, "namespace": namespace, "labels": labels},
            "spec": spec,
        }
        for api, kind, called, spec in parts
    ]
