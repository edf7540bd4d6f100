# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every kind of route."""

from __future__ import annotations

import copy

import pytest
import yaml
from routes_cluster import CUSTOM, FakeCluster, objects, server

from ansible_collections.mcp.server.plugins.doc_fragments.server import ModuleDocFragment
from ansible_collections.mcp.server.plugins.module_utils._cluster.connection import Conflict
from ansible_collections.mcp.server.plugins.module_utils._cluster.server import ROUTE_KINDS
from ansible_collections.mcp.server.plugins.module_utils._traffic.plan import split
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of

BLUE, GREEN, HALF = split("blue", 100), split("green", 100), split("blue", 50)


def given(kind):
    return server(kind, route_custom=CUSTOM if kind == "custom" else None)


def write(cluster, server, wanted, dry_run=False):
    kind = kind_of(server)
    return kind.write(cluster, server, kind.read(cluster, server), wanted, dry_run=dry_run)


def weights(cluster, server):
    return kind_of(server).weights(kind_of(server).read(cluster, server), server)


def test_the_option_offers_every_kind():
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["route_kind"]["choices"]
    assert list(ROUTE_KINDS) == documented
    # A kind that is forgotten there would be taken for an HTTPRoute
    assert len({type(kind_of(server(kind))) for kind in ROUTE_KINDS}) == len(ROUTE_KINDS)
    assert kind_of(server("httproute")).title == "HTTPRoute"


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_there_and_back_again(kind):
    cluster, its = FakeCluster(objects(kind)), given(kind)
    assert weights(cluster, its) == BLUE
    for wanted in (HALF, GREEN, HALF, BLUE):
        changed, route = write(cluster, its, wanted)
        assert changed and weights(cluster, its) == kind_of(its).weights(route, its) == wanted
        cluster.writes.clear()
        assert not write(cluster, its, wanted)[0] and cluster.writes == []


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_a_dry_run_changes_nothing(kind):
    cluster, its = FakeCluster(objects(kind)), given(kind)
    assert write(cluster, its, HALF, dry_run=True)[0] and cluster.writes == [] and weights(cluster, its) == BLUE


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_what_is_not_a_weight_is_not_touched(kind):
    cluster, its = FakeCluster(objects(kind)), given(kind)
    before = copy.deepcopy(cluster.objects)
    write(cluster, its, HALF)
    write(cluster, its, GREEN)
    for path, now in cluster.objects.items():
        left = {**now, "metadata": {**now["metadata"], "resourceVersion": before[path]["metadata"]["resourceVersion"]}}
        assert differences(before[path], left) <= {"weight", "nginx.ingress.kubernetes.io/canary-weight", "pool", "mcp.server/serving"}


def differences(one, two):
    """The names of the fields in which they differ."""
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        return set().union(*(differences(*pair) for pair in zip(one, two, strict=True)))
    if isinstance(one, dict) and isinstance(two, dict):
        return set().union(
            *(
                differences(one[key], two[key]) if key in one and key in two and isinstance(one[key], (dict, list)) else {key}
                for key in {*one, *two}
                if one.get(key) != two.get(key)
            )
        )
    return set() if one == two else {f"{one} {two}"}


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_a_change_by_somebody_else_is_a_conflict(kind):
    cluster, its = FakeCluster(objects(kind)), given(kind)
    route = kind_of(its).read(cluster, its)
    for one in cluster.objects.values():
        one["metadata"]["resourceVersion"] = "99"
    with pytest.raises(Conflict):
        kind_of(its).write(cluster, its, route, GREEN, dry_run=False)
    assert cluster.writes == []


@pytest.mark.parametrize(
    "kind, rules",
    [
        ("httproute", [("gateway.networking.k8s.io", "httproutes", ("get", "patch"))]),
        ("service", [("", "services", ("get", "patch")), ("", "pods", ("patch",))]),
        ("httpproxy", [("projectcontour.io", "httpproxies", ("get", "patch"))]),
        ("traefik", [("traefik.io", "traefikservices", ("get", "patch"))]),
        ("openshift_route", [("route.openshift.io", "routes", ("get", "patch"))]),
        ("istio", [("networking.istio.io", "virtualservices", ("get", "patch"))]),
        ("ingress_nginx", [("networking.k8s.io", "ingresses", ("get", "patch"))]),
        ("custom", [("example.io", "splits", ("get", "patch"))]),
    ],
)
def test_what_the_role_must_grant(kind, rules):
    its = given(kind)
    assert list(kind_of(its).rules(its)) == rules
