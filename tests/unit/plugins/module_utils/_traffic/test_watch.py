# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import queue
import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils._gates import options
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Verdict
from ansible_collections.mcp.server.plugins.module_utils._gates.thresholds import TRIGGERS
from ansible_collections.mcp.server.plugins.module_utils._mcp import endpoint
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, LeaseLost, Task
from ansible_collections.mcp.server.plugins.module_utils._traffic import watch
from ansible_collections.mcp.server.plugins.module_utils._traffic.share import Answer
from ansible_collections.mcp.server.tests.unit.fakes.mcp_server.scripted import LEGACY, MODERN, Scripted
from ansible_collections.mcp.server.tests.unit.fakes.metrics import answers as scraped
from ansible_collections.mcp.server.tests.unit.fakes.prometheus import Fake, serving


def answers(status=200):
    document = json.dumps({"status": "HEALTHY", "version": "1.2.0", "pool": "green"})
    return {"GET": lambda handler, _message: handler.answer(status, document)}


def one_in(count):
    """Of so many answers one fails."""

    def answer(handler, message):
        answers(503 if len(handler.server.seen) % count == 0 else 200)["GET"](handler, message)

    return {"GET": answer}


def run(url, check_mode=False, lines=None, check_lease=lambda: None, **params):
    option = {name: sub.get("default") for name, sub in endpoint.OPTION["options"].items()}
    defaults = {name: sub.get("default") for name, sub in watch.SPEC.options.items()}
    defaults |= {
        "seconds": 0.5,
        "rate": 200.0,
        "min_requests": 5,
        "inconclusive_timeout": 0.0,
        "health_path": "/health",
    }
    progress = (lines if lines is not None else []).append
    params = {**defaults, "endpoint": {**option, "url": url}, **params}
    return watch.run(Task(params, check_mode, progress=progress, check_lease=check_lease))


def test_good(monkeypatch):
    monkeypatch.setattr(watch, "PROGRESS", 0.1)
    lines = []
    with Scripted(answers()) as server:
        found = run(server.url, lines=lines, label="canary")
    assert (found["verdict"], found["blue"], found["green"], found["failed_requests"], found["changed"]) == (
        "pass",
        0.0,
        100.0,
        0,
        False,
    )
    assert 5 <= found["requests"] <= 110
    assert found["p95"] > 0
    assert lines[0].startswith("canary 0 of 0 s: ")


@pytest.mark.parametrize("other_backends", [True, False, None])
@pytest.mark.parametrize("elsewhere", [(200, '{"status": "HEALTHY"}'), (404, "no such page"), (200, "<html>")])
def test_answers_of_other_backends(other_backends, elsewhere):
    """They count neither as good nor as failed, but for those of the route that has none. There a good one is good."""
    verdict = "pass" if other_backends or elsewhere[0] == 200 else "breach"

    def answer(handler, message):
        if len(handler.server.seen) % 4:
            handler.answer(*elsewhere)
        else:
            answers()["GET"](handler, message)

    with Scripted({"GET": answer}) as server:
        try:
            found = run(server.url, triggers={"error_burst": {"window": 1}}, seconds=1, other_backends=other_backends)
        except Failure as failure:
            found = failure.evidence
    assert found["verdict"] == verdict
    assert (found["failed_requests"] == 0) is (verdict == "pass") and found["green"] == 100.0


def test_a_broken_server_is_no_other_backend():
    with Scripted(answers(503)) as server, pytest.raises(Failure, match="with a breach"):
        run(server.url, seconds=30, triggers={"error_burst": {"window": 1}}, other_backends=True)


ERRORS, LATENCY, MEMORY = (
    next(gate for gate in TRIGGERS if gate.name == name) for name in ("errors", "latency", "memory")
)


@pytest.mark.parametrize(
    ("verdicts", "text"),
    [
        ([], ""),
        ([Verdict(ERRORS, "no_data"), Verdict(MEMORY, "pass", 50.0)], ""),
        ([Verdict(ERRORS, "pass", 1.0, requests=100)], "; 5xx 1.0 % of 100 requests: pass"),
        (
            [Verdict(ERRORS, "pass", 1.0, requests=100), Verdict(LATENCY, "no_data", 0.25)],
            "; 5xx 1.0 %, p95 250 ms of 100 requests: inconclusive",
        ),
        (
            [Verdict(ERRORS, "pass", 1.0, requests=100), Verdict(MEMORY, "pass", 95.0, seconds_past=20)],
            "; 5xx 1.0 % of 100 requests: memory above its limit for 20 s",
        ),
        # By the gate's field, whatever its name.
        (
            [Verdict(Gate("rps", "requests", 5.0, unit="1/s", progress_label="rate"), "pass", 9.0, requests=90)],
            "; rate 9.0 1/s of 90 requests: pass",
        ),
        ([Verdict(Gate("errors", "errors", 1.0), "pass", 0.5, requests=90)], ""),
    ],
)
def test_the_metrics_in_a_line_of_progress(verdicts, text):
    assert watch.metrics_text(verdicts) == text


