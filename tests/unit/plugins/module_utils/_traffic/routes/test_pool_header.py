# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The header by which a route says which pool answered."""

from __future__ import annotations

import copy
import typing as t

import pytest
import yaml

from ansible_collections.mcp.server.plugins.module_utils._server import POOLS, ROUTE_KINDS
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import pool_header
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kind import applied
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes.kinds import kind_of
from ansible_collections.mcp.server.tests.unit.fakes.routes import CUSTOM, Cluster, changes, obj, objects, server

CAN = ("httproute", "httpproxy", "istio")
NAME = "X-MCP-Pool"
HEADER = {
    "httproute": lambda value, name=NAME, how="set": {
        "filters": [
            {"type": "ResponseHeaderModifier", "responseHeaderModifier": {how: [{"name": name, "value": value}]}}
        ]
    },
    "httpproxy": lambda value, name=NAME, how="set": {"responseHeadersPolicy": {how: [{"name": name, "value": value}]}},
    "istio": lambda value, name=NAME, how="set": {"headers": {"response": {how: {name: value}}}},
}
LISTS = {"httproute": ("rules", "backendRefs"), "httpproxy": ("routes", "services"), "istio": ("http", "route")}
MATCH = {
    "httproute": {"matches": [{"headers": [{"name": "x-tester", "value": "1"}]}]},
    "httpproxy": {"conditions": [{"header": {"name": "x-tester", "present": True}}]},
    "istio": {"match": [{"headers": {"x-tester": {"exact": "1"}}}]},
}


def entry(kind: str, pool: str, weight: int = 50, **more: t.Any) -> dict[str, t.Any]:
    name = {"destination": {"host": f"mcp-{pool}"}} if kind == "istio" else {"name": f"mcp-{pool}"}
    return {**name, "weight": weight, **more}


