# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import jmespath
import pytest

from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._traffic.routes import custom
from ansible_collections.mcp.server.tests.unit.fakes.routes import CUSTOM, changes, obj, server

OBJECT = {
    "spec": {
        "backends": [
            {"service": {"name": "b"}, "weight": 1, "tag": "x"},
            {"service": {"name": "g"}, "weight": 3, "tag": "x"},
        ],
        "pair": [[5, 6]],
        "green": 7,
    },
    "metadata": {"annotations": {"x.io/a~b": "8"}},
}


@pytest.mark.parametrize(
    "path, pointer",
    [
        ("spec.green", "/spec/green"),
        ("spec.backends[1].weight", "/spec/backends/1/weight"),
        ("spec.backends[?service.name=='g'].weight", "/spec/backends/1/weight"),
        ("spec.backends[? service.name == 'b' ].weight", "/spec/backends/0/weight"),
        ("spec.pair[0][1]", "/spec/pair/0/1"),
        ('metadata.annotations."x.io/a~b"', "/metadata/annotations/x.io~1a~0b"),
        ('"spec".green', "/spec/green"),
        ("spec.missing", "/spec/missing"),
    ],
)
def test_places(path, pointer):
    found, value = custom.find(OBJECT, custom.steps(path))
    read = jmespath.search(path, OBJECT)
    assert found == pointer and value == (read[0] if isinstance(read, list) else read)


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".spec",
        "spec.",
        "spec..green",
        "spec[*].weight",
        "spec.backends[].weight",
        "spec.*",
        "a | b",
        "length(spec)",
        "[?a=='b'",
        "spec.backends[-1].weight",
        "spec.backends[?weight>`1`].weight",
        "spec.backends[?tag!='x'].weight",
        "spec.backends[?service.name=='g']",
        "spec.{a: b}",
        "spec.a b",
    ],
)
def test_paths_that_cannot_be_written_to(path):
    with pytest.raises(ValueError, match="can be written|must end with"):
        custom.steps(path)


@pytest.mark.parametrize(
    "path, says",
    [
        ("spec.nothing.weight", "/spec has no field nothing"),
        ("spec.green.weight", "/spec/green has no field weight"),
        ("spec.green[0]", "/spec/green is no list"),
        ("spec.backends[2].weight", "/spec/backends has only 2 elements"),
        ("spec.backends[?tag=='x'].weight", r"has 2 elements for \[\?tag=='x'\], and must have one"),
        ("spec.backends[?name=='b'].weight", "has 0 elements"),
        ("nothing[0]", "the object is no list|/nothing is no list|has no field nothing"),
    ],
)
def test_places_that_are_not_there(path, says):
    with pytest.raises(ValueError, match=says):
        custom.find(OBJECT, custom.steps(path))


def given(**more):
    return server("custom", route_custom={**CUSTOM, **more})


def route(blue, green):
    return obj(
        spec={"backends": [{"service": {"name": "mcp-blue"}, **blue}, {"service": {"name": "mcp-green"}, **green}]}
    )


@pytest.mark.parametrize(
    "its, found, expected, values",
    [
        (given(), route({"weight": 9}, {"weight": 1}), (90, 10), [50, 50]),
        (given(), route({"weight": "9"}, {"weight": "1"}), (90, 10), ["50", "50"]),
        (given(), route({"weight": 9}, {}), (100, 0), [50, 50]),
        (given(total=1000), route({"weight": 999}, {"weight": 1}), (99, 1), [500, 500]),
        (given(blue=None), route({}, {"weight": 30}), (70, 30), [50]),
        (given(green=None, total=10), route({"weight": 3}, {}), (30, 70), [5]),
    ],
)
def test_weights(its, found, expected, values):
    assert tuple(custom.KIND.weights(found, its).values()) == expected
    assert [
        operation["value"] for operation in changes(custom.KIND.patch(found, its, {"blue": 50, "green": 50}))
    ] == values


@pytest.mark.parametrize(
    "its, found, says",
    [
        (
            given(blue="spec[*].weight"),
            route({}, {}),
            r"Split prod/mcp has no weight of blue at 'spec\[\*\].weight' \(route_custom.blue\): from",
        ),
        (given(), route({"weight": "much"}, {}), "has 'much' at .* which is not a weight"),
        (given(), route({"weight": True}, {}), "has True at"),
        (given(), route({"weight": 0.5}, {}), "has 0.5 at"),
    ],
)
def test_what_is_no_weight(its, found, says):
    with pytest.raises(Failure, match=says):
        custom.KIND.weights(found, its)


def test_what_has_to_be_true_of_it():
    its = given(accepted=["status.observed == metadata.generation"])
    assert custom.KIND.not_accepted({**route({}, {}), "status": {"observed": 3}}, its) == ""
    assert "does not satisfy status.observed" in custom.KIND.not_accepted(
        {**route({}, {}), "status": {"observed": 2}}, its
    )
    assert "does not satisfy" in custom.KIND.not_accepted(route({}, {}), its)
    with pytest.raises(Failure, match="route_custom.accepted expression"):
        custom.KIND.not_accepted(route({}, {}), given(accepted=["a ||"]))


PARAMS = {
    "namespace": "prod",
    "server": "mcp",
    "pool_name_format": "{server}-{pool}",
    "route": None,
    "container": None,
    "route_kind": "custom",
}


@pytest.mark.parametrize(
    "more, says",
    [
        ({"route_custom": None}, "route_custom is missing"),
        ({"route_custom": {**CUSTOM, "api_version": "../v1"}}, "route_custom.api_version is '../v1'"),
        ({"route_custom": {**CUSTOM, "resource": "a/b"}}, "route_custom.resource is 'a/b'"),
        ({"route_custom": {**CUSTOM, "kind": "a/b"}}, "route_custom.kind is 'a/b'"),
        ({"route_custom": {**CUSTOM, "total": 0}}, "must be more than 0"),
    ],
)
def test_options_that_cannot_be(more, says):
    with pytest.raises(Failure, match=says):
        Server.from_params({**PARAMS, **more})


@pytest.mark.parametrize(
    "more, path",
    [
        ({}, "/apis/example.io/v1/namespaces/prod/splits/mcp"),
        ({"resource": "splitz"}, "/apis/example.io/v1/namespaces/prod/splitz/mcp"),
        ({"api_version": "v1", "kind": "ConfigMap"}, "/api/v1/namespaces/prod/configmaps/mcp"),
    ],
)
def test_path(more, path):
    its = Server.from_params({**PARAMS, "route_custom": {**CUSTOM, **more}})
    assert custom.KIND.path(its) == path