def test_a_breach_ends_it():
    with (
        Scripted(answers(503)) as server,
        pytest.raises(
            Failure, match=r"with a breach: error_burst breach \(100.0 %\).* synthetic requests failed .*returned 503"
        ) as failure,
    ):
        run(server.url, seconds=30, triggers={"error_burst": {"window": 1}})
    assert 1 <= failure.value.evidence["seconds"] < 5
    assert (failure.value.evidence["verdict"], failure.value.evidence["inconclusive"]) == ("breach", False)
    assert "failed" not in failure.value.evidence  # that is whether the task did


def test_the_part_of_a_pool():
    """One answer in twenty fails: half of those of a pool with 10 %, and a twentieth of those of one with 100 %."""
    with Scripted(one_in(20)) as server:
        fast = {"error_burst": {"window": 1}}
        assert run(server.url, seconds=3, triggers=fast, max_failed_percent=50.0)["verdict"] == "pass"
        with pytest.raises(Failure, match="error_burst breach"):
            run(server.url, seconds=10, triggers=fast, weight=10)


def test_a_blip_is_no_breach():
    """Half a second of errors: too short for the trigger, and over by the end."""
    start = time.monotonic()

    def blip(handler, message):
        answers(503 if 0.5 < time.monotonic() - start < 1 else 200)["GET"](handler, message)

    with Scripted({"GET": blip}) as server:
        found = run(server.url, seconds=3, triggers={"error_burst": {"window": 1}}, max_failed_percent=30.0)
    assert (found["verdict"], found["failed_requests"] > 0) == ("pass", True)


def test_failures_of_the_whole_time_are_a_breach():
    with (
        Scripted(one_in(10)) as server,
        pytest.raises(Failure, match=r"with a breach: synthetic_requests breach \(.* %\)"),
    ):
        run(server.url, inconclusive_timeout=20.0)


def test_too_few_requests_are_inconclusive():
    with (
        Scripted(answers()) as server,
        pytest.raises(
            Failure,
            match="inconclusive after waiting 0 s: synthetic_requests no data: only .* requests, 1000 needed",
        ) as failure,
    ):
        run(server.url, seconds=0.2, min_requests=1000)
    assert (failure.value.evidence["verdict"], failure.value.evidence["inconclusive"]) == ("inconclusive", True)


def test_an_inconclusive_watch_may_pass_later():
    with Scripted(answers()) as server:
        assert run(server.url, seconds=0.2, min_requests=100, inconclusive_timeout=10.0)["seconds"] > 0.2


def test_check_mode_sends_nothing():
    with Scripted(answers()) as server:
        assert run(server.url, check_mode=True)["verdict"] == "no_data"
        assert server.seen == []


@pytest.mark.parametrize(
    "params", [{"rate": 0.0}, {"rate": -1.0}, {"seconds": 0.0}, {"weight": 0}, {"poll_interval": 0.0}]
)
def test_bad_input(params):
    ((option, value),) = params.items()
    with pytest.raises(Failure, match=f"{option} is {value:g}: it must be more than 0"):
        run("http://127.0.0.1:9", **params)


def test_bad_since():
    with pytest.raises(Failure, match="since is 'yesterday': it must be a time in ISO 8601"):
        watch.age("yesterday", datetime.now(UTC))


@pytest.mark.parametrize(
    ("since", "age"),
    [
        ("2026-11-24T06:00:00Z", 90.0),
        ("2026-11-24T06:00:00", 90.0),
        ("2026-11-24T07:00:00+01:00", 90.0),
        ("", None),
        (None, None),
    ],
)
def test_age(since, age):
    assert watch.age(since, datetime(2026, 11, 24, 6, 1, 30, tzinfo=UTC)) == age


def test_a_watch_of_a_run_that_lost_its_lease_ends():
    def lost():
        raise LeaseLost("This run is not the one any more.")

    with Scripted(answers()) as server, pytest.raises(LeaseLost):
        run(server.url, check_lease=lost)