def rule(kind: str, *entries: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    return {LISTS[kind][1]: list(entries), **more}


def route(kind: str, *rules: dict[str, t.Any]) -> dict[str, t.Any]:
    return obj(spec={LISTS[kind][0]: list(rules)})


def both(kind: str, blue: t.Any = "blue", green: t.Any = "green", **more: t.Any) -> dict[str, t.Any]:
    """A rule that lists both pools, with these values of the header; None for none."""
    set_ = HEADER[kind]
    values = {"blue": blue, "green": green}
    return rule(
        kind,
        *(entry(kind, pool, **({} if value is None else set_(value))) for pool, value in values.items()),
        **more,
    )


@pytest.mark.parametrize("kind", CAN)
def test_what_a_route_sets(kind: str) -> None:
    set_ = HEADER[kind]
    other_case = rule(kind, *(entry(kind, pool, **set_(pool, "x-mcp-POOL")) for pool in POOLS))
    other_name = rule(kind, *(entry(kind, pool, **set_(pool, "x-pool")) for pool in POOLS))
    one_pool, tester = rule(kind, entry(kind, "blue")), both(kind, None, None, **MATCH[kind])
    stranger = rule(kind, *both(kind)[LISTS[kind][1]], entry(kind, "docs", 5))
    table = [
        ([both(kind)], True, ""),
        ([other_case], True, ""),
        ([stranger], True, ""),
        ([other_name], False, ""),
        ([both(kind, "blue", None)], False, "but not on those of Service mcp-green in "),
        ([both(kind, None, "green")], False, "but not on those of Service mcp-blue in "),
        ([both(kind, None, None)], False, ""),
        # Every rule that a shift sets; rules that it leaves alone answer no request that measures.
        ([both(kind), both(kind, None, None)], False, "but not on those of Service mcp-blue in "),
        ([both(kind), one_pool], True, ""),
        ([both(kind), tester], True, ""),
        ([tester], False, ""),
        ([one_pool], False, ""),
        ([], False, ""),
        ([both(kind, "blue", "blue")], False, "'blue' on the answers of Service mcp-green"),
        ([both(kind, "Blue", "green")], False, "'Blue' on the answers of Service mcp-blue"),
        ([both(kind), both(kind, "green", "green", **MATCH[kind])], True, "'green' on the answers of Service mcp-blue"),
        # For the whole rule it overwrites what its backends set.
        ([{**both(kind), **set_("blue")}], False, "'blue' for all of "),
    ]
    for rules, names, lie in table:
        found, its = route(kind, *rules), server(kind)
        assert pool_header.names_pools(found, its) is names, rules
        said = pool_header.problem(found, its)
        assert (lie in said) if lie else said == "", (said, rules)


@pytest.mark.parametrize("kind", ["httproute", "istio"])
def test_a_header_may_be_added_instead_of_set(kind: str) -> None:
    added = rule(kind, *(entry(kind, pool, **HEADER[kind](pool, NAME, "add")) for pool in POOLS))
    assert pool_header.names_pools(route(kind, added), server(kind)) is True


def test_a_header_that_is_there_twice_names_no_pool() -> None:
    twice = both("httproute")
    twice["backendRefs"][0]["filters"][0]["responseHeaderModifier"]["add"] = [{"name": NAME, "value": "blue"}]
    assert pool_header.names_pools(route("httproute", twice), server("httproute")) is False
    assert "'blue, blue' on the answers" in pool_header.problem(route("httproute", twice), server("httproute"))


def test_a_request_header_names_nothing() -> None:
    filters = [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": NAME, "value": "blue"}]}}]
    its = rule("httproute", entry("httproute", "blue", filters=filters), entry("httproute", "green"))
    assert pool_header.names_pools(route("httproute", its), server("httproute")) is False
    assert pool_header.problem(route("httproute", its), server("httproute")) == ""


def test_rules_for_marked_sessions_name_their_pool_too() -> None:
    mark = {"matches": [{"headers": [{"name": "Mcp-Session-Id", "type": "RegularExpression", "value": "^blue-.*"}]}]}
    for value, names in (("green", True), (None, False)):
        found = route("httproute", both("httproute", "blue", value, **mark), both("httproute"))
        assert pool_header.names_pools(found, server("httproute")) is names


def test_mirrors_name_nothing() -> None:
    mirror = entry("httpproxy", "green", mirror=True)
    found = route("httpproxy", {"services": [mirror, *both("httpproxy")["services"]]})
    assert pool_header.names_pools(found, server("httpproxy")) is True
    assert pool_header.with_pool_header(found, server("httpproxy"))["spec"]["routes"][0]["services"][0] == mirror


@pytest.mark.parametrize("kind", ROUTE_KINDS)
def test_each_kind_as_clusters_have_it(kind: str) -> None:
    """After the header was added the route names its pools, and all else is as before; again, nothing changes."""
    its = server(kind, route_custom=CUSTOM if kind == "custom" else None)
    found = kind_of(its).read(Cluster(objects(kind)), its)
    before = copy.deepcopy(found)
    changed = pool_header.with_pool_header(found, its)
    assert found == before
    if kind not in CAN:
        assert pool_header.names_pools(found, its) is None
        assert (changed, pool_header.cure(its), pool_header.problem(found, its)) == (found, "", "")
        return
    assert [pool_header.names_pools(one, its) for one in (found, changed)] == [False, True]
    assert pool_header.with_pool_header(changed, its) == changed
    assert kind_of(its).weights(changed, its) == kind_of(its).weights(found, its)
    assert without(changed, kind) == without(found, kind)


def without(found: dict[str, t.Any], kind: str) -> dict[str, t.Any]:
    found = copy.deepcopy(found)
    rules, backends = LISTS[kind]
    for one in found["spec"][rules]:
        for backend in one.get(backends) or []:
            for field in ("filters", "responseHeadersPolicy", "headers"):
                backend.pop(field, None)
    return found


@pytest.mark.parametrize("kind", CAN)
def test_adding_corrects_a_wrong_value_and_keeps_other_headers(kind: str) -> None:
    its = server(kind)
    wrong = route(kind, both(kind, "green", "blue"))
    assert pool_header.with_pool_header(wrong, its) == route(kind, both(kind))
    others = route(kind, rule(kind, *(entry(kind, pool, **HEADER[kind]("yes", "X-Other")) for pool in POOLS)))
    changed = pool_header.with_pool_header(others, its)
    assert pool_header.names_pools(changed, its) is True
    assert yaml.safe_dump(changed).count("X-Other") == 2
    if kind != "httpproxy":  # which has no such list
        lies = [entry(kind, pool, **HEADER[kind]("green", "x-mcp-pool", "add")) for pool in POOLS]
        added = route(kind, rule(kind, *lies))
        assert pool_header.names_pools(pool_header.with_pool_header(added, its), its) is True


def test_another_filter_of_a_backend_stays() -> None:
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "shadow"}}}
    found = route("httproute", rule("httproute", *(entry("httproute", pool, filters=[mirror]) for pool in POOLS)))
    changed = pool_header.with_pool_header(found, server("httproute"))
    assert [one["filters"][0] for one in changed["spec"]["rules"][0]["backendRefs"]] == [mirror, mirror]
    assert pool_header.names_pools(changed, server("httproute")) is True


@pytest.mark.parametrize("kind", CAN)
def test_the_lines_to_add_are_yaml_that_does_it(kind: str) -> None:
    said = pool_header.cure(server(kind))
    lines = dict(zip(POOLS, said.split("`")[1::2], strict=True))
    found = route(kind, rule(kind, *(entry(kind, pool, **yaml.safe_load(line)) for pool, line in lines.items())))
    assert pool_header.names_pools(found, server(kind)) is True
    assert "mcp-blue" in said and "mcp-green" in said and f"{kind_of(server(kind)).name(server(kind))}," in said


@pytest.mark.parametrize("kind", CAN)
def test_a_shift_leaves_the_header_alone(kind: str) -> None:
    """The patch of the weights meets the same backends, and nothing of what they set."""
    its = server(kind)
    found = pool_header.with_pool_header(kind_of(its).read(Cluster(objects(kind)), its), its)
    ((_path, operations),) = kind_of(its).writes(found, its, {"blue": 25, "green": 75})
    assert all(one["path"].endswith("/weight") for one in changes(operations))
    shifted = applied(found, operations)
    assert kind_of(its).weights(shifted, its) == {"blue": 25, "green": 75}
    assert pool_header.names_pools(shifted, its) is True


def test_another_name_of_the_header() -> None:
    its = server("httproute", pool_header="X-Side")
    assert pool_header.names_pools(route("httproute", both("httproute")), its) is False
    changed = pool_header.with_pool_header(route("httproute", both("httproute", None, None)), its)
    assert pool_header.names_pools(changed, its) is True
    assert "name: X-Side, value: blue" in pool_header.cure(its)
