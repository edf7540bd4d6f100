# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.httproute import KIND as httproute
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.httproute import mark
from ansible_collections.mcp.server.tests.unit.fakes.routes import changes

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")


def ref(name, **more):
    return {"group": "", "kind": "Service", "name": name, "port": 8080, **more}


def route(*rules, **more):
    return {
        "metadata": {"namespace": "prod", "generation": 3, "resourceVersion": "7"},
        "spec": {"rules": [{"backendRefs": r} for r in rules], **more},
    }


def split(blue, green):
    return [ref("mcp-blue", weight=blue), ref("mcp-green", weight=green)]


PINNED = [ref("mcp-blue")]
ELSEWHERE = [ref("docs", weight=5)]


@pytest.mark.parametrize(
    "rules, expected",
    [
        ([split(100, 0)], (100, 0)),
        ([split(9, 1)], (90, 10)),
        ([[ref("mcp-blue"), ref("mcp-green")]], (50, 50)),
        ([[ref("mcp-green", weight=1), ref("mcp-blue", weight=0)]], (0, 100)),
        ([split(999999, 1)], (99, 1)),
        ([split(1, 999999)], (1, 99)),
        ([split(0, 0)], (0, 0)),
        ([split(100, 0), split(0, 0)], (100, 0)),
        ([split(100, 0), split(90, 10)], (95, 5)),
        ([PINNED, ELSEWHERE, split(70, 30)], (70, 30)),
        ([[ref("mcp-blue", namespace="other"), *split(1, 3)]], (25, 75)),
        ([[{"kind": "Bucket", "group": "x.io", "name": "mcp-blue"}, *split(1, 3)]], (25, 75)),
    ],
)
def test_weights(rules, expected):
    assert tuple(httproute.weights(route(*rules), SERVER).values()) == expected


@pytest.mark.parametrize(
    "rules, says",
    [
        ([], "add Service mcp-blue and Service mcp-green together"),
        ([ELSEWHERE], "add Service mcp-blue and Service mcp-green together"),
        ([PINNED], "add Service mcp-green beside the other pool's Service"),
        ([PINNED, [ref("mcp-green")]], "add Service mcp-blue and Service mcp-green together"),
        ([[ref("mcp-blue", namespace="other"), ref("mcp-green")]], "add Service mcp-blue beside"),
        ([[*split(1, 1), ref("mcp-blue", port=9)]], "mcp-blue twice in rule 0"),
    ],
)
def test_route_without_both_pools(rules, says):
    with pytest.raises(Failure, match=says):
        httproute.weights(route(*rules), SERVER)


def put(rule, position, weight):
    return {"op": "add", "path": f"/spec/rules/{rule}/backendRefs/{position}/weight", "value": weight}


@pytest.mark.parametrize(
    "rules, wanted, expected",
    [
        ([split(100, 0)], (100, 0), []),
        ([split(9, 1)], (90, 10), []),
        ([split(1, 0)], (100, 0), []),
        ([split(0, 0)], (100, 0), [put(0, 0, 100), put(0, 1, 0)]),
        ([split(999, 1)], (100, 0), [put(0, 0, 100), put(0, 1, 0)]),
        ([split(100, 0)], (90, 10), [put(0, 0, 90), put(0, 1, 10)]),
        ([[ref("mcp-green"), ref("docs"), ref("mcp-blue")]], (0, 100), [put(0, 2, 0), put(0, 0, 100)]),
        ([PINNED, split(0, 1), ELSEWHERE, split(1, 0)], (0, 100), [put(3, 0, 0), put(3, 1, 100)]),
    ],
)
def test_patch(rules, wanted, expected):
    assert (
        changes(httproute.patch(route(*rules), SERVER, dict(zip(("blue", "green"), wanted, strict=True)))) == expected
    )


def session_rule(value, backends, name="Mcp-Session-Id", kind="RegularExpression"):
    return {"matches": [{"headers": [{"name": name, "type": kind, "value": value}]}], "backendRefs": backends}


def marked_route(blue, green, others, regexes=("^blue-.*", "^green-.*"), **more):
    rules = [
        session_rule(regexes[0], split(*blue), **more),
        session_rule(regexes[1], split(*green), **more),
        {"backendRefs": split(*others)},
    ]
    return {**route(), "spec": {"rules": rules}}


