# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster of plain dicts that takes JSON patches, and for every kind the objects as real clusters have them, blue at 100 %."""

from __future__ import annotations

import copy

from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Conflict, NotFound
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server
from ansible_collections.mcp.server.tests.unit.plugins.module_utils._cluster.timed import Timed

PODS = "/api/v1/namespaces/prod/pods"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices"
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
    return {"metadata": {"namespace": "prod", "name": name, "generation": 3, "resourceVersion": "7", "labels": {"team": "a"}}, **more}


def pod(pool, number, serving=None, ready=True, **metadata):
    labels = {"app": "mcp", "pool": pool, "tier": "web", **({} if serving is None else {"mcp.server/serving": serving})}
    status = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
    return {"metadata": {"name": f"mcp-{pool}-{number}", "labels": labels, "resourceVersion": "1", **metadata}, "status": status}


def pods(*all_pods):
    return {f"{PODS}/{one['metadata']['name']}": one for one in all_pods}


def service(**selector):
    ports = [{"port": 8080, "targetPort": 8080}]
    return obj(spec={"selector": {"app": "mcp", **selector}, "ports": ports, "sessionAffinity": "None", "type": "ClusterIP"})


def ingress(name, pool, **annotations):
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": f"mcp-{pool}", "port": {"number": 8080}}}}
    found = obj(name, spec={"ingressClassName": "nginx", "rules": [{"host": "mcp.example", "http": {"paths": [path]}}]})
    prefix = "nginx.ingress.kubernetes.io/"
    found["metadata"]["annotations"] = {prefix + "proxy-buffering": "off", **{prefix + key.replace("_", "-"): value for key, value in annotations.items()}}
    return found


def objects(kind):
    if kind == "httproute":
        backends = [{"kind": "Service", "name": "mcp-blue", "port": 8080, "weight": 100}, {"kind": "Service", "name": "mcp-green", "port": 8080, "weight": 0}]
        spec = {"hostnames": ["a.example", "b.example"], "rules": [{"filters": [{"type": "RequestMirror"}], "backendRefs": backends}]}
        return {"/apis/gateway.networking.k8s.io/v1/namespaces/prod/httproutes/mcp": obj(spec=spec)}
    if kind == "service":
        four = pods(*(pod(pool, number) for pool in ("blue", "green") for number in (1, 2)))
        return {"/api/v1/namespaces/prod/services/mcp": service(pool="blue", tier="web"), **four}
    if kind == "httpproxy":
        services = [
            {"name": "shadow", "port": 80, "mirror": True, "weight": 5},
            {"name": "mcp-blue", "port": 8080, "weight": 100, "protocol": "h2c"},
            {"name": "mcp-green", "port": 8080, "weight": 0},
        ]
        health = {"conditions": [{"prefix": "/health"}], "services": [{"name": "mcp-blue", "port": 8080}]}
        routes = [health, {"conditions": [{"prefix": "/"}], "timeoutPolicy": {"response": "infinity"}, "services": services}]
        spec = {"virtualhost": {"fqdn": "mcp.example"}, "routes": routes, "tcpproxy": {"services": [{"name": "mcp-blue", "port": 1}]}}
        return {"/apis/projectcontour.io/v1/namespaces/prod/httpproxies/mcp": obj(spec=spec)}
    if kind == "traefik":
        services = [
            {"name": "mcp-green", "kind": "TraefikService", "weight": 3},
            {"name": "mcp-blue", "port": 8080, "weight": 100, "passHostHeader": True},
            {"name": "mcp-green", "kind": "Service", "namespace": "prod", "port": 8080, "weight": 0},
        ]
        return {"/apis/traefik.io/v1alpha1/namespaces/prod/traefikservices/mcp": obj(spec={"weighted": {"services": services}})}
    if kind == "openshift_route":
        spec = {
            "host": "mcp.example",
            "to": {"kind": "Service", "name": "mcp-green", "weight": 0},
            "alternateBackends": [{"kind": "Service", "name": "mcp-blue"}, {"kind": "Service", "name": "old", "weight": 0}],
            "tls": {"termination": "edge"},
        }
        return {"/apis/route.openshift.io/v1/namespaces/prod/routes/mcp": obj(spec=spec)}
    if kind == "istio":
        pinned = {"match": [{"headers": {"x-pool": {"exact": "green"}}}], "route": [{"destination": {"host": "mcp-green"}}]}
        split = [
            {"destination": {"host": "mcp-blue.prod.svc.cluster.local", "port": {"number": 8080}}, "weight": 100},
            {"destination": {"host": "mcp-green"}, "weight": 0, "headers": {"response": {"set": {"x-pool": "green"}}}},
        ]
        tcp = [{"route": [{"destination": {"host": "mcp-blue"}, "weight": 1}, {"destination": {"host": "mcp-green"}, "weight": 1}]}]
        spec = {"hosts": ["mcp.example"], "http": [pinned, {"retries": {"attempts": 0}, "route": split}], "tcp": tcp}
        return {"/apis/networking.istio.io/v1/namespaces/prod/virtualservices/mcp": obj(spec=spec)}
    if kind == "ingress_nginx":
        start = "/apis/networking.k8s.io/v1/namespaces/prod/ingresses"
        canary = ingress("mcp-canary", "green", canary="true", canary_weight="0")
        return {f"{start}/mcp": ingress("mcp", "blue"), f"{start}/mcp-canary": canary}
    backends = [{"service": {"name": "mcp-blue"}, "weight": 100}, {"service": {"name": "mcp-green"}}]
    return {"/apis/example.io/v1/namespaces/prod/splits/mcp": obj(spec={"backends": backends})}


