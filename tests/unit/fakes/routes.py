# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For every kind of route the objects as real clusters have them, blue at 100 %."""

from __future__ import annotations

import math

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.objects import pool_services

PODS = "/api/v1/namespaces/prod/pods"
SERVICES = "/api/v1/namespaces/prod/services"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices"
READY = {"type": "Ready", "status": "True"}
CUSTOM = {
    "api_version": "example.io/v1",
    "kind": "Split",
    "resource": None,
    "blue": "spec.backends[?service.name=='mcp-blue'].weight",
    "green": "spec.backends[?service.name=='mcp-green'].weight",
    "total": 100,
    "accepted": [],
}


def server(kind, **more):
    return Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp", kind, **more)


def changes(operations):
    """Those of a JSON patch that change something."""
    return [operation for operation in operations if operation["op"] != "test"]


def obj(name="mcp", **more):
    return {
        "metadata": {
            "namespace": "prod",
            "name": name,
            "generation": 3,
            "resourceVersion": "7",
            "labels": {"team": "a"},
        },
        **more,
    }


def pod(pool, number, serving=None, ready=True, **metadata):
    labels = {"app": "mcp", "pool": pool, "tier": "web", **({} if serving is None else {"mcp.server/serving": serving})}
    status = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
    return {
        "metadata": {"name": f"mcp-{pool}-{number}", "labels": labels, "resourceVersion": "1", **metadata},
        "status": status,
    }


def pods(*all_pods):
    return {f"{PODS}/{one['metadata']['name']}": one for one in all_pods}


def service(**selector):
    ports = [{"port": 8080, "targetPort": 8080}]
    return obj(
        spec={"selector": {"app": "mcp", **selector}, "ports": ports, "sessionAffinity": "None", "type": "ClusterIP"}
    )


def ingress(name, pool, **annotations):
    path = {
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": f"mcp-{pool}", "port": {"number": 8080}}},
    }
    found = obj(name, spec={"ingressClassName": "nginx", "rules": [{"host": "mcp.example", "http": {"paths": [path]}}]})
    prefix = "nginx.ingress.kubernetes.io/"
    found["metadata"]["annotations"] = {
        prefix + "proxy-buffering": "off",
        **{prefix + key.replace("_", "-"): value for key, value in annotations.items()},
    }
    return found


def objects(kind):
    if kind == "httproute":
        backends = [
            {"kind": "Service", "name": "mcp-blue", "port": 8080, "weight": 100},
            {"kind": "Service", "name": "mcp-green", "port": 8080, "weight": 0},
        ]
        spec = {
            "hostnames": ["a.example", "b.example"],
            "rules": [{"filters": [{"type": "RequestMirror"}], "backendRefs": backends}],
        }
        return {"/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp": obj(spec=spec)}
    if kind == "service":
        four = pods(*(pod(pool, number) for pool in ("blue", "green") for number in (1, 2)))
        return {f"{SERVICES}/mcp": service(pool="blue", tier="web"), **pool_services(), **four}
    if kind == "httpproxy":
        services = [
            {"name": "shadow", "port": 80, "mirror": True, "weight": 5},
            {"name": "mcp-blue", "port": 8080, "weight": 100, "protocol": "h2c"},
            {"name": "mcp-green", "port": 8080, "weight": 0},
        ]
        health = {"conditions": [{"prefix": "/health"}], "services": [{"name": "mcp-blue", "port": 8080}]}
        routes = [
            health,
            {"conditions": [{"prefix": "/"}], "timeoutPolicy": {"response": "infinity"}, "services": services},
        ]
        spec = {
            "virtualhost": {"fqdn": "mcp.example"},
            "routes": routes,
            "tcpproxy": {"services": [{"name": "mcp-blue", "port": 1}]},
        }
        return {"/apis/projectcontour.io/v1/namespaces/prod/httpproxies/mcp": obj(spec=spec)}
    if kind == "traefik":
        services = [
            {"name": "mcp-green", "kind": "TraefikService", "weight": 3},
            {"name": "mcp-blue", "port": 8080, "weight": 100, "passHostHeader": True},
            {"name": "mcp-green", "kind": "Service", "namespace": "prod", "port": 8080, "weight": 0},
        ]
        return {
            "/apis/traefik.io/v1alpha1/namespaces/prod/traefikservices/mcp": obj(
                spec={"weighted": {"services": services}}
            )
        }
    if kind == "openshift_route":
        spec = {
            "host": "mcp.example",
            "to": {"kind": "Service", "name": "mcp-green", "weight": 0},
            "alternateBackends": [
                {"kind": "Service", "name": "mcp-blue"},
                {"kind": "Service", "name": "old", "weight": 0},
            ],
            "tls": {"termination": "edge"},
        }
        return {"/apis/route.openshift.io/v1/namespaces/prod/routes/mcp": obj(spec=spec)}
    if kind == "istio":
        pinned = {
            "match": [{"headers": {"x-pool": {"exact": "green"}}}],
            "route": [{"destination": {"host": "mcp-green"}}],
        }
        split = [
            {"destination": {"host": "mcp-blue.prod.svc.cluster.local", "port": {"number": 8080}}, "weight": 100},
            {"destination": {"host": "mcp-green"}, "weight": 0, "headers": {"response": {"set": {"x-pool": "green"}}}},
        ]
        tcp = [
            {
                "route": [
                    {"destination": {"host": "mcp-blue"}, "weight": 1},
                    {"destination": {"host": "mcp-green"}, "weight": 1},
                ]
            }
        ]
        spec = {"hosts": ["mcp.example"], "http": [pinned, {"retries": {"attempts": 0}, "route": split}], "tcp": tcp}
        return {"/apis/networking.istio.io/v1/namespaces/prod/virtualservices/mcp": obj(spec=spec)}
    if kind == "ingress_nginx":
        start = "/apis/networking.k8s.io/v1/namespaces/prod/ingresses"
        canary = ingress("mcp-canary", "green", canary="true", canary_weight="0")
        return {f"{start}/mcp": ingress("mcp", "blue"), f"{start}/mcp-canary": canary}
    backends = [{"service": {"name": "mcp-blue"}, "weight": 100}, {"service": {"name": "mcp-green"}}]
    return {"/apis/example.io/v1/namespaces/prod/splits/mcp": obj(spec={"backends": backends})}


class Cluster(ApiServer):
    """Its Services' EndpointSlices are always right."""

    def __init__(self, found):
        super().__init__(found)
        self.call(self.list_endpoints, "GET", SLICES, times=math.inf)

    def list_endpoints(self):
        pods = [one for path, one in self.objects.items() if path.startswith(f"{PODS}/")]
        for service in [one for path, one in self.objects.items() if path.startswith(f"{SERVICES}/")]:
            name, selector = service["metadata"]["name"], service["spec"]["selector"]
            endpoints = [
                {
                    "targetRef": {"name": one["metadata"]["name"]},
                    "conditions": {"ready": READY in one["status"]["conditions"]},
                }
                for one in pods
                if selector.items() <= one["metadata"]["labels"].items()
            ]
            self.put(
                f"{SLICES}/{name}",
                {"metadata": {"labels": {"kubernetes.io/service-name": name}}, "endpoints": endpoints},
            )