@pytest.mark.parametrize(
    "matches, pool",
    [
        (None, None),
        ([], None),
        ([{}], None),
        ([{"path": {"value": "/"}}], None),
        ([{"headers": [{"name": "MCP-SESSION-ID", "type": "RegularExpression", "value": "^blue-"}]}], "blue"),
        (
            [
                {
                    "headers": [
                        {"name": "x", "value": "y"},
                        {"name": "mcp-session-id", "type": "RegularExpression", "value": "^green-[0-9a-f]+$"},
                    ]
                }
            ],
            "green",
        ),
        ([{"headers": [{"name": "mcp-session-id", "type": "Exact", "value": "^blue-"}]}], None),
        ([{"headers": [{"name": "mcp-session-id", "value": "^blue-"}]}], None),
        ([{"headers": [{"name": "mcp-session-id", "type": "RegularExpression", "value": "blue-.*"}]}], None),
        ([{"headers": [{"name": "mcp-session-id", "type": "RegularExpression", "value": "^blueish"}]}], None),
        ([{"headers": [{"name": "x-pool", "type": "RegularExpression", "value": "^blue-"}]}], None),
        ([session_rule("^blue-.*", [])["matches"][0], session_rule("^blue-x", [])["matches"][0]], "blue"),
        ([session_rule("^blue-.*", [])["matches"][0], session_rule("^green-.*", [])["matches"][0]], None),
        ([session_rule("^blue-.*", [])["matches"][0], {"path": {"value": "/"}}], None),
    ],
)
def test_mark(matches, pool):
    assert mark({"matches": matches}) == pool


@pytest.mark.parametrize(
    "found, expected",
    [
        (marked_route((100, 0), (0, 100), (70, 30)), True),
        (marked_route((100, 0), (0, 100), (70, 30), name="x-session"), False),
        (marked_route((100, 0), (0, 100), (70, 30), regexes=("^blue-.*", "^blue-x")), False),
        (
            {
                **route(),
                "spec": {
                    "rules": [
                        session_rule("^blue-", PINNED),
                        session_rule("^green-", PINNED),
                        {"backendRefs": split(1, 0)},
                    ]
                },
            },
            False,
        ),
    ],
)
def test_marked(found, expected):
    assert httproute.has_affinity(found, SERVER) is expected


def test_a_rule_for_marked_sessions_lists_a_pool_once():
    found = marked_route((100, 0), (0, 100), (70, 30))
    found["spec"]["rules"][1]["backendRefs"].append(ref("mcp-green", port=9))
    with pytest.raises(Failure, match="mcp-green twice in rule 1"):
        httproute.patch(found, SERVER, {"blue": 100, "green": 0})


def test_new_sessions_tell_the_share():
    assert httproute.weights(marked_route((100, 0), (0, 100), (70, 30)), SERVER) == {"blue": 70, "green": 30}
    with pytest.raises(Failure, match="to the backendRefs of a rule that matches no session's mark"):
        httproute.weights({**route(), "spec": {"rules": [session_rule("^blue-", split(1, 0))]}}, SERVER)


@pytest.mark.parametrize(
    "before, wanted, pinned, broken",
    [
        # blue's rule, green's rule, the others; then what a write changes that keeps sessions, and one that does not
        (((100, 0), (0, 100), (100, 0)), (100, 0), [], [put(1, 0, 100), put(1, 1, 0)]),
        (((100, 0), (0, 100), (100, 0)), (90, 10), [put(2, 0, 90), put(2, 1, 10)], None),
        (
            ((100, 0), (0, 100), (90, 10)),
            (0, 100),
            [put(2, 0, 0), put(2, 1, 100)],
            [put(0, 0, 0), put(0, 1, 100), put(2, 0, 0), put(2, 1, 100)],
        ),
        (((100, 0), (100, 0), (100, 0)), (100, 0), [put(1, 0, 0), put(1, 1, 100)], []),
        (((100, 0), (100, 0), (100, 0)), (90, 10), [put(1, 0, 0), put(1, 1, 100), put(2, 0, 90), put(2, 1, 10)], None),
        (((1, 0), (0, 1), (9, 1)), (90, 10), [], None),
    ],
)
def test_patch_of_a_marked_route(before, wanted, pinned, broken):
    found, wanted = marked_route(*before), dict(zip(("blue", "green"), wanted, strict=True))
    assert changes(httproute.patch(found, SERVER, wanted)) == pinned
    if broken is not None:
        assert changes(httproute.without_affinity().patch(found, SERVER, wanted)) == broken


