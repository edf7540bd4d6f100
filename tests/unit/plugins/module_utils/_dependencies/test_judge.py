# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._dependencies import judge
from ansible_collections.mcp.server.plugins.module_utils._dependencies.objects import Dependency
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Failure


def verdict(state: dict[str, t.Any], output: str = "", expect: str | None = None, secrets: t.Sequence[str] = ()) -> str:
    return judge.verdict(Dependency("database", ("x",), expect=expect, timeout=5), "prod/mcp", state, output, secrets)


def ended(code: int | None = 0, **more: t.Any) -> dict[str, t.Any]:
    return {"terminated": {"exitCode": code, **more}}


@pytest.mark.parametrize(
    ("output", "expect"), [("", None), ("1\n", "^1$"), ("NOTICE: x\n1\n", "^1$"), ("Database connection: OK", "OK")]
)
def test_what_answers(output: str, expect: str | None) -> None:
    assert verdict(ended(), output, expect) == "Dependency database of prod/mcp answers as the server needs it."


@pytest.mark.parametrize(
    ("state", "output", "expect", "kind", "why"),
    [
        (ended(2), "psql: refused\n", None, Failure, "exit code 2; its output ends with: psql: refused. Check"),
        (ended(1), "", None, Failure, "exit code 1, without any output. Check"),
        (ended(None), "", None, Failure, "exit code None"),
        (ended(), "2\n", "^1$", Failure, "something else than expected (^1$); its output ends with: 2. Check"),
        (ended(), "", "^1$", Failure, "something else than expected (^1$), nothing. Check"),
        ({"running": {}}, "connecting\n", None, Failure, "has not ended within 5 s; its output ends with: connecting."),
        ({}, "", None, Failure, "has not ended within 5 s. Check"),
        (ended(127), "sh: psql: not found", None, CannotMeasure, "cannot be run in the image; its output ends"),
        (ended(126), "", None, CannotMeasure, "cannot be run in the image (exit code 126)"),
        (
            ended(128, reason="StartError", message="exec: no such file"),
            "",
            None,
            CannotMeasure,
            "(exec: no such file)",
        ),
        (ended(137, reason="OOMKilled"), "", None, CannotMeasure, "more memory than the Job may"),
    ],
)
def test_what_does_not(state: dict[str, t.Any], output: str, expect: str | None, kind: type[Failure], why: str) -> None:
    with pytest.raises(Failure) as failed:
        verdict(state, output, expect)
    assert (
        failed.type is kind
        and why in failed.value.msg
        and failed.value.msg.startswith("Dependency database of prod/mcp ")
    )


def test_no_secret_is_shown() -> None:
    output = "connecting to postgresql://mcp:hunter-22@db/x\nTOKEN=abcdef123456\nplain-secret-value\n"
    with pytest.raises(Failure) as failed:
        verdict(ended(1), output, secrets=["plain-secret-value"])
    assert not any(one in failed.value.msg for one in ("hunter-22", "abcdef123456", "plain-secret-value")), (
        failed.value.msg
    )


def test_hostile_output_is_one_short_line() -> None:
    with pytest.raises(Failure) as failed:
        verdict(ended(1), "\x1b[2J\u202e{{ lookup('pipe', 'id') }}\r\n" * 100_000)
    assert failed.value.msg.isprintable() and len(failed.value.msg) < 800


@pytest.mark.parametrize("length", [2990, 3010, 30_000])
def test_a_secret_in_a_long_line_is_hidden_wherever_the_line_is_cut(length: int) -> None:
    secret = "Wq7-planted-in-the-template"
    with pytest.raises(Failure) as failed:
        verdict(ended(1), f"{'x' * length} {secret} {'y' * 50}\n", secrets=[secret])
    assert "planted" not in failed.value.msg and "Wq7" not in failed.value.msg and "yyy. Check" in failed.value.msg


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"phase": "Failed"}, ""),
        ({"reason": "Evicted"}, "Evicted"),
        (
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}]},
            "Deletion",
        ),
        ({"conditions": [{"type": "DisruptionTarget", "status": "False", "reason": "x"}]}, ""),
    ],
)
def test_a_pod_that_the_cluster_ended(status: dict[str, t.Any], why: str) -> None:
    found = judge.taken_away({"status": status})
    assert found.startswith(why) and bool(found) is bool(why)
