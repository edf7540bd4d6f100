# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.server.plugins.filter.bypass import FilterModule
from ansible_collections.mcp.server.plugins.lookup import switched_off
from ansible_collections.mcp.server.plugins.plugin_utils import _bypass

bypass = FilterModule().filters()["bypass"]
OWN = {
    "gates": {"own_gate": {"query": "vector(1)", "limit": 2}, "errors": {"limit": 3}},
    "triggers": {"own_trigger": {"query": "vector(1)", "limit": 2}},
    "checks": [{"name": "smoke", "http": {}}, {"name": "login", "http": {}}],
    "validation": ["health", "metrics"],
}
OFF = {"enabled": False}


def test_nothing_is_bypassed_unless_it_is_named() -> None:
    found = bypass([], None, **OWN)
    assert found == {
        "problem": "",
        "names": [],
        "reason": "",
        "all_of_preflight": False,
        "preflight": [],
        "gates": OWN["gates"],
        "synthetic": False,
        "triggers": OWN["triggers"],
        "judged": True,
        "health": False,
        "contract": False,
        "checks": OWN["checks"],
        "validation": OWN["validation"],
    }


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("registry", {"preflight": ["registry"]}),
        ("preflight.nodes", {"preflight": ["nodes"]}),
        ("health", {"health": True}),
        ("contract", {"contract": True}),
        ("checks", {"checks": []}),
        ("validation", {"validation": []}),
        ("validation.metrics", {"validation": ["health"]}),
        # Names that others have too are not meant without the group.
        ("validation.distribution", {}),
        ("smoke", {"checks": OWN["checks"][1:]}),
        ("latency", {"triggers": {**OWN["triggers"], "latency": OFF}}),
        ("own_trigger", {"triggers": {"own_trigger": OFF}}),
        ("gates.errors", {"gates": {**OWN["gates"], "errors": OFF}}),
        ("triggers.errors", {"triggers": {**OWN["triggers"], "errors": OFF}}),
        ("synthetic_requests", {"synthetic": True}),
        (" Registry", {"preflight": ["registry"]}),
        (" own_gate ", {"gates": {**OWN["gates"], "own_gate": OFF}}),
    ],
)
def test_only_what_is_named_is_bypassed(name: str, changed: dict) -> None:
    clean = bypass([], "why", **OWN)
    assert bypass([name], "why", **OWN) == {**clean, **changed, "names": [name.strip().lower()]}


def test_whole_groups() -> None:
    found = bypass(["preflight", "gates", "triggers"], "why", **OWN)
    assert found["all_of_preflight"] and found["synthetic"] and not found["judged"]
    assert {"registry", "nodes", "metrics", "git", "endpoint"} <= set(found["preflight"])
    assert not {"api_server", "namespace", "overlap", "gitops", "version"} & set(found["preflight"])
    assert set(found["gates"]) == {"errors", "latency_rise", "mcp_errors", "lost_sessions", "own_gate"}
    assert set(found["triggers"]) == {"errors", "latency", "database", "memory", "error_burst", "own_trigger"}
    assert all(one == OFF for group in ("gates", "triggers") for one in found[group].values())
    assert found["checks"] == OWN["checks"] and not found["health"]
    assert bypass(["triggers"], "why", **OWN)["judged"]


@pytest.mark.parametrize(
    ("names", "reason", "says"),
    [
        (["nodse"], "why", "mcp_bypass has 'nodse', which is no name of a check. Names are: preflight (registry, "),
        (["triggers.nodes"], "why", "which is no name"),
        (["lease"], "why", "which is no name"),
        (["gitops"], "why", "mcp_bypass has gitops, which cannot be bypassed"),
        (["preflight.version"], "why", "which cannot be bypassed"),
        (["errors"], "why", "errors, which may be gates.errors or triggers.errors"),
        (["gates"], None, "mcp_bypass needs a reason"),
        (["gates"], "  ", "mcp_bypass needs a reason"),
        (["{{ 7 * 7 }}\x1b[2J"], "why", "which is no name"),
    ],
)
def test_what_is_refused(names: list[str], reason: str | None, says: str) -> None:
    problem = bypass(names, reason, **OWN)["problem"]
    assert says in problem and "\x1b" not in problem


def test_a_check_of_the_user_may_have_the_name_of_another() -> None:
    problem = bypass(["nodes"], "why", checks=[{"name": "nodes"}])["problem"]
    assert "preflight.nodes or checks.nodes" in problem


@pytest.mark.parametrize("names", ["gates", None, {"gates": True}])
def test_no_list(names: object) -> None:
    with pytest.raises(AnsibleFilterError, match="must be a list of names"):
        bypass(names, "why")


def test_every_group_has_members_once() -> None:
    for members in _bypass.groups(OWN["gates"], OWN["triggers"], OWN["checks"]).values():
        assert len(members) == len(set(members))


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"mcp_check_registry": False}, ["registry"]),
        ({"mcp_contract_check": False, "mcp_checks": []}, ["contract", "checks"]),
        ({"mcp_gates": {"errors": {"enabled": False}, "latency_rise": {"limit": 2}}}, ["gates.errors"]),
        ({"mcp_triggers": {"error_burst": {"enabled": "no"}}}, ["triggers.error_burst"]),
        ({}, []),
        ({"mcp_check_registry": True, "mcp_contract_check": True}, []),
        ({"mcp_checks": OWN["checks"], "mcp_triggers": {"latency": {"enabled": "true"}}}, []),
        ({"mcp_gates": None, "mcp_triggers": {"latency": "no dictionary"}}, []),
    ],
)
def test_what_extra_variables_switch_off_has_the_names_of_a_bypass(given: dict, names: list[str]) -> None:
    assert _bypass.switched_off(given) == names
    assert bypass(names, "why", **OWN)["problem"] == ""


def test_what_is_switched_off_for_one_release_is_recorded_without_a_reason() -> None:
    found = bypass(["gates"], "why", **OWN, switched_off=["contract", "gates.errors"])
    assert (found["names"], found["problem"]) == (["gates", "contract"], "")
    assert bypass([], None, **OWN, switched_off=["contract"])["problem"] == ""


def test_only_extra_variables_are_for_one_release(monkeypatch: pytest.MonkeyPatch) -> None:
    extra: dict = {}
    monkeypatch.setattr(switched_off, "load_extra_vars", lambda loader: extra)
    lookup = switched_off.LookupModule(loader=None, templar=None)
    monkeypatch.setattr(lookup, "given", lambda name, variables: variables.get(name))
    assert lookup.run([], {"mcp_contract_check": "false"}) == []
    extra["mcp_contract_check"] = "false"
    assert lookup.run([], {"mcp_contract_check": "false"}) == ["contract"]
