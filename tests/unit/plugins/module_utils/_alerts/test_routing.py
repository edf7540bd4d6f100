# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._alerts import routing
from ansible_collections.mcp.server.plugins.module_utils._alerts.routing import Matcher
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

LABELS = {"alertname": "Test_1", "mcp_test": "true"}
OURS = {"receiver": "ours", "matchers": ['mcp_test="true"']}
PAGES = {"receiver": "pager", "matchers": ['alertname=~".+"']}


def config(*routes: dict[str, t.Any], **root: t.Any) -> dict[str, t.Any]:
    return {"route": {"receiver": "nobody", "routes": list(routes), **root}}


@pytest.mark.parametrize(
    ("found", "receivers"),
    [
        (config(), ["nobody"]),
        (config(OURS), ["ours"]),
        (config(OURS, PAGES), ["ours"]),
        (config(PAGES, OURS), ["pager"]),
        (config({**OURS, "continue": True}, PAGES), ["ours", "pager"]),
        (config({**PAGES, "continue": True}, OURS), ["pager", "ours"]),
        (config({**OURS, "continue": True}), ["ours"]),
        (config({"matchers": ['mcp_test="true"'], "routes": [OURS]}), ["ours"]),
        (config({"matchers": ['mcp_test="true"'], "routes": [{**OURS, "matchers": ['x="y"']}]}), ["nobody"]),
        # A route within another one that continues, and one after the outer one.
        (config({"receiver": "a", "routes": [{**OURS, "continue": True}, PAGES]}, PAGES), ["ours", "pager"]),
        (config({"receiver": "a", "continue": True, "routes": [OURS]}, PAGES), ["ours", "pager"]),
        (config({"receiver": "ours", "match": {"mcp_test": "true"}}), ["ours"]),
        (config({"receiver": "ours", "match_re": {"mcp_test": "t|tr"}}), ["nobody"]),
        (config({"receiver": "ours", "match_re": {"mcp_test": "t.*"}}), ["ours"]),
        (config({"receiver": "ours", "matchers": ['alertname=~"team--x||Test_[0-9]{1,2}"']}), ["ours"]),
        # A label that is missing is an empty text.
        (config({"receiver": "pager", "matchers": ['severity!="info"']}), ["pager"]),
        (config({"receiver": "pager", "matchers": ["severity=~.+"]}), ["nobody"]),
        (config({"receiver": "pager", "matchers": ['severity=""']}), ["pager"]),
        (config({"receiver": "pager", "matchers": '{alertname=~"Test.*", mcp_test!~"f.*"}'}), ["pager"]),
        # continue is only true: a text is none.
        (config({**OURS, "continue": "true"}, PAGES), ["ours"]),
    ],
)
def test_who_gets_an_alert(found: dict[str, t.Any], receivers: list[str]) -> None:
    assert [one.receiver for one in routing.reached(found, LABELS)] == receivers


@pytest.mark.parametrize(
    "found",
    [
        {},
        None,
        [],
        {"route": {}},
        config({"receiver": "a", "matchers": ["severity"]}),
        config({"receiver": "a", "matchers": ['severity="a" x']}),
        config({"receiver": "a", "matchers": [7]}),
        config({"receiver": "a", "matchers": ['severity="\\d"']}),
        config({"receiver": "a", "matchers": ['mcp_test=~"(?P<"']}),
        config({"receiver": "a", "group_wait": "soon"}),
        config({"receiver": "a", "match": {"mcp_test": True}}),
        config({"receiver": "a", "matchers": ["alertname=~a\\\\b"]}),
        # Alertmanager reads these otherwise.
        config({"receiver": "a", "match_re": {"alertname": "[[:alpha:]_]+1"}}),
        config({"receiver": "a", "match_re": {"alertname": "Test_1{,2}"}}),
        config({"receiver": "a", "match_re": {"alertname": "[a-z&&[^t]]+"}}),
        # A matcher that does not decide must be understood, too.
        config({"receiver": "a", "matchers": ['mcp_test="false"', 'alertname=~"["']}),
    ],
)
def test_what_is_not_certain_is_a_failure(found: t.Any) -> None:
    with pytest.raises(Failure):
        routing.reached(found, LABELS)


def test_routes_without_an_end_are_a_failure() -> None:
    inner: dict[str, t.Any] = {"receiver": "a"}
    for _number in range(60):
        inner = {"receiver": "a", "routes": [inner]}
    with pytest.raises(Failure, match="nested"):
        routing.reached({"route": inner}, LABELS)


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ('a="b"', [Matcher("a", "=", "b")]),
        (" a = b ", [Matcher("a", "=", "b")]),
        ("a=", [Matcher("a", "=", "")]),
        ('{a="b,}",c!~"d|e"}', [Matcher("a", "=", "b,}"), Matcher("c", "!~", "d|e")]),
        ('"the name"="b \\"c\\" \\\\ \\n"', [Matcher("the name", "=", 'b "c" \\ \n')]),
        ("a!=b", [Matcher("a", "!=", "b")]),
        ("a=~b.*", [Matcher("a", "=~", "b.*")]),
    ],
)
def test_matchers_are_read_as_alertmanager_writes_them(text: str, matchers: list[Matcher]) -> None:
    assert routing.parsed(text) == matchers


def test_times_and_groups_are_inherited() -> None:
    root = {"group_wait": "10s", "group_interval": "1m30s", "group_by": ["namespace"]}
    found = config({**OURS, "group_wait": "0s", "mute_time_intervals": ["nights"]}, **root)
    (one,) = routing.reached(found, LABELS)
    assert (one.group_wait, one.group_interval, one.group_by, one.muted_by) == (0.0, 90.0, ("namespace",), ("nights",))
    assert not one.is_alone(["alertname"]) and one.is_alone(["namespace"])
    (usual,) = routing.reached(config(), LABELS)
    assert (usual.group_wait, usual.group_interval, usual.group_by) == (30.0, 300.0, ())
    (every,) = routing.reached(config({**OURS, "group_by": ["..."]}), LABELS)
    assert every.is_alone(["any"])


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1h5m", 3900), ("500ms", 0.5), ("0", 0), (0, 0), ("2d", 172800)]
)
def test_durations(text: t.Any, seconds: float) -> None:
    assert routing.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "5", "5 s", "-5s", "1x", None, "5s!"])
def test_what_is_no_duration(text: t.Any) -> None:
    with pytest.raises(Failure, match="is no duration"):
        routing.duration(text)


def test_the_kinds_of_a_receiver() -> None:
    receivers = [
        {"name": "ours", "webhook_configs": [{"url": "x"}], "email_configs": [{"to": "y"}], "slack_configs": []},
        {"name": "none"},
    ]
    found = {"receivers": receivers}
    assert routing.integrations(found, "ours") == ["email", "webhook"]
    assert routing.integrations(found, "none") == [] and routing.integrations(found, "other") is None
    assert routing.integrations(None, "other") is None


@pytest.mark.parametrize(
    ("rule", "does"),
    [
        ({"source_matchers": ['severity="critical"']}, False),
        ({"source_match": {"severity": "critical"}}, False),
        ({"source_match_re": {"alertname": "Test.*"}, "target_match": {"severity": "warning"}}, True),
        ({"source_matchers": ['severity!="info"']}, True),
        ({"target_match": {"severity": "warning"}}, True),
    ],
)
def test_an_alert_that_would_inhibit_others_is_known(rule: dict[str, t.Any], does: bool) -> None:
    assert routing.inhibits({"inhibit_rules": [rule]}, LABELS) is does
