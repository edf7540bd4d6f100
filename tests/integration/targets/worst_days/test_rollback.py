# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollback on each of the worst days: what it says, and what it leaves, object by object."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from days import (
    BACK,
    SCALED_DOWN,
    Day,
    applied,
    dead_webhook,
    full_quota,
    logging_pod,
    logging_pod_runs,
)
from faulty_api import FaultyApi, no_metrics, no_space
from playing import kubectl
from soaking import soak

ALL = (("*", "*"),)
NOTES = (("", "configmaps"), ("coordination.k8s.io", "leases"))
DELAY = 5.0  # seconds for each answer of a slow API server


@soak
def test_a_slow_api_server(released: Day, api: FaultyApi) -> None:
    api.delay, before = DELAY, released.look()
    said = released.play("rollback", *released.words(api.kubeconfig), seconds=300)
    assert said.code == 0
    released.judge_back(before)
    reads = next(one for one in api.requests if one.method == "PATCH" and "/httproutes/" in one.path)
    print(f"weights {reads.at - api.requests[0].at:.1f} s after the first request, the rest after {said.seconds:.0f} s")
    # Read side by side: the route, the record, the endpoints and the Lease; then the write.
    assert reads.at - api.requests[0].at < 2 * DELAY


def test_a_slow_api_server_for_the_traffic(released: Day, api: FaultyApi) -> None:
    """The short twin: its clients are back after two answers of the API server, whatever comes later."""
    before, back = released.look(), threading.Event()
    api.delay, api.refuse = DELAY, no_metrics
    api.answered = lambda request: back.set() if request.method == "PATCH" and "/httproutes/" in request.path else None
    with released.started("rollback", *released.words(api.kubeconfig)) as process:
        assert back.wait(30)
        print(f"weights {time.monotonic() - api.requests[0].at:.1f} s after the first request")
        assert time.monotonic() - api.requests[0].at < 2 * DELAY
        api.delay = 0.0
        assert released.rest(process).code == 0
    released.judge_back(before)
    assert not [one.path for one in api.requests if "metrics.k8s.io" in one.path], "it does not ask for it"


@soak
def test_a_full_quota(released: Day) -> None:
    """It needs no new pod."""
    before = released.look()
    with applied(full_quota(released)):
        assert released.play("rollback", *released.words()).code == 0
    released.judge_back(before)


@soak
def test_a_full_quota_where_the_good_pool_is_empty(released: Day) -> None:
    released.scale("blue", 0)
    before = released.look()
    with applied(full_quota(released)):
        said = released.play("rollback", *released.words(mcp_ready_grace=3))
    assert said.code and "exceeded quota: full" in said.flat and "raise the quota" in said.flat
    assert "Platform Engineering" in said.flat, "whom to call"
    assert released.weights() == {"blue": 0, "green": 100}, "the traffic stays where pods are"
    assert released.changed(before) == {"Deployment blue spec.replicas": (0, 1)}, "which comes up once there is room"
    assert released.holder() == "", "the next try, or a release, does not wait for its Lease"


def test_a_webhook_that_fails_for_all_writes(released: Day) -> None:
    before = released.look()
    with applied(dead_webhook(released.namespace, *ALL)):
        said = released.play("rollback", *released.words())
    assert said.code and 'failed calling webhook "gone.worst.example"' in said.flat
    assert "or delete its configuration" in said.flat, "what to do"
    assert "Platform Engineering" in said.flat, "whom to call"
    assert said.seconds < 60, "it waits for nothing; mcp_rollback_api_retry_timeout is 600"
    assert released.changed(before) == {}


@soak
def test_a_webhook_that_fails_for_lease_and_record(released: Day) -> None:
    """It goes on without both."""
    before = released.look()
    with applied(dead_webhook(released.namespace, *NOTES)):
        said = released.play("rollback", *released.words())
    assert said.code == 0 and "Continuing without the Lease" in said.flat, said.text
    assert released.changed(before) == BACK | SCALED_DOWN


def test_etcd_without_space(released: Day, api: FaultyApi) -> None:
    before = released.look()
    api.refuse = no_space
    said = released.play("rollback", *released.words(api.kubeconfig, mcp_rollback_api_retry_timeout=3))
    assert said.code and "etcdserver: mvcc: database space exceeded" in said.flat
    assert "etcdctl alarm disarm" in said.flat, "what to do"
    assert "Platform Engineering" in said.flat, "whom to call"
    assert released.changed(before) == {}


@soak
def test_etcd_gets_space_while_a_rollback_waits(released: Day, api: FaultyApi) -> None:
    before, api.refuse = released.look(), no_space
    with released.started("rollback", *released.words(api.kubeconfig)) as process:
        deadline = time.monotonic() + 60
        while not any(one.writes and "/httproutes/" in one.path for one in api.requests[-20:]):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        api.refuse = lambda request: None  # somebody has made room
        assert released.rest(process).code == 0
    released.judge_back(before)


@soak
def test_the_logs_that_it_keeps_show_no_secret(released: Day, tmp_path: Path) -> None:
    with applied(logging_pod(released)):
        kubectl("-n", released.namespace, "wait", *logging_pod_runs(released))
        said = released.play("rollback", *released.words(mcp_report_dir=str(tmp_path)))
    assert said.code == 0
    (report,) = tmp_path.glob("*.html")
    assert "database connection refused" in report.read_text(), "the bad pool's logs"
    released.scan(report.read_text())
    released.scan(json.dumps(released.look()["ConfigMap " + released.server.name + "-release"]))


def test_two_people_at_once(released: Day) -> None:
    before = released.look()
    words = released.words()
    with released.started("rollback", *words) as one, released.started("rollback", *words) as other:
        said = [released.rest(one), released.rest(other)]
    assert all(each.code == 0 for each in said)
    released.judge_back(before)


@soak
@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_a_runner_that_dies(released: Day, api: FaultyApi, number: int) -> None:
    """The same command again ends as if nothing had happened, whoever gives it and from where."""
    before = released.look()
    said = released.killed("rollback", *released.words(api.kubeconfig), api=api, number=number)
    assert said.code == -9, "it ended before"
    assert released.play("rollback", *released.words()).code == 0
    released.judge_back(before)
