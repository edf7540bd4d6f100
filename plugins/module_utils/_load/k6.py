# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""k6, with the user's own script: its command, exit codes and summary. k6 is the user's, and has to be on PATH. Pure.

Of k6 only what it documents is read: its exit code, and the file of --summary-export, in the form that it has by
default. There, a threshold is C(true) when it was crossed.
"""

from __future__ import annotations

import json
import math
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._load.judge import ERRORS, GENERATOR, NAMES, P95, THROUGHPUT
from ansible_collections.mcp.server.plugins.module_utils._load.options import MIN_REQUESTS, Limits
from ansible_collections.mcp.server.plugins.module_utils._text import printable

THRESHOLDS = "load_thresholds"
MAX_SUMMARY = 4 * 1024 * 1024  # bytes
SHOWN = 5  # thresholds in a sentence

# What k6 documents of its exit codes.
_CODES = {
    97: "the cloud test run failed",
    98: "it got no progress of the cloud test run",
    99: "thresholds were crossed",
    100: "setup() took too long",
    101: "teardown() took too long",
    102: "it took too long",
    103: "it was stopped by its REST API",
    104: "its options are not valid",
    105: "it was stopped by a signal",
    106: "its REST API could not start",
    107: "the script threw an exception",
    108: "the script aborted the test",
    109: "it crashed",
    110: "the script marked the test as failed",
}

# So that the summary is in the form that is read, whatever the environment asks for.
ENVIRONMENT = {"K6_NEW_MACHINE_READABLE_SUMMARY": "false", "K6_NO_THRESHOLDS": "false"}


def command(executable: str, script: str, summary: str, variables: t.Mapping[str, str]) -> list[str]:
    """Return the command. summary: the file that it writes. variables: of the script; they are no secrets."""
    given = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    stats = "count,avg,min,med,max,p(90),p(95),p(99)"  # count tells a trend without samples
    return [executable, "run", "--summary-export", summary, "--summary-trend-stats", stats, *given, script]


def metrics_in(text: bytes) -> dict[str, dict[str, t.Any]] | None:
    """Return the metrics of a summary, by name; None when it has another form."""
    try:
        metrics = json.loads(text)["metrics"]
        if not all(isinstance(one, dict) for one in metrics.values()):
            return None
        return dict(metrics)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def samples(metric: t.Mapping[str, t.Any]) -> float | None:
    """Return how many samples a metric has; None for a gauge, which does not tell."""
    if "passes" in metric and "fails" in metric:
        return _number(metric["passes"]) + _number(metric["fails"])
    return _number(metric["count"]) if "count" in metric else None


def judged(
    code: int, output: str, metrics: dict[str, dict[str, t.Any]] | None, limits: Limits
) -> list[dict[str, t.Any]]:
    """Return the results of the checks. output: the end of what k6 has written."""
    if code:
        ended = f"k6 ended with exit code {code}"
        known = f" ({_CODES[code]})" if code in _CODES else ""
        crossed = _listed(_thresholds(metrics or {}, crossed=True))
        said = (
            f": {crossed}" if crossed else f"; its output ends with: {printable(output[-300:], 300)}" if output else ""
        )
        run = _result(
            GENERATOR, _results.FAILED, f"{ended}{known}{said}. Every exit code but 0 fails; run the script by hand."
        )
    elif metrics is None:
        run = _result(
            GENERATOR,
            _results.CANNOT_MEASURE,
            "k6 wrote no summary that can be read (--summary-export). Is it older than 0.26, or is K6_SUMMARY_MODE "
            "disabled in the environment?",
        )
    else:
        run = _result(GENERATOR, _results.PASSED, "k6 ended with exit code 0.")
    found = metrics or {}
    return [run, _judged_thresholds(found), _errors(found, limits), _p95(found, limits), _throughput(found, limits)]


def _judged_thresholds(metrics: t.Mapping[str, dict[str, t.Any]]) -> _results.Result:
    crossed = _thresholds(metrics, crossed=True)
    empty = [name for name, metric in metrics.items() if metric.get("thresholds") and samples(metric) == 0]
    if crossed:
        return _result(THRESHOLDS, _results.FAILED, f"k6 found thresholds of the script crossed: {_listed(crossed)}.")
    if empty:
        return _result(
            THRESHOLDS,
            _results.FAILED,
            f"Thresholds of the script are on metrics without any sample, which k6 passes: {_listed(empty)}. Did the "
            "script send what they are for?",
        )
    kept = _thresholds(metrics, crossed=False)
    if not kept:
        return _result(THRESHOLDS, _results.SKIPPED, "The script has no thresholds, or k6 told of none.")
    return _result(THRESHOLDS, _results.PASSED, f"{len(kept)} thresholds of the script were kept: {_listed(kept)}.")


def _errors(metrics: t.Mapping[str, dict[str, t.Any]], limits: Limits) -> _results.Result:
    failed, sent = metrics.get("http_req_failed", {}), _requests(metrics)
    if "value" not in failed or sent < MIN_REQUESTS:
        return _too_few(ERRORS, sent)
    percent = 100 * _number(failed["value"])
    said = (
        f"{percent:.2f} % of {sent:.0f} requests failed (http_req_failed); the limit is {limits.max_error_percent:g} %."
    )
    if percent >= limits.max_error_percent:
        return _result(ERRORS, _results.FAILED, f"{said} Look at the server's log of that time (diagnose.yml).")
    return _result(ERRORS, _results.PASSED, said)


def _p95(metrics: t.Mapping[str, dict[str, t.Any]], limits: Limits) -> _results.Result:
    duration, sent = metrics.get("http_req_duration", {}), _requests(metrics)
    if "p(95)" not in duration or sent < MIN_REQUESTS:
        return _too_few(P95, sent)
    milliseconds = _number(duration["p(95)"])
    said = (
        f"The p95 of the latency is {milliseconds:.0f} ms (http_req_duration); the limit is {limits.max_p95_ms:g} ms."
    )
    if milliseconds >= limits.max_p95_ms:
        return _result(P95, _results.FAILED, f"{said} Look at what the server waits for, or give it more replicas.")
    return _result(P95, _results.PASSED, said)


def _throughput(metrics: t.Mapping[str, dict[str, t.Any]], limits: Limits) -> _results.Result:
    goal, rate = limits.min_throughput, _number(metrics.get("http_reqs", {}).get("rate", 0))
    good = rate * (1 - _number(metrics.get("http_req_failed", {}).get("value", 0)))
    said = f"{good:.0f} good answers a second came (http_reqs, http_req_failed)"
    if goal is None:
        return _result(THROUGHPUT, _results.SKIPPED, f"{said}; no throughput is asked for (mcp_load_min_throughput).")
    if good > goal:
        return _result(THROUGHPUT, _results.PASSED, f"{said}; more than {goal:g} are asked for.")
    return _result(
        THROUGHPUT,
        _results.CANNOT_MEASURE,
        f"{said}; more than {goal:g} are asked for. Whether the server or the script is what is slow is not known, as "
        "a script's own limit can't be measured: send more (rate and VUs of its scenarios), or use vegeta.",
    )


def _too_few(check_id: str, sent: float) -> _results.Result:
    return _result(
        check_id,
        _results.CANNOT_MEASURE,
        f"k6 counted {sent:.0f} HTTP requests, {MIN_REQUESTS} needed. Raise the rate or duration in the script.",
    )


def _requests(metrics: t.Mapping[str, dict[str, t.Any]]) -> float:
    return _number(metrics.get("http_reqs", {}).get("count", 0))


def _thresholds(metrics: t.Mapping[str, dict[str, t.Any]], *, crossed: bool) -> list[str]:
    return [
        f"{name} {threshold}"
        for name, metric in metrics.items()
        if isinstance(metric.get("thresholds"), dict)
        for threshold, was_crossed in metric["thresholds"].items()
        if (was_crossed is not False) is crossed
    ]


def _listed(names: t.Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(printable(name, 100) for name in names[:SHOWN]) + more


def _number(value: t.Any) -> float:
    """Return a finite number of a summary; 0 for what is none."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else 0.0


def _result(check_id: str, verdict: str, message: str) -> _results.Result:
    names = {**NAMES, THRESHOLDS: "k6 thresholds"}
    return _results.result(check_id, names[check_id], verdict, message)


def figures(metrics: t.Mapping[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    """Return the figures of a summary, as RV(load) of mcp_load_test has them."""
    if not metrics:
        return {}
    failed = _number(metrics.get("http_req_failed", {}).get("value", 0))
    return {
        "sent": round(_requests(metrics)),
        "failed": round(_requests(metrics) * failed),
        "error_percent": round(100 * failed, 3),
        "p95_ms": round(_number(metrics.get("http_req_duration", {}).get("p(95)", 0)), 2),
        "throughput": round(_number(metrics.get("http_reqs", {}).get("rate", 0)) * (1 - failed), 1),
    }
