# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds whose objects list the pools with weights: which entries are written, and what a missing weight means."""

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.api import NotFound
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.tests.unit.fakes.routes import Cluster, changes, ingress, obj, objects, server


def backend(pool, weight=None, **more):
    return {"name": f"mcp-{pool}", **({} if weight is None else {"weight": weight}), **more}


def proxy(*routes):
    return obj(spec={"routes": [{"services": list(services)} for services in routes]})


def traefik(*services):
    return obj(spec={"weighted": {"services": list(services)}})


def openshift(to, *others):
    return obj(spec={"to": to, "alternateBackends": list(others)})


def istio(*rules):
    return obj(
        spec={
            "http": [
                {
                    "route": [
                        {"destination": {"host": host}, **({} if weight is None else {"weight": weight})}
                        for host, weight in rule
                    ]
                }
                for rule in rules
            ]
        }
    )


def canary(pool="green", main="blue", **annotations):
    return {"main": ingress("mcp", main), "canary": ingress("mcp-canary", pool, **{"canary": "true", **annotations})}


MIRROR = {"name": "mcp-green", "mirror": True, "weight": 50}


@pytest.mark.parametrize(
    "kind, route, blue, green",
    [
        ("httpproxy", proxy([backend("blue", 90), backend("green", 10)]), 90, 10),
        ("httpproxy", proxy([backend("blue", 1), backend("green")]), 100, 0),
        ("httpproxy", proxy([backend("blue"), backend("green")]), 50, 50),
        ("httpproxy", proxy([backend("blue"), backend("green"), {"name": "docs", "weight": 1}]), 0, 0),
        ("httpproxy", proxy([backend("blue", 1), MIRROR, backend("green", 3)]), 25, 75),
        (
            "httpproxy",
            proxy(
                [backend("blue")],
                [backend("blue", 100), backend("green", 0)],
                [backend("green", 30), backend("blue", 70)],
            ),
            85,
            15,
        ),
        ("traefik", traefik(backend("blue", 9), backend("green", 1)), 90, 10),
        ("traefik", traefik(backend("blue"), backend("green")), 50, 50),
        (
            "traefik",
            traefik(
                backend("green", 5, kind="TraefikService"),
                backend("green", 5, namespace="other"),
                backend("blue", 1),
                backend("green", 0),
            ),
            100,
            0,
        ),
        ("openshift_route", openshift(backend("blue", 100), backend("green", 0)), 100, 0),
        ("openshift_route", openshift(backend("blue"), backend("green")), 50, 50),
        ("openshift_route", openshift({"name": "old", "weight": 0}, backend("green", 256), backend("blue", 0)), 0, 100),
        ("istio", istio([("mcp-blue", 90), ("mcp-green", 10)]), 90, 10),
        ("istio", istio([("mcp-blue", 100), ("mcp-green", None)]), 100, 0),
        ("istio", istio([("mcp-blue.prod", 1), ("mcp-green.prod.svc.cluster.local", 1)]), 50, 50),
        ("istio", istio([("mcp-blue", 1), ("mcp-blue.other", 9), ("mcp-green.prod.svc", 1)]), 50, 50),
        ("istio", istio([("mcp-green", None)], [("mcp-blue", 100), ("mcp-green", 0)]), 100, 0),
        ("ingress_nginx", canary(canary_weight="10"), 90, 10),
        ("ingress_nginx", canary(), 100, 0),
        ("ingress_nginx", canary("blue", "green", canary_weight="10"), 10, 90),
        ("ingress_nginx", canary(canary_weight="250", canary_weight_total="1000"), 75, 25),
    ],
)
def test_weights(kind, route, blue, green):
    assert kind_of(server(kind)).weights(route, server(kind)) == {"blue": blue, "green": green}


@pytest.mark.parametrize(
    "kind, route, says",
    [
        (
            "httpproxy",
            proxy(),
            "HTTPProxy prod/mcp has no rule .* "
            "add Service mcp-blue and Service mcp-green together to the services of a route",
        ),
        (
            "httpproxy",
            proxy([backend("blue"), MIRROR]),
            "add Service mcp-green beside the other pool's Service to the services of a route",
        ),
        (
            "httpproxy",
            proxy([backend("blue"), backend("blue"), backend("green")]),
            "lists Service mcp-blue twice in route 0",
        ),
        ("traefik", obj(spec={"mirroring": {"name": "mcp-blue"}}), "TraefikService prod/mcp does not list both pools"),
        (
            "traefik",
            traefik(backend("blue")),
            "add Service mcp-green beside .* to spec.weighted.services, the idle pool's with weight 0",
        ),
        (
            "openshift_route",
            openshift(backend("blue")),
            "Route prod/mcp does not list both pools .* add Service mcp-green .* to spec.to and spec.alternateBackends",
        ),
        (
            "istio",
            istio([("mcp-blue.other", 1), ("mcp-green", 1)]),
            "VirtualService prod/mcp has no rule .* Service mcp-blue beside",
        ),
        ("istio", obj(spec={"tcp": [{"route": []}]}), "to the route of an http rule"),
        ("istio", istio([("mcp-blue.prod.svc.example", 1), ("mcp-blue.prod.example.com", 1)]), "add Service mcp-green"),
        ("ingress_nginx", canary("blue"), "both lead to Service mcp-blue: let the canary lead to Service mcp-green"),
        ("ingress_nginx", canary("docs"), "Ingress prod/mcp-canary leads to no pool of prod/mcp"),
        (
            "ingress_nginx",
            canary(canary="false"),
            "is not a canary: add the annotation nginx.ingress.kubernetes.io/canary: 'true'",
        ),
        ("ingress_nginx", canary(canary_weight="ten"), "canary-weight: 'ten', which is not a whole number"),
    ],
)
def test_a_route_that_does_not_lead_to_both_pools(kind, route, says):
    with pytest.raises(Failure, match=says):
        kind_of(server(kind)).weights(route, server(kind))