class FakeCluster(Timed):
    """meddle: called before each patch. writes: the paths of all patches that were not dry runs."""

    host = "https://cluster"
    patience = 0.0

    def __init__(self, found):
        self.objects, self.meddle, self.writes = copy.deepcopy(found), lambda path: None, []

    def get(self, path, **query):
        if path in (PODS, SLICES):
            return {"items": copy.deepcopy(self._pods(lambda pod: True) if path == PODS else self._slices(query["labelSelector"].partition("=")[2]))}
        if path not in self.objects:
            raise NotFound(f"Not in the cluster: {path}.")
        return copy.deepcopy(self.objects[path])

    def create(self, path, body, **query):
        self.objects[f"{path}/{body['metadata']['name']}"] = {**body, "metadata": {**body["metadata"], "resourceVersion": "1"}}
        return body

    def patch(self, path, operations, kind="merge", *, dry_run=False, **query):
        if kind != "json":  # the release record, and the Lease
            self.objects[path] |= {part: operations[part] for part in ("data", "spec") if part in operations}
            return self.objects[path]
        self.meddle(path)
        patched = self.get(path)
        for operation in operations:
            *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
            place = patched
            for step in steps:
                place = place[int(step)] if isinstance(place, list) else place[step]
            if operation["op"] == "test" or operation["path"] == "/metadata/resourceVersion":
                if place.get(last) != operation["value"]:
                    raise Conflict(f"Changed by somebody else meanwhile: {path}.")
            elif operation["op"] == "remove":
                del place[last]
            else:
                place[last] = operation["value"]
        patched["metadata"]["resourceVersion"] += "1"
        if "generation" in patched["metadata"] and patched.get("spec") != self.objects[path].get("spec"):
            patched["metadata"]["generation"] += 1
        if not dry_run:
            self.writes.append(path)
            self.objects[path] = patched
        return copy.deepcopy(patched)

    def _pods(self, wanted):
        return [one for path, one in self.objects.items() if path.startswith(f"{PODS}/") and wanted(one["metadata"]["labels"])]

    def _slices(self, name):
        selector = self.objects[f"/api/v1/namespaces/prod/services/{name}"]["spec"]["selector"]
        found = self._pods(lambda labels: selector.items() <= labels.items())
        ready = [{"type": "Ready", "status": "True"} in one["status"]["conditions"] for one in found]
        return [{"endpoints": [{"targetRef": {"name": one["metadata"]["name"]}, "conditions": {"ready": yes}} for one, yes in zip(found, ready, strict=True)]}]