def with_prometheus(url, public, lines=None, **params):
    prometheus = {name: sub.get("default") for name, sub in options.OPTION["options"].items()} | {
        "url": url,
        "source": ["app"],
        "timeout": 1.0,
    }
    gates = {"latency_rise": {"enabled": False}}
    triggers = {"latency": {"enabled": False}, "memory": {"enabled": False}, "errors": {"window": 20}}
    server = {"namespace": "prod", "server": "mcp", "pool": "green", "pool_name_format": "{server}-{pool}"}
    return run(
        public,
        lines=lines,
        **{
            "prometheus": prometheus,
            "gates": gates,
            "triggers": triggers,
            "poll_interval": 0.2,
            "seconds": 1.0,
            **server,
            **params,
        },
    )


def metrics(share):
    """A server that is scraped every 5 seconds, until shortly."""
    series = scraped([100 - share] * 42, [share] * 42, start=time.time() - 200)
    return Fake(serving(lambda: series, time.time))


def test_metrics_that_are_good():
    lines = []
    with Scripted(answers()) as server, metrics(0) as prometheus:
        found = with_prometheus(prometheus.url, server.url, lines, checks=["triggers"])
    assert found["verdict"] == "pass"
    assert [gate["gate"] for gate in found["gates"]] == ["errors", "database", "error_burst"]


def test_a_trigger_by_metrics():
    """All synthetic requests go to the other pool, and succeed."""
    with (
        Scripted(answers()) as server,
        metrics(10) as prometheus,
        pytest.raises(Failure, match=r"with a breach: errors breach \(10.0 %\)") as failure,
    ):
        with_prometheus(prometheus.url, server.url, seconds=30, since="2026-01-01T00:00:00Z")
    assert failure.value.evidence["seconds"] < 5
    assert failure.value.evidence["failed_requests"] == 0


def test_it_is_inconclusive_when_prometheus_is_down():
    with (
        Scripted(answers()) as server,
        pytest.raises(
            Failure,
            match="inconclusive after waiting 3 s: .* cannot measure: Prometheus at http://127.0.0.1:9 does not answer",
        ) as failure,
    ):
        with_prometheus("http://127.0.0.1:9", server.url, inconclusive_timeout=2.0)
    assert failure.value.evidence["inconclusive"] is True


def test_prometheus_comes_back():
    with Scripted(answers()) as server, metrics(0) as prometheus:
        good, prometheus.answer = prometheus.answer, lambda _query: (503, b"")
        threading.Timer(2.0, lambda: setattr(prometheus, "answer", good)).start()
        found = with_prometheus(prometheus.url, server.url, checks=["triggers"], inconclusive_timeout=20.0)
    assert found["verdict"] == "pass"
    assert found["seconds"] > 1.5


# What is left of the gates passes without data.
WITHOUT_DATA = {"latency_rise": {"enabled": False}, "errors": {"enabled": False}}


@pytest.mark.parametrize(("weight", "comparing"), [(50, ["mcp_errors", "lost_sessions"]), (100, [])])
def test_the_live_pool_is_not_compared_with_at_100_percent(weight, comparing):
    with Scripted(answers()) as server, metrics(0) as prometheus:
        found = with_prometheus(prometheus.url, server.url, gates=WITHOUT_DATA, weight=weight)
    assert [gate["gate"] for gate in found["gates"]] == [
        "errors",
        "database",
        "error_burst",
        "synthetic_requests",
        *comparing,
    ]


def test_failed_synthetic_requests_are_no_breach_with_prometheus():
    with (
        Scripted(one_in(10)) as server,
        metrics(0) as prometheus,
        pytest.raises(Failure, match="of both pools together") as failure,
    ):
        with_prometheus(prometheus.url, server.url, gates=WITHOUT_DATA)
    assert (failure.value.evidence["verdict"], failure.value.evidence["inconclusive"]) == ("inconclusive", True)


@pytest.mark.parametrize("with_metrics", [True, False])
def test_the_trigger_errors_is_judged_by_synthetic_requests_only_without_prometheus(with_metrics):
    """Of the synthetic requests 10 % fail, and the metrics of the pool are good."""
    options = {"seconds": 3.0, "checks": ["triggers"], "inconclusive_timeout": 20.0}
    triggers = {"errors": {"window": 1}, "latency": {"enabled": False}, "memory": {"enabled": False}}
    with Scripted(one_in(10)) as server, metrics(0) as prometheus:
        if with_metrics:
            assert with_prometheus(prometheus.url, server.url, triggers=triggers, **options)["failed_requests"] > 20
        else:
            with pytest.raises(Failure, match="with a breach: errors breach"):
                run(server.url, triggers=triggers, **options)