def test_without_marks_nothing_is_to_be_broken():
    found = route(split(100, 0))
    assert httproute.without_affinity().patch(found, SERVER, {"blue": 90, "green": 10}) == httproute.patch(
        found, SERVER, {"blue": 90, "green": 10}
    )


GATEWAY = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge", "namespace": "infra"}


def said(accepted=("True", 3), resolved=("True", 3), parent=None):
    parent = parent or GATEWAY
    conditions = [
        {"type": kind, "status": value[0], "observedGeneration": value[1], "reason": "R", "message": "m"}
        for kind, value in (("Accepted", accepted), ("ResolvedRefs", resolved))
        if value
    ]
    return {"parentRef": parent, "conditions": conditions}


@pytest.mark.parametrize(
    "parents, pending, refused",
    [
        ([said()], "", ""),
        ([], "has not reported Accepted for generation 3", ""),
        ([said(accepted=("True", 2))], "has not reported Accepted for generation 3", ""),
        ([said(accepted=("False", 2))], "has not reported Accepted for generation 3", ""),
        ([said(resolved=None)], "has not reported ResolvedRefs", ""),
        ([said(accepted=("False", 3))], r"Gateway infra/edge says Accepted is False \(R: m\)", "Accepted is False"),
        ([said(resolved=("False", 3))], "ResolvedRefs is False", "ResolvedRefs is False"),
        ([said(resolved=("Unknown", 3))], "ResolvedRefs is Unknown", ""),
        ([said(), said(accepted=("False", 1), parent={**GATEWAY, "name": "removed"})], "", ""),
        ([said(parent={**GATEWAY, "sectionName": "https"})], "has not reported", ""),
        # Another controller on the same parent, which is gone, refuses, or has said nothing: in either order
        ([said(), said(accepted=("True", 1))], "", ""),
        ([said(accepted=("True", 1)), said()], "", ""),
        ([said(), said(accepted=("False", 3))], "", ""),
        ([{"parentRef": GATEWAY}, said()], "", ""),
        (
            [said(accepted=("False", 3)), said(accepted=("False", 1), resolved=("False", 1))],
            "Accepted is False",
            "Accepted is False",
        ),
        # One refuses, and one that accepted before is late: it is waited for
        ([said(accepted=("False", 3)), said(accepted=("True", 1))], "Accepted is False", ""),
        ([said(accepted=("True", 2)), said(accepted=("False", 3))], "Accepted is False", ""),
        ([said(accepted=None), said(resolved=None)], "has not reported", ""),
        # Of the same name and another kind
        ([said(), said(accepted=("False", 3), parent={**GATEWAY, "kind": "Service", "group": ""})], "", ""),
        ([said(parent={**GATEWAY, "kind": "Service", "group": ""})], "Gateway infra/edge has not reported", ""),
    ],
)
def test_status(parents, pending, refused):
    now = {**route(split(1, 0), parentRefs=[GATEWAY]), "status": {"parents": parents}}
    for pattern, text in ((pending, httproute.not_accepted(now, SERVER)), (refused, httproute.refused(now, SERVER))):
        if pattern:
            with pytest.raises(AssertionError, match=pattern):
                raise AssertionError(text)
        else:
            assert text == ""


def reports(found, **more):
    """The same, with one more condition, or with another generation everywhere."""
    if "generation" in more:
        conditions = [{**one, "observedGeneration": more["generation"]} for one in found["conditions"]]
        return {**found, "conditions": [{k: v for k, v in one.items() if v is not None} for one in conditions]}
    return {**found, "conditions": [*found["conditions"], more["also"]]}


def partial(message, status="True", generation=3):
    return {
        "type": "PartiallyInvalid",
        "status": status,
        "observedGeneration": generation,
        "reason": "UnsupportedValue",
        "message": message,
    }


PARTLY = "Gateway infra/edge says PartiallyInvalid"
UNNUMBERED = "Gateway infra/edge does not report for which generation"


