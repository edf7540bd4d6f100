# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import typing as t

import pytest

from ansible_collections.mcp.server.plugins.module_utils._load import k6
from ansible_collections.mcp.server.plugins.module_utils._load.options import Limits
from ansible_collections.mcp.server.tests.unit.fakes.load_tools import SUMMARY

LIMITS = Limits(2, 200)
NO_RATE = {"passes": 0, "fails": 0, "value": 0, "thresholds": {"rate>0.9": False}}
NO_TREND = {"count": 0, "avg": 0, "thresholds": {"p(95)<5": False}}
NO_COUNT = {"count": 0, "rate": 0, "thresholds": {"count<5": False}}
NONE: dict[str, t.Any] = {"thresholds": {}}


def metrics(**changes: dict[str, t.Any] | None) -> dict[str, dict[str, t.Any]]:
    found = copy.deepcopy(SUMMARY["metrics"])
    for name, change in changes.items():
        if change is None:
            del found[name]
        else:
            found[name] = {**found.get(name, {}), **change}
    return t.cast("dict[str, dict[str, t.Any]]", found)


# run, thresholds, errors, p95, throughput
@pytest.mark.parametrize(
    ("what", "code", "found", "limits", "verdicts"),
    [
        ("all is good", 0, metrics(), LIMITS, "pppps"),
        ("a throughput that is reached", 0, metrics(), Limits(2, 200, 40), "ppppp"),
        ("one that is not", 0, metrics(), Limits(2, 200, 50), "ppppc"),
        (
            "thresholds were crossed",
            99,
            metrics(http_req_duration={"p(95)": 260, "thresholds": {"p(95)<200": True}}),
            LIMITS,
            "ffpfs",
        ),
        ("an exception of the script", 107, metrics(), LIMITS, "fppps"),
        ("an exit code that nobody knows", 3, metrics(), LIMITS, "fppps"),
        ("exit code 0 in spite of a threshold", 0, metrics(vus={"thresholds": {"value<5": True}}), LIMITS, "pfpps"),
        ("a rate without samples", 0, metrics(logged_in=NO_RATE), LIMITS, "pfpps"),
        ("a trend without samples", 0, metrics(login=NO_TREND), LIMITS, "pfpps"),
        ("a counter without samples", 0, metrics(errors=NO_COUNT), LIMITS, "pfpps"),
        ("no thresholds", 0, metrics(http_req_failed=NONE, http_req_duration=NONE), LIMITS, "pspps"),
        ("too many errors for the limits", 0, metrics(http_req_failed={"value": 0.02}), LIMITS, "ppfps"),
        ("no HTTP at all", 0, metrics(http_reqs=None, http_req_failed=None, http_req_duration=None), LIMITS, "psccs"),
        ("few requests", 0, metrics(http_reqs={"count": 99}), LIMITS, "ppccs"),
        ("no values", 0, metrics(http_reqs={"count": "x"}, http_req_failed={"value": None}), LIMITS, "ppccs"),
        ("no summary", 0, None, LIMITS, "csccs"),
        ("no summary, and a failure", 104, None, LIMITS, "fsccs"),
    ],
)  # fmt: skip
def test_what_k6_says(
    what: str, code: int, found: dict[str, dict[str, t.Any]] | None, limits: Limits, verdicts: str
) -> None:
    results = k6.judged(code, "the last words", found, limits)
    assert [one["id"] for one in results] == [
        "load_generator",
        "load_thresholds",
        "load_errors",
        "load_p95",
        "load_throughput",
    ]
    assert "".join(one["verdict"][0] for one in results) == verdicts, (what, results)


def test_a_failure_names_the_thresholds_or_the_last_words() -> None:
    crossed = metrics(http_req_duration={"thresholds": {"p(95)<200": True}})
    assert "(thresholds were crossed): http_req_duration p(95)<200." in k6.judged(99, "", crossed, LIMITS)[0]["message"]
    said = k6.judged(107, "Error: \x1b[2Jno such file", metrics(), LIMITS)[0]["message"]
    assert "(the script threw an exception); its output ends with: Error: [2Jno such file." in said


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b"{}", b'{"metrics": []}', b'{"metrics": {"a": 5}}', b'{"metrics": null}', b"[" * 50_000]
)
def test_what_is_no_summary(text: bytes) -> None:
    assert k6.metrics_in(text) is None


def test_the_summary_and_its_figures() -> None:
    found = k6.metrics_in(json.dumps(SUMMARY).encode())
    assert found == SUMMARY["metrics"]
    assert k6.figures(found or {}) == {
        "sent": 500,
        "failed": 2,
        "error_percent": 0.4,
        "p95_ms": 61.5,
        "throughput": 49.9,
    }
    assert k6.figures({}) == {}


def test_the_command() -> None:
    words = k6.command("/bin/k6", "/a.js", "/s.json", {"ENDPOINT": "http://a"})
    assert words[:4] == ["/bin/k6", "run", "--summary-export", "/s.json"]
    assert words[-3:] == ["--env", "ENDPOINT=http://a", "/a.js"]
