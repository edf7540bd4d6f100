# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._diagnose import causes, findings, patterns
from ansible_collections.mcp.server.plugins.module_utils._diagnose.causes import CAUSES, paragraph, ranked
from ansible_collections.mcp.server.plugins.module_utils._diagnose.findings import Finding
from ansible_collections.mcp.server.plugins.module_utils._diagnose.patterns import Pattern

NOW = datetime(2026, 11, 27, 22, 10, tzinfo=UTC)
JUST, LONG_AGO = "2026-11-27T22:09:00Z", "2026-11-27T21:00:00Z"
WEIGHTS = {"blue": 100, "green": 0}
FACTS = {"namespace": "prod", "server": "mcp"}


def finding(cause: str, pool: str = "blue", **more: t.Any) -> Finding:
    return Finding(cause, f"pod {cause}", "is so", pool, **{"last": JUST, **more})


def order(*found: Finding, own: t.Mapping[str, Pattern] | None = None) -> list[str]:
    return [one.name for one in ranked(found, own or {}, WEIGHTS, NOW, FACTS)]


# The first of each is the most likely cause.
RANKED: dict[str, list[Finding]] = {
    "memory explains crashes": [finding("oom_killed"), finding("crash_loop"), finding("database")],
    "a quota explains missing endpoints": [finding("quota"), finding("no_endpoints")],
    "the database explains crashes": [finding("database"), finding("crash_loop", count=50), finding("probe")],
    "a crash without another cause": [finding("crash_loop"), finding("no_endpoints"), finding("starting")],
    "what is old is less likely": [finding("session_not_found"), finding("database", last=LONG_AGO)],
    "a failed check confirms": [finding("authentication", confirmed=True), finding("database")],
    "a passed check speaks against": [finding("authentication"), finding("database", confirmed=False)],
    "a full quota explains no probe": [finding("probe"), finding("quota_full", "")],
    "the pool without traffic comes later": [finding("host_refused"), finding("authentication", "green")],
    "a cause of the other pool explains nothing": [finding("oom_killed", "green"), finding("probe")],
    "a short error at the start is no cause": [finding("probe"), finding("database", over=True, count=9)],
    "an error of a start that a check confirms is one": [
        finding("database", over=True, confirmed=True),
        finding("probe"),
    ],
    "an error that goes on explains a probe": [finding("database"), finding("probe", count=50)],
    "an error that stopped is the cause when nothing else is wrong": [
        finding("database", over=True),
        finding("starting"),
    ],
    "an old error that a check confirms": [finding("database", last=LONG_AGO, confirmed=True), finding("memory")],
    "an old start is no cause": [finding("throttled"), finding("probe_passed")],
}


@pytest.mark.parametrize("name", RANKED)
@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_causes(name: str, turned: bool) -> None:
    found = RANKED[name]
    assert order(*(reversed(found) if turned else found))[0] == found[0].cause


def test_what_explains_is_far_above_what_it_explains() -> None:
    first, second = ranked([finding("oom_killed"), finding("crash_loop")], {}, WEIGHTS, NOW, FACTS)
    assert first.score - second.score > 30


def test_every_cause_has_words_and_a_command_that_can_be_made() -> None:
    known = {one.name for one in patterns.BUILT_IN} | set(findings.OF_REASONS.values())
    known |= {cause for _words, cause in findings.OF_REFUSALS}
    assert known <= CAUSES.keys()
    for name, cause in CAUSES.items():
        (found,) = ranked([finding(name, facts={"pod": "p", "container": "c"})], {}, WEIGHTS, NOW, FACTS)
        assert found.next and "{" not in found.next and not found.next.isupper()
        assert cause.clause[0].islower() and not cause.clause.endswith(".")


def test_names_of_objects_are_quoted_for_a_shell() -> None:
    (found,) = ranked([finding("image", facts={"pod": "p; rm -rf /"})], {}, WEIGHTS, NOW, FACTS)
    assert found.next == "kubectl -n prod describe pod 'p; rm -rf /'"
    (found,) = ranked([finding("crash")], {}, WEIGHTS, NOW, FACTS)
    assert found.next == "kubectl -n prod logs POD -c CONTAINER --previous"


def test_the_next_command_may_come_from_a_check() -> None:
    (found,) = ranked([finding("database", facts={"next": "kubectl describe {x}"})], {}, WEIGHTS, NOW, FACTS)
    assert found.next == "kubectl describe {x}"


def test_the_words_of_users_are_no_templates() -> None:
    own = {"license": Pattern("license", "x", "it expired {pod}", "fix {namespace} {0.__class__}")}
    (found,) = ranked([finding("license", facts={"pod": "p"})], own, WEIGHTS, NOW, FACTS)
    assert (found.clause, found.next) == ("it expired {pod}", "fix {namespace} {0.__class__}")


def test_a_pattern_that_replaces_a_known_one_keeps_its_command() -> None:
    own = {"disk": Pattern("disk", "disc", "the disc is full", "")}
    (found,) = ranked([finding("disk", facts={"pod": "p"})], own, WEIGHTS, NOW, FACTS)
    assert (found.clause, found.next) == ("the disc is full", "kubectl -n prod describe pod p")


def said(*found: Finding, doubts: int = 0, contacts: t.Sequence[str] = ()) -> str:
    return paragraph(ranked(found, {}, WEIGHTS, NOW, FACTS), "prod/mcp", "60 min", doubts, contacts)


def test_the_paragraph_names_cause_sign_next_command_and_contact() -> None:
    found = finding("oom_killed", facts={"pod": "mcp-blue-1"})
    assert said(found, finding("crash_loop"), contacts=["1. Application issues: Eva (7)", "2. Ann"]) == (
        "Most likely a container needs more memory than its limit allows. Seen in pod oom_killed: is so. "
        "Next: kubectl -n prod describe pod mcp-blue-1. If that does not help, call Application issues: Eva (7)."
    )


def test_the_paragraph_names_what_is_less_likely_and_what_checks_say() -> None:
    text = said(finding("database", confirmed=True, facts={"check": "TCP db:5432: FAILED"}), finding("host_refused"))
    assert "A check made now confirms it: TCP db:5432: FAILED." in text and "Less likely" not in text
    text = said(finding("database", confirmed=False), finding("crash_loop"))
    assert text.startswith("Most likely the server ends") and "Less likely" not in text
    text = said(finding("authentication"), finding("host_refused"))
    assert "Less likely: the server refuses the Host or Origin that clients send" in text


def test_the_paragraph_of_a_server_that_is_well() -> None:
    assert said() == (
        "Most likely nothing in the cluster is wrong with prod/mcp: no pod, event, quota or log line of the last "
        "60 min points to a cause. Next: ansible-playbook mcp.server.status."
    )
    assert "Not all was read (2 of the sources, listed above)" in said(doubts=2)
    assert said(finding("starting", last=LONG_AGO)).startswith("Most likely nothing")


def test_no_line_of_the_paragraph_breaks_it() -> None:
    assert "\n" not in said(*(finding(name) for name in CAUSES))
    assert min(one.score for one in CAUSES.values() if one.score > 20) > causes.WEAK