def test_a_main_ingress_that_leads_to_both_pools():
    route = canary()
    route["main"]["spec"]["defaultBackend"] = {"service": {"name": "mcp-green"}}
    with pytest.raises(Failure, match="Ingress prod/mcp leads to both pools"):
        kind_of(server("ingress_nginx")).weights(route, server("ingress_nginx"))


def test_a_canary_that_does_not_exist():
    cluster = Cluster(objects("ingress_nginx"))
    del cluster.objects["/apis/networking.k8s.io/v1/namespaces/prod/ingresses/mcp-canary"]
    with pytest.raises(Failure, match="Ingress prod/mcp-canary does not exist: create it beside mcp") as caught:
        kind_of(server("ingress_nginx")).read(cluster, server("ingress_nginx"))
    assert not isinstance(caught.value, NotFound)


def test_parts_of_another_total():
    route, its = canary(canary_weight="0", canary_weight_total="8"), server("ingress_nginx")
    kind = kind_of(server("ingress_nginx"))
    half = {"blue": 50, "green": 50}
    assert kind.reachable(route, its, half) == half and changes(kind.patch(route, its, half))[0]["value"] == "4"
    tenth = {"blue": 90, "green": 10}
    with pytest.raises(Failure, match="can't give green 10 %: its weights are parts of 8"):
        kind.reachable(route, its, tenth)
    near = kind.reachable(route, server("ingress_nginx", route_nearest=True), tenth)
    (change,) = changes(kind.patch(route, its, near))
    assert near == {"blue": 88, "green": 12} and change["value"] == "1"


def reported(route, kind, status, generation=3, **more):
    condition = {
        "type": "Valid" if kind == "httpproxy" else "Admitted",
        "status": status,
        "reason": "R",
        "message": "m",
        **more,
    }
    if kind == "httpproxy":
        return {**route, "status": {"conditions": [{**condition, "observedGeneration": generation}]}}
    return {**route, "status": {"ingress": [{"routerName": "default", "conditions": [condition]}]}}


PROXY, ROUTE = proxy(), openshift(backend("blue"))
WRONG = {
    "errors": [
        {"type": "ServiceError", "reason": "ServiceUnresolvedReference", "message": "service mcp-green not found"}
    ]
}


def routers(*statuses):
    conditions = [[{"type": "Admitted", "status": status, "reason": "R", "message": "m"}] for status in statuses]
    ingress = [{"routerName": f"r{number}", "conditions": one} for number, one in enumerate(conditions)]
    return {**ROUTE, "status": {"ingress": ingress}}


@pytest.mark.parametrize(
    "kind, route, pending, refused",
    [
        ("httpproxy", PROXY, "Contour has not reported Valid for generation 3", False),
        ("httpproxy", reported(PROXY, "httpproxy", "True", 2), "has not reported Valid", False),
        ("httpproxy", reported(PROXY, "httpproxy", "False", 2), "has not reported Valid", False),
        ("httpproxy", reported(PROXY, "httpproxy", "True"), "", False),
        ("httpproxy", reported(PROXY, "httpproxy", "False"), "Contour says Valid is False (R: m)", True),
        (
            "httpproxy",
            reported(PROXY, "httpproxy", "False", **WRONG),
            "(ServiceUnresolvedReference: service mcp-green not found)",
            True,
        ),
        ("openshift_route", ROUTE, "no router has reported on it", False),
        (
            "openshift_route",
            {**ROUTE, "status": {"ingress": [{"routerName": "default"}]}},
            "router default says Admitted is None",
            False,
        ),
        ("openshift_route", reported(ROUTE, "openshift_route", "True"), "", False),
        (
            "openshift_route",
            reported(ROUTE, "openshift_route", "False"),
            "router default says Admitted is False (R: m)",
            True,
        ),
        # openshift/origin#7725: one router admits it, another one does not, or did not before it was removed
        ("openshift_route", routers("True", "False"), "", False),
        ("openshift_route", routers("False", "True"), "", False),
        ("openshift_route", routers("False", "False"), "router r0 says Admitted is False (R: m)", True),
        ("openshift_route", routers("False", "Unknown"), "router r0 says Admitted is False (R: m)", False),
        ("traefik", traefik(), "", False),
        ("istio", istio(), "", False),
    ],
)
def test_status(kind, route, pending, refused):
    its = server(kind)
    said = kind_of(server(kind)).not_accepted(route, its)
    assert pending in said and bool(said) == bool(pending)
    assert bool(kind_of(server(kind)).refused(route, its)) is refused


def test_routers_that_do_not_admit_are_reported_beside_one_that_does():
    kind, its = kind_of(server("openshift_route")), server("openshift_route")
    said = "router r1 says Admitted is False (R: m)"
    assert said in kind.notes(routers("True", "False"), its)
    assert said not in kind.notes(routers("False", "False"), its)
