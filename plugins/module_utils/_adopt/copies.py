# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of the idle pool: copies of the live pool's, as the cluster has them. Pure."""

from __future__ import annotations

import copy
import re

from ansible_collections.mcp.server.plugins.module_utils._adopt.labels import Choice, Labels, own_selector, rewritten
from ansible_collections.mcp.server.plugins.module_utils._install.manifests import MANAGED_BY, US
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.ingress_nginx import CANARY, WEIGHT

ADOPTED = "mcp.server/adopted"  # the annotation of each object that an adoption makes: the server's name
# Labels and annotations of tools, which would take a copy for theirs and delete it. A domain stands for all below it.
OF_TOOLS = re.compile(
    r"(app\.kubernetes\.io/managed-by|helm\.sh/chart|deployment\.kubernetes\.io/.+"
    r"|kubectl\.kubernetes\.io/.+|meta\.helm\.sh/.+|([a-z0-9-]+\.)*(argoproj\.io|fluxcd\.io|cattle\.io|k14s\.io|keda\.sh)/.+"
    r"|configmanagement\.gke\.io/.+|config\.k8s\.io/.+|applyset\.kubernetes\.io/.+|mcp\.server/.+"
    r"|autoscaling\.alpha\.kubernetes\.io/.+)"
)
# Annotations by which controllers make a Service known outside of the cluster.
PUBLISHES = re.compile(
    r"(external-dns\.alpha\.kubernetes\.io/.+|service\.beta\.kubernetes\.io/.+|metallb\.(io|universe\.tf)/.+"
    r"|tailscale\.com/.+|getambassador\.io/.+|cloud\.google\.com/(neg-status|load-balancer-type|l4-rbs)"
    r"|networking\.gke\.io/load-balancer-.+|[a-z0-9.-]*loadbalancer[a-z0-9.-]*/.+)"
)
RESTARTED = "kubectl.kubernetes.io/restartedAt"  # of a template, by kubectl rollout restart
# What an object of the cluster itself has, and a copy may not.
OF_SERVICE = frozenset(
    {
        "clusterIP",
        "clusterIPs",
        "externalIPs",
        "externalName",
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "ipFamilies",
        "loadBalancerClass",
        "loadBalancerIP",
        "loadBalancerSourceRanges",
        "allocateLoadBalancerNodePorts",
        "ports",
        "selector",
        "type",
    }
)
HEADLESS = "None"
API_VERSIONS = {"Deployment": "apps/v1", "StatefulSet": "apps/v1"}


