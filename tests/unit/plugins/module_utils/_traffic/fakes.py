# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json

from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import NotFound
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import Server
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint

NAMES = {"namespace": "mcp-prod", "server": "mcp-server", "pool_name_format": "{server}-{pool}", "route": None, "container": None}
SERVER = Server.from_params(NAMES)
RECORD = "/api/v1/namespaces/mcp-prod/configmaps/mcp-server-release"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/mcp-prod/endpointslices?kubernetes.io/service-name=mcp-server-"
PODS = "/api/v1/namespaces/mcp-prod/pods?app=mcp-server,pool="
OLD, NEW = "ghcr.io/org/mcp-server:v1.1.5", "ghcr.io/org/mcp-server:v1.2.0"


def conditions(generation=1, **status):
    kinds = {"Accepted": "True", "ResolvedRefs": "True", **status}
    return [{"type": kind, "status": value, "observedGeneration": generation, "message": f"{kind} says"} for kind, value in kinds.items()]


def route(*rules):
    """rules: name to weight; None leaves the weight out."""
    references = [[{"name": name} | ({} if weight is None else {"weight": weight}) for name, weight in rule.items()] for rule in rules]
    return {
        "metadata": {"generation": 1},
        "spec": {"rules": [{"backendRefs": refs} for refs in references]},
        "status": {"parents": [{"conditions": conditions()}]},
    }


def split(blue, green):
    return {"mcp-server-blue": blue, "mcp-server-green": green}


def deployment(image, replicas=2):
    return {"spec": {"replicas": replicas, "template": {"spec": {"containers": [{"name": "mcp-server", "image": image}]}}}}


def slices(ready, unready=0):
    return {"items": [{"endpoints": [{"conditions": {"ready": True}}] * ready + [{"conditions": {"ready": False}}] * unready}]}


def release(**more):
    """A release of NEW from blue to green that runs."""
    ends = {"from": {"pool": "blue", "image": OLD, "digest": "", "version": "v1.1.5"}, "to": {"pool": "green", "image": NEW, "digest": "", "version": "v1.2.0"}}
    return {"id": "1", "started": "then", "by": "me", "reason": "", **ends, "steps": [], "outcome": "running", "ended": None, **more}


def stored(current, history=()):
    return {"data": {"current": json.dumps(current), "history": json.dumps(list(history))}}


class Cluster:
    """Objects by path, those of a list by path and labelSelector; an exception there is raised. writes: paths."""

    def __init__(self, blue=100, green=0):
        self.writes = []
        self.objects = {
            SERVER.route_path: route(split(blue, green)),
            SERVER.deployment_path("blue"): deployment(OLD),
            SERVER.deployment_path("green"): deployment(NEW),
            **{f"{SLICES}{pool}": slices(2) for pool in ("blue", "green")},
            **{f"{PODS}{pool}": {"items": []} for pool in ("blue", "green")},
        }

    def get(self, path, labelSelector=""):
        found = self.objects.get(f"{path}?{labelSelector}" if labelSelector else path, NotFound("Not in the cluster: x."))
        if isinstance(found, Exception):
            raise found
        return copy.deepcopy(found)

    def patch(self, path, body, kind="merge", *, dry_run=False):
        patched = self.get(path)
        if kind == "json":
            for operation in body:
                rule, position, key = (operation["path"].split("/")[index] for index in (3, 5, 6))
                reference = patched["spec"]["rules"][int(rule)]["backendRefs"][int(position)]
                if operation["op"] == "test":
                    assert reference[key] == operation["value"]
                else:
                    reference[key] = operation["value"]
        else:
            patched |= body
        if not dry_run:
            self.writes.append(path)
            self.objects[path] = patched
        return patched

    def create(self, path, body):
        self.writes.append(path)
        self.objects[f"{path}/{body['metadata']['name']}"] = body
        return body

    @property
    def weights(self):
        return [reference["weight"] for reference in self.get(SERVER.route_path)["spec"]["rules"][0]["backendRefs"]]

    @property
    def record(self):
        return json.loads(self.get(RECORD)["data"]["current"])


def option(url):
    return {name: sub.get("default") for name, sub in endpoint.OPTION["options"].items()} | {"url": url}


def answers(pool, status=200, version="1.1.5"):
    """A script of a server: its health document; pool may be a function."""

    def script(handler, _message):
        handler.answer(status, json.dumps({"status": "HEALTHY", "version": version, "pool": pool() if callable(pool) else pool}))

    return {"GET": script}
