# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest

from ansible_collections.mcp.server.plugins.module_utils._status import fleet
from ansible_collections.mcp.server.tests.unit.fakes.records import release
from ansible_collections.mcp.server.tests.unit.fakes.statuses import instance, pool, status

DOWN = status(
    state="down",
    findings=["Pool blue has no ready endpoint.", "Pools differ."],
    pools={"blue": pool("blue", 0), "green": pool("green")},
)
FLEET = [
    {"host": "good", "status": status()},
    {"host": "away", "status": {"failed": True, "msg": "The API server does not answer."}},
    {"host": "bad", "status": DOWN},
    {"host": "also", "status": status(release={"record": release(), "holder": {"by": "kim", "since": "T"}})},
]


def test_the_sick_are_first_and_each_has_one_line():
    shown = [" ".join(line.split()) for line in fleet.lines(FLEET)]
    assert shown == [
        "SERVER STATE LIVE WEIGHT ENDPOINTS VERSION RELEASE FINDING",
        "bad down blue 100/0 0 of 0 1.1.5 - Pool blue has no ready endpoint. (and 1 more)",
        "away unknown - - - - - The API server does not answer.",
        "also ok blue 100/0 2 of 2 1.1.5 in progress, by kim -",
        "good ok blue 100/0 2 of 2 1.1.5 - -",
        "4 servers: 1 down, 1 unknown, 2 ok",
    ]


def test_the_order_of_the_hosts_makes_no_difference():
    assert len({tuple(fleet.lines(order)) for order in itertools.permutations(FLEET)}) == 1


@pytest.mark.parametrize(
    "odd", [None, 7, {}, {"host": ""}, {"host": "x", "status": None}, {"host": "x", "status": {"state": "great"}}]
)
def test_odd_results_end_no_table(odd):
    assert fleet.lines([odd, *FLEET])[-1].endswith("ok")


def test_instances_that_no_server_has():
    found = [instance("mcp-blue-1"), instance("lost"), {**instance("mcp-blue-1"), "namespace": "other"}, "odd"]
    assert fleet.strangers(FLEET, found, "app=mcp") == (
        "2 pods belong to no server of this inventory, by the labels app=mcp: other/mcp-blue-1, prod/lost"
    )
    assert fleet.strangers(FLEET, found[:1], "app=mcp") == ""
    many = [instance(f"lost-{number}") for number in range(12)]
    assert fleet.strangers(FLEET, many, "app=mcp").endswith("and 2 more")