def made(server: Server, api_version: str, kind: str, name: str, spec: Object, like: Object | None = None) -> Object:
    """Return an object of ours. like: the one that it is a copy of, whose labels and annotations it has."""
    labels = {key: value for key, value in mapping(like, "metadata", "labels").items() if not OF_TOOLS.fullmatch(key)}
    notes = {
        key: value for key, value in mapping(like, "metadata", "annotations").items() if not OF_TOOLS.fullmatch(key)
    }
    metadata = {
        "name": name,
        "namespace": server.namespace,
        "labels": {**labels, MANAGED_BY: US},
        "annotations": {**notes, ADOPTED: server.name},
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def workload(server: Server, live: Object, kind: str, choice: Choice) -> Object:
    """Return the idle pool's Deployment or StatefulSet, without pods."""
    green = server.objects("green")
    old = mapping(live, "spec")
    spec = {key: copy.deepcopy(value) for key, value in old.items() if key not in ("paused", "selector", "template")}
    spec["replicas"] = 0
    spec["selector"] = {"matchLabels": own_selector(mapping(old, "selector", "matchLabels"), choice)}
    spec["template"] = _template(mapping(old, "template"), choice)
    if kind == "StatefulSet":
        spec["serviceName"] = green.service
    return made(server, API_VERSIONS[kind], kind, green.workload, spec, live)


def _template(live: Object, choice: Choice) -> Object:
    annotations = {key: value for key, value in mapping(live, "metadata", "annotations").items() if key != RESTARTED}
    metadata: Object = {"labels": dict(choice.labels), **({"annotations": annotations} if annotations else {})}
    return {"metadata": metadata, "spec": _pod(copy.deepcopy(mapping(live, "spec")), labels_of(live), choice)}


def labels_of(template: Object) -> Labels:
    return dict(mapping(template, "metadata", "labels"))


def _pod(pod: Object, live: Labels, choice: Choice) -> Object:
    """Return the pod with each selector that means the live pods made to mean the idle pool's."""
    terms = [
        term
        for which in ("podAffinity", "podAntiAffinity")
        for rules in [mapping(pod, "affinity", which)]
        for term in (
            *items(rules, "requiredDuringSchedulingIgnoredDuringExecution"),
            *(
                mapping(weighted, "podAffinityTerm")
                for weighted in items(rules, "preferredDuringSchedulingIgnoredDuringExecution")
            ),
        )
    ]
    for one in (*terms, *items(pod, "topologySpreadConstraints")):
        if one.get("labelSelector") is not None:
            one["labelSelector"] = rewritten(one["labelSelector"], live, choice)
    return pod


def service(server: Server, live: Object, choice: Choice) -> Object:
    """Return the idle pool's Service: for the cluster only, without addresses."""
    old, metadata = mapping(live, "spec"), mapping(live, "metadata")
    inner = {key: value for key, value in mapping(metadata, "annotations").items() if not PUBLISHES.fullmatch(key)}
    live = {**live, "metadata": {**metadata, "annotations": inner}}
    spec = {key: copy.deepcopy(value) for key, value in old.items() if key not in OF_SERVICE}
    if spec.get("ipFamilyPolicy") != "SingleStack" and old.get("ipFamilies"):
        spec["ipFamilies"] = old["ipFamilies"]
    spec["type"] = "ClusterIP"
    if old.get("clusterIP") == HEADLESS:
        spec["clusterIP"] = HEADLESS
    spec["ports"] = [{key: value for key, value in port.items() if key != "nodePort"} for port in items(old, "ports")]
    spec["selector"] = own_selector(mapping(old, "selector"), choice)
    return made(server, "v1", "Service", server.service("green"), spec, live)


def disruption_budget(server: Server, live: Object, selector: Labels) -> Object:
    spec = {**copy.deepcopy(mapping(live, "spec")), "selector": {"matchLabels": selector}}
    return made(server, "policy/v1", "PodDisruptionBudget", server.workload("green"), spec, live)


def network_policy(server: Server, live: Object, selector: Labels, suffix: str) -> Object:
    """Return a NetworkPolicy of the live pods for the idle pool's."""
    spec = {**copy.deepcopy(mapping(live, "spec")), "podSelector": {"matchLabels": selector}}
    name = f"{mapping(live, 'metadata').get('name')}-{suffix}"
    return made(server, "networking.k8s.io/v1", "NetworkPolicy", name, spec, live)


def canary(server: Server, live: Object) -> Object:
    """Return the canary that ingress-nginx has beside an Ingress: its paths to the Service, without traffic.

    ingress-nginx takes all else that concerns these paths from the Ingress itself.
    """
    old = mapping(live, "spec")
    spec: Object = {"ingressClassName": old["ingressClassName"]} if old.get("ingressClassName") else {}
    if _leads(mapping(old, "defaultBackend"), server):
        spec["defaultBackend"] = _to_green(mapping(old, "defaultBackend"), server)
    rules = []
    for rule in items(old, "rules"):
        paths = [
            {**copy.deepcopy(path), "backend": _to_green(mapping(path, "backend"), server)}
            for path in items(rule, "http", "paths")
            if _leads(mapping(path, "backend"), server)
        ]
        if paths:
            rules.append({**rule, "http": {"paths": paths}})
    if rules:
        spec["rules"] = rules
    one = made(server, "networking.k8s.io/v1", "Ingress", f"{server.route}-canary", spec)
    its_class = mapping(live, "metadata", "annotations").get("kubernetes.io/ingress.class")
    one["metadata"]["annotations"] |= {
        CANARY: "true",
        WEIGHT: "0",
        **({"kubernetes.io/ingress.class": its_class} if its_class else {}),
    }
    return one


def _leads(backend: Object, server: Server) -> bool:
    return mapping(backend, "service").get("name") == server.service("blue")


def _to_green(backend: Object, server: Server) -> Object:
    changed = copy.deepcopy(backend)
    changed["service"]["name"] = server.service("green")
    return changed


def marked(obj: Object, server: Server) -> Object:
    """Return an object with the annotation by which the way back knows it."""
    metadata = mapping(obj, "metadata")
    return {**obj, "metadata": {**metadata, "annotations": {**mapping(metadata, "annotations"), ADOPTED: server.name}}}


def is_ours(obj: Object, server: Server) -> bool:
    """Return whether an adoption of this server made the object."""
    its = mapping(obj, "metadata")
    return mapping(its, "labels").get(MANAGED_BY) == US and mapping(its, "annotations").get(ADOPTED) == server.name


def for_repository(obj: Object) -> Object:
    """Return an object as a repository has it, whose tool it then belongs to."""
    metadata = {key: dict(value) if isinstance(value, dict) else value for key, value in obj["metadata"].items()}
    metadata["labels"].pop(MANAGED_BY, None)
    metadata["annotations"].pop(ADOPTED, None)
    return {**obj, "metadata": {key: value for key, value in metadata.items() if value}}


def fits(workload_of_green: Object, service_of_green: Object, blue_service: Object, blue_labels: Labels) -> bool:
    """Return whether objects that somebody else made are an idle pool: its Service selects its pods, and no others."""
    labels = labels_of(mapping(workload_of_green, "spec", "template"))
    green, blue = (mapping(one, "spec").get("selector") or {} for one in (service_of_green, blue_service))

    def selects(selector: Labels, its: Labels) -> bool:
        return bool(selector) and all(its.get(key) == value for key, value in selector.items())

    return selects(green, labels) and not selects(green, blue_labels) and not selects(blue, labels)
