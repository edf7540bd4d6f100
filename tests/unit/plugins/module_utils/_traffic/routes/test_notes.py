# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a route is left alone and reported: rules for some clients, other backends, mirrors, one pool only.

Cases that name an issue are public reports on other tools, tried here.
"""

from __future__ import annotations

import copy
import itertools
import random
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._server import ROUTE_KINDS
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import applied, of_all, percent_text
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import has_others, kind_of
from ansible_collections.mcp.server.tests.unit.fakes.routes import (
    CUSTOM,
    Cluster,
    changes,
    ingress,
    obj,
    objects,
    server,
)

Object = dict[str, t.Any]
TESTERS = {"headers": [{"name": "x-test", "value": "yes"}]}


def backend(pool: str, weight: int | None = None, **more: t.Any) -> Object:
    return {"name": f"mcp-{pool}", **({} if weight is None else {"weight": weight}), **more}


def split(blue: int | None, green: int | None) -> list[Object]:
    return [backend("blue", blue), backend("green", green)]


def rule(backends: list[Object], *matches: Object, filters: t.Sequence[Object] = ()) -> Object:
    return {"backendRefs": backends, "matches": list(matches), "filters": list(filters)}


def httproute(*rules: Object) -> Object:
    return obj(spec={"rules": list(rules)})


def mirror(pool: str, **more: t.Any) -> Object:
    return {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": f"mcp-{pool}", "port": 8080}, **more}}


def proxy(services: list[Object], *conditions: Object) -> Object:
    return {"services": services, "conditions": list(conditions)}


def httpproxy(*routes: Object, **status: t.Any) -> Object:
    return obj(spec={"routes": list(routes)}, **status)


def block(blue: int | None, green: int | None, *others: Object, **more: t.Any) -> Object:
    pools = [
        {"destination": {"host": f"mcp-{pool}"}, **({} if weight is None else {"weight": weight})}
        for pool, weight in (("blue", blue), ("green", green))
    ]
    return {"route": [*pools, *others], **more}


def istio(*blocks: Object) -> Object:
    return obj(spec={"http": list(blocks)})


def legacy(weight: int) -> Object:
    return {"destination": {"host": "legacy"}, "weight": weight}


def canary(main: Object | None = None, **annotations: str) -> Object:
    return {
        "main": ingress("mcp", "blue", **(main or {})),
        "canary": ingress("mcp-canary", "green", canary="true", canary_weight="10", **annotations),
    }


LEFT_ALONE = [
    # argoproj-labs/rollouts-plugin-trafficrouter-gatewayapi#158: the rule for testers gets the weights of all others
    (
        "httproute",
        httproute(rule(split(50, 50), TESTERS), rule(split(100, 0))),
        100,
        "rule 0 (requests with header x-test) leads to blue at 50 % and green at 50 % and is left alone",
    ),
    (
        "httproute",
        httproute(rule(split(90, 10)), rule(split(0, 1), {"queryParams": [{"name": "beta", "value": "1"}]})),
        90,
        "rule 1 (requests with query parameter beta) leads to blue at 0 % and green at 100 % and is left alone",
    ),
    (
        "httproute",
        httproute(rule(split(90, 10)), rule(split(0, 1), TESTERS, {"headers": [{"name": "x-qa", "value": "1"}]})),
        90,
        "rule 1 (requests with header x-test or header x-qa) leads",
    ),
    (
        "httproute",
        httproute(
            rule(split(90, 10)),
            rule(split(0, 1), {**TESTERS, "path": {"value": "/a"}, "queryParams": [{"name": "beta"}]}),
        ),
        90,
        "header x-test and query parameter beta",
    ),
    # argoproj-labs/rollouts-plugin-trafficrouter-gatewayapi#147: a rule for testers with the canary alone
    (
        "httproute",
        httproute(rule(split(100, 0)), rule([backend("green", 0)], TESTERS)),
        100,
        "rule 1 (requests with header x-test) leads to green at 0 % and is left alone",
    ),
    (
        "httproute",
        httproute(rule(split(100, 0)), rule([backend("blue")], {"path": {"value": "/health"}})),
        100,
        "rule 1 leads to blue at 100 % and is left alone",
    ),
    (
        "httpproxy",
        httpproxy(
            proxy(split(90, 10), {"prefix": "/"}),
            proxy(split(0, 1), {"prefix": "/"}, {"header": {"name": "x-test", "present": True}}),
        ),
        90,
        "route 1 (requests with header x-test) leads to blue at 0 %",
    ),
    (
        "httpproxy",
        httpproxy(proxy(split(90, 10)), proxy(split(0, 1), {"queryParameter": {"name": "beta", "exact": "1"}})),
        90,
        "query parameter beta",
    ),
    # fluxcd/flagger#1668: two http blocks, one of them with a match
    (
        "istio",
        istio(block(0, 100, match=[{"headers": {"x-test": {"exact": "1"}}}]), block(90, 10)),
        90,
        "http rule 0 (requests with header x-test) leads to blue at 0 %",
    ),
    (
        "istio",
        istio(block(0, 100, match=[{"queryParams": {"beta": {"exact": "1"}}}]), block(90, 10)),
        90,
        "query parameter beta",
    ),
    ("istio", istio(block(0, 100, match=[{"sourceLabels": {"app": "qa"}}]), block(90, 10)), 90, "source label app"),
]


@pytest.mark.parametrize(("kind", "route", "blue", "note"), LEFT_ALONE)
def test_rules_for_some_clients_are_left_alone(kind: str, route: Object, blue: int, note: str) -> None:
    its = server(kind)
    assert kind_of(its).weights(route, its) == {"blue": blue, "green": 100 - blue}
    (found,) = kind_of(its).notes(route, its)
    assert found.startswith(note) or note in found
    # Through all steps, also those at which the weights happen to be equal, and back
    own = [one for one in kind_of(its).lists(route, its) if one.name in found.split(" (")[0].split(" leads")[0]]
    for green in (10, 50, 100, 0):
        operations = kind_of(its).patch(route, its, {"blue": 100 - green, "green": green})
        route = applied(route, changes(operations))
        assert kind_of(its).weights(route, its)["green"] == green
        assert [one for one in kind_of(its).lists(route, its) if one.name == own[0].name] == own


@pytest.mark.parametrize(
    ("kind", "route"),
    [
        # argoproj-labs/rollouts-plugin-trafficrouter-gatewayapi#207: one rule for each path
        (
            "httproute",
            httproute(rule(split(90, 10), {"path": {"value": "/a"}}), rule(split(90, 10), {"path": {"value": "/b"}})),
        ),
        ("httproute", httproute(rule(split(90, 10), TESTERS, {"path": {"value": "/"}}))),
        # Headers of every client: streams, one method, any session
        (
            "httproute",
            httproute(
                rule(split(90, 10), {"headers": [{"name": "Accept", "value": "text/event-stream"}]}),
                rule(split(90, 10)),
            ),
        ),
        (
            "httproute",
            httproute(
                rule(
                    split(90, 10), {"headers": [{"name": "Mcp-Session-Id", "type": "RegularExpression", "value": ".+"}]}
                ),
                rule(split(90, 10)),
            ),
        ),
        ("httproute", httproute(rule(split(90, 10), {"method": "GET"}), rule(split(90, 10)))),
        # argoproj-labs/rollouts-plugin-trafficrouter-contour#52: a condition on the pseudo header of the method
        (
            "httpproxy",
            httpproxy(proxy(split(90, 10), {"header": {"name": ":method", "regex": "POST|GET"}}), proxy(split(90, 10))),
        ),
        (
            "httpproxy",
            httpproxy(proxy(split(90, 10), {"header": {"name": "x-test", "notpresent": True}}), proxy(split(90, 10))),
        ),
        ("istio", istio(block(90, 10, match=[{"uri": {"prefix": "/mcp"}}]), block(90, 10))),
        ("istio", istio(block(90, 10, match=[{"withoutHeaders": {"x-test": {}}}]), block(90, 10))),
        ("istio", istio(block(90, 10, match=[{"headers": {"x": {}}}, {"uri": {"prefix": "/"}}]), block(90, 10))),
    ],
)
def test_rules_for_everybody_are_shifted(kind: str, route: Object) -> None:
    its = server(kind)
    assert kind_of(its).notes(route, its) == []
    after = applied(route, changes(kind_of(its).patch(route, its, {"blue": 0, "green": 100})))
    every = kind_of(its).lists(after, its)
    assert {tuple(found.weight for _pool, found in one.references) for one in every} == {(0, 100)}


def test_without_another_rule_the_one_for_some_clients_is_shifted_and_reported() -> None:
    route, its = httproute(rule(split(90, 10), TESTERS), rule([backend("blue")])), server("httproute")
    assert kind_of(its).weights(route, its) == {"blue": 90, "green": 10}
    assert kind_of(its).notes(route, its) == [
        "rule 0 takes only requests with header x-test, and no rule for all others lists both pools",
        "rule 1 leads to blue at 100 % and is left alone",
    ]


def test_a_rule_that_is_left_alone_may_list_a_pool_twice() -> None:
    route, its = httproute(rule([*split(1, 1), backend("blue", 2)], TESTERS), rule(split(100, 0))), server("httproute")
    assert kind_of(its).weights(route, its) == {"blue": 100, "green": 0}
    assert "blue at 75 % and green at 25 %" in kind_of(its).notes(route, its)[0]


DOCS = {"name": "docs", "weight": 300}


@pytest.mark.parametrize(
    ("kind", "route", "now", "at_ten", "note"),
    [
        (
            "httproute",
            httproute(rule([*split(100, 0), DOCS])),
            0.25,
            2.5,
            "rule 0 gives 75 % of its traffic to other backends",
        ),
        # Weights that do not add up to 100 do once they are written, which takes traffic from the others
        ("httproute", httproute(rule([*split(None, 0), {"name": "docs"}])), 0.5, 9.9, "rule 0 gives 50 % of"),
        (
            "httproute",
            httproute(rule([*split(100, 0), DOCS]), rule(split(100, 0))),
            0.625,
            6.25,
            "rule 0 gives 75 % of",
        ),
        ("httproute", httproute(rule([*split(100, 0), {**DOCS, "weight": 0}])), 1, 10, ""),
        # argoproj-labs/rollouts-plugin-trafficrouter-contour#52: a third service
        (
            "httpproxy",
            httpproxy(proxy([*split(10, 90), {"name": "other", "weight": 10}])),
            10 / 11,
            9.09,
            "route 0 gives 9.09 % of",
        ),
        # projectcontour/contour#3779: as soon as one has a weight, the others without one have none
        ("httpproxy", httpproxy(proxy([*split(None, None), {"name": "other"}])), 2 / 3, 10, "route 0 gives 33.33 % of"),
        # argoproj/argo-rollouts#1364 and #3125: stable 50, canary 30, a legacy system 20
        (
            "istio",
            istio(block(50, 30, legacy(20))),
            0.8,
            8.33,
            "http rule 0 gives 20 % of its traffic to other backends",
        ),
        (
            "traefik",
            obj(
                spec={
                    "weighted": {
                        "services": [*split(100, 0), {"name": "mirroring", "kind": "TraefikService", "weight": 300}]
                    }
                }
            ),
            0.25,
            2.5,
            "spec.weighted.services gives 75 %",
        ),
        (
            "openshift_route",
            obj(spec={"to": backend("blue", 100), "alternateBackends": [backend("green", 0), {"name": "old"}]}),
            0.5,
            5,
            "the route gives 50 %",
        ),
        ("ingress_nginx", canary(), 1, 10, ""),
    ],
)
def test_what_a_step_is_of_all_traffic(kind: str, route: Object, now: float, at_ten: float, note: str) -> None:
    its = server(kind)
    wanted = {"blue": 90, "green": 10}
    assert kind_of(its).part(route, its) == pytest.approx(now)
    assert of_all(wanted, kind_of(its).part(route, its, wanted))["green"] == pytest.approx(at_ten, abs=0.005)
    notes = kind_of(its).notes(route, its)
    assert [one for one in notes if one.startswith(note)] if note else notes == []


@pytest.mark.parametrize(
    ("kind", "route", "notes"),
    [
        (
            "httproute",
            httproute(rule(split(100, 0), filters=[mirror("green")])),
            ["rule 0 sends copies of all its requests to green, which count in that pool's metrics"],
        ),
        # fluxcd/flagger#1525 and kubernetes-sigs/gateway-api#3178: a percentage, or a fraction of another whole
        (
            "httproute",
            httproute(rule(split(100, 0), filters=[mirror("green", percent=10)])),
            ["rule 0 sends copies of 10 % of its requests to green"],
        ),
        (
            "httproute",
            httproute(rule(split(100, 0), filters=[mirror("green", fraction={"numerator": 1, "denominator": 1000})])),
            ["rule 0 sends copies of 0.1 % of its"],
        ),
        ("httproute", httproute(rule(split(100, 0), filters=[mirror("green", percent=0), mirror("shadow")])), []),
        (
            "httproute",
            httproute(rule([backend("blue", 100, filters=[mirror("green")]), backend("green", 0)])),
            ["rule 0 sends copies of all its requests to green"],
        ),
        # projectcontour/contour#1889 and #5516: the weight of a mirror is its percentage, 100 where there is none
        (
            "httpproxy",
            httpproxy(proxy([*split(100, 0), backend("green", 1, mirror=True)])),
            ["route 0 sends copies of 1 % of its requests to green"],
        ),
        (
            "httpproxy",
            httpproxy(proxy([*split(100, 0), backend("green", mirror=True)])),
            ["route 0 sends copies of all its requests to green"],
        ),
        # istio/old_issues_repo#379, fluxcd/flagger#311 and #492: a mirror to the second version, with a percentage
        (
            "istio",
            istio(block(100, 0, mirror={"host": "mcp-green.prod"}, mirrorPercentage={"value": 0.5})),
            ["http rule 0 sends copies of 0.5 % of its requests to green"],
        ),
        (
            "istio",
            istio(block(100, 0, mirror={"host": "mcp-green"}, mirrorPercent=20)),
            ["http rule 0 sends copies of 20 % of its requests to green"],
        ),
        (
            "istio",
            istio(block(100, 0, mirrors=[{"destination": {"host": "mcp-blue"}}, {"destination": {"host": "x"}}])),
            ["http rule 0 sends copies of all its requests to blue"],
        ),
        # fluxcd/flagger#1838 and kubernetes/ingress-nginx#3830: header and weight on one canary
        (
            "ingress_nginx",
            canary(canary_by_header="x-test", canary_by_cookie="qa"),
            [
                "requests with header x-test go to green or away from it whatever its weight",
                "requests with cookie qa go",
            ],
        ),
        (
            "ingress_nginx",
            canary({"mirror_target": "http://mcp-green.prod"}),
            ["the main Ingress sends copies of all its requests to http://mcp-green.prod"],
        ),
    ],
)
def test_mirrors_and_what_takes_precedence(kind: str, route: Object, notes: list[str]) -> None:
    its = server(kind)
    found = kind_of(its).notes(route, its)
    assert len(found) == len(notes) and all(one.startswith(note) for one, note in zip(found, notes, strict=True)), found


def test_text_of_others_is_one_line() -> None:
    route = httproute(rule(split(1, 1), {"headers": [{"name": "x\x1b[31m\nOK"}]}), rule(split(1, 0)))
    assert "header x [31m OK)" in kind_of(server("httproute")).notes(route, server("httproute"))[0]


@pytest.mark.parametrize(("value", "text"), [(10, "10"), (2.5, "2.5"), (33.333, "33.33"), (100.0, "100"), (0.0, "0")])
def test_percentages(value: float, text: str) -> None:
    assert percent_text(value) == text


def test_other_backends_are_supposed_where_the_route_cannot_be_read() -> None:
    its = server("httproute")
    (path,) = objects("httproute")
    cluster = Cluster(objects("httproute"))
    assert not has_others(cluster, its)
    cluster.put(path, httproute(rule([*split(100, 0), DOCS])))
    assert has_others(cluster, its)
    cluster.fail(Failure("no"), "GET", path)
    assert has_others(cluster, its)


def places(found: t.Any, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """The paths of all that an object holds."""
    for key, value in found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ():
        yield (*path, key)
        yield from places(value, (*path, key))


def without(found: Object, *dropped: tuple[t.Any, ...]) -> Object:
    found = copy.deepcopy(found)
    for path in dropped:
        holder: t.Any = found
        try:
            for key in path[:-1]:
                holder = holder[key]
            del holder[path[-1]]
        except (KeyError, IndexError):  # dropped together with another
            continue
    return found


STATUS = {
    "httproute": {
        "parents": [
            {
                "parentRef": {"name": "edge", "namespace": "infra"},
                "controllerName": "c",
                "conditions": [
                    {"type": kind, "status": status, "reason": "R", "message": "Fall Back: m", "observedGeneration": 3}
                    for kind, status in (("Accepted", "True"), ("ResolvedRefs", "False"), ("PartiallyInvalid", "True"))
                ],
            }
        ]
    },
    "httpproxy": {
        "conditions": [
            {
                "type": "Valid",
                "status": "False",
                "observedGeneration": 3,
                "errors": [{"reason": "R", "message": "m"}],
                "warnings": [{"reason": "W", "message": "w"}],
            }
        ]
    },
    "openshift_route": {
        "ingress": [
            {
                "routerName": "default",
                "conditions": [{"type": "Admitted", "status": "False", "reason": "R", "message": "m"}],
            }
        ]
    },
}
ALWAYS = ("main", "canary", "metadata", "name", "namespace", "resourceVersion", "spec")  # in each object
WHOLE = [
    (
        "httproute",
        httproute(
            *(one[1]["spec"]["rules"][0] for one in LEFT_ALONE if one[0] == "httproute"),
            rule([*split(9, 1), DOCS], filters=[mirror("green", fraction={"numerator": 1, "denominator": 3})]),
        ),
    ),
    (
        "httpproxy",
        httpproxy(*(found for one in LEFT_ALONE if one[0] == "httpproxy" for found in one[1]["spec"]["routes"])),
    ),
    (
        "istio",
        istio(
            *(found for one in LEFT_ALONE if one[0] == "istio" for found in one[1]["spec"]["http"]),
            block(
                1,
                1,
                legacy(2),
                mirror={"host": "mcp-green"},
                mirrorPercentage={"value": 5},
                mirrors=[{"destination": {"host": "mcp-blue"}, "percentage": {"value": 1}}],
            ),
        ),
    ),
    *((kind, next(iter(objects(kind).values()))) for kind in ("traefik", "openshift_route")),
    ("ingress_nginx", canary({"mirror_target": "http://x"}, canary_by_header="x-test")),
]


@pytest.mark.parametrize(("kind", "route"), WHOLE)
def test_a_missing_field_is_a_sentence_at_most(kind: str, route: Object) -> None:
    """Any of its fields, and pairs of them."""
    its = server(kind, route_custom=CUSTOM)
    route = copy.deepcopy(route)
    if kind in STATUS:
        route["status"] = STATUS[kind]
    if kind == "httproute":
        route["spec"]["parentRefs"] = [{"name": "edge", "namespace": "infra"}]
    every = [path for path in places(route) if path[-1] not in ALWAYS or {"spec", "status"} & {*path[:-1]}]
    dice = random.Random(15)
    pairs = list(itertools.combinations(every, 2))
    for dropped in [*((one,) for one in every), *dice.sample(pairs, min(400, len(pairs)))]:
        left = without(route, *dropped)
        found = kind_of(its)
        try:
            weights = found.weights(left, its)
        except Failure as failure:
            assert failure.msg.endswith((".", "weight 0.")), failure.msg
            continue
        assert set(weights) == {"blue", "green"}
        assert 0 <= found.part(left, its, {"blue": 50, "green": 50}) <= 1
        assert all(isinstance(note, str) for note in found.notes(left, its))
        assert isinstance(found.not_accepted(left, its) + found.refused(left, its), str)


def test_every_kind_reads_its_objects() -> None:
    for kind in ROUTE_KINDS:
        its = server(kind, route_custom=CUSTOM)
        route = kind_of(its).read(Cluster(objects(kind)), its)
        assert 0 < kind_of(its).part(route, its) <= 1 and isinstance(kind_of(its).notes(route, its), list)
