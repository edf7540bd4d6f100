# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the object that leads clients to the live pool's Service, also of kinds that can't weigh two pools."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mcp.server.plugins.module_utils._adopt import copies, routes
from ansible_collections.mcp.server.plugins.module_utils._adopt.facts import NETWORK, Reader
from ansible_collections.mcp.server.plugins.module_utils._install.existing import name_of
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import Api, Forbidden, NotFound
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import Weighted
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

# Kinds whose rules list backends with weights.
LISTS = ("httproute", "httpproxy", "istio", "openshift_route", "traefik")
INGRESS = "ingress_nginx"
INGRESS_NGINX = "k8s.io/ingress-nginx"  # the controller in an IngressClass
OLD_CLASS = "kubernetes.io/ingress.class"
INGRESS_CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
TRAEFIK = "traefik.io/v1alpha1"


class Leading(t.NamedTuple):
    """What leads to the live pool's Service.

    server: with the route's name and kind. route: None where nothing can weigh two pools. others: what leads there and
    can't, each with its kind.
    """

    server: Server
    route: Object | None
    others: list[Object]


def weighted(server: Server) -> Weighted:
    """Return the route's kind. Raises Failure for one whose object has no weights of its own."""
    kind = kind_of(server)
    if not isinstance(kind, Weighted) or server.route_kind not in (*LISTS, INGRESS):
        raise Failure(
            f"route_kind is {server.route_kind}, which is not adopted by itself: list both pools in the object "
            "yourself (docs/routes.md)."
        )
    return kind


def find(cluster: Api, server: Server, named: bool) -> Leading:
    """Return what leads to the live pool's Service. Raises Failure.

    named: whether the user has named the route. Otherwise what leads there is looked for, and must be one object.
    """
    reader = Reader(cluster, server.namespace)
    if server.route_kind in (*LISTS, INGRESS) and (named or server.route_kind != "httproute"):
        kind = weighted(server)
        try:
            return Leading(server, _of_kind(cluster.get(kind.path(server)), server), [])
        except NotFound:
            pass
    elif server.route_kind not in (*LISTS, INGRESS) and server.route_kind != "service":
        weighted(server)
    found, others = _search(cluster, reader, server)
    if named or len(found) > 1:
        listed = ", ".join(f"{weighted(its).name(its)} (mcp_route_kind: {its.route_kind})" for its, _route in found)
        if named and found:
            raise Failure(
                f"{_title(server)} does not exist, but {listed} leads to Service {server.service('blue')}: set "
                "mcp_route and mcp_route_kind."
            )
        if found:
            raise Failure(
                f"Several routes lead to Service {server.service('blue')}: {listed}. A release shifts one: name it "
                "(mcp_route and mcp_route_kind), and take the Service out of the others."
            )
    if found:
        return Leading(*found[0], others)
    return Leading(server, None, others)


def _title(server: Server) -> str:
    return kind_of(server).name(server)


def _of_kind(route: Object, server: Server) -> Object:
    """Return a route with its kind, which items of a list lack."""
    kind = weighted(server)
    return {"apiVersion": f"{kind.group}/{kind.version}", "kind": kind.title, **route}


def _search(cluster: Api, reader: Reader, server: Server) -> tuple[list[tuple[Server, Object]], list[Object]]:
    found, others = [], []
    for name in LISTS:
        its = replace(server, route_kind=name)
        kind = weighted(its)
        for route in reader.seen(f"{kind.group}/{kind.version}", kind.title, kind.resource):
            here = replace(its, route=str(mapping(route, "metadata").get("name")))
            if not copies.is_ours(route, server) and routes.places(kind, route, here):
                found.append((here, route))
    for ingress in reader.seen(NETWORK, "Ingress", "ingresses"):
        if copies.is_ours(ingress, server) or not leads(ingress, server.service("blue")):
            continue
        here = replace(server, route_kind=INGRESS, route=str(mapping(ingress, "metadata").get("name")))
        if is_of_ingress_nginx(cluster, ingress):
            found.append((here, ingress))
        else:
            others.append(ingress)
    others += _ingress_routes(reader, server.service("blue"))
    return found, others


def beside(cluster: Api, server: Server, pool: str) -> tuple[list[str], list[str]]:
    """Return the names of what else gives traffic to a pool's Service, beside the route that is adopted.

    The second list has what this user may not list, by the names of kubectl.
    """
    reader, service, found = Reader(cluster, server.namespace), server.service(pool), []
    for name in LISTS:
        its = replace(server, route_kind=name)
        kind = weighted(its)
        for route in reader.seen(f"{kind.group}/{kind.version}", kind.title, kind.resource):
            here = replace(its, route=str(mapping(route, "metadata").get("name")))
            if here == server or copies.is_ours(route, server):
                continue
            if any(place.weights.get(pool) for place in routes.places(kind, route, here)):
                found.append(kind.name(here))
    for ingress in reader.seen(NETWORK, "Ingress", "ingresses"):
        is_adopted = server.route_kind == INGRESS and mapping(ingress, "metadata").get("name") == server.route
        if not is_adopted and not copies.is_ours(ingress, server) and leads(ingress, service):
            found.append(name_of(ingress))
    return [*found, *map(name_of, _ingress_routes(reader, service))], reader.unseen


def _ingress_routes(reader: Reader, service: str) -> list[Object]:
    """Return Traefik's IngressRoutes that lead to this Service itself."""
    return [
        route
        for route in reader.seen(TRAEFIK, "IngressRoute", "ingressroutes")
        if any(
            one.get("name") == service and one.get("kind", "Service") == "Service"
            for rule in items(route, "spec", "routes")
            for one in items(rule, "services")
        )
    ]


def leads(ingress: Object, service: str) -> bool:
    """Return whether an Ingress leads to this Service."""
    backends = [mapping(ingress, "spec", "defaultBackend")]
    backends += [
        mapping(path, "backend") for rule in items(ingress, "spec", "rules") for path in items(rule, "http", "paths")
    ]
    return any(mapping(one, "service").get("name") == service for one in backends)


def is_of_ingress_nginx(cluster: Api, ingress: Object) -> bool:
    """Return whether ingress-nginx serves an Ingress: it alone of their controllers can weigh two of them."""
    name = mapping(ingress, "spec").get("ingressClassName") or mapping(ingress, "metadata", "annotations").get(
        OLD_CLASS
    )
    if not name:
        return False
    try:
        controller = mapping(cluster.get(f"{INGRESS_CLASSES}/{name}"), "spec").get("controller")
    except (NotFound, Forbidden):
        return str(name) == "nginx"  # the name that its own manifests and chart give the class
    return str(controller) == INGRESS_NGINX
