# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Failure
from ansible_collections.mcp.server.plugins.module_utils._validation.flow import Risen, enough, judged, rises


@pytest.mark.parametrize(
    ("risen", "verdict", "words"),
    [
        (Risen(20, is_whole=True), None, "20 requests were sent, and c rose by 20 within 2.0 s (there)."),
        (Risen(35), None, "rose by 35"),  # others send, too; nothing more has to be read
        (Risen(19.9999), None, "rose by 20"),  # computed from samples
        (Risen(0, {"a": 0.0}, is_whole=True), Failure, "but c rose by 0 only within 2 s (there: a 0)"),
        (Risen(12, {"a": 12.0, "b": 0.0}, is_whole=True), Failure, "rose by 12 only within 2 s (there: a 12, b 0)"),
        (Risen(12), CannotMeasure, "20 requests were sent 2 s ago, and there does not have all of c since"),
        (Risen(is_there=False), CannotMeasure, "there has no c of this server"),
        (Risen(is_there=False, is_elsewhere=True), Failure, "but one of the other pool"),
    ],
)
def test_whether_it_rises(risen: Risen, verdict: type[Failure] | None, words: str) -> None:
    def judge() -> str:
        return judged("there", "c", risen, 20, 2.0)

    if verdict is None:
        assert words in judge() and enough(risen, 20)
        return
    with pytest.raises(Failure) as failed:
        judge()
    assert failed.type is verdict and words in failed.value.msg and not enough(risen, 20)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 5.0}, {"a": 9.0}, {"a": 4.0}),
        ({"a": 5.0}, {"a": 3.0}, {"a": 3.0}),  # it was reset, and counts from 0
        ({}, {"a": 3.0}, {"a": 3.0}),  # a new pod
        ({"a": 5.0, "b": 1.0}, {"b": 1.0}, {"b": 0.0}),  # one is gone
    ],
)
def test_rises_of_pods(before: t.Any, after: t.Any, found: t.Any) -> None:
    assert rises(before, after) == found
