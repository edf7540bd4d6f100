# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts as overwritten, as a table."""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.field_managers import Writer
from ansible_collections.mcp.server.plugins.module_utils._traffic.overwrites import (
    IMAGE,
    MINIMUM,
    ROUTE,
    SIZE,
    WORKLOAD,
    Expected,
    Seen,
    failure,
    field,
    findings,
    overwritten,
)

SEEN = datetime(2026, 11, 26, 19, 2, 13, tzinfo=UTC)
AT_10, BACK = {"blue": 90, "green": 10}, {"blue": 100, "green": 0}
OLD, NEW = "ghcr.io/org/x:v1", "ghcr.io/org/x:v2"
EXPECTED = Expected(
    weights=AT_10,
    images={"blue": OLD, "green": NEW},
    sizes={"blue": 3, "green": 3},
    minimums={"green": 3},
    runs=frozenset({"", "ours"}),
    pool="green",
)
AS_IT_IS = Seen(
    AT_10, run="ours", images={"blue": OLD, "green": NEW}, sizes={"blue": 3, "green": 3}, minimums={"green": 3}
)


@pytest.mark.parametrize(
    ("seen", "what", "pool", "harmful", "run", "words"),
    [
        ({}, None, "", False, "", ""),
        ({"run": ""}, None, "", False, "", ""),  # our note is gone, the weights are ours
        (
            {"weights": None, "images": {}, "sizes": {}, "minimums": {}},
            None,
            "",
            False,
            "",
            "",
        ),  # nothing could be read
        (
            {"weights": BACK, "as_written": False},
            ROUTE,
            "",
            True,
            "",
            "gives blue 100 %, green 0 % now, not blue 90 %, green 10 %",
        ),
        ({"weights": BACK, "as_written": False, "run": ""}, ROUTE, "", True, "", "gives blue 100 %"),
        ({"weights": {"blue": 0, "green": 0}, "as_written": False}, ROUTE, "", True, "", "gives blue 0 %, green 0 %"),
        ({"weights": BACK, "as_written": False, "run": "other"}, ROUTE, "", True, "other", "gives"),
        ({"run": "other"}, ROUTE, "", True, "other", "gives"),  # it wrote the same weights
        (
            {"weights": {"blue": 80, "green": 20}, "as_written": True},
            None,
            "",
            False,
            "",
            "",
        ),  # pods of a split came and went
        (
            {"weights": None, "broken": "no rule lists\nboth"},
            ROUTE,
            "",
            True,
            "",
            r"no longer leads to both pools.*\(no rule lists both\)",
        ),
        ({"weights": None, "gone": {"route": "no\nroute"}}, ROUTE, "", True, "", r"was deleted \(no route\)"),
        ({"images": {}, "sizes": {}, "gone": {"green": "x"}}, WORKLOAD, "green", True, "", "was deleted"),
        (
            {"images": {}, "sizes": {}, "gone": {"blue": "x"}},
            WORKLOAD,
            "blue",
            False,
            "",
            "was deleted",
        ),  # a way back is gone, and no traffic to lose
        (
            {"images": {"blue": OLD, "green": OLD}},
            IMAGE,
            "green",
            True,
            "",
            "runs ghcr.io/org/x:v1 now, not ghcr.io/org/x:v2",
        ),
        ({"images": {"blue": "ghcr.io/org/x:v0", "green": NEW}}, IMAGE, "blue", True, "", "x:v0 now"),
        ({"images": {"green": OLD}, "image_runs": {"green": "other"}}, IMAGE, "green", True, "other", ""),
        ({"images": {"green": OLD}, "image_runs": {"green": "ours"}}, IMAGE, "green", True, "", ""),
        ({"images": {"green": "mirror.local/org/x:v2@sha256:aa"}}, None, "", False, "", ""),
        ({"sizes": {"blue": 3, "green": 1}}, SIZE, "green", True, "", "has 1 replicas now, not 3"),
        ({"sizes": {"blue": 0, "green": 3}}, SIZE, "blue", False, "", "has 0 replicas now"),
        (
            {"sizes": {"blue": 9, "green": 9}, "minimums": {"green": 9}},
            None,
            "",
            False,
            "",
            "",
        ),  # an autoscaler went up
        ({"minimums": {"green": 1}}, MINIMUM, "green", False, "", "has minReplicas 1 now, not 3"),
        ({"minimums": {"green": None}}, None, "", False, "", ""),
        ({"minimums": {"green": 1}, "sizes": {"green": 1}}, SIZE, "green", True, "", ""),  # it took pods
        (
            {"minimums": {"green": 1}, "weights": BACK, "as_written": False},
            ROUTE,
            "",
            True,
            "",
            "",
        ),  # the worst one first
    ],
)
def test_findings(seen: dict[str, t.Any], what: str | None, pool: str, harmful: bool, run: str, words: str) -> None:
    found = overwritten(EXPECTED, AS_IT_IS._replace(**seen))
    if what is None:
        assert found is None
        return
    assert found is not None and found[:2] == (what, pool) and (found.harmful, found.run) == (harmful, run)
    assert re.search(words, found.text)


def test_weights_that_are_being_shifted_are_not_compared() -> None:
    shifting = EXPECTED._replace(weights=None)
    assert overwritten(shifting, AS_IT_IS._replace(weights=BACK, as_written=False, run="other")) is None
    assert overwritten(shifting, AS_IT_IS._replace(images={"green": OLD})) is not None


def test_a_watch_of_a_pool_that_is_deleted_ends() -> None:
    expected = EXPECTED._replace(pool="", weights={"blue": 0, "green": 100})
    found = overwritten(expected, AS_IT_IS._replace(weights=None, images={}, sizes={}, gone={"green": "x"}))
    assert found is not None and found.harmful


def test_one_warning_hides_no_other() -> None:
    found = findings(EXPECTED, AS_IT_IS._replace(sizes={"blue": 0, "green": 3}, minimums={"green": 1}))
    assert [one.what for one in found] == [SIZE, MINIMUM]


def test_without_a_pool_sizes_are_only_said() -> None:
    found = overwritten(EXPECTED._replace(pool=""), AS_IT_IS._replace(sizes={"green": 0}))
    assert found is not None and not found.harmful


@pytest.mark.parametrize(
    ("pointer", "shown"),
    [
        ("/spec/rules/0/backendRefs/1/weight", "spec.rules[0].backendRefs[1].weight"),
        ("/metadata/annotations/a.b~1c~0d", "metadata.annotations.a.b/c~d"),
        ("/spec", "spec"),
    ],
)
def test_field(pointer: str, shown: str) -> None:
    assert field(pointer) == shown


def test_a_failure_says_who_what_and_when() -> None:
    finding = overwritten(EXPECTED, AS_IT_IS._replace(weights=BACK, as_written=False))
    assert finding is not None
    writer = Writer("Argo CD", "argocd-controller", "2026-11-26T19:02:11Z", "argocd app set x --sync-policy none")
    found = failure(finding, "HTTPRoute ns/x", writer, "/spec/rules/0/backendRefs/0/weight", SEEN)
    assert found.msg == (
        "HTTPRoute ns/x gives blue 100 %, green 0 % now, not blue 90 %, green 10 % (seen at 19:02:13 UTC): "
        "Argo CD (argocd-controller, 19:02:11 UTC) "
        "reverted spec.rules[0].backendRefs[0].weight; suspend it: argocd app set x --sync-policy none."
    )
    assert found.evidence["overwritten"]["by"] == "Argo CD" and found.evidence["overwritten"]["suspend"].startswith(
        "argocd app"
    )