def test_it_passes_by_a_poll_that_began_after_the_end():
    """Prometheus is asked each minute, so the poll at the beginning would be the only one."""
    with Scripted(answers()) as server, metrics(0) as prometheus:
        found = with_prometheus(
            prometheus.url, server.url, checks=["triggers"], poll_interval=60.0, inconclusive_timeout=20.0
        )
        polls = sum(parameters["query"] != "time()" for _path, parameters, _headers in prometheus.seen)
    assert (found["verdict"], polls) == ("pass", 2)


def watching(lines=None, **params):
    option = {name: sub.get("default") for name, sub in endpoint.OPTION["options"].items()}
    defaults = {name: sub.get("default") for name, sub in watch.SPEC.options.items()}
    given = {**defaults, "seconds": 60.0, "endpoint": {**option, "url": "http://127.0.0.1:9"}, **params}
    return watch.Watch(Task(given, progress=(lines if lines is not None else []).append))


@pytest.mark.parametrize(
    ("durations", "p95"), [([], None), ([0.1], 0.1), ([0.2, 0.1], 0.1), ([number / 100 for number in range(100)], 0.94)]
)
def test_p95_of_the_latest_answers(durations, p95):
    watched = watching()
    watched.latest.extend(Answer(0.0, True, "green", seconds=seconds) for seconds in durations)
    found = watched.result("pass", [])
    assert (found["p95"], found["requests"], found["failed_requests"]) == (p95, 0, 0) and "failed" not in found


@pytest.mark.parametrize(
    ("ago", "deciding", "begun", "line"),
    [
        (watch.PROGRESS - 1, [], 10, None),
        (watch.PROGRESS + 0.1, [], 10, "canary 10 of 60 s: 0 answers, 0 failed"),
        (
            watch.PROGRESS + 0.1,
            [Verdict(ERRORS, "no_data", reason="few")],
            70,
            "canary inconclusive for 10 of 600 s: 0 answers, 0 failed; errors no data: few",
        ),
    ],
)
def test_progress_now_and_then(ago, deciding, begun, line):
    lines = []
    watched = watching(lines, label="canary")
    watched.bound = SimpleNamespace(elapsed=float(begun), seconds=660.0)
    watched.last_progress = time.monotonic() - ago
    for _each in range(2):
        watched._show_progress(watch.Decision("continue", [], deciding))
    assert lines == ([line] if line else [])


@pytest.mark.parametrize(("window", "least"), [(30.0, 660.0), (900.0, 900.0)])
def test_synthetic_requests_are_kept_for_as_long_as_any_window(monkeypatch, window, least):
    kept = []
    monkeypatch.setattr(watch, "SyntheticRequests", lambda _weight, _begun, longest: kept.append(longest))
    watching(inconclusive_timeout=600.0, triggers={"errors": {"window": window}})
    assert least < kept[0] < least + 60


def test_when_a_poll_began_counts_from_the_beginning_of_the_watch():
    watched = watching()
    poller = SimpleNamespace(latest=SimpleNamespace(begun=watched.bound.started + 30, triggers=[], gates=[]))
    observation = watched._observe(queue.SimpleQueue(), poller)
    assert observation.polled == pytest.approx(30) and observation.prometheus
    assert watched._observe(queue.SimpleQueue(), None).polled is None


def test_a_server_without_a_health_path():
    """It says that it asks slowly, and does not pass by fewer answers than it needs."""
    lines = []
    with Scripted(LEGACY) as server:
        with pytest.raises(Failure, match="only . requests, 5 needed") as failure:
            run(server.url, lines=lines, health_path=None, seconds=1.5)
        assert failure.value.evidence["inconclusive"] and failure.value.evidence["measured_by"] is None
        assert failure.value.evidence["unnamed"] == failure.value.evidence["requests"] >= 1
        assert any("keeps sessions" in line and "burst of errors is seen later" in line for line in lines)
        assert len(server.ended) == sum(key == "initialize" for key, _headers in server.seen)


def test_answers_that_may_be_of_other_backends():
    with (
        Scripted(MODERN) as server,
        pytest.raises(Failure, match="answers name no pool, and may be of the route's other"),
    ):
        run(server.url, health_path=None, other_backends=True)
