# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet of a play, which its forks share."""

from __future__ import annotations

import os

import pytest

from ansible_collections.mcp.server.plugins.module_utils._fleet import state
from ansible_collections.mcp.server.plugins.module_utils._task import FleetStopped
from ansible_collections.mcp.server.plugins.plugin_utils import _fleet

HOSTVARS = {"a": {"mcp_wave": "2"}, "b": {"mcp_wave": 1}, "c": {"mcp_wave": " 2 "}}


@pytest.fixture(autouse=True)
def forget():
    yield
    _fleet.divide([], {})


def fork(act) -> None:
    """Do something in another process, as a worker does."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def test_a_fork_stops_the_others():
    _fleet.begin(_fleet.Plan((("a",), ("b", "c")), 0, state.ROLLBACK_WAVE))
    first, other = (_fleet.member(host, lambda line: None) for host in ("b", "c"))
    other.refuse_stopped()
    fork(lambda: first.note(state.WORKING, "Errors.", weight=50, failed=True))
    assert _fleet.stopped()
    with pytest.raises(FleetStopped, match=r"^The fleet stopped: b \(wave 2\) failed\.$") as stopped:
        other.refuse_stopped()
    assert stopped.value.evidence == {"fleet_stopped": True}
    first.refuse_stopped()  # it has to end its own rollback
    fork(lambda: first.note(state.ROLLED_BACK, "Errors.", weight=0))
    assert [(row.host, row.state, row.weight, row.failed) for row in _fleet.rows()] == [
        ("a", "waiting", None, False),
        ("b", "rolled back", 0, True),
        ("c", "waiting", None, False),
    ]
    assert _fleet.bad() == ["b"]


def test_as_many_may_fail_as_is_said():
    _fleet.begin(_fleet.Plan((("a", "b", "c"),), 1, state.STOP))
    for host, stops in (("a", False), ("b", True)):
        _fleet.member(host, lambda line: None).note(state.FAILED, failed=True)
        assert _fleet.stopped() is stops


def test_a_slot_that_was_never_finished_is_unknown():
    _fleet.begin(_fleet.Plan((("a", "b"),), 0, state.STOP))
    place = _fleet.ROWS + _fleet.HEAD.size
    _fleet._MEMORY[place : place + 4] = b"torn"
    assert [(row.host, row.text) for row in _fleet.rows()] == [("a", "unknown"), ("b", "")]


def test_the_table_is_shown_by_one_of_them():
    _fleet.begin(_fleet.Plan((("a", "b"),), 0, state.STOP))
    shown: list[str] = []
    for host in ("a", "b"):
        _fleet.member(host, shown.append).note(state.WORKING, "begins")
    assert len(shown) == 4 and shown[1].startswith("a "), shown


def test_a_long_reason_in_any_script_fits():
    host = "字" * 200
    _fleet.begin(_fleet.Plan(((host,),), 0, state.STOP))
    _fleet.member(host, lambda line: None).note(state.FAILED, "字" * 5000)
    (row,) = _fleet.rows()
    assert row.state == state.FAILED and row.text.startswith("字")


@pytest.mark.parametrize(
    ("servers", "given", "waves"),
    [
        ("abc", {}, (("b",), ("a", "c"))),
        ("abc", {"mcp_waves": "2,1"}, (("a", "c"), ("b",))),
        ("abc", {"mcp_waves_by": "region"}, (("a",), ("b",), ("c",))),
        ("abc", {"mcp_waves_by": "region", "mcp_waves": '["1", "100%"]'}, (("a",), ("b", "c"))),
        ("abc", {"mcp_waves_by": "region", "mcp_waves": [2]}, (("a", "b"), ("c",))),
        ("abc", {"mcp_waves": "[]"}, None),
        ("abc", {"mcp_waves": []}, None),
        ("a", {}, None),
    ],
)
def test_the_first_server_says_how(servers, given, waves):
    _fleet.divide(list(servers), {**HOSTVARS, "a": {**HOSTVARS["a"], **given}})
    assert (_fleet.plan.waves if _fleet.plan else None) == waves
    assert _fleet.has("a") is (waves is not None)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"mcp_waves_max_failed": "many"}, "mcp_waves_max_failed must be a whole number, not 'many'."),
        ({"mcp_fleet_on_failure": "hope"}, "mcp_fleet_on_failure must be one of stop, rollback_wave, rollback_all"),
        ({"mcp_waves": "1"}, "which is not in mcp_waves"),
    ],
)
def test_what_is_no_value_is_a_sentence(given, says):
    with pytest.raises(ValueError) as refused:
        _fleet.divide(["a", "b"], {**HOSTVARS, "a": {**HOSTVARS["a"], **given}})
    assert says in str(refused.value)


def test_too_many_servers_are_refused():
    with pytest.raises(ValueError, match="A fleet may have at most 2000 servers, not 2001"):
        _fleet.begin(_fleet.Plan((tuple(map(str, range(2001))),), 0, state.STOP))
    assert _fleet.plan is None


def test_a_name_that_no_slot_holds_is_refused():
    with pytest.raises(ValueError, match="has a name of more than 200 characters: shorten it"):
        _fleet.begin(_fleet.Plan((("a" * 201,),), 0, state.STOP))
