# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mcp.server.plugins.plugin_utils._inventory import Route, problem, route_of

A, B = Route("", "", "prod", "httproute", "a"), Route("", "", "prod", "httproute", "b")


@pytest.mark.parametrize(
    ("host", "variables", "route"),
    [
        ("a", {"mcp_namespace": "prod"}, A),
        ("x", {"mcp_namespace": "prod", "mcp_server": "a"}, A),
        ("x", {"mcp_namespace": "prod", "mcp_server": "s", "mcp_route": "a"}, A),
        ("a", {"mcp_namespace": "prod", "mcp_route": None, "mcp_route_kind": ""}, A),
        (
            "a",
            {"mcp_namespace": "n", "mcp_kubeconfig": "/k", "mcp_context": "c", "mcp_route_kind": "service"},
            Route("/k", "c", "n", "service", "a"),
        ),
        (
            "a",
            {"mcp_namespace": "prod", "mcp_api_host": "https://east"},
            Route("", "", "prod", "httproute", "a", "https://east"),
        ),
    ],
)
def test_the_route_of_a_host(host, variables, route):
    assert route_of(host, variables) == route


@pytest.mark.parametrize(
    ("routes", "named", "writes", "words"),
    [
        ({"a": A}, False, "rollback.yml", ""),
        ({"a": A, "b": B}, True, "rollback.yml", ""),
        ({"a": A, "b": B}, False, "", ""),
        (
            {"a": A, "b": B},
            False,
            "rollback.yml",
            "Refusing to run rollback.yml on 2 servers that were not named: a, b. Name one, -l a, ",
        ),
        ({"a": A, "again": A}, True, "rollback.yml", "a and again are the same server: both have httproute prod/a. "),
        ({"a": A, "again": A}, False, "", "a and again are the same server"),
        (
            {"a": Route("", "east", "prod", "httproute", "a"), "w": Route("", "west", "prod", "httproute", "a")},
            True,
            "rollback.yml",
            "",
        ),
        ({}, True, "", "None of the matching hosts (a, b, web) is an MCP server. "),
    ],
)
def test_whether_a_play_may_run(routes, named, writes, words):
    found = problem(["a", "b", "web"], routes, named=named, writes=writes)
    assert found.startswith(words) and bool(found) == bool(words)


def test_a_long_list_is_cut():
    routes = {f"s{number}": Route("", "", "prod", "httproute", f"s{number}") for number in range(50)}
    assert "on 50 servers that were not named: s0, s1," in (
        said := problem(list(routes), routes, named=False, writes="rollback.yml")
    )
    assert ", s19 and 30 more." in said


@pytest.mark.parametrize(("forks", "refused"), [(0, False), (1, True), (2, True), (3, False), (5, False)])
def test_servers_that_must_all_be_watched_at_once(forks, refused):
    routes = {name: Route("", "", "ns", "httproute", name) for name in ("a", "b", "c")}
    found = problem(list(routes), routes, named=True, writes="watch.yml", forks=forks)
    assert ("Run it with -f 3" in found) == refused == bool(found)
