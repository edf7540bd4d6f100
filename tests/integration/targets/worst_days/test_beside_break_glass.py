# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rollback.yml to a named version, watch.yml and a guard do while a glass is broken, on the cluster."""

from __future__ import annotations

import json
import threading
import time
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from days import BACK, OLD, Day
from playing import CONFIG, kubectl, until
from soaking import soak

from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_guard
from ansible_collections.mcp.server.plugins.module_utils._task import Task

LEASE = 60  # seconds
NOTE = "mcp.server/break-glass"
BROKEN = {"actions": ["traffic", "readiness"], "reason": "INC-42, nothing answers"}


def break_glass(day: Day, pool: str) -> None:
    day.module("mcp_break_glass", kubeconfig=day.breaker, pool=pool, **BROKEN)


def noted(day: Day) -> list[str]:
    found = json.loads(kubectl("-n", day.namespace, "get", "httproute,service,deployment", "-o", "json"))["items"]
    return [one["kind"] for one in found if NOTE in (one["metadata"].get("annotations") or {})]


@soak
@pytest.mark.parametrize("named", [{"mcp_rollback_version": OLD}, {"mcp_rollback_revision": "1"}])
def test_a_rollback_to_what_is_named_goes_through_and_the_restore_keeps_it(
    released: Day, named: dict[str, str]
) -> None:
    day, before = released, released.look()
    # Somebody sends the traffic to blue in an outage; then back to green, which is no way out either.
    break_glass(day, "blue")
    break_glass(day, "green")
    said = day.play("rollback", *day.words(mcp_rollback_pool="blue", mcp_rollback_verify_seconds=1, **named))
    assert said.code == 0
    assert "The glass of" in said.flat and "INC-42" in said.flat
    assert day.weights() == {"blue": 100, "green": 0}
    assert sorted(noted(day)) == ["HTTPRoute", "Service", "Service"]
    restore = day.words(day.breaker, mcp_restore=True)
    said = day.play("break_glass", *restore)
    assert said.code and "break-glass had set" in said.flat and "mcp_restore_keep=true" in said.flat
    assert day.weights() == {"blue": 100, "green": 0}, "the rollback stands"
    assert noted(day) == ["HTTPRoute"]
    said = day.play("break_glass", *day.words(day.breaker, mcp_restore=True, mcp_restore_keep=True))
    assert said.code == 0
    assert noted(day) == []
    changed = {path: both for path, both in day.changed(before).items() if path in BACK or "Service" in path}
    assert changed == BACK


@soak
def test_a_watch_does_nothing_and_goes_on_after_the_restore(released: Day) -> None:
    day, more = released, {"mcp_watch_seconds": 90, "mcp_watch_rollback": True, "mcp_watch_rate": 5}
    with day.started("watch", *day.words(**more)) as process:
        until(process, "green")
        break_glass(day, "green")  # no weight changes; readiness does
        before = day.look()
        day.scale("green", 0)
        until(process, "The watch goes on once it is restored")
        assert day.weights() == {"blue": 0, "green": 100}
        assert set(day.changed(before)) <= {"Deployment green spec.replicas"}
        day.scale("green", 1)
        kubectl("-n", day.namespace, "rollout", "status", f"deployment/{day.server.name}-green", "--timeout=60s")
        time.sleep(2)
        day.module("mcp_break_glass", kubeconfig=day.breaker, state="restored")
        said = day.rest(process)
    assert said.code == 0
    assert day.weights() == {"blue": 0, "green": 100}


@soak
def test_a_guard_waits_for_the_restore_and_then_rolls_back(released: Day) -> None:
    """The code of the guard's Job, of which the sandbox has an image only once it is built, in a thread."""
    day = released
    begun = day.module("mcp_release", state="begun", image_ref=f"{CONFIG['image']}:{OLD}", version=OLD)
    shift = {"timeout": 60, "run_id": begun["run_id"], "force": True}
    day.module("mcp_traffic_shift", pool="blue", weight=50, **shift)
    lines: list[str] = []
    ended: list[dict[str, t.Any]] = []

    def guard() -> None:
        where = {"namespace": day.namespace, "server": day.server.name, "kubeconfig": day.kubeconfig}
        options = {**where, "release_id": begun["record"]["id"], "guard_id": "by-hand", "action": "rollback"}
        given = {"state": "running", "options": options, **where}
        validated = ArgumentSpecValidator(mcp_guard.SPEC.options, **mcp_guard.SPEC.rules()).validate(given)
        ended.append(mcp_guard.run(Task(validated.validated_parameters, progress=lines.append)))

    thread = threading.Thread(target=guard, daemon=True)
    thread.start()
    break_glass(day, "blue")
    comes(lines, "nothing is done (rollback", LEASE + 30)
    assert any("INC-42" in line and "To restore: ansible-playbook break_glass.yml" in line for line in lines)
    time.sleep(20)
    assert day.weights() == {"blue": 100, "green": 0}
    day.module("mcp_break_glass", kubeconfig=day.breaker, state="restored")
    assert day.weights() == {"blue": 50, "green": 50}
    comes(lines, "the guard of", 30)
    thread.join(60)
    assert ended and ended[0]["decision"] == "rollback", lines
    assert day.weights() == {"blue": 0, "green": 100}
    assert day.module("mcp_release_info")["record"]["outcome"] == "rolled_back"


def comes(lines: list[str], text: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not any(text in line for line in lines):
        assert time.monotonic() < deadline, lines
        time.sleep(0.5)
