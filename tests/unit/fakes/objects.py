# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of an MCP server with two pools, and the controllers that a release waits for."""

from __future__ import annotations

import hashlib
import json

from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer, Object, place_of

POOLS = ("blue", "green")
REVISION = "deployment.kubernetes.io/revision"
GATEWAY = {"name": "edge", "namespace": "gateways"}


def pool_services(namespace: str = "prod", name: str = "mcp", port: int | str = 8080) -> dict[str, Object]:
    """Return the Service of each pool of a server. port: where it leads to."""
    return {
        f"/api/v1/namespaces/{namespace}/services/{name}-{pool}": {
            "spec": {
                "selector": {"app": name, "pool": pool},
                "ports": [{"port": 80, "targetPort": port, "protocol": "TCP"}],
            }
        }
        for pool in POOLS
    }


def mcp_server(namespace: str, name: str, *, blue: str, green: str, replicas: int = 2) -> dict[str, Object]:
    """Return the objects that a user makes. blue, green: their images; blue has the traffic."""
    objects: dict[str, Object] = {f"/api/v1/namespaces/{namespace}": {"status": {"phase": "Active"}}}
    for pool, image in zip(POOLS, (blue, green), strict=True):
        labels = {"app": name, "pool": pool}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": image}]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
        objects[f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}-{pool}"] = {"spec": spec}
    objects |= pool_services(namespace, name)
    weights = zip(POOLS, (100, 0), strict=True)
    backends = [
        {"name": f"{name}-{pool}", "port": 8080, "weight": weight, "filters": [naming(pool)]}
        for pool, weight in weights
    ]
    objects[f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes/{name}"] = {
        "spec": {"parentRefs": [GATEWAY], "rules": [{"backendRefs": backends}]}
    }
    return objects


def naming(pool: str) -> Object:
    """Return the filter by which a backend's answers name their pool."""
    modifier = {"set": [{"name": "X-MCP-Pool", "value": pool}]}
    return {"type": "ResponseHeaderModifier", "responseHeaderModifier": modifier}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Controllers:
    """Make at once what a real cluster makes in time.

    That is ReplicaSets, ready pods, endpoints, and the status of Deployments and routes.
    """

    def __init__(self, api: ApiServer) -> None:
        self.api = api
        for path in list(api.objects):
            self.follow(path)
        api.controllers.append(self.follow)

    def follow(self, path: str) -> None:
        place, obj = place_of(path), self.api.objects[path]
        if place is None:
            return
        if place.resource == "deployments":
            self.roll_out(path, obj)
        elif place.resource == "httproutes":
            self.accept(path, obj)
        elif place.resource == "services":
            self.list_endpoints(place.namespace, place.name, obj["spec"].get("selector") or {})

    def accept(self, path: str, route: Object) -> None:
        generation = route["metadata"]["generation"]
        fulfilled = {"status": "True", "observedGeneration": generation}
        conditions = [{"type": kind, **fulfilled} for kind in ("Accepted", "ResolvedRefs")]
        parents = [{"parentRef": parent, "conditions": conditions} for parent in route["spec"].get("parentRefs", [])]
        self.api.change(f"{path}/status", {"status": {"parents": parents}})

    def roll_out(self, path: str, deployment: Object) -> None:
        metadata, spec = deployment["metadata"], deployment["spec"]
        if deployment.get("status", {}).get("observedGeneration") == metadata["generation"]:
            return
        namespace, replicas, template = metadata["namespace"], spec.get("replicas", 1), spec["template"]
        labels = template["metadata"]["labels"]
        name, revision = self.replica_set(deployment)
        self.replace_pods(namespace, template, name, replicas)
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
        progressing = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": ""}
        status = {"observedGeneration": metadata["generation"], **counts, "conditions": [progressing]}
        annotations = {REVISION: str(revision)}
        self.api.change(f"{path}/status", {"metadata": {"annotations": annotations}, "status": status})
        for service in self.found(f"/api/v1/namespaces/{namespace}/services"):
            selector = service["spec"].get("selector") or {}
            if selector.items() <= labels.items():
                self.list_endpoints(namespace, service["metadata"]["name"], selector)

    def replica_set(self, deployment: Object) -> tuple[str, int]:
        """Make the newest one of this template. Return its name and its revision."""
        metadata, template = deployment["metadata"], deployment["spec"]["template"]
        folder = f"/apis/apps/v1/namespaces/{metadata['namespace']}/replicasets"
        name = f"{metadata['name']}-{_sha256(json.dumps(template, sort_keys=True))[:10]}"
        owner = [{"kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"], "controller": True}]
        others = [
            int(one["metadata"]["annotations"][REVISION])
            for one in self.found(folder)
            if one["metadata"]["ownerReferences"] == owner and one["metadata"]["name"] != name
        ]
        revision = max(others, default=0) + 1
        found = self.api.objects.get(f"{folder}/{name}")
        if found:
            revision = max(revision, int(found["metadata"]["annotations"][REVISION]))
        created = self.api.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        annotations = {**metadata.get("annotations", {}), REVISION: str(revision)}
        labels = template["metadata"]["labels"]
        its = {"labels": labels, "annotations": annotations, "ownerReferences": owner, "creationTimestamp": created}
        spec = {"replicas": deployment["spec"].get("replicas", 1), "template": template}
        self.api.put(f"{folder}/{name}", {"metadata": its, "spec": spec})
        return name, revision

    def replace_pods(self, namespace: str, template: Object, replica_set: str, replicas: int) -> None:
        folder = f"/api/v1/namespaces/{namespace}/pods"
        wanted = {f"{folder}/{replica_set}-{number}" for number in range(replicas)}
        labels, spec = template["metadata"]["labels"], template["spec"]
        for pod in self.found(folder, labels):
            path = f"{folder}/{pod['metadata']['name']}"
            if path not in wanted:
                del self.api.objects[path]
        owner = self.api.objects[f"/apis/apps/v1/namespaces/{namespace}/replicasets/{replica_set}"]["metadata"]
        owners = [{"kind": "ReplicaSet", "name": replica_set, "uid": owner["uid"], "controller": True}]
        statuses = [
            {
                "name": one["name"],
                "ready": True,
                "restartCount": 0,
                "image": one["image"],
                "imageID": f"{one['image'].rpartition(':')[0]}@sha256:{_sha256(one['image'])}",
            }
            for one in spec["containers"]
        ]
        ready = {"type": "Ready", "status": "True"}
        status = {"phase": "Running", "conditions": [ready], "containerStatuses": statuses}
        metadata = {"labels": labels, "ownerReferences": owners}
        for path in sorted(wanted - self.api.objects.keys()):
            self.api.put(path, {"metadata": metadata, "spec": spec, "status": status})

    def list_endpoints(self, namespace: str, service: str, selector: dict[str, str]) -> None:
        pods = self.found(f"/api/v1/namespaces/{namespace}/pods", selector) if selector else []
        endpoints = [
            {
                "addresses": ["10.0.0.1"],
                "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]},
                "conditions": {"ready": True},
            }
            for pod in pods
        ]
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices/{service}-1"
        labels = {"kubernetes.io/service-name": service}
        self.api.put(path, {"metadata": {"labels": labels}, "endpoints": endpoints})

    def found(self, folder: str, labels: dict[str, str] | None = None) -> list[Object]:
        return [
            obj
            for path, obj in self.api.objects.items()
            if path.startswith(f"{folder}/") and (labels or {}).items() <= (obj["metadata"].get("labels") or {}).items()
        ]
