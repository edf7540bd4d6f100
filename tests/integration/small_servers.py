# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small example servers beside the sandbox's own, in its namespace: one pod for each pool; for what needs several of
them.
"""

from __future__ import annotations

import copy
import json
import secrets
import time
import typing as t
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import yaml

MANIFESTS = Path(__file__).resolve().parents[2] / "sandbox" / "manifests" / "mcp-server"


class Kubectl(t.Protocol):
    def __call__(self, *words: str, stdin: str | None = None) -> str: ...


class Place(t.NamedTuple):
    """Where they are made. kubectl: as an administrator. host: theirs are below it. url: of the gateway."""

    kubectl: Kubectl
    namespace: str
    host: str
    url: str


class Small(t.NamedTuple):
    """One of them. name: of the server and its route. host: that it is asked for by."""

    name: str
    host: str


def manifests(
    server: Small, namespace: str, made: str, environment: t.Mapping[str, str], *, stateful: bool = False
) -> list[dict[str, t.Any]]:
    """Return a server's objects: the sandbox's own, under its name.

    environment: of its green pods. stateful: whether its pools are StatefulSets.
    """
    service, deployment = yaml.safe_load_all((MANIFESTS / "pool" / "pool.yaml").read_text())
    route = next(
        one for one in yaml.safe_load_all((MANIFESTS / "server.yaml").read_text()) if one["kind"] == "HTTPRoute"
    )
    route["spec"]["hostnames"] = [server.host]
    for backend in route["spec"]["rules"][0]["backendRefs"]:
        backend["name"] = backend["name"].replace("mcp-server", server.name)
    objects = [route]
    for pool in ("blue", "green"):
        labels = {"app": server.name, "pool": pool}
        for one in (copy.deepcopy(service), copy.deepcopy(deployment)):
            one["metadata"]["name"] = f"{server.name}-{pool}"
            if one["kind"] == "Service":
                one["spec"]["selector"] = labels
            else:
                one["spec"] |= {"replicas": 1 if pool == "blue" else 0, "selector": {"matchLabels": labels}}
                one["spec"]["template"]["metadata"]["labels"] = labels
                (container,) = one["spec"]["template"]["spec"]["containers"]
                container["name"] = server.name
                container["resources"]["requests"] = {"cpu": "1m", "memory": "64Mi"}
                if pool == "green":
                    container["env"] += [{"name": name, "value": value} for name, value in environment.items()]
                if stateful:
                    del one["spec"]["progressDeadlineSeconds"]
                    one |= {"kind": "StatefulSet"}
                    one["spec"]["serviceName"] = one["metadata"]["name"]
            objects.append(one)
    objects[0]["metadata"]["name"] = server.name
    objects += _rights(server, namespace, stateful=stateful)
    for one in objects:
        one["metadata"] |= {"namespace": namespace, "labels": {"made": made}}
    return objects


def _rights(server: Small, namespace: str, *, stateful: bool) -> list[dict[str, t.Any]]:
    """Return what gives the sandbox's releaser the server: the rules of its Role that name objects, for this server's
    ones.
    """
    role = yaml.safe_load((MANIFESTS / "role.yaml").read_text())
    named = [rule for rule in role["rules"] if "resourceNames" in rule]
    for rule in named:
        rule["resourceNames"] = [name.replace("mcp-server", server.name) for name in rule["resourceNames"]]
        if stateful and rule["resources"] == ["deployments"]:
            rule["resources"] = ["statefulsets"]
    if stateful:
        named.append({"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["list"]})
    group, name = "rbac.authorization.k8s.io", f"mcp-releaser-{server.name}"
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "mcp-releaser", "namespace": namespace}],
    }
    return [{**role, "metadata": {"name": name}, "rules": named}, binding]


@contextmanager
def small_servers(
    place: Place,
    names: t.Iterable[str],
    environments: t.Mapping[str, t.Mapping[str, str]] | None = None,
    seconds: float = 50,
    *,
    stateful: bool = False,
) -> t.Iterator[dict[str, Small]]:
    """Make servers that serve v1.1.5 on blue, by these names, and take them away after the block with all that
    releases leave of them.

    environments: of the green pods of some. seconds: within which they must be ready. stateful: see manifests().
    """
    made = secrets.token_hex(3)  # no two sets of them have a name in common
    servers = {name: Small(f"{name}-{made}", f"{name}-{made}.{place.host}") for name in names}
    objects = [
        one
        for name, server in servers.items()
        for one in manifests(server, place.namespace, made, (environments or {}).get(name, {}), stateful=stateful)
    ]
    where, labelled = ("-n", place.namespace), ("-l", f"made={made}")
    try:
        place.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        done = "jsonpath={.status.availableReplicas}=1" if stateful else "condition=Available"
        waited = [f"statefulset/{one.name}-blue" for one in servers.values()] if stateful else ["deployment", *labelled]
        place.kubectl(*where, "wait", f"--for={done}", *waited, f"--timeout={seconds:.0f}s")
        for server in servers.values():
            until_served(place.url, server.host)
        yield servers
    finally:
        kinds = "httproute,service,deployment,statefulset,role,rolebinding"
        place.kubectl(*where, "delete", kinds, *labelled, "--wait=false")
        left = [f"{server.name}-release" for server in servers.values()]
        place.kubectl(*where, "delete", "configmap,lease", *left, "--ignore-not-found", "--wait=false")


def until_served(url: str, host: str, seconds: float = 20) -> None:
    """Wait until clients get its health document, and its database answers: pods are ready before that."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(
                urllib.request.Request(f"{url}/health", headers={"Host": host}), timeout=2
            ) as answer:
                status = json.load(answer)["status"]
            if status == "HEALTHY":
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{host} is {status} after {seconds:g} s")
        except OSError:  # also what is raised above
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)
