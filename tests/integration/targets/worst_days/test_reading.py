# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What status, diagnose and debug say on the worst days: what is wrong, what can't be read, and nothing that is secret.

None of them writes anything that stays.
"""

from __future__ import annotations

import time
import typing as t
from contextlib import contextmanager
from pathlib import Path

import pytest
from days import OLD, Day, applied, dead_webhook, full_quota, logging_pod, logging_pod_runs
from faulty_api import FaultyApi, faulty_api, no_metrics, no_space
from playing import kubectl
from soaking import soak

DELAY = 5.0
DEBUG_IMAGE = "ghcr.io/org/mcp-debug:1.0.0"


@pytest.fixture
def readers_api(reader: str, tmp_path: Path) -> t.Iterator[FaultyApi]:
    with faulty_api(reader, tmp_path) as made:
        yield made


@contextmanager
def unchanged(day: Day) -> t.Iterator[None]:
    """Refuse a block that leaves anything of the server changed, or a Job."""
    before = day.look()
    yield
    deadline = time.monotonic() + 30
    while (found := day.changed(before)) and time.monotonic() < deadline:
        time.sleep(0.5)  # a Job that is deleted goes in the background
    assert found == {}


def test_status_without_the_metrics_api(day: Day, api: FaultyApi) -> None:
    api.refuse = no_metrics
    with unchanged(day):
        said = day.play("status", *day.words(api.kubeconfig))
    assert said.code == 0 and f"{day.server.name}-blue-" in said.text
    assert "metrics" in said.flat and "unable to handle the request" in said.flat, "why there is a dash"
    assert api.writes() == []


@soak
def test_status_while_etcd_is_full_and_with_a_slow_api_server(day: Day, api: FaultyApi) -> None:
    """All is read side by side: a slow answer is waited for once or twice, not once for each object."""
    api.refuse, api.delay = no_space, DELAY
    with unchanged(day):
        said = day.play("status", *day.words(api.kubeconfig))
    assert said.code == 0 and f"{day.server.name}-blue-" in said.text
    print(f"SECONDS status, 5 s a call: {said.seconds:.1f} s")
    assert said.seconds < 60


@soak
def test_status_while_the_glass_is_broken(released: Day) -> None:
    words = released.words(released.breaker, mcp_reason="INC-42", mcp_break_glass_pool="blue")
    assert released.play("break_glass", *words).code == 0
    with unchanged(released):
        said = released.play("status", *released.words())
    assert said.code == 0 and "INC-42" in said.flat and "break_glass.yml" in said.flat
    refused = released.play("bluegreen", *released.words(), "-e", f"version={OLD}")
    assert refused.code and "INC-42" in refused.flat and "mcp_restore=true" in refused.flat
    assert released.play("break_glass", *released.words(released.breaker, mcp_restore=True)).code == 0


def test_a_diagnosis_shows_no_secret(day: Day, reader: str, tmp_path: Path) -> None:
    output = tmp_path / "diagnosis.json"
    with applied(logging_pod(day)):
        kubectl("-n", day.namespace, "wait", *logging_pod_runs(day))
        with unchanged(day):
            said = day.play("diagnose", *day.words(reader, mcp_output=str(output)), "-vv")
    assert said.code == 0 and "Most likely" in said.flat
    assert "unauthorized" in said.flat and "database connection refused" in said.flat, "the lines, without the secrets"
    day.scan(output.read_text())
    print(f"SECONDS diagnose: {said.seconds:.1f} s")


@soak
@pytest.mark.parametrize("fault", ["no space", "slow"])
def test_a_diagnosis_by_a_faulty_api_server(day: Day, readers_api: FaultyApi, fault: str) -> None:
    readers_api.refuse = no_space if fault == "no space" else readers_api.refuse
    readers_api.delay = DELAY if fault == "slow" else 0.0
    asked = {"mcp_debug_image_ref": DEBUG_IMAGE, "mcp_debug_hosts": ["kubernetes.default.svc:443"]}
    with unchanged(day):
        said = day.play("diagnose", *day.words(readers_api.kubeconfig, **asked))
    print(f"SECONDS diagnose, {fault}: {said.seconds:.1f} s")
    assert said.code == 0 and "Most likely" in said.flat and said.seconds < 60 + 30
    if fault == "no space":
        assert "etcd is full, so the cluster takes no writes" in said.flat.partition("Most likely")[2]


@soak
def test_a_diagnosis_of_a_full_quota(released: Day, reader: str) -> None:
    with applied(full_quota(released)):
        kubectl("-n", released.namespace, "scale", f"deployment/{released.server.name}-green", "--replicas=2")
        time.sleep(3)
        with unchanged(released):
            said = released.play("diagnose", *released.words(reader))
    assert said.code == 0 and "quota" in said.flat.partition("Most likely")[2]


@pytest.mark.parametrize("fault", [pytest.param("no space", marks=soak), pytest.param("webhook", marks=soak), "quota"])
def test_debug_that_can_make_nothing(day: Day, reader: str, readers_api: FaultyApi, fault: str) -> None:
    """One sentence says what refuses the Job or its pod, and no Job is left."""
    asked = {"mcp_debug_image_ref": DEBUG_IMAGE, "mcp_debug_timeout": 20}
    words = day.words(readers_api.kubeconfig if fault == "no space" else reader, **asked)
    readers_api.refuse = no_space
    refused = {"quota": full_quota(day), "webhook": dead_webhook(day.namespace, ("batch", "jobs"))}.get(fault)
    with unchanged(day):
        if refused:
            with applied(refused):
                said = day.play("debug", *words)
        else:
            said = day.play("debug", *words)
    assert said.code and said.seconds < 60
    expected = {"quota": "exceeded quota: full", "webhook": "failed calling webhook", "no space": "space exceeded"}
    assert expected[fault] in said.flat


@soak
def test_debug_by_a_slow_api_server(day: Day, readers_api: FaultyApi) -> None:
    readers_api.delay = DELAY
    with unchanged(day):
        said = day.play("debug", *day.words(readers_api.kubeconfig, mcp_debug_image_ref=DEBUG_IMAGE))
    assert said.code == 0
    print(f"SECONDS debug, 5 s a call: {said.seconds:.1f} s")
