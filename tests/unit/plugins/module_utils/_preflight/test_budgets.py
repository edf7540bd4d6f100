# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._preflight import budgets

LABELS = {pool: {"app": "mcp", "pool": pool} for pool in ("blue", "green")}


def budget(name: str, labels: dict[str, str], **spec: t.Any) -> dict[str, t.Any]:
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}, **spec}}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], []),
        ([budget("b", {"pool": "blue"}, maxUnavailable=1), budget("g", {"pool": "green"}, minAvailable="50%")], []),
        ([budget("b", {"pool": "blue"}, maxUnavailable=0)], ["b lets none of the 2 pods of pool blue be evicted"]),
        ([budget("b", {"pool": "green"}, minAvailable=2)], ["b lets none of the 2 pods of pool green be evicted"]),
        ([budget("b", {"app": "mcp"}, maxUnavailable=1)], ["b counts the pods of both pools as one"]),
        (
            [budget("b", {"pool": "blue"}, maxUnavailable=1), budget("c", {"pool": "blue"}, maxUnavailable=1)],
            ["Pods of pool blue have several PodDisruptionBudgets (b, c)"],
        ),
        ([budget("other", {"app": "x"}, maxUnavailable=0)], []),
    ],
)
def test_which_budgets_are_in_the_way(found: list[dict[str, t.Any]], words: list[str]) -> None:
    problems = budgets.blocking(found, LABELS, 2)
    assert len(problems) == len(words)
    assert all(some in sentence for some, sentence in zip(words, problems, strict=True))