@pytest.mark.parametrize(
    "parents, pending, refused, noted",
    [
        # kubernetes-sigs/gateway-api#1696: rules were dropped, which may be others, or the former ones hold on
        ([reports(said(), also=partial("Dropped Rule 2: no"))], "", "", PARTLY),
        ([reports(said(), also=partial("Fall Back: to the last valid ones"))], PARTLY, PARTLY, PARTLY),
        # kgateway-dev/kgateway#11315: it stays after the mistake was corrected
        ([reports(said(), also=partial("Fall Back", generation=2))], "", "", ""),
        ([reports(said(), also=partial("Fall Back", status="False"))], "", "", ""),
        # linkerd/linkerd2#14964 and apache/apisix-ingress-controller#2767: the generation is missing, or is 0
        ([reports(said(), generation=None)], "", "", UNNUMBERED),
        ([reports(said(), generation=0)], "", "", UNNUMBERED),
        ([reports(said(accepted=("False", 3)), generation=0)], "Accepted is False", "Accepted is False", UNNUMBERED),
        # kubermatic/kubelb#347: it is that of another object
        ([reports(said(), generation=7)], "", "", ""),
        # envoyproxy/gateway#7537: a parent with a controllerName and no conditions
        ([{"parentRef": GATEWAY, "controllerName": "c"}], "has not reported Accepted", "", ""),
        ([{"controllerName": "c"}], "has not reported Accepted", "", ""),
        # argoproj/argo-cd#24958 and envoyproxy/gateway#774: reports of earlier generations, and on removed parents
        (
            [said(accepted=("False", 1), parent={**GATEWAY, "sectionName": "gone"}), said()],
            "",
            "",
            "",
        ),
    ],
)
def test_conditions_of_all_sorts(parents, pending, refused, noted):
    now = {**route(split(1, 0), parentRefs=[GATEWAY]), "status": {"parents": parents}}
    found = [httproute.not_accepted(now, SERVER), httproute.refused(now, SERVER), *httproute.notes(now, SERVER)]
    assert len(found) == (3 if noted else 2)
    for text, expected in zip(found, (pending, refused, noted), strict=False):
        assert expected in text and bool(text) is bool(expected)


SERVICE = {"group": "", "kind": "Service", "name": "edge", "namespace": "infra", "port": 8080}


@pytest.mark.parametrize("missing", [None, 0, 1, 2, 3, 4, 5])
def test_parents_that_differ_in_one_thing(missing):
    """In kind, namespace, section or port. Their reports come in any order, and each is needed."""
    parents = [
        GATEWAY,
        {**SERVICE, "group": "core"},  # linkerd/linkerd2#14964: the API group of Services has two names
        {**GATEWAY, "namespace": "prod"},
        {**GATEWAY, "sectionName": "http"},  # envoyproxy/gateway#4387
        {**GATEWAY, "sectionName": "https", "port": 443},
        {**GATEWAY, "kind": "ListenerSet"},
    ]
    names = ["Gateway infra/edge has", "Service infra/edge (port 8080)", "Gateway prod/edge", "(section http)"]
    names += ["Gateway infra/edge (section https, port 443)", "ListenerSet infra/edge"]
    reported = [said(parent=SERVICE if parent["kind"] == "Service" else parent) for parent in reversed(parents)]
    if missing is not None:
        # envoyproxy/gateway#4264: only one of several parents is in the status at a time
        del reported[len(parents) - 1 - missing]
    now = {**route(split(1, 0), parentRefs=parents), "status": {"parents": reported}}
    text = httproute.not_accepted(now, SERVER)
    assert text == "" if missing is None else names[missing] in text
    # Without what is the default
    bare = {key: value for key, value in GATEWAY.items() if key not in ("kind", "group")}
    now = {**route(split(1, 0), parentRefs=[bare]), "status": {"parents": [said()]}}
    assert httproute.not_accepted(now, SERVER) == ""


def test_parent_in_the_routes_own_namespace():
    now = {
        **route(split(1, 0), parentRefs=[{"name": "edge"}]),
        "status": {"parents": [said(parent={"name": "edge", "namespace": "prod"})]},
    }
    assert httproute.not_accepted(now, SERVER) == ""


def test_route_without_a_gateway():
    assert "parentRefs" in httproute.not_accepted(route(split(1, 0)), SERVER)
